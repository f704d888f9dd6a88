"""Real rows: while a model computes a batch with more rows than were given, how many of them count."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

import jax.numpy as jnp

from lamina.core.context import set_within

__all__ = ["OVER_COUNTED_ROWS", "count_only", "rows_that_count"]

OVER_COUNTED_ROWS = "lamina_over_counted_rows"  # name of a program inside a step that leaves out the other rows
_rows: ContextVar[tuple[int, int] | None] = ContextVar("rows", default=None)


def count_only(rows: int, of: int) -> AbstractContextManager[Any]:
    """A block in which the first rows of a batch count in statistics, and those after them do not.

    Args:
        rows: Number of rows that count.
        of: Number of all rows.
    """
    return set_within(_rows, (rows, of))


def rows_that_count(x: Any) -> Any:
    """Which positions of the first axis of a tensor count; None for all.

    Args:
        x: Tensor whose first axis is the batch, or the batch and others after it in one.

    >>> with count_only(2, of=3):
    ...     rows_that_count(jnp.zeros((6, 4))).tolist()
    [True, True, True, True, False, False]
    """
    counts = _rows.get()
    if counts is None or not x.ndim or x.shape[0] % counts[1]:
        return None
    return jnp.arange(x.shape[0]) < x.shape[0] // counts[1] * counts[0]
