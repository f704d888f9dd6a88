"""Normalization: moments, and tensors brought to mean 0 and variance 1, to length 1 or to root mean square 1."""

import jax
import jax.numpy as jnp

from lamina.core.keywords import keywords
from lamina.core.op import op
from lamina.errors import ConfigError
from lamina.kernels.layer_norm import standardize_rows
from lamina.ops.arrays import floating, tensor
from lamina.runtime import settings

__all__ = ["batch_normalization", "layer_normalization", "moments", "normalize", "rms_normalization"]


def at_least_float32(x):
    """`x` in float32, or float64 if it is in that: squares and sums of smaller floats overflow."""
    x = tensor(x)
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def along(values, axes, rank):
    """`values`, with one axis for each of `axes`, in the rank of the tensor they belong to. None, numbers and what has
    that rank already stay as they are."""
    if values is None or values.ndim in (0, rank):
        return values
    sizes = dict(zip(axes, values.shape, strict=True))
    return values.reshape([sizes.get(axis, 1) for axis in range(rank)])


def positive_axes(axis, rank):
    """One axis or several, negative ones counted from the end, in order."""
    return sorted(one % rank for one in (axis if isinstance(axis, (list, tuple)) else [axis]))


def standardize(x, mean, variance, scale, offset, epsilon):
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, as one product and one sum. All broadcast."""
    factor = jax.lax.rsqrt(variance + epsilon)
    factor = factor if scale is None else factor * scale
    shift = -mean * factor
    return x * factor + (shift if offset is None else shift + offset)


@op(settings=("axes",))
def moments(x, axes, keepdims=False, synchronized=False):
    """(mean, variance) along `axes`. Where a batch is spread over devices they are those of the whole batch.

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
    return tuple(jnp.clip(value, -largest, largest).astype(x.dtype) for value in both)


@op(settings=("axis",))
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, with vectors along `axis` (Ioffe and Szegedy, 2015,
    arXiv:1502.03167)."""
    x = floating(x)
    axes = positive_axes(axis, x.ndim)
    mean, variance, scale, offset = (
        along(v if v is None else tensor(v), axes, x.ndim) for v in (mean, variance, scale, offset)
    )
    return standardize(x, mean, variance, scale, offset, epsilon)


@op
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, rms_scaling=False, **kwargs):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, with the moments of each sample along `axis`, one or
    several (Ba et al., 2016, arXiv:1607.06450). Computed in float32 or better.

    `rms_scaling` leaves out `mean` and `beta`; it is not RMS normalization, for which see `rms_normalization`.
    """
    keywords("layer_normalization", kwargs)
    x = floating(x)
    wide = at_least_float32(x)
    axes = positive_axes(axis, x.ndim)
    gamma, beta = (v if v is None else along(tensor(v).astype(wide.dtype), axes, x.ndim) for v in (gamma, beta))
    epsilon = settings.epsilon() if epsilon is None else epsilon
    are_last = axes == list(range(x.ndim - len(axes), x.ndim)) and not rms_scaling
    if are_last and (scaled := standardize_rows(wide, len(axes), epsilon)) is not None:
        scaled = scaled if gamma is None else scaled * gamma
        return (scaled if beta is None else scaled + beta).astype(x.dtype)
    mean, variance = moments(wide, axes, keepdims=True)
    if rms_scaling:
        mean, beta = jnp.zeros_like(mean), None
    return standardize(wide, mean, variance, gamma, beta, epsilon).astype(x.dtype)


@op
def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """`x / sqrt(mean(x**2) + epsilon) * scale` along `axis`, one or several (Zhang and Sennrich, 2019,
    arXiv:1910.07467). Computed in float32 or better.

    >>> rms_normalization([3.0, 3.0]).tolist()
    [1.0, 1.0]
    """
    x = floating(x)
    wide = at_least_float32(x)
    axes = positive_axes(axis, x.ndim)
    epsilon = settings.epsilon() if epsilon is None else epsilon
    scaled = wide * jax.lax.rsqrt(jnp.mean(wide**2, tuple(axes), keepdims=True) + epsilon)
    if scale is not None:
        scaled = scaled * along(tensor(scale), axes, x.ndim)
    return scaled.astype(x.dtype)


@op
def normalize(x, axis=-1, order=2, epsilon=None):
    """`x / max(norm, epsilon)`, the norm of this order along `axis`: vectors of length 1.

    >>> normalize([3.0, 4.0])
    Array([0.6, 0.8], dtype=float32)
    """
    if not isinstance(order, int) or order < 1:
        raise ConfigError(f"normalize needs an order that is a whole number above 0; got {order!r}.")
    x = jnp.atleast_1d(floating(x))
    wide = at_least_float32(x)
    axis = tuple(axis) if isinstance(axis, list) else axis
    epsilon = settings.epsilon() if epsilon is None else epsilon
    if order == 2:  # a product with the inverse root, which costs less than a division
        scaled = wide * jnp.minimum(jax.lax.rsqrt(jnp.sum(wide**2, axis, keepdims=True)), 1 / epsilon)
    else:
        scaled = wide / jnp.maximum(jnp.linalg.norm(wide, order, axis, keepdims=True), epsilon)
    return scaled.astype(x.dtype)
