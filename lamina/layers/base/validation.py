"""Sizes that layers are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ConfigError


def is_whole(value: Any, least: int = 0) -> bool:
    """Whether `value` is a whole number, Python's or NumPy's, of `least` or more.

    >>> is_whole(np.int64(3)), is_whole(0.5), is_whole(0, least=1)
    (True, False, False)
    """
    return isinstance(value, (int, np.integer)) and bool(value >= least)


def positive_integer(owner: str, name: str, value: Any, fix: str | None = None) -> int:
    """`value` as an int where it is a whole number above 0; else an error that names `owner` and `name`.

    Args:
        owner: Name of the class whose argument it is.
        name: Name of the argument.
        value: What was given.
        fix: Line of code that is right.

    >>> positive_integer("Dense", "units", np.int64(3))
    3
    """
    if isinstance(value, bool) or not is_whole(value, 1):
        raise ConfigError(f"{owner}: `{name}` must be a positive integer; got {value!r}.", fix=fix)
    return int(value)
