"""Segments, orders and special functions of keras.ops that NumPy does not have."""

# ruff: noqa: F403  (each module lists its public names in __all__)

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.ops import fourier
from lamina.ops.arrays import floating, tensor
from lamina.ops.elementwise import unary
from lamina.ops.fourier import *
from lamina.ops.linalg import logdet

__all__ = [
    "cdist",
    "erf",
    "erfc",
    "erfinv",
    "extract_sequences",
    "in_top_k",
    "logdet",
    "logsumexp",
    "rsqrt",
    "segment_max",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "top_k",
    "view_as_complex",
    "view_as_real",
]  # fmt: skip
__all__ += fourier.__all__

erf = unary(jax.lax.erf, "2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x.", floats=True)
erfc = unary(jax.lax.erfc, "1 - erf(x), exact for large x.", floats=True)
erfinv = unary(jax.lax.erf_inv, "The number whose erf is x.", floats=True, name="erfinv")
rsqrt = unary(jax.lax.rsqrt, "1 / sqrt(x).", floats=True)


@op
def logsumexp(x, axis=None, keepdims=False):
    """log(sum(exp(x))) without overflow."""
    return jax.nn.logsumexp(floating(x), axis=axis, keepdims=keepdims)


@op(settings=("k",))
def top_k(x, k, sorted=True):
    """(values, indices) of the k largest elements of the last axis, the largest first.

    >>> import lamina as keras
    >>> keras.ops.top_k([1, 9, 5], 2)
    [Array([9, 5], dtype=int32), Array([1, 2], dtype=int32)]
    """
    return jax.lax.top_k(tensor(x), k)


@op(settings=("k",))
def in_top_k(targets, predictions, k):
    """Whether the prediction for each target class is one of the k largest; ties count, NaN and infinite ones do not.

    Shapes: (batch,), (batch, classes) -> (batch,).
    """
    targets, predictions = tensor(targets), tensor(predictions)
    known = (targets >= 0) & (targets < predictions.shape[-1])
    chosen = jnp.take_along_axis(predictions, jnp.where(known, targets, 0)[..., None], axis=-1)
    return known & jnp.isfinite(chosen[..., 0]) & (jnp.sum(predictions > chosen, axis=-1) < k)


def segments(combine, doc, name):
    """The op `name(data, segment_ids, num_segments=None, sorted=False)` of one of JAX's segment reductions."""

    def compute(data, segment_ids, num_segments=None, sorted=False):
        return combine(tensor(data), tensor(segment_ids), num_segments, indices_are_sorted=sorted)

    compute.__name__ = compute.__qualname__ = name
    compute.__module__ = __name__
    compute.__doc__ = f"{doc} of the rows of data that have the same id. Shapes: (n, ...), (n,) -> (num_segments, ...)."
    return op(compute, name=name)


segment_sum = segments(jax.ops.segment_sum, "The sum", "segment_sum")
segment_max = segments(jax.ops.segment_max, "The largest", "segment_max")
segment_min = segments(jax.ops.segment_min, "The smallest", "segment_min")
segment_prod = segments(jax.ops.segment_prod, "The product", "segment_prod")


@op(settings=("sequence_length", "sequence_stride"))
def extract_sequences(x, sequence_length, sequence_stride):
    """Overlapping windows of the last axis. Shapes: (..., n) -> (..., windows, sequence_length).

    >>> import lamina as keras
    >>> keras.ops.extract_sequences(keras.ops.arange(5), 3, 2)
    Array([[0, 1, 2],
           [2, 3, 4]], dtype=int32)
    """
    x = tensor(x)
    windows = 1 + (x.shape[-1] - sequence_length) // sequence_stride
    starts = jnp.arange(windows)[:, None] * sequence_stride
    return x[..., starts + jnp.arange(sequence_length)]


@op
def cdist(x, y):
    """The Euclidean distance of each row of x to each row of y. Shapes: (..., n, d), (..., m, d) -> (..., n, m)."""
    x, y = floating(x), floating(y)
    squares = jnp.sum(x**2, -1)[..., :, None] + jnp.sum(y**2, -1)[..., None, :] - 2 * x @ jnp.swapaxes(y, -1, -2)
    return jnp.sqrt(jnp.maximum(squares, 0))


@op
def view_as_complex(x):
    """Complex numbers from a last axis of (real, imaginary). Shapes: (..., 2) -> (...)."""
    x = tensor(x)
    return jax.lax.complex(x[..., 0], x[..., 1])


@op
def view_as_real(x):
    """(real, imaginary) of complex numbers as a last axis. Shapes: (...) -> (..., 2)."""
    x = tensor(x)
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)
