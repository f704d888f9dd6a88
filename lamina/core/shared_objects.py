"""Layers that occur more than once in a config, with a number under which they are one object again when it is read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

__all__ = ["KEY", "made_before", "note_made", "number_of", "reading", "written"]

KEY = "shared_object_id"
_writing: ContextVar[Any] = ContextVar("writing_shared", default=None)
_made: ContextVar[Any] = ContextVar("made_shared", default=None)


def written(write: Callable[[Any], Any], obj: Any) -> Any:
    """The description of an object, in which layers that occur twice have a number.

    Args:
        write: Function that describes an object, and asks `number_of` for each layer in it.
        obj: Object.
    """
    if _writing.get() is not None:
        return write(obj)
    seen: dict[int, Any] = {}
    repeated: dict[int, int] = {}
    token = _writing.set((seen, repeated))
    try:
        description = write(obj)
        if repeated:  # once more, since those that occur first have none yet
            seen.clear()
            description = write(obj)
    finally:
        _writing.reset(token)
    return description


def number_of(layer: Any) -> int | None:
    """The number of a layer that is described, or None as long as it occurred only once.

    Args:
        layer: Layer.
    """
    seen, repeated = _writing.get()
    if id(layer) in seen:
        repeated.setdefault(id(layer), len(repeated) + 1)
    seen[id(layer)] = layer
    return repeated.get(id(layer))


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """A context in which a number stands for one layer, unless it is inside such a context."""
    if _made.get() is not None:
        yield
        return
    token = _made.set({})
    try:
        yield
    finally:
        _made.reset(token)


def made_before(cls: type, number: Any) -> Any:
    """The layer of a class that was made under a number, or None.

    Args:
        cls: Its class.
        number: Number, or None.
    """
    known = (_made.get() or {}).get(number) if isinstance(number, int) else None
    return known if type(known) is cls else None


def note_made(layer: Any, number: Any) -> None:
    """Keep a layer under its number for its next occurrence.

    Args:
        layer: Layer.
        number: Number, or None.
    """
    if isinstance(number, int) and _made.get() is not None and hasattr(layer, "get_build_config"):
        _made.get()[number] = layer
