"""Processes that run the libraries. They start with the library's settings and receive requests as lines of JSON."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

import lamina.errors
from lamina.errors import LaminaError

__all__ = ["ProcessFailed", "WorkerProcess", "environment", "seconds_to_import"]

# The folders that contain `lamina_bench` and `lamina`, installed or not.
_FOLDERS = [str(pathlib.Path(file).parents[1]) for file in (__file__, lamina.errors.__file__)]
_CPU = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}


class ProcessFailed(LaminaError, RuntimeError):
    """The process of a library ended before its work was done."""


def environment(library, cache, cache_for_all=False):
    """The environment variables of a library's process: its own settings, CPU only, and a cache folder."""
    found = {**os.environ, **_CPU, **library.environment}
    found["PYTHONPATH"] = os.pathsep.join([*_FOLDERS, *filter(None, [os.environ.get("PYTHONPATH")])])
    found["LAMINA_CACHE_DIR"] = str(cache)
    # The other libraries are installed with bytecode, so a checkout of lamina must be allowed to write its own.
    for name in ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "PYTHONDONTWRITEBYTECODE"):
        found.pop(name, None)
    if cache_for_all and not library.cache:
        found["JAX_COMPILATION_CACHE_DIR"] = str(cache)
        found["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    return found


def seconds_to_import(library, cache):
    """The seconds to import a library, alone and including the classes of models, in a new process."""
    more = f"; {library.module}.Sequential, {library.module}.layers.Dense" if library.subject == "keras" else ""
    program = (
        "import time; clock = time.perf_counter; start = clock(); "
        f"import {library.module}; alone = clock() - start{more}; print(alone, clock() - start)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(library, cache), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ProcessFailed(f"{library.title}: {_last_line(done.stderr)}")
    return [float(word) for word in done.stdout.split()[-2:]]


class WorkerProcess:
    """A process that measures one library on one workload. See `worker.py`."""

    def __init__(self, library, workload, cache, cache_for_all=False):
        self.library = library
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in close()
        self._process: Any = subprocess.Popen(
            [sys.executable, "-m", "lamina_bench.worker", library.name, workload.name, repr(time.monotonic())],
            env=environment(library, cache, cache_for_all), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip

    def ask(self, *request):
        """Call a method of the worker and return its result."""
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(request), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            self._process.wait()
            self._errors.seek(0)
            raise ProcessFailed(f"{self.library.title}: {_last_line(self._errors.read())}")
        return json.loads(answer)

    def close(self):
        """End the process."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()


def _last_line(errors):
    lines = errors.strip().splitlines()
    return lines[-1] if lines else "it ended without a word"
