"""Versions: shown for reports, kept with runs, the same everywhere; and importing lamina changes nothing else."""

import importlib.machinery
import io
import json
import pathlib
import re
import subprocess
import sys
import tomllib
import types

import numpy as np
import pytest

import lamina as keras
from lamina.cli import main
from lamina.kernels import native
from lamina.runtime import versions

ROOT = pathlib.Path(__file__).parents[1]

_WATCH = """
import logging, os, signal, sys, warnings
import h5py, jax, ml_dtypes, numpy as np

def state():
    return {
        "jax": dict(jax.config.values), "numpy errors": np.geterr(), "numpy prints": np.get_printoptions(),
        "numpy draws": str(np.random.get_state()), "warnings": list(warnings.filters),
        "showwarning": warnings.showwarning, "signals": {s: signal.getsignal(s) for s in signal.valid_signals()},
        "environment": dict(os.environ), "path": list(sys.path), "path hooks": list(sys.path_hooks),
        "finders of others": [f for f in sys.meta_path if f.__module__.split(".")[0] != "lamina"],
        "excepthook": sys.excepthook, "displayhook": sys.displayhook, "recursion": sys.getrecursionlimit(),
        "folder": os.getcwd(), "root logger": (logging.root.level, list(logging.root.handlers), logging.root.disabled),
        "loggers": {n: (l.level, list(l.handlers), l.propagate) for n, l in logging.root.manager.loggerDict.items()
                    if isinstance(l, logging.Logger) and n != "lamina"},
        "profile": (sys.getprofile(), sys.gettrace()), "umask": os.umask(os.umask(0)),
    }

before = state()
import lamina
from lamina import layers
after = state()
print([name for name in before if before[name] != after[name]])
"""


def test_an_import_changes_nothing_of_the_process():
    done = subprocess.run([sys.executable, "-W", "error", "-c", _WATCH], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_show_versions(capsys):
    file = io.StringIO()
    keras.show_versions(file)
    lines = file.getvalue().splitlines()
    assert lines[0].split() == ["lamina", keras.__version__]
    assert {"Python", "jax", "numpy", "processor", "devices"} <= {line.split()[0] for line in lines}
    assert main(["versions", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lamina"] == keras.__version__


def project(folder):
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]


def test_distributions_and_the_changelog_have_one_version():
    """That of the next release, where the changelog does not have it yet."""
    for folder in ("native", "benchmarks"):
        assert project(folder)["version"] == keras.__version__
    bill = json.loads((ROOT / "native/inside.cdx.json").read_text())["metadata"]["component"]
    assert (bill["version"], bill["purl"].rpartition("@")[2]) == (keras.__version__, keras.__version__)
    headings = re.findall(r"^## \[?([\w.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    released = [[int(number) for number in heading.split(".")] for heading in headings[1:]]
    assert headings[0] == "Unreleased" and [int(number) for number in keras.__version__.split(".")] >= max(released)


def test_an_older_lamina_native_is_refused_in_a_line(monkeypatch):
    assert project(".")["optional-dependencies"]["native"] == [f"lamina-native>={native.MINIMUM}.0"]
    assert f"lamina>={native.MINIMUM}.0" in project("benchmarks")["dependencies"]
    old = types.ModuleType("lamina_native")
    old.__version__, old.__spec__ = "0.2.9", importlib.machinery.ModuleSpec("lamina_native", None)
    monkeypatch.setitem(sys.modules, "lamina_native", old)
    with pytest.warns(UserWarning, match="^lamina-native 0.2.9 is older .* --upgrade lamina-native$"):
        assert native._package.__wrapped__() is None
    old.__version__ = keras.__version__
    assert native._package.__wrapped__() is old


def test_a_run_that_goes_on_elsewhere_says_so_in_a_line(tmp_path, monkeypatch, capsys):
    def run(epochs):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=epochs, resume=tmp_path / "run", verbose=0)
        return capsys.readouterr().out

    run(1)
    assert "versions" not in run(2)
    elsewhere = versions.versions_of_run() | {"jax": "99.0"}
    monkeypatch.setattr(versions, "versions_of_run", lambda: elsewhere)
    said = [line for line in run(3).splitlines() if "versions" in line]
    assert len(said) == 1 and "last digits: jax " in said[0] and said[0].endswith(", now 99.0.")


def test_a_backup_without_versions_is_that_of_the_first_version():
    assert versions.changes_since(None) == f"lamina 0.1.0, now {keras.__version__}"
