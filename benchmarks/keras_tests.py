"""Count Keras's own tests that pass on lamina, by folder.

python benchmarks/keras_tests.py keras-3.15.1 losses layers/core      # unpacked source distribution, folders
python benchmarks/keras_tests.py keras-3.15.1 --on keras losses     # the same on Keras: what fails there is not counted
python benchmarks/keras_tests.py keras-3.15.1 --failures losses       # with the error of each test that fails

Tests that ask for PyTorch or TensorFlow are skipped where these are absent. Tests of distribution see eight devices.
A failure is of `words` if an error of the right type has other words, `private` if an underscore attribute, a name of
the inside of Keras or a mock of it is missing, else `other`. The share is that of passed among passed and other.
"""

import argparse
import collections
import contextlib
import importlib.abc
import importlib.util
import os
import re
import shutil
import signal
import sys
import tempfile
import types
import warnings
from pathlib import Path

import pytest

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
WORDS = re.compile(
    r"does not match|Regex pattern did not match|Expected regex|not found in|did not match|Regex didn.t match|Pattern:|"
    r"Input:"
)
ABSENT = re.compile(r"No module named '(torch|tensorflow)|is TensorFlow's and not part of lamina")
PRIVATE = re.compile(
    r"has no attribute '_[a-z]|PRIVATE NAME|is of the inside of Keras|does not have the attribute|cannot import name '_"
    r"|Expected '.*' to (have|not have) been called|Expected 'symbolic_call'|MockRemat|SimpleNamespace|Mock id="
)


class OfSource(importlib.abc.MetaPathFinder):
    """`keras.src.testing` and the test files themselves come from the source distribution."""

    def __init__(self, source):
        self.source = source

    def find_spec(self, name, path=None, target=None):
        is_testing = name.startswith("keras.src.testing.")
        file = self.source / (name.removeprefix("keras.src.").replace(".", "/") + ".py")
        if name == "keras.src.testing":
            home = self.source / "testing"
            return importlib.util.spec_from_file_location(
                name, home / "__init__.py", submodule_search_locations=[str(home)]
            )
        if is_testing or (name.startswith("keras.src.") and name.endswith("_test")):
            return importlib.util.spec_from_file_location(name, file)
        return None


class Absent:
    """Stands for a private name that a test file imports at its top, so that the other tests of the file count."""

    def __init__(self, name):
        self.__dict__["name"] = name

    def __call__(self, *args, **kwargs):
        raise AttributeError(f"PRIVATE NAME {self.name}")

    def __getattr__(self, name):
        raise AttributeError(f"PRIVATE NAME {self.name}.{name}")

    def __mro_entries__(self, bases):
        return (object,)


def on_lamina():
    """Make lamina take the place of Keras, with stand-ins for private names."""
    import lamina
    from lamina.compat.inside import Inner
    from lamina.core import registry

    lamina.as_keras()
    found = Inner.__getattr__

    def or_absent(self, name):
        try:
            return found(self, name)
        except AttributeError:
            frame: types.FrameType | None = sys._getframe(1)
            while frame is not None and "importlib" in frame.f_code.co_filename:
                frame = frame.f_back
            of_a_test = frame is not None and frame.f_code.co_filename.endswith("_test.py")
            if name.startswith("__") or frame is None or not of_a_test or frame.f_code.co_name != "<module>":
                raise
            return Absent(f"{self.__name__}.{name}")

    Inner.__getattr__ = or_absent
    found_in = registry._of_package

    def of_a_test(name, module):
        loaded = [one for key, one in list(sys.modules.items()) if key.endswith("_test")]
        own = (vars(one).get(name) for one in reversed(loaded) if one is not None)
        return next((one for one in own if isinstance(one, type)), None) or found_in(name, module)

    registry._of_package = of_a_test  # the tests lie in the package of Keras, which finds classes by their module


