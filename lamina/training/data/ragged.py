"""What to do about rows of different lengths."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["padded"]

_MOST_LABELS = 100  # larger numbers in targets are tokens


def padded(name: str, rows: Any) -> str:
    """Code that makes an array of rows that differ in length: padded, or, for several labels of a sample, 0 and 1.

    Args:
        name: Name of the data: "x", "y".
        rows: The rows.

    >>> padded("x", [[1, 2, 3], [4]])
    'x = keras.utils.pad_sequences(x)'
    >>> padded("y", [[0, 2], [1]])
    "y = np.array([np.isin(np.arange(3), row) for row in y], 'float32')"
    """
    values = [np.ravel(np.asarray(row, object)) for row in rows]
    first = next((value for row in values for value in row), 0)
    if not isinstance(first, (int, np.integer)):
        return f"{name} = keras.utils.pad_sequences({name}, dtype='float32')"
    labels = name[0] == "y" and all(isinstance(value, (int, np.integer)) for row in values for value in row)
    most = max((value for row in values for value in row), default=0) if labels else _MOST_LABELS
    if most < _MOST_LABELS and all(len({*row.tolist()}) == len(row) for row in values):
        return f"{name} = np.array([np.isin(np.arange({most + 1}), row) for row in {name}], 'float32')"
    return f"{name} = keras.utils.pad_sequences({name})"
