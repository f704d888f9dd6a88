"""Random numbers that a user's own function draws outside of JAX: a compiled program has them once and for all."""

from __future__ import annotations

import dis
import random
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

__all__ = ["numbers_drawn_in"]

_SOURCES = (np.random.Generator, np.random.RandomState, random.Random)
_MAKERS = "default_rng RandomState Random SystemRandom seed Generator".split()  # perhaps with a seed: constants
_MOST = 20  # functions looked into


def numbers_drawn_in(function: Any) -> str | None:
    """The first call in a function, or in what it reads of its own module and object, that draws numbers from NumPy's
    or Python's generators, such as "np.random.normal"; None if there is none. Nothing is executed.

    Args:
        function: Function or bound method.

    >>> import numpy as np
    >>> numbers_drawn_in(lambda x: x + np.random.normal(size=3)), numbers_drawn_in(lambda x: x + np.ones(3))
    ('np.random.normal', None)
    """
    waiting, seen = [function], set()
    while waiting and len(seen) < _MOST:
        current = waiting.pop(0)
        owner, current = getattr(current, "__self__", None), getattr(current, "__func__", current)
        if not isinstance(current, FunctionType) or current.__code__ in seen:
            continue
        seen.add(current.__code__)
        for names, value in _names_read(current, owner):
            if _draws(value, names[-1]):
                return ".".join(names)
            if getattr(value, "__module__", None) == current.__module__:  # a function beside it, a method beside it
                waiting.append(value)
    return None


def _draws(value, name):
    source = getattr(value, "__self__", None)
    return callable(value) and isinstance(source, _SOURCES) and name not in _MAKERS


def _names_read(function, owner):
    """(names, value) of each name with dots that a function reads, as far as modules and its own object tell it."""
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    known = {**function.__globals__, **{name: _content(cell) for name, cell in cells}}
    first = function.__code__.co_varnames[:1] if owner is not None else ()
    known.update(dict.fromkeys(first, owner))
    for code in _codes(function.__code__):
        names, value = (), None
        for instruction in dis.get_instructions(code):
            name = instruction.argval
            name = name[-1] if isinstance(name, tuple) and name else name  # two variables by one instruction
            if not isinstance(name, str) or "LOAD_" not in instruction.opname:  # STORE_FAST_LOAD_FAST too
                names = ()
            elif instruction.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                value = _part(value, name, owner) if names else None
                names = (*names, name) if value is not None else ()
            else:
                names, value = (name,), known.get(name)
            if names:
                yield names, value


def _codes(code):
    """A code object, and those of the functions and comprehensions inside."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _part(value, name, owner):
    """An attribute, read only where reading runs no code of the user's: of modules, sources and the object's own."""
    if isinstance(value, (ModuleType, *_SOURCES)):
        return getattr(value, name, None)
    if value is owner and owner is not None:
        own = vars(owner).get(name) if hasattr(owner, "__dict__") else None
        method = getattr(type(owner), name, None)
        return own if own is not None or not isinstance(method, FunctionType) else method.__get__(owner)
    return None


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None
