"""Notes taken while a model is traced: arrays of rows that broadcast over each other, variables that nobody owns."""

from __future__ import annotations

import contextlib
import itertools
import re
import warnings
from typing import TYPE_CHECKING, Any

import jax
from jax.experimental.xla_metadata import set_xla_metadata

from lamina.core.variable import Variable

if TYPE_CHECKING:
    from lamina.check.traced import Traced
    from lamina.core.typing import PyTree, Shape

__all__ = ["meetings_of_rows", "variables_of_nobody"]

_COUNT = itertools.count()


def meetings_of_rows(traced: Traced, y: PyTree) -> list[tuple[Shape, Shape]]:
    """(shape, longer shape) of arrays with a row for each sample that meet in training, where NumPy's broadcasting puts
    the rows of the first along an axis of size 1 of the other: each row meets all rows. `None` stands for the rows.

    Args:
        traced: The model on some rows.
        y: Targets, or None.
    """
    with warnings.catch_warnings(record=True) as said, jax.numpy_rank_promotion("warn"):
        warnings.simplefilter("always")
        anew = set_xla_metadata(check=str(next(_COUNT)))  # what was traced before would not warn again
        with contextlib.suppress(Exception), anew:  # of the user's loss
            traced.trace_training(y)
    rows, found = traced.rows, []
    for one in said:
        if "rank promotion" in str(one.message):
            shapes = [_shape(text) for text in re.findall(r"\(([\d, ]*)\)", str(one.message).partition("Set")[0])]
            found += [tuple(tuple(None if size == rows else size for size in shape) for shape in pair)
                      for pair in _crossing(shapes, rows)]  # fmt: skip
    return found


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


class _Missing(dict[Any, Any]):
    """Slots that note the variables which have none."""

    def __init__(self, slots: dict[Any, Any], missing: dict[int, Any]):
        super().__init__(slots)
        self.missing: dict[int, Any] = missing

    def __contains__(self, ref: object) -> bool:
        has = super().__contains__(ref)
        if not has and isinstance(ref, Variable):
            self.missing[id(ref)] = ref
        return has


def variables_of_nobody(traced: Traced) -> list[Any]:
    """The trainable variables that a prediction reads and the model does not have.

    Args:
        traced: The model on some rows.
    """
    missing: dict[int, Any] = {}
    with contextlib.suppress(Exception):  # of layers that cannot be traced again
        traced.trace_prediction(lambda slots: _Missing(slots, missing))
    return [one for one in missing.values() if one.trainable and one.dtype.startswith(("float", "bfloat"))]
