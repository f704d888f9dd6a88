"""The parts of a batch: inputs, targets and sample weights, as one tuple."""

from __future__ import annotations

from lamina.core.typing import PyTree
from lamina.errors import DataError

__all__ = ["pack_x_y_sample_weight", "unpack_x_y_sample_weight"]


def unpack_x_y_sample_weight(data: PyTree) -> tuple[PyTree, PyTree, PyTree]:
    """(x, y, sample_weight) of a batch; None for what is absent.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Raises:
        DataError: If the tuple has no parts, or more than three.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if not isinstance(data, (list, tuple)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise DataError(
            f"A batch is x, (x,), (x, y) or (x, y, sample_weight); got {len(data)} parts.",
            fix="Several inputs are one part: yield ((a, b), y).",
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: PyTree, y: PyTree = None, sample_weight: PyTree = None) -> PyTree:
    """A batch as a step takes it: `x` itself, `(x,)` for a list, `(x, y)` or `(x, y, sample_weight)`.

    Args:
        x: Inputs.
        y: Targets. None leaves them out.
        sample_weight: Weights of the samples. None leaves them out.

    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
