"""Where the first second goes: processor time from the start of Python to the first step and to the first epoch.

    python benchmarks/first_second.py                               nine workloads, cold and warm, with the peers
    python benchmarks/first_second.py --only dense_128 --rounds 9
    python benchmarks/first_second.py --libraries lamina --split    what lamina does meanwhile

Each run is a process of its own on one core (`--core`). The libraries take turns, and a figure is the median of the
rounds. Cold: an empty folder of compiled programs; warm: the folder of a run before. Making the data does not count.
Libraries that have no such folder have no warm row.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from lamina_bench.libraries import LIBRARIES, missing
from lamina_bench.workloads import WORKLOADS

DEFAULT = ("dense_32", "dense_128", "regression", "cnn_1d", "lstm", "cnn_2d", "text_gru", "transformer", "autoencoder")
# The innermost frame of a file that ends so says what is being done.
KINDS = {
    "importlib._bootstrap>": "imports",
    "importlib._bootstrap_external>": "imports",
    "jax/_src/compilation_cache.py": "disk cache",
    "jax/_src/lru_cache.py": "disk cache",
    "jax/_src/cache_key.py": "disk cache",
    "lamina/runtime/compilation_cache.py": "disk cache",
    "jax/_src/compiler.py": "XLA",
    "jax/_src/interpreters/mlir.py": "lowering",
    "jax/_src/interpreters/pxla.py": "lowering",
    "jax/_src/interpreters/partial_eval.py": "tracing",
    "jax/_src/pjit.py": "tracing",
    "lamina/check/": "checks",
}
ORDER = ("imports", "tracing", "lowering", "XLA", "disk cache", "checks", "collection", "rest")


class Split:
    """Processor time by kind of work, from samples of the stack. Time inside of a call of C counts for its caller."""

    def __init__(self):
        self.seconds: collections.defaultdict[str, float] = collections.defaultdict(float)
        self.last = time.process_time()
        self.kind, self.collecting = "rest", 0.0
        signal.signal(signal.SIGPROF, self.sample)
        signal.setitimer(signal.ITIMER_PROF, 0.002, 0.002)
        import gc

        gc.callbacks.append(self.collection)

    def collection(self, phase, info):
        """Count the time of a collection of garbage for itself."""
        self.sample(None, sys._getframe())
        if phase == "stop":
            self.seconds["collection"] += self.collecting
            self.seconds[self.kind] -= self.collecting
        self.collecting = 0.0

    def sample(self, number, frame):
        """Count the time since the last sample for what the stack is in now."""
        now = time.process_time()
        self.kind, self.collecting = kind_of(frame), now - self.last
        self.seconds[self.kind] += now - self.last
        self.last = now

    def end(self):
        """The seconds of each kind so far."""
        self.sample(None, sys._getframe())
        return dict(self.seconds)


def kind_of(frame):
    """What the innermost frame of a file of KINDS does."""
    while frame is not None:
        name = frame.f_code.co_filename
        for ending, kind in KINDS.items():
            if name.endswith(ending) or (ending.endswith("/") and ending in name):
                return kind
        frame = frame.f_back
    return "rest"


def child(library, workload, splits):
    """Train in this process, and print the seconds as JSON."""
    library, workload = LIBRARIES[library], WORKLOADS[workload]
    begin = time.process_time()
    x, y = workload.data()
    made = time.process_time() - begin
    found, marks, last = Split() if splits else None, {}, begin + made

    def mark(name):
        nonlocal last
        now = time.process_time()
        marks[name], last = now - last, now

    subject = __import__(f"lamina_bench.{library.subject}_subject", fromlist=["Subject"]).Subject(
        library.module, workload
    )
    mark("import")
    subject.build()
    mark("build")
    batch = workload.batch
    loss = subject.train(subject.load(x[:batch], y[:batch]))
    mark("step")
    if found is not None:
        marks["split"] = found.end()
        signal.setitimer(signal.ITIMER_PROF, 0)
    first = time.process_time() - made
    subject.train(subject.load(x, y))
    json.dump({**marks, "first": first, "epoch": time.process_time() - made, "loss": loss}, sys.stdout)


def run(library, workload, folder, core, splits=False):
    """The seconds of one process."""
    environment = {
        **os.environ,
        **LIBRARIES[library].environment,
        "LAMINA_CACHE_DIR": str(folder),
        "JAX_PLATFORMS": "cpu",
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its byte code
    command = [sys.executable, __file__, "--child", library, workload, *["--split"] * splits]
    done = subprocess.run(
        command, env=environment, check=False, capture_output=True, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{library} on {workload} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure(workload, options):
    """Print the medians of one workload."""
    found = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        for count in range(-1, options.rounds):  # the first is not counted
            for library in options.libraries:
                ways = ("cold", "warm") if LIBRARIES[library].cache else ("cold",)
                for way in ways:
                    place = pathlib.Path(folder, "warm" if way == "warm" else f"cold-{library}-{count}")
                    seconds = run(library, workload, place, options.core, options.split)
                    if count >= 0:
                        found[library, way].append(seconds)
    for (library, way), rows in found.items():
        middle = {name: statistics.median(row[name] for row in rows) for name in rows[0] if name != "split"}
        line = "  ".join(f"{name} {middle[name]:.2f}" for name in ("import", "build", "step", "first", "epoch"))
        spread = f"{min(row['first'] for row in rows):.2f} to {max(row['first'] for row in rows):.2f}"
        print(f"{workload:<12} {library:<14} {way}  {line}  (first: {spread})", flush=True)
        if options.split:
            parts = {kind: statistics.median(row["split"].get(kind, 0.0) for row in rows) for kind in ORDER}
            print(" " * 34 + "  ".join(f"{kind} {seconds:.2f}" for kind, seconds in parts.items()), flush=True)
        if options.json:
            with open(options.json, "a", encoding="utf-8") as file:
                file.write(json.dumps({"workload": workload, "library": library, "way": way, "rows": rows}) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=DEFAULT, choices=list(WORKLOADS))
    parser.add_argument("--libraries", nargs="+", choices=list(LIBRARIES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=min(os.sched_getaffinity(0)))
    parser.add_argument("--split", action="store_true", help="time by kind of work, by sampling the stack")
    parser.add_argument("--json", help="file to which each row is appended")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        library, workload = options.child
        child(library, workload, options.split)
        return
    options.libraries = options.libraries or [name for name, one in LIBRARIES.items() if not missing(one)]
    for workload in options.only:
        measure(workload, options)


if __name__ == "__main__":
    main()
