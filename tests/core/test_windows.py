"""Nothing needs what Windows lacks: modules, functions of `os` and signals of POSIX, and a terminal of UTF-8."""

import os
import subprocess
import sys

PROGRAM = """
import concurrent.futures.process, importlib, multiprocessing.reduction, os, pkgutil, signal, sys
import h5py, jax, numpy as np, rich.console, rich.progress, sklearn.base  # these know where they run

for name in "resource fcntl pwd grp termios tty pty syslog readline curses".split():
    sys.modules[name] = None
MISSING = {
    os: "fork register_at_fork getuid geteuid getgid getegid getpgid killpg setsid sched_getaffinity uname statvfs "
    "sysconf getloadavg nice mkfifo chown pread pwrite wait4 forkpty openpty O_CLOEXEC O_DIRECTORY",
    signal: "SIGKILL SIGHUP SIGALRM SIGUSR1 SIGUSR2 SIGCHLD alarm setitimer pthread_kill sigwait",
}
for module, names in MISSING.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
sys.platform = "win32"

import lamina as keras
for info in pkgutil.walk_packages(keras.__path__, "lamina."):
    if not info.name.endswith("__main__"):
        importlib.import_module(info.name)

model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
x, y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
model.fit(x, y, verbose=2, resume="run")
model.save("m.keras")
model.save_weights("m.weights.h5")
np.testing.assert_array_equal(keras.models.load_model("m.keras").predict(x, verbose=0), model.predict(x, verbose=0))
print(model.check(x, y))
from lamina.cli import main
main(["summary", "m.keras"])
print("all done")
"""


def test_without_posix(tmp_path):
    root = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))
    environment = {**os.environ, "PYTHONPATH": root, "PYTHONIOENCODING": "cp1252", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env=environment, capture_output=True, encoding="cp1252"
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.rstrip().endswith("all done") and (tmp_path / "run").exists()
