"""Normalization to mean 0 and variance 1, to length 1 or to root mean square 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from lamina.core.arguments import whole
from lamina.core.keywords import keywords
from lamina.core.op import op
from lamina.core.typing import Axes, Tensor, TensorLike
from lamina.kernels.layer_norm import row_mean, standardize_rows
from lamina.ops.arrays import floating, tensor
from lamina.runtime import settings

__all__ = ["batch_normalization", "layer_normalization", "moments", "normalize", "rms_normalization"]


def at_least_float32(x: TensorLike) -> Tensor:
    """`x` in float32, or in float64 if it has that type: squares and sums of smaller floats overflow."""
    x = tensor(x)
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def broadcast_along(values: Any, axes: Sequence[int], rank: int) -> Any:
    """`values`, which have one axis for each of `axes`, reshaped to broadcast with a tensor of that rank. None, scalars
    and tensors of that rank stay as they are.
    """
    if values is None or values.ndim in (0, rank):
        return values
    sizes = dict(zip(axes, values.shape, strict=True))
    return values.reshape([sizes.get(axis, 1) for axis in range(rank)])


def positive_axes(axis: Any, rank: int) -> list[int]:
    """One axis or several as a sorted list of nonnegative axes."""
    return sorted(one % rank for one in (axis if isinstance(axis, (list, tuple)) else [axis]))


def standardize(x: Any, mean: Any, variance: Any, scale: Any, offset: Any, epsilon: Any) -> Any:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, as one product and one sum. Tensors broadcast."""
    factor = jax.lax.rsqrt(variance + epsilon)
    factor = factor if scale is None else factor * scale
    shift = -mean * factor
    return x * factor + (shift if offset is None else shift + offset)


@op(compiles=True, settings=("axes",))
def moments(x: TensorLike, axes: Axes, keepdims: bool = False, synchronized: bool = False) -> tuple[Any, Any]:
    """(mean, variance) along `axes`.

    Args:
        x: Tensor.
        axes: Axis or axes to reduce; None means all.
        keepdims: Whether reduced axes are kept with size 1.
        synchronized: Accepted for Keras: with a batch on several devices the moments are always those of the whole
            batch.

    >>> [value.tolist() for value in moments([1.0, 3.0], axes=[0])]
    [2.0, 1.0]
    """
    x = tensor(x)
    axes = None if axes is None else tuple(axes) if isinstance(axes, (list, tuple)) else axes
    wide = at_least_float32(x)
    both = jnp.mean(wide, axes, keepdims=keepdims), jnp.var(wide, axes, keepdims=keepdims)
    if x.dtype not in (jnp.float16, jnp.bfloat16):
        return both
    largest = jnp.finfo(jnp.float16).max
    mean, variance = (jnp.clip(value, -largest, largest).astype(x.dtype) for value in both)
    return mean, variance


