"""Reductions over axes: sums, means, extremes and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.ops.arrays import axes, canonical_or_none, floating, tensor
from lamina.runtime.settings import floatx

if TYPE_CHECKING:
    from lamina.core.typing import Axes, DTypeLike, Tensor, TensorLike

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "average", "count_nonzero", "max", "mean", "min", "prod",
    "ptp", "std", "sum", "var",
]  # fmt: skip


@op(compiles=True)
def sum(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The sum.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.

    >>> import lamina as keras
    >>> keras.ops.sum([[1, 2], [3, 4]], axis=0)
    Array([4, 6], dtype=int32)
    """
    return jnp.sum(tensor(x), axis=axes(axis), keepdims=keepdims)


@op(compiles=True)
def prod(x: TensorLike, axis: Axes = None, keepdims: bool = False, dtype: DTypeLike | None = None) -> Tensor:
    """The product.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
        dtype: Type of the result; None means that of x.
    """
    return jnp.prod(tensor(x), axis=axes(axis), keepdims=keepdims, dtype=canonical_or_none(dtype))


@op(compiles=True)
def mean(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The mean.

    Args:
        x: Tensor; integers become floats.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.mean(floating(x), axis=axes(axis), keepdims=keepdims)


@op(compiles=True)
def var(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The mean of the squared differences from the mean.

    Args:
        x: Tensor; integers become floats.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.var(floating(x), axis=axes(axis), keepdims=keepdims)


@op(compiles=True)
def std(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The standard deviation: the square root of the variance.

    Args:
        x: Tensor; integers become floats.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.std(floating(x), axis=axes(axis), keepdims=keepdims)


@op(compiles=True)
def average(x: TensorLike, axis: Axes = None, weights: TensorLike | None = None) -> Tensor:
    """sum(weights * x) / sum(weights).

    Args:
        x: Tensor; integers become floats.
        axis: Axis or axes to reduce; None means all.
        weights: Weights, of the shape of x or of one axis; None weighs all by 1.
    """
    if weights is None:
        return jnp.average(floating(x), axis=axes(axis))
    x, weights = tensor(x), tensor(weights)
    dtype = jnp.promote_types(x.dtype, weights.dtype)
    dtype = dtype if jnp.issubdtype(dtype, jnp.inexact) else floatx()
    return jnp.average(x.astype(dtype), axis=axes(axis), weights=weights.astype(dtype))


@op(compiles=True)
def all(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether all elements are true (not zero).

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.all(tensor(x), axis=axes(axis), keepdims=keepdims)


@op(compiles=True)
def any(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """Whether at least one element is true (not zero).

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.any(tensor(x), axis=axes(axis), keepdims=keepdims)


@op(compiles=True)
def max(x: TensorLike, axis: Axes = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The largest element.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
        initial: Lower bound of the result; None means none.
    """
    return jnp.max(tensor(x), axis=axes(axis), keepdims=keepdims, initial=initial)


@op(compiles=True)
def min(x: TensorLike, axis: Axes = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The smallest element.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
        initial: Upper bound of the result; None means none.
    """
    return jnp.min(tensor(x), axis=axes(axis), keepdims=keepdims, initial=initial)


@op(compiles=True)
def amax(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The largest element.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.max(tensor(x), axis=axes(axis), keepdims=keepdims)


@op(compiles=True)
def amin(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The smallest element.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.min(tensor(x), axis=axes(axis), keepdims=keepdims)


@op(compiles=True)
def ptp(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The largest element minus the smallest.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.ptp(tensor(x), axis=axes(axis), keepdims=keepdims)


@op(compiles=True)
def argmax(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The index of the first largest element, as int32.

    Args:
        x: Tensor.
        axis: Axis to reduce; None means the flattened tensor.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.argmax(tensor(x), axis=axes(axis), keepdims=keepdims)


@op(compiles=True)
def argmin(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The index of the first smallest element, as int32.

    Args:
        x: Tensor.
        axis: Axis to reduce; None means the flattened tensor.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.argmin(tensor(x), axis=axes(axis), keepdims=keepdims)


@op(compiles=True)
def count_nonzero(x: TensorLike, axis: Axes = None) -> Tensor:
    """The number of elements that are not zero, as int32.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
    """
    return jnp.count_nonzero(tensor(x), axis=axes(axis)).astype("int32")
