"""Run a user's program with lamina as `keras`, and show tracebacks without the frames of the command line."""

from __future__ import annotations

import os
import pathlib
import runpy
import sys
import traceback
from typing import Any

from lamina.cli.notebook import code_cells, run_notebook
from lamina.compat import as_keras
from lamina.errors import FileError, LaminaError
from lamina.runtime.tracebacks import filters_traceback
from lamina.spelling.paths import nearest_path

__all__ = ["ScriptFailed", "run_program", "show_failure"]

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class ScriptFailed(LaminaError):
    """The program raised an error, whose traceback has been printed."""


def run_program(script: Any, arguments: Any = (), as_module: bool = False) -> Any:
    """Run a Python file, notebook or module as the main program and return its globals.

    Raises:
        FileError: The file does not exist, or is no notebook.
        ScriptFailed: The program raised an error, whose traceback has been printed.
        SystemExit: The program called `sys.exit`.
    """
    as_keras()
    if as_module:
        sys.argv = [script, *arguments]
        sys.path.insert(0, os.getcwd())
        return _shown(lambda: runpy.run_module(script, run_name="__main__", alter_sys=True))
    path = pathlib.Path(script)
    if not path.is_file():
        fix = nearest_path(path, (".py", ".ipynb"))
        raise FileError(f"There is no file {path} (in {path.absolute().parent}).", fix=fix)
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.absolute().parent))
    if path.suffix == ".ipynb":
        cells = code_cells(path)
        return _shown(lambda: run_notebook(path, cells))
    return _shown(lambda: runpy.run_path(str(path), run_name="__main__"))


def _shown(run):
    try:
        return filters_traceback(run)()
    except Exception as error:
        show_failure(error)
        raise ScriptFailed(f"{sys.argv[0]} ended with {type(error).__name__}.") from error


def show_failure(error: Any, file: Any = None) -> None:
    """Print the traceback from the program's first frame on, without the frames that started the program."""
    frames = error.__traceback__
    while frames is not None and _starts_programs(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    if notes := getattr(error, "__notes__", None):
        notes[:] = [note for note in notes if "JAX has removed its internal frames" not in note]
    traceback.print_exception(type(error), error, frames, file=file)


def _starts_programs(filename):
    return filename.startswith((_HERE, "<frozen runpy>", "<frozen importlib")) or filename == runpy.__file__