@op(compiles=True, settings=("axis",))
def batch_normalization(
    x: TensorLike,
    mean: TensorLike,
    variance: TensorLike,
    axis: int | Sequence[int],
    offset: TensorLike | None = None,
    scale: TensorLike | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, with vectors along `axis` (Ioffe and Szegedy, 2015,
    arXiv:1502.03167).

    Args:
        x: Tensor.
        mean: Means along `axis`.
        variance: Variances along `axis`.
        axis: Axis or axes that keep their own moments.
        offset: Added to the result; None adds nothing.
        scale: Factor of the standardized tensor; None means 1.
        epsilon: Added to the variance.
    """
    x = floating(x)
    axes = positive_axes(axis, x.ndim)
    mean, variance, scale, offset = (
        broadcast_along(v if v is None else tensor(v), axes, x.ndim) for v in (mean, variance, scale, offset)
    )
    return standardize(x, mean, variance, scale, offset, epsilon)


@op(compiles=True)
def layer_normalization(
    x: TensorLike,
    gamma: TensorLike | None = None,
    beta: TensorLike | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
    rms_scaling: bool = False,
    **kwargs: Any,
) -> Tensor:
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, with the moments of each sample along `axis` (Ba et al.,
    2016, arXiv:1607.06450). Computed in float32 or better.

    Args:
        x: Tensor.
        gamma: Factor of the standardized tensor; None means 1.
        beta: Added to the result; None adds nothing.
        axis: Axis or axes of the moments.
        epsilon: Added to the variance; None means `keras.config.epsilon()`.
        rms_scaling: Whether `mean` and `beta` are left out. This divides by the standard deviation; see
            `rms_normalization` for the root mean square.
    """
    keywords("layer_normalization", kwargs)
    x = floating(x)
    wide = at_least_float32(x)
    axes = positive_axes(axis, x.ndim)
    scale, offset = (
        v if v is None else broadcast_along(tensor(v).astype(wide.dtype), axes, x.ndim) for v in (gamma, beta)
    )
    epsilon = settings.epsilon() if epsilon is None else epsilon
    are_last = axes == list(range(x.ndim - len(axes), x.ndim)) and not rms_scaling
    if are_last:
        if (scaled := standardize_rows(wide, len(axes), epsilon)) is None:
            centered = wide - row_mean(wide, len(axes))
            scaled = centered * jax.lax.rsqrt(row_mean(centered**2, len(axes)) + epsilon)
        scaled = scaled if scale is None else scaled * scale
        return (scaled if offset is None else scaled + offset).astype(x.dtype)
    mean, variance = moments(wide, axes, keepdims=True)
    if rms_scaling:
        mean, offset = jnp.zeros_like(mean), None
    return standardize(wide, mean, variance, scale, offset, epsilon).astype(x.dtype)


@op(compiles=True)
def rms_normalization(
    x: TensorLike, scale: TensorLike | None = None, axis: int | Sequence[int] = -1, epsilon: float | None = None
) -> Tensor:
    """`x / sqrt(mean(x**2) + epsilon) * scale` (Zhang and Sennrich, 2019, arXiv:1910.07467). Computed in float32 or
    better.

    Args:
        x: Tensor.
        scale: Factor of the result; None means 1.
        axis: Axis or axes of the mean.
        epsilon: Added to the mean square; None means `keras.config.epsilon()`.

    >>> rms_normalization([3.0, 3.0]).tolist()
    [1.0, 1.0]
    """
    x = floating(x)
    wide = at_least_float32(x)
    axes = positive_axes(axis, x.ndim)
    epsilon = settings.epsilon() if epsilon is None else epsilon
    scaled = wide * jax.lax.rsqrt(jnp.mean(wide**2, tuple(axes), keepdims=True) + epsilon)
    if scale is not None:
        scaled = scaled * broadcast_along(tensor(scale), axes, x.ndim)
    return scaled.astype(x.dtype)


@op(compiles=True)
def normalize(x: TensorLike, axis: Axes = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """`x / max(norm, epsilon)`: vectors of length 1.

    Args:
        x: Tensor.
        axis: Axis or axes of the norm.
        order: Order of the norm, a whole number above 0.
        epsilon: Smallest norm to divide by; None means `keras.config.epsilon()`.

    >>> normalize([3.0, 4.0])
    Array([0.6, 0.8], dtype=float32)
    """
    order = whole("normalize", "order", order)
    x = jnp.atleast_1d(floating(x))
    wide = at_least_float32(x)
    axis = tuple(axis) if isinstance(axis, list) else axis
    epsilon = settings.epsilon() if epsilon is None else epsilon
    if order == 2:  # multiplying by the inverse root is faster than dividing
        scaled = wide * jnp.minimum(jax.lax.rsqrt(jnp.sum(wide**2, axis, keepdims=True)), 1 / epsilon)
    else:
        scaled = wide / jnp.maximum(jnp.linalg.norm(wide, order, axis, keepdims=True), epsilon)
    return scaled.astype(x.dtype)
