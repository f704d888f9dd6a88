"""Segment reductions, top k and special functions of keras.ops that NumPy does not have."""

# ruff: noqa: F403, F405  (each file lists its public names in __all__)

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.typing import Axes, Tensor, TensorLike
from lamina.errors import ShapeError
from lamina.ops.arrays import floating, tensor
from lamina.ops.fourier import *
from lamina.ops.linalg import logdet

__all__ = [
    "cdist", "erf", "erfc", "erfinv", "extract_sequences", "fft", "fft2", "ifft2", "in_top_k", "irfft", "istft",
    "logdet", "logsumexp", "rfft", "rsqrt", "segment_max", "segment_min", "segment_prod", "segment_sum", "stft",
    "top_k", "view_as_complex", "view_as_real",
]  # fmt: skip


@op
def erf(x: TensorLike) -> Tensor:
    """The error function: 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to `x`.

    Args:
        x: Tensor.
    """
    return jax.lax.erf(floating(x))


@op
def erfc(x: TensorLike) -> Tensor:
    """1 - erf(x), accurate for large `x`.

    Args:
        x: Tensor.
    """
    return jax.lax.erfc(floating(x))


@op
def erfinv(x: TensorLike) -> Tensor:
    """The inverse of `erf`.

    Args:
        x: Tensor.
    """
    return jax.lax.erf_inv(floating(x))


@op
def rsqrt(x: TensorLike) -> Tensor:
    """1 / sqrt(x).

    Args:
        x: Tensor.
    """
    return jax.lax.rsqrt(floating(x))


@op
def logsumexp(x: TensorLike, axis: Axes = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))), computed without overflow.

    Args:
        x: Tensor.
        axis: Axis or axes of the sum; None means all.
        keepdims: Whether reduced axes are kept with size 1.
    """
    return jax.nn.logsumexp(floating(x), axis=axis, keepdims=keepdims)


@op(settings=("k",))
def top_k(x: TensorLike, k: int, sorted: bool = True) -> Any:
    """(values, indices) of the `k` largest elements of the last axis, the largest first.

    Args:
        x: Tensor.
        k: Number of elements.
        sorted: Whether the elements are sorted; here they always are.

    >>> import lamina as keras
    >>> keras.ops.top_k([1, 9, 5], 2)
    [Array([9, 5], dtype=int32), Array([1, 2], dtype=int32)]
    """
    return jax.lax.top_k(tensor(x), k)


@op(settings=("k",))
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Any:
    """Whether the prediction of the target class is one of the `k` largest. Ties count; NaN and infinite predictions do
    not.

    Shapes: (batch,), (batch, classes) -> (batch,).

    Args:
        targets: Class indices of shape (batch,).
        predictions: Scores of shape (batch, classes).
        k: Number of predictions to consider.
    """
    targets, predictions = tensor(targets), tensor(predictions)
    valid = (targets >= 0) & (targets < predictions.shape[-1])
    chosen = jnp.take_along_axis(predictions, jnp.where(valid, targets, 0)[..., None], axis=-1)
    return valid & jnp.isfinite(chosen[..., 0]) & (jnp.sum(predictions > chosen, axis=-1) < k)


@op
def segment_sum(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The sum of the rows of `data` that have the same id. Shapes: (n, ...), (n,) -> (num_segments, ...).

    Args:
        data: Tensor of shape (n, ...).
        segment_ids: Segment of each row, integers of shape (n,).
        num_segments: Number of segments; None means the largest id + 1, which needs ids with known values.
        sorted: Whether the ids are sorted, which is faster.
    """
    return jax.ops.segment_sum(tensor(data), tensor(segment_ids), num_segments, indices_are_sorted=sorted)


@op
def segment_max(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The maximum of the rows of `data` that have the same id. Shapes: (n, ...), (n,) -> (num_segments, ...).

    Args:
        data: Tensor of shape (n, ...).
        segment_ids: Segment of each row, integers of shape (n,).
        num_segments: Number of segments; None means the largest id + 1, which needs ids with known values.
        sorted: Whether the ids are sorted, which is faster.
    """
    return jax.ops.segment_max(tensor(data), tensor(segment_ids), num_segments, indices_are_sorted=sorted)


@op
def segment_min(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The minimum of the rows of `data` that have the same id. Shapes: (n, ...), (n,) -> (num_segments, ...).

    Args:
        data: Tensor of shape (n, ...).
        segment_ids: Segment of each row, integers of shape (n,).
        num_segments: Number of segments; None means the largest id + 1, which needs ids with known values.
        sorted: Whether the ids are sorted, which is faster.
    """
    return jax.ops.segment_min(tensor(data), tensor(segment_ids), num_segments, indices_are_sorted=sorted)


@op
def segment_prod(
    data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False
) -> Any:
    """The product of the rows of `data` that have the same id. Shapes: (n, ...), (n,) -> (num_segments, ...).

    Args:
        data: Tensor of shape (n, ...).
        segment_ids: Segment of each row, integers of shape (n,).
        num_segments: Number of segments; None means the largest id + 1, which needs ids with known values.
        sorted: Whether the ids are sorted, which is faster.
    """
    return jax.ops.segment_prod(tensor(data), tensor(segment_ids), num_segments, indices_are_sorted=sorted)


@op(settings=("sequence_length", "sequence_stride"))
def extract_sequences(x: TensorLike, sequence_length: int, sequence_stride: int) -> Tensor:
    """Overlapping windows of the last axis.

    Shapes: (..., n) -> (..., windows, sequence_length).

    Args:
        x: Tensor of shape (..., n).
        sequence_length: Length of a window.
        sequence_stride: Step between windows.

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
def cdist(x: TensorLike, y: TensorLike) -> Any:
    """The Euclidean distance of each row of `x` to each row of `y`.

    Shapes: (..., n, d), (..., m, d) -> (..., n, m).

    Args:
        x: Points of shape (..., n, d).
        y: Points of shape (..., m, d).
    """
    x, y = floating(x), floating(y)
    if x.shape[-1] != y.shape[-1]:
        both = f"[..., :{min(x.shape[-1], y.shape[-1])}]"
        message = f"Points of cdist have the same last axis; got the shapes {x.shape} and {y.shape}."
        raise ShapeError(message, fix=f"cdist(x1{both}, x2{both})")
    return jnp.sqrt(jnp.sum((x[..., :, None, :] - y[..., None, :, :]) ** 2, -1))


@op
def view_as_complex(x: TensorLike) -> Tensor:
    """Complex numbers from a last axis of (real, imaginary). Shapes: (..., 2) -> (...).

    Args:
        x: Real numbers of shape (..., 2).
    """
    x = tensor(x)
    if x.shape[-1:] != (2,):
        message = f"view_as_complex takes pairs (real, imaginary) of shape (..., 2); got {tuple(x.shape)}."
        raise ShapeError(message, fix="keras.ops.stack([x, keras.ops.zeros_like(x)], axis=-1)")
    return jax.lax.complex(x[..., 0], x[..., 1])


@op
def view_as_real(x: TensorLike) -> Tensor:
    """The real and imaginary parts as a last axis. Shapes: (...) -> (..., 2).

    Args:
        x: Complex numbers.
    """
    x = tensor(x)
    return jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)
