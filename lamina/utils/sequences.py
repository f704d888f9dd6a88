"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.core.arguments import choice
from lamina.errors import DataError

__all__ = ["pad_sequences"]


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Sequences as the rows of one array: short ones are padded with `value`, long ones are cut.

    Shapes: a list of n sequences of shape (length, ...) -> (n, maxlen, ...).

    Args:
        sequences: List of sequences, each of its own length.
        maxlen: Length of all rows; None means the length of the longest sequence.
        dtype: Type of the array; `object` for strings of different lengths.
        padding: "pre" pads at the beginning, "post" at the end.
        truncating: "pre" cuts at the beginning, "post" at the end.
        value: Value to pad with.

    Raises:
        DataError: An argument or a sequence does not fit.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        choice("pad_sequences", name, side, ("pre", "post"))
    scalar = next((row for row in sequences if not hasattr(row, "__len__")), None)
    if scalar is not None:
        raise DataError(
            f"pad_sequences takes a list of sequences; one of them is {scalar!r}.", fix="pad_sequences([row])"
        )
    are_texts = np.dtype(dtype).kind in "OUS"
    if isinstance(value, str) and not are_texts:
        raise DataError(f"The value {value!r} does not fit dtype {dtype}.", fix="dtype=object")
    firsts = (row if isinstance(row, str) else next(iter(row), None) for row in sequences)
    text = next((one for one in firsts if isinstance(one, str)), None)
    if text is not None and not are_texts:
        raise DataError(
            f"pad_sequences pads lists of numbers; one of them is the text {text!r}.",
            fix="layers.TextVectorization() numbers the words of texts; adapt(texts) first.",
        )
    maxlen = max(map(len, sequences), default=0) if maxlen is None else maxlen
    inner = next((np.asarray(row).shape[1:] for row in sequences if len(row)), ())
    padded = np.full((len(sequences), maxlen, *inner), value, dtype)
    for i, row in enumerate(sequences):
        kept = np.asarray(row[:maxlen] if truncating == "post" else row[max(0, len(row) - maxlen) :], dtype)
        if len(kept) and kept.shape[1:] != inner:
            raise DataError(
                f"The entries of sequence {i} have shape {kept.shape[1:]}; those of the others have {inner}.",
                fix=f"sequences = [row for row in sequences if np.shape(row)[1:] == {inner}]",
            )
        if len(kept):
            padded[i, slice(len(kept)) if padding == "post" else slice(maxlen - len(kept), None)] = kept
    return padded
