"""Reductions and cumulative sums that leave NaN out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.ops.arrays import axes, canonical_or_none, floating, tensor

if TYPE_CHECKING:
    from lamina.core.typing import Axes, Axis, DTypeLike, Tensor, TensorLike

__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin",
    "nanpercentile", "nanprod", "nanquantile", "nanstd", "nansum", "nanvar",
]  # fmt: skip


@op
def nansum(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The sum, with NaN counted as 0.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nansum(tensor(x), axis=axes(axis), keepdims=keepdims)


@op
def nanprod(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The product, with NaN counted as 1.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nanprod(tensor(x), axis=axes(axis), keepdims=keepdims)


@op
def nanmean(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The mean of the elements that are not NaN.

    Args:
        x: Tensor; integers become floats.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nanmean(floating(x), axis=axes(axis), keepdims=keepdims)


@op
def nanmedian(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The median of the elements that are not NaN.

    Args:
        x: Tensor; integers become floats.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nanmedian(floating(x), axis=axes(axis), keepdims=keepdims)


@op
def nanvar(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The variance of the elements that are not NaN.

    Args:
        x: Tensor; integers become floats.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nanvar(floating(x), axis=axes(axis), keepdims=keepdims)


@op
def nanstd(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The standard deviation of the elements that are not NaN.

    Args:
        x: Tensor; integers become floats.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nanstd(floating(x), axis=axes(axis), keepdims=keepdims)


@op
def nanmax(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The largest element that is not NaN.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nanmax(tensor(x), axis=axes(axis), keepdims=keepdims)


@op
def nanmin(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The smallest element that is not NaN.

    Args:
        x: Tensor.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nanmin(tensor(x), axis=axes(axis), keepdims=keepdims)


@op
def nanargmax(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The index of the first largest element that is not NaN, as int32; -1 if all are NaN.

    Args:
        x: Tensor.
        axis: Axis to reduce; None means the flattened tensor.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nanargmax(tensor(x), axis=axes(axis), keepdims=keepdims)


@op
def nanargmin(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The index of the first smallest element that is not NaN, as int32; -1 if all are NaN.

    Args:
        x: Tensor.
        axis: Axis to reduce; None means the flattened tensor.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nanargmin(tensor(x), axis=axes(axis), keepdims=keepdims)


@op
def nanquantile(
    x: TensorLike, q: TensorLike, axis: Axes = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """The value below which a share q of the elements that are not NaN lies.

    Args:
        x: Tensor; integers become floats.
        q: Shares between 0 and 1.
        axis: Axis or axes to reduce; None means all.
        method: "linear", "lower", "higher", "midpoint" or "nearest": the value if q lies between two elements.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nanquantile(floating(x), floating(q), axis=axes(axis), method=method, keepdims=keepdims)


@op
def nanpercentile(
    x: TensorLike, q: TensorLike, axis: Axes = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """The value below which q percent of the elements that are not NaN lie.

    Args:
        x: Tensor; integers become floats.
        q: Percentages between 0 and 100.
        axis: Axis or axes to reduce; None means all.
        method: "linear", "lower", "higher", "midpoint" or "nearest": the value if q lies between two elements.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.nanpercentile(floating(x), floating(q), axis=axes(axis), method=method, keepdims=keepdims)


@op
def nancumsum(x: TensorLike, axis: Axis = None, dtype: DTypeLike | None = None) -> Tensor:
    """The sums of all elements up to each one, with NaN counted as 0.

    Args:
        x: Tensor.
        axis: Axis to go along; None means the flattened tensor.
        dtype: Type of the result; None means that of x.
    """
    return jnp.nancumsum(tensor(x), axis=axis, dtype=canonical_or_none(dtype))


@op
def nancumprod(x: TensorLike, axis: Axis = None, dtype: DTypeLike | None = None) -> Tensor:
    """The products of all elements up to each one, with NaN counted as 1.

    Args:
        x: Tensor.
        axis: Axis to go along; None means the flattened tensor.
        dtype: Type of the result; None means that of x.
    """
    return jnp.nancumprod(tensor(x), axis=axis, dtype=canonical_or_none(dtype))
