"""Packages on Keras that can do without TensorFlow: for them there is none, as in an environment with JAX alone."""

from __future__ import annotations

import ast
import linecache
import sys
from types import FrameType
from typing import Any

__all__ = ["does_without", "has_fallback"]

_CAUGHT = frozenset(("ImportError", "ModuleNotFoundError", "Exception"))
_NO_FALLBACK = (ast.Raise, ast.Import, ast.ImportFrom, ast.Call)


def does_without(keras: Any) -> bool:
    """Whether the import statement that runs is in `try: ... except ImportError: tf = None` of a package of which a
    module has imported `keras` by its own name.

    Such a package has its own code for other backends, and that is more complete than what stands here for TensorFlow.
    Handlers that import something else, raise, or call a function do not count.

    Args:
        keras: The module that `import keras` returns.
    """
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    if frame is None:
        return False
    root = str(frame.f_globals.get("__name__")).partition(".")[0]
    modules = [module for name, module in list(sys.modules.items()) if name.partition(".")[0] == root]
    if root == "__main__" or not any(vars(module).get("keras") is keras for module in modules if module is not None):
        return False
    return has_fallback("".join(linecache.getlines(frame.f_code.co_filename)), frame.f_lineno)


def has_fallback(source: str, line: int) -> bool:
    """Whether the import on a line is in a `try` whose handlers of ImportError do without it.

    Args:
        source: Text of a program.
        line: Number of the line, from 1.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Try) and node.body[0].lineno <= line <= (node.body[-1].end_lineno or 0):
            handlers = [handler for handler in node.handlers if _CAUGHT & _names(handler.type)]
            if handlers and not any(isinstance(part, _NO_FALLBACK) for one in handlers for part in ast.walk(one)):
                return True
    return False


def _names(caught):
    return {part.id for part in ast.walk(caught) if isinstance(part, ast.Name)} if caught else _CAUGHT
