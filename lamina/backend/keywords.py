"""Functions of `keras.ops` whose arguments had other names in `keras.backend`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


def taking(function: Callable[..., Any], **names: str) -> Any:
    """The same function, which takes its arguments by the names of Keras 1 and 2 too.

    Args:
        function: Function of `keras.ops` or `keras.random`.
        **names: Today's name of each older one.
    """

    @functools.wraps(function)
    def named(*args, **kwargs):
        return function(*args, **{names.get(name, name): value for name, value in kwargs.items()})

    return named
