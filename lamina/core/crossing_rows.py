"""Arrays with a row for each sample that broadcast over each other, each row with all: (N,) and (N, 1)."""

from __future__ import annotations

import contextlib
import itertools
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
from jax.experimental.xla_metadata import set_xla_metadata

if TYPE_CHECKING:
    from lamina.core.typing import Shape

__all__ = ["crossing_rows", "words_of"]

_COUNT = itertools.count()


def crossing_rows(trace: Callable[[], Any], rows: int) -> list[tuple[Shape, Shape]]:
    """(shape, longer shape) of arrays that meet where NumPy's broadcasting puts the rows of the first along an axis of
    size 1 of the other. `None` stands for the rows.

    Args:
        trace: Function that traces the arithmetic. What it raises is left aside: the program itself will raise it.
        rows: Number of rows.
    """
    found, anew = [], set_xla_metadata(check=str(next(_COUNT)))  # what was traced before would not warn again
    with warnings.catch_warnings(record=True) as said, jax.numpy_rank_promotion("warn"), anew:
        warnings.simplefilter("always")
        with contextlib.suppress(Exception):
            trace()
    for one in said:
        if "rank promotion" in str(one.message):
            shapes = [_shape(text) for text in re.findall(r"\(([\d, ]*)\)", str(one.message).partition("Set")[0])]
            found += [tuple(tuple(None if size == rows else size for size in shape) for shape in pair)
                      for pair in _crossing(shapes, rows)]  # fmt: skip
    return found


def words_of(pair: tuple[Shape, Shape]) -> str:
    """What one pair of `crossing_rows` is, as the subject of a sentence.

    Args:
        pair: Shape, and longer shape.

    >>> words_of(((None,), (None, 1)))
    'Arrays of (N,) and (N, 1)'
    """
    low, high = (str(tuple("N" if size is None else size for size in shape)).replace("'", "") for shape in pair)
    return f"Arrays of {low} and {high}"


def _shape(text):
    return tuple(int(size) for size in text.split(",") if size.strip())


def _crossing(shapes, rows):
    for low in shapes:
        for high in shapes:
            apart = len(high) - len(low)
            if apart < 1 or not low or rows < 2 or low[0] != rows or high[0] != rows:
                continue
            if any(size > 1 and other == 1 for size, other in zip(low, high[apart:], strict=True)):
                yield low, high
