"""Origin: how the initial value of a variable was made, so that more of its kind can be drawn."""

from __future__ import annotations

import weakref
from typing import Any

import jax

__all__ = ["Origin", "fresh", "origin_of"]


class Origin:
    """The initializer of a variable and its first value.

    Files and copies by pickle do not hold it: an initializer may be a function without a name.

    Args:
        initializer: Function `(shape, dtype) -> array`.
        value: What it gave.
    """

    def __init__(self, initializer: Any, value: Any) -> None:
        self.initializers = [initializer]  # one for each repetition, of a variable without a value
        self._first: Any = None
        self.with_value(value)

    def __reduce__(self) -> Any:
        return type(None), ()

    def is_value(self, value: Any) -> bool:
        """Whether an array is the first value: none was assigned since."""
        return self._first() is value

    def with_value(self, value: Any) -> Origin:
        """The same for another first value."""
        self._first = weakref.ref(value) if isinstance(value, jax.Array) else lambda: value
        return self


def fresh(initializers: list[Any]) -> list[Any]:
    """The same initializers, with other seeds where they were made without one."""
    return [type(one).from_config(one.get_config()) if hasattr(one, "get_config") else one for one in initializers]


def origin_of(initializer: Any, value: Any) -> Origin | None:
    """The Origin of a variable, None where its initial value was given as an array or a number."""
    return None if not callable(initializer) or isinstance(initializer, jax.Array) else Origin(initializer, value)
