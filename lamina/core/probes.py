"""Tracing with made-up sizes in place of unknown ones, of which nothing is to be seen: not in errors, not in prints.

A function is traced twice. What it prints and the texts of its errors are compared, as the shapes of its results are:
a number that differs between the two becomes None. What is printed is shown once.
"""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

from lamina.core.array_types import Shape
from lamina.core.context import set_within
from lamina.errors import LaminaError, ShapeError

__all__ = ["PROBE_SIZES", "MissingSizeError", "probe", "unprinted", "without_probe_sizes"]

# The numbers have many divisors, so that halving and windows work. They are far apart, so that strides keep them
# different.
PROBE_SIZES = (6720, 13440)
_STEP = PROBE_SIZES[1] - PROBE_SIZES[0]
_NUMBER = re.compile(r"(\d+)")
_size: ContextVar[int | None] = ContextVar("size", default=None)
_shows_prints: ContextVar[bool] = ContextVar("shows_prints", default=True)


class MissingSizeError(ShapeError):
    """An op asks for a size that no other size of the call can stand for."""


def without_probe_sizes(shape: Any) -> Shape:
    """A shape found by tracing, with None in place of probe sizes and of batch sizes that are multiples of one.

    Args:
        shape: Shape.
    """
    size, sizes = _size.get(), tuple(None if size in PROBE_SIZES else size for size in shape)
    if size is not None and sizes and sizes[0] and sizes[0] % size == 0:
        return (None, *sizes[1:])
    return sizes


def unprinted() -> AbstractContextManager[Any]:
    """What functions print while they are traced inside the block is shown only if they fail, since they will run again
    with real sizes."""
    return set_within(_shows_prints, False)


def probe(trace: Callable[[Any], Any], is_unknown: bool) -> tuple[Any, Any]:
    """The results of tracing with each of PROBE_SIZES.

    Args:
        trace: Function of a size.
        is_unknown: Whether any size is unknown; if not, it is traced once, with None.

    Raises:
        Exception: What `trace` raises, with None in place of the sizes.
    """
    first, error, printed = _attempt(trace, PROBE_SIZES[0] if is_unknown else None)
    second, other, also_printed = _attempt(trace, PROBE_SIZES[1]) if is_unknown else (first, error, printed)
    shown = error or other
    if printed and (shown is not None or _shows_prints.get()):
        print(_without_sizes(printed, also_printed), end="")
    if shown is not None:
        _clean(shown, other)
        raise shown
    return first, second


def _attempt(trace, size):
    """(result, error, what was printed)."""
    printed, result, failed = _Printed(sys.stdout), None, None
    token = _size.set(size)
    try:
        with contextlib.redirect_stdout(printed):  # pyright: ignore[reportArgumentType]
            result = trace(size)
    except Exception as error:
        failed = error
    finally:
        _size.reset(token)
    return result, failed, printed.text


class _Printed:
    """Stands in for `sys.stdout` and keeps what this thread prints, but for the dialogue of a debugger."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.thread, self.text = stream, threading.get_ident(), ""

    def write(self, text: str) -> int:
        debugger = sys.modules.get("bdb")
        is_debugging = debugger and isinstance(getattr(sys.gettrace(), "__self__", None), debugger.Bdb)
        if is_debugging or threading.get_ident() != self.thread:
            return self.stream.write(text) if self.stream is not None else 0
        self.text += text
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _clean(error, other):
    """Change the texts of an error; `other` is that of the second trace, or None."""
    other = other if type(other) is type(error) else error
    if isinstance(error, LaminaError):
        for name in ("message", "where", "fix"):
            text = getattr(error, name)
            setattr(error, name, text and _without_sizes(text, getattr(other, name) or ""))
    elif len(error.args) == 1 and isinstance(error.args[0], str):
        error.args = (_without_sizes(error.args[0], str(other.args[0])),)
    notes, others = getattr(error, "__notes__", []), getattr(other, "__notes__", [])
    notes[:] = [_without_sizes(note, "\n".join(others)) for note in notes]


def _without_sizes(text, other):
    """A text with None in place of each number that differs by probe sizes in the line of `other` that is alike."""
    alike = defaultdict(list)
    for line in other.splitlines(keepends=True):
        alike[_NUMBER.sub("#", line)].append(line)
    cleaned = []
    for line in text.splitlines(keepends=True):
        lines = alike[_NUMBER.sub("#", line)]
        pairs = zip(_NUMBER.split(line), _NUMBER.split(lines.pop(0) if lines else line), strict=True)
        cleaned.extend("None" if _is_size(a, b) else a for a, b in pairs)
    return "".join(cleaned)


def _is_size(part, other):
    is_number = part.isdecimal() and int(part) > 0
    return is_number and (int(part) in PROBE_SIZES or (part != other and (int(other) - int(part)) % _STEP == 0))
