"""Origin: how the initial value of a variable was made, so that more of its kind can be drawn."""

from __future__ import annotations

import weakref
from typing import Any

import jax

__all__ = ["Origin"]


class Origin:
    """The initializer of a variable and its first value.

    Files and copies by pickle do not hold it: an initializer may be a function without a name.

    Args:
        initializer: Function `(shape, dtype) -> array`.
        value: What it gave.
    """

    def __init__(self, initializer: Any, value: Any) -> None:
        self.initializer = initializer
        self._first = weakref.ref(value)

    def __reduce__(self) -> Any:
        return type(None), ()

    def is_value(self, value: Any) -> bool:
        """Whether an array is the first value: none was assigned since."""
        return self._first() is value

    def draw(self, shape: Any, dtype: Any) -> Any:
        """Another first value, with another seed where the initializer was made without one."""
        initializer = self.initializer
        if hasattr(initializer, "get_config"):
            initializer = type(initializer).from_config(initializer.get_config())
        return initializer(shape, dtype=dtype)


def origin_of(initializer: Any, value: Any) -> Origin | None:
    """The Origin of a variable, None where its initial value was given as an array or a number."""
    return None if not callable(initializer) or isinstance(initializer, jax.Array) else Origin(initializer, value)
