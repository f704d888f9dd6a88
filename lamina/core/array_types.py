"""What describes arrays: type aliases that need no class of lamina (`lamina.core.typing` has all), and shapes as users
write them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import numpy as np

from lamina.errors import ShapeError
from lamina.runtime import process

__all__ = ["DTypeLike", "Shape", "ShapeLike", "Tensor", "standardize_shape"]


def _explain_missing_methods():
    from lamina.core.op_advice import op_at
    from lamina.spelling.arrays import explain_missing_methods

    explain_missing_methods(op_at)


process.changes.append(_explain_missing_methods)

Tensor: TypeAlias = jax.Array
"""The result of layers and ops on arrays: a JAX array."""

DTypeLike: TypeAlias = "str | type | np.dtype[Any] | jax.typing.DTypeLike"
"""A dtype: a name ("float32"), a NumPy or JAX dtype, or a Python type."""

Shape: TypeAlias = "tuple[int | None, ...]"
"""A shape, with None for unknown sizes."""

ShapeLike: TypeAlias = "int | Sequence[int | None]"
"""A shape as users pass it: an int, or a list or tuple of ints, with None for unknown sizes."""


def standardize_shape(shape: Any) -> Shape:
    """A shape as a tuple of ints and None.

    Args:
        shape: Number, list or tuple.

    Raises:
        ShapeError: The shape is None, or a size is negative.
    """
    if isinstance(shape, (int, np.integer)):
        shape = (shape,)
    if shape is None:
        raise ShapeError(
            "A shape is a tuple of sizes; got None.", fix="shape=(784,), or shape=(None, 784) where a size is not known"
        )
    try:
        sizes = tuple(None if size is None else operator.index(size) for size in shape)
    except TypeError:
        raise ShapeError(f"A shape is a tuple of whole numbers; got {shape!r}.", fix=_whole_sizes(shape)) from None
    for size in sizes:
        if size is not None and size < 0:
            raise ShapeError(
                f"Sizes are 0 or more, or None; got {sizes}.",
                fix=f"shape={tuple(None if size is None or size < 0 else size for size in sizes)}",
            )
    return sizes


def _whole_sizes(shape):
    """The fix for a shape of texts and floats: the same as whole numbers, where that is what they say."""
    try:
        sizes = tuple(None if size is None else float(size) for size in shape)
    except (TypeError, ValueError):
        return "shape=(784,)"
    whole = all(size is None or size == int(size) for size in sizes)
    return f"shape={tuple(None if size is None else int(size) for size in sizes)}" if whole else "shape=(784,)"
