"""The variables that a function may read: in its closure, its globals, and the attributes of what it finds there."""

from __future__ import annotations

import types
from typing import Any

import jax
import numpy as np

from lamina.core import context
from lamina.core.context import Ref

__all__ = ["reachable"]

MAX_NODES = 50_000
_LEAVES = (str, bytes, int, float, complex, np.ndarray, np.generic, jax.Array, types.ModuleType, type, types.CodeType)


def reachable(function: Any, leaves: Any) -> list[Ref]:
    """The refs in the closure, globals and attributes of a function, and of what it is called with."""
    found: dict[Ref, None] = dict.fromkeys(context.global_refs())
    seen: set[int] = set()
    stack: list[Any] = [function, *leaves]
    while stack and len(seen) < MAX_NODES:
        one = stack.pop()
        if one is None or isinstance(one, _LEAVES) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Ref):
            found[one] = None
        elif isinstance(one, types.FunctionType):
            names = _names_of(one.__code__)
            stack += [one.__globals__[name] for name in names if name in one.__globals__]
            stack += [cell.cell_contents for cell in one.__closure__ or () if _is_filled(cell)]
            stack += [*(one.__defaults__ or ()), *vars(one).values()]
        elif hasattr(one, "python_function"):
            stack.append(one.python_function)
        elif isinstance(one, types.MethodType):
            stack += [one.__func__, one.__self__]
        elif isinstance(one, dict):
            stack += list(one.values())
        elif isinstance(one, (list, tuple, set, frozenset)):
            stack += list(one)
        elif hasattr(one, "__dict__"):
            stack += list(vars(one).values())
            stack += [] if _is_internal(type(one)) else [v for v in vars(type(one)).values() if callable(v)]
    return list(found)


def _is_internal(kind):
    return kind.__module__.partition(".")[0] in ("lamina", "jax", "jaxlib", "numpy", "builtins", "rich")


def _names_of(code):
    inner = (name for one in code.co_consts if isinstance(one, types.CodeType) for name in _names_of(one))
    return {*code.co_names, *inner}


def _is_filled(cell):
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False