class Recorder:
    """A plugin of pytest: how each test ended, and a limit of processor time for each."""

    def __init__(self, seconds):
        self.seconds, self.rows = seconds, {}

    def pytest_configure(self, config):
        for mark in ("requires_trainable_backend", "skipif_backend", "large", "multi_device"):
            config.addinivalue_line("markers", f"{mark}: of Keras")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item):
        signal.signal(signal.SIGPROF, self._stop)
        signal.setitimer(signal.ITIMER_PROF, self.seconds, 5)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _stop(self, *_):
        raise TimeoutError(f"longer than {self.seconds} s")

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or report.outcome != "passed":
            self._note(report, "failed" if report.failed else report.outcome)

    def pytest_collectreport(self, report):
        if report.failed:
            self._note(report, "failed")

    def _note(self, report, outcome):
        text = str(report.longrepr) if outcome == "failed" else ""
        if self.rows.get(report.nodeid, ("passed", ""))[0] == "passed":
            kind = "skipped" if ABSENT.search(text) else sort_of(text) if text else outcome
            self.rows[report.nodeid] = (kind, text)


def sort_of(text):
    """What a failure is: words, private or other."""
    last = re.split(r"\n(?:During handling|The above exception was)[^\n]*\n", text)[-1]
    error = "\n".join(line[1:].strip() for line in last.splitlines() if line.startswith("E ")) or text[-300:]
    if PRIVATE.search(error.split("\n")[0]) or "PRIVATE NAME" in text:
        return "private"
    return "words" if WORDS.search(error) else "other"


def main():
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("source", type=Path, help="unpacked source distribution of Keras")
    parser.add_argument("paths", nargs="+", help="folders or test files below keras/src")
    parser.add_argument("--on", choices=("lamina", "keras"), default="lamina")
    parser.add_argument("--seconds", type=int, default=60, help="processor time for one test")
    parser.add_argument("--failures", action="store_true", help="print the errors")
    given = parser.parse_args()
    source = given.source.resolve() / "keras" / "src"
    if any("distribution" in path for path in given.paths):
        os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=8")
    if given.on == "lamina":
        on_lamina()
    import keras  # noqa: F401

    sys.meta_path.insert(0, OfSource(source))
    root = types.ModuleType("conftest")
    vars(root)["skip_if_backend"] = lambda backend, reason: pytest.mark.skipif(backend == "jax", reason=reason)
    sys.modules.setdefault("conftest", root)
    warnings.resetwarnings()
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pytest.ini").write_text("[pytest]\nfilterwarnings = ignore\n")
        for path in given.paths:
            copied, recorder = Path(folder, path), Recorder(given.seconds)
            copied.parent.mkdir(parents=True, exist_ok=True)
            if (source / path).is_dir():
                shutil.copytree(source / path, copied, ignore=shutil.ignore_patterns("__init__.py"))
            else:
                shutil.copy(source / path, copied)
            options = ["-q", "--tb=short", "-p", "no:cacheprovider"]
            options += ["--import-mode=importlib", "--continue-on-collection-errors", "-c", f"{folder}/pytest.ini"]
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
                pytest.main([*options, f"--rootdir={folder}", str(copied)], plugins=[recorder])
            found = collections.Counter(kind for kind, _ in recorder.rows.values())
            print(line_of(path, found), flush=True)
            for name, (kind, text) in recorder.rows.items():
                if given.failures and text:
                    print(f"  {kind}: {name.rpartition('/')[2]}: {text.strip().splitlines()[-1]}")
            counts.update(found)
    print(line_of("all", counts))


def line_of(name, counts):
    """One line of the table."""
    share = counts["passed"] / max(counts["passed"] + counts["other"], 1)
    kinds = " ".join(f"{kind} {counts[kind]:5}" for kind in ("passed", "skipped", "words", "private", "other"))
    return f"{name:32} {kinds}  {share:6.1%}"


if __name__ == "__main__":
    main()
