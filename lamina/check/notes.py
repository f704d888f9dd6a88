"""Notes taken while a model is traced: arrays of rows that broadcast over each other, variables that nobody owns."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from lamina.core.crossing_rows import crossing_rows
from lamina.core.variable import Variable

if TYPE_CHECKING:
    from lamina.check.traced import Traced
    from lamina.core.typing import PyTree, Shape

__all__ = ["meetings_of_rows", "variables_of_nobody"]


def meetings_of_rows(traced: Traced, y: PyTree) -> list[tuple[Shape, Shape]]:
    """(shape, longer shape) of arrays with a row for each sample that meet in training, where NumPy's broadcasting puts
    the rows of the first along an axis of size 1 of the other: each row meets all rows. `None` stands for the rows.

    Args:
        traced: The model on some rows.
        y: Targets, or None.
    """
    return crossing_rows(lambda: traced.trace_training(y), traced.rows)


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
