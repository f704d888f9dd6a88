"""The disk cache of compiled programs: where it lies, who may write there, and that nothing goes wrong without it."""

import os
import stat
import subprocess
import sys

import jax
import pytest

import lamina as keras
from lamina.errors import ConfigError
from lamina.runtime import compilation_cache

pytestmark = pytest.mark.compiles
posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and modes of folders are those of POSIX")

PROGRAM = """
import json, sys
import numpy as np
import lamina as keras
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
model.compile("sgd", "mse")
model.fit(np.ones((4, 3), "float32"), np.ones((4, 2), "float32"), verbose=0)
print(json.dumps([[one.from_disk for one in model.compilations()], keras.config.compilation_cache()]))
"""


def run(environment, program=PROGRAM):
    """(what it printed, what stands in its standard error) of a program with these environment variables."""
    kept = {name: value for name, value in os.environ.items() if name not in ("LAMINA_CACHE_DIR", "XDG_CACHE_HOME")}
    arguments = [sys.executable, "-W", "always::UserWarning", "-c", program]
    done = subprocess.run(arguments, capture_output=True, text=True, env={**kept, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr.strip()


@pytest.fixture
def setting():
    """The cache as a program finds it, and as the other tests have it afterwards."""
    yield
    compilation_cache._state.update(asked=None, is_set_up=False, folder=None)
    jax.config.update("jax_compilation_cache_dir", None)
    jax.experimental.compilation_cache.compilation_cache.reset_cache()
    compilation_cache.set_up()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the folder of Linux")
def test_a_second_run_compiles_nothing_and_a_damaged_entry_is_made_anew(tmp_path):
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    first, told = run(environment)
    assert first.startswith("[[false]") and str(tmp_path / "lamina") in first and not told
    assert stat.S_IMODE((tmp_path / "lamina").stat().st_mode) == 0o700
    (entry,) = (tmp_path / "lamina").glob("*/jit_lamina_train-*")
    whole = entry.stat().st_size
    entry.write_bytes(entry.read_bytes()[: whole // 2])
    assert run(environment) == (first, "")
    assert run(environment) == (first, "") and entry.stat().st_size > whole / 2
    assert run(environment)[0].startswith("[[true]")


MANY_STEPS = """
import hashlib
import numpy as np
import lamina as keras
from lamina import layers
from lamina.training import multi_step
multi_step.MIN_STEPS_TO_FUSE = 0
keras.utils.set_random_seed(1)
x = np.random.default_rng(0).normal(size=(64, 9)).astype("float32")
parts = [layers.Dense(8, "relu"), layers.Dropout(0.3), layers.BatchNormalization(), layers.Dense(2)]
model = keras.Sequential([keras.Input((9,)), *parts])
model.compile("adam", "mse")
model.fit(x, x[:, :2], batch_size=8, epochs=3, verbose=0)
print({one.kind: one.from_disk for one in model.compilations()})
print(hashlib.sha256(b"".join(weight.tobytes() for weight in model.get_weights())).hexdigest())
"""


def test_a_program_from_disk_computes_what_it_did_when_it_was_compiled(tmp_path):
    """With JAX 0.6.0, loops read from disk compute something else: training went wrong in each run but the first."""
    (first, weights), (second, again) = (
        run({"LAMINA_CACHE_DIR": str(tmp_path)}, MANY_STEPS)[0].split("\n") for _ in range(2)
    )
    assert first == "{'train, many of 8': False}" and second == "{'train, many of 8': True}"
    assert again == weights


@pytest.mark.parametrize("environment", [
    {"LAMINA_CACHE_DIR": "off"},
    {"LAMINA_CACHE_DIR": ""},
    {"HOME": "/nonexistent/home", "LAMINA_CACHE_DIR": "/proc/1/cache"},
], ids=["off", "empty", "nowhere"])  # fmt: skip
def test_runs_without_one(environment):
    assert run(environment) == ("[[false], null]", "")


def test_what_is_set_for_jax_is_left_alone(tmp_path):
    answer, _ = run({"JAX_COMPILATION_CACHE_DIR": str(tmp_path), "LAMINA_CACHE_DIR": str(tmp_path / "ours")})
    assert answer == "[[false], null]" and not (tmp_path / "ours").exists()


@posix
def test_a_folder_of_others_is_refused(tmp_path, setting):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ConfigError, match="can be written by other users"):
        keras.config.set_compilation_cache(folder)
    jax.config.update("jax_compilation_cache_dir", None)
    compilation_cache._state.update(asked=str(folder), is_set_up=False, folder=None)
    with pytest.warns(UserWarning, match="Compiled programs are not stored"):
        assert keras.config.compilation_cache() is None


@posix
def test_a_folder_of_another_user_is_refused(tmp_path, setting, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        keras.config.set_compilation_cache(tmp_path / "theirs")


def test_set_and_turned_off(tmp_path, setting):
    keras.config.set_compilation_cache(tmp_path / "mine")
    assert keras.config.compilation_cache().startswith(str(tmp_path / "mine"))
    assert jax.config.jax_compilation_cache_dir == keras.config.compilation_cache()
    keras.config.set_compilation_cache(None)
    assert keras.config.compilation_cache() is None and jax.config.jax_compilation_cache_dir is None


def test_what_was_not_used_for_long_makes_room(tmp_path, monkeypatch):
    monkeypatch.setattr(compilation_cache, "LARGEST", 100)
    for age, name in enumerate(("new", "old", "older")):
        (tmp_path / name).write_bytes(b"x" * 40)
        os.utime(tmp_path / name, (10**9 - age, 10**9 - age))
    compilation_cache._make_room(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("platform, environment, expected", [
    ("linux", {}, ".cache/lamina"),
    ("linux", {"XDG_CACHE_HOME": "/caches"}, "/caches/lamina"),
    ("darwin", {}, "Library/Caches/lamina"),
    ("win32", {"LOCALAPPDATA": "/local"}, "/local/lamina/Cache"),
])  # fmt: skip
def test_the_folder_of_each_system(platform, environment, expected, monkeypatch):
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert compilation_cache._default().as_posix().endswith(expected)


def test_without_a_home(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("pathlib.Path.home", homeless)
    assert compilation_cache._default() is None and compilation_cache._made(None) is None
