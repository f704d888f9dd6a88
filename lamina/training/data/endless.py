"""Generators that never end, found in their source before they are read."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from typing import Any

__all__ = ["endless_loop"]

_ENDLESS = ("count", "cycle")  # iterators of itertools


def endless_loop(data: Any) -> int | None:
    """The line of the loop that a generator never leaves; None if there is none, or if that is not sure.

    Args:
        data: Any object.

    >>> def batches():
    ...     yield 1
    >>> endless_loop(batches())
    """
    if not isinstance(data, types.GeneratorType):
        return None
    try:
        lines, first = inspect.getsourcelines(data.gi_code)
        function = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except (OSError, SyntaxError, TypeError):  # typed at a prompt, or a generator expression
        return None
    statements = list(function.body) if isinstance(function, ast.FunctionDef) else []
    while statements:
        one = statements.pop(0)
        if isinstance(one, ast.With):
            statements = one.body + statements
        elif isinstance(one, (ast.While, ast.For)) and _goes_on(one) and not _leaves(one.body):
            return first + one.lineno - 1
    return None


def _goes_on(loop):
    """Whether the condition of a loop always holds."""
    if isinstance(loop, ast.While):
        return isinstance(loop.test, ast.Constant) and bool(loop.test.value)
    called = loop.iter.func if isinstance(loop.iter, ast.Call) else None
    return getattr(called, "attr", getattr(called, "id", None)) in _ENDLESS


def _leaves(body, inner=False):
    """Whether statements may leave the loop that they are in."""
    for one in body:
        if isinstance(one, (ast.Return, ast.Raise)) or (isinstance(one, ast.Break) and not inner):
            return True
        if not isinstance(one, (ast.FunctionDef, ast.ClassDef)):
            deeper = inner or isinstance(one, (ast.For, ast.While))
            parts = [getattr(one, name, []) for name in ("body", "orelse", "finalbody")]
            parts += [part.body for name in ("handlers", "cases") for part in getattr(one, name, [])]
            if any(_leaves(part, deeper) for part in parts):
                return True
    return False
