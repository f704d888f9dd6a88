"""Sizes that layers are given."""

import numpy as np

from lamina.errors import ConfigError


def positive_integer(owner, name, value, fix=None):
    """`value` as an int where it is one above 0, Python's or NumPy's; else an error that names `owner` and `name`.

    >>> positive_integer("Dense", "units", np.int64(3))
    3
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ConfigError(f"{owner}: `{name}` must be a positive integer; got {value!r}.", fix=fix)
    return int(value)
