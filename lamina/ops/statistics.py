"""Cumulative sums, differences, quantiles and correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.read_limits import reserve_steps
from lamina.ops.arrays import axes, canonical_or_none, floating, tensor

if TYPE_CHECKING:
    from lamina.core.typing import Axes, Axis, DTypeLike, Tensor, TensorLike

__all__ = [
    "corrcoef", "correlate", "cumprod", "cumsum", "diff", "median", "percentile", "quantile", "trapezoid",
]  # fmt: skip


@op
def cumsum(x: TensorLike, axis: Axis = None, dtype: DTypeLike | None = None) -> Tensor:
    """The sums of all elements up to each one.

    Args:
        x: Tensor.
        axis: Axis to go along; None means the flattened tensor.
        dtype: Type of the result; None means that of x.
    """
    return jnp.cumsum(tensor(x), axis=axis, dtype=canonical_or_none(dtype))


@op
def cumprod(x: TensorLike, axis: Axis = None, dtype: DTypeLike | None = None) -> Tensor:
    """The products of all elements up to each one.

    Args:
        x: Tensor.
        axis: Axis to go along; None means the flattened tensor.
        dtype: Type of the result; None means that of x.
    """
    return jnp.cumprod(tensor(x), axis=axis, dtype=canonical_or_none(dtype))


@op
def diff(a: TensorLike, n: int = 1, axis: int = -1) -> Any:
    """Each element minus the one before it.

    Args:
        a: Tensor.
        n: Number of times that differences are taken.
        axis: Axis to go along.
    """
    reserve_steps(5 * n, "diff")
    return jnp.diff(tensor(a), n=n, axis=axis)


@op
def trapezoid(y: TensorLike, x: TensorLike | None = None, dx: float = 1.0, axis: int = -1) -> Any:
    """The integral of y over x by the trapezoidal rule.

    Args:
        y: Values; integers become floats.
        x: Points of the values; None means equal steps of `dx`.
        dx: Step between values, if x is None.
        axis: Axis to integrate over.
    """
    return jnp.trapezoid(floating(y), None if x is None else floating(x), dx, axis)


@op
def median(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """The median.

    Args:
        x: Tensor; integers become floats.
        axis: Axis or axes to reduce; None means all.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.median(floating(x), axis=axes(axis), keepdims=keepdims)


@op
def quantile(x: TensorLike, q: TensorLike, axis: Axes = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The value below which a share q of the elements lies.

    Args:
        x: Tensor; integers become floats.
        q: Shares between 0 and 1.
        axis: Axis or axes to reduce; None means all.
        method: "linear", "lower", "higher", "midpoint" or "nearest": the value if q lies between two elements.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.quantile(floating(x), floating(q), axis=axes(axis), method=method, keepdims=keepdims)


@op
def percentile(
    x: TensorLike, q: TensorLike, axis: Axes = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """The value below which q percent of the elements lie.

    Args:
        x: Tensor; integers become floats.
        q: Percentages between 0 and 100.
        axis: Axis or axes to reduce; None means all.
        method: "linear", "lower", "higher", "midpoint" or "nearest": the value if q lies between two elements.
        keepdims: Whether the reduced axes stay, with size 1.
    """
    return jnp.percentile(floating(x), floating(q), axis=axes(axis), method=method, keepdims=keepdims)


@op
def corrcoef(x: TensorLike) -> Tensor:
    """Pearson's correlation coefficients between the rows. Shapes: (rows, n) -> (rows, rows).

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.corrcoef(floating(x))


@op
def correlate(x1: TensorLike, x2: TensorLike, mode: str = "valid") -> Tensor:
    """The sums over k of x1[n + k] * x2[k].

    Args:
        x1, x2: Vectors.
        mode: "valid" (complete overlap only), "same" (length of x1) or "full".
    """
    return jnp.correlate(tensor(x1), tensor(x2), mode=mode)
