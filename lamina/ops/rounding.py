"""Rounding of each element, and limits to its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.ops.arrays import floating, operand, tensor

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike

__all__ = [
    "ceil", "clip", "floor", "fmax", "fmin", "maximum", "minimum", "nan_to_num", "round", "trunc",
]  # fmt: skip


@op
def ceil(x: TensorLike) -> Tensor:
    """The smallest whole number that is at least x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.ceil(floating(x))


@op
def floor(x: TensorLike) -> Tensor:
    """The largest whole number that is at most x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.floor(floating(x))


@op
def trunc(x: TensorLike) -> Tensor:
    """x without its fraction.

    Args:
        x: Tensor.
    """
    return jnp.trunc(tensor(x))


@op
def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """x rounded to `decimals` places; a half goes to the even neighbor.

    Args:
        x: Tensor.
        decimals: Number of decimal places; negative ones round to tens, hundreds, ...
    """
    x = tensor(x)
    if decimals < 0 and jnp.issubdtype(x.dtype, jnp.integer):
        unit = 10.0**-decimals
        return (jnp.round(floating(x) / unit) * unit).astype(x.dtype)
    return jnp.round(x, decimals)


@op(settings=("x_min", "x_max"))
def clip(x: TensorLike, x_min: TensorLike, x_max: TensorLike) -> Tensor:
    """x limited to [x_min, x_max].

    Args:
        x: Tensor.
        x_min: Lower bound.
        x_max: Upper bound.

    >>> import lamina as keras
    >>> keras.ops.clip([-2, 0, 2], -1, 1)
    Array([-1,  0,  1], dtype=int32)
    """
    x = tensor(x)
    x = x.astype("int32") if x.dtype == bool else x
    return jnp.clip(x, x_min, x_max)  # pyright: ignore[reportArgumentType]


@op
def nan_to_num(x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """x with NaN, inf and -inf replaced by finite numbers.

    Args:
        x: Tensor.
        nan: Number in place of NaN.
        posinf: Number in place of inf; None means the largest of the type.
        neginf: Number in place of -inf; None means the smallest of the type.
    """
    return jnp.nan_to_num(tensor(x), nan=nan, posinf=posinf, neginf=neginf)


@op
def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of x1 and x2; NaN if one of them is NaN.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.maximum(operand(x1), operand(x2))


@op
def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of x1 and x2; NaN if one of them is NaN.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.minimum(operand(x1), operand(x2))


@op
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of x1 and x2; the other one if one of them is NaN.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.fmax(operand(x1), operand(x2))


@op
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of x1 and x2; the other one if one of them is NaN.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.fmin(operand(x1), operand(x2))
