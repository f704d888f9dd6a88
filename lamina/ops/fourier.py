"""Fourier transforms. Complex numbers are pairs (real, imaginary) of arrays, as in Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.arguments import choice, shown, whole
from lamina.core.op import op
from lamina.core.read_limits import reserve_array, reserve_steps
from lamina.core.typing import ArrayLike, TensorLike
from lamina.errors import ConfigError, ShapeError
from lamina.ops.arrays import floating

__all__ = ["fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]


def _complex(x):
    """One complex array from a pair."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        message = f"Complex inputs must be a pair (real, imaginary); got {shown(x)}."
        raise ConfigError(message, fix="(x, keras.ops.zeros_like(x))")
    return jax.lax.complex(floating(x[0]), floating(x[1]))


def _pair(x):
    return jnp.real(x), jnp.imag(x)


@op
def fft(x: Sequence[TensorLike]) -> tuple[Any, Any]:
    """The discrete Fourier transform of the last axis, sum over n of x[n] exp(-2 pi i k n / N), as a pair.

    Args:
        x: Pair (real part, imaginary part).
    """
    return _pair(jnp.fft.fft(_complex(x)))


@op
def fft2(x: Sequence[TensorLike]) -> tuple[Any, Any]:
    """The discrete Fourier transform of the last two axes, as a pair (real part, imaginary part).

    Args:
        x: Pair (real part, imaginary part).
    """
    return _pair(jnp.fft.fft2(_complex(x)))


@op
def ifft2(x: Sequence[TensorLike]) -> tuple[Any, Any]:
    """The inverse of `fft2`, as a pair (real part, imaginary part).

    Args:
        x: Pair (real part, imaginary part).
    """
    return _pair(jnp.fft.ifft2(_complex(x)))


@op
def rfft(x: TensorLike, fft_length: int | None = None) -> tuple[Any, Any]:
    """The first fft_length // 2 + 1 terms of the Fourier transform of real numbers, as a pair.

    Args:
        x: Real numbers.
        fft_length: Length to which `x` is cut or padded with zeros; None means its own.
    """
    return _pair(jnp.fft.rfft(floating(x), fft_length))


@op
def irfft(x: Sequence[TensorLike], fft_length: int | None = None) -> Any:
    """The inverse of `rfft`: real numbers.

    Args:
        x: Pair (real part, imaginary part).
        fft_length: Length of the result; None means 2 * (terms - 1).
    """
    return jnp.fft.irfft(_complex(x), fft_length)


@op(settings=("sequence_length", "sequence_stride", "fft_length"))
def stft(
    x: TensorLike,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: str | ArrayLike | None = "hann",
    center: bool = True,
) -> tuple[Any, Any]:
    """The short-time Fourier transform: transforms of windows that slide over the last axis, as a pair.

    Shapes: (..., samples) -> two of (..., windows, fft_length // 2 + 1).

    Args:
        x: Real numbers of shape (..., samples).
        sequence_length: Length of a window.
        sequence_stride: Step between windows.
        fft_length: Length of each transform; windows are padded to it.
        window: "hann", "hamming", an array of length `sequence_length`, or None for ones.
        center: Whether window t is centered at t * sequence_stride, with mirrored ends, instead of beginning there.
    """
    x, sequence_stride = floating(x), whole("stft", "sequence_stride", sequence_stride)
    if center:
        half = fft_length // 2
        reserve_steps(5 * half // max(x.shape[-1] - 1, 1), "stft")  # jnp.pad reflects repeatedly
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(half, half)], mode="reflect")
    frames = x[..., _window_indices(x.shape[-1], fft_length, sequence_stride)]
    return _pair(jnp.fft.rfft(frames * _window(window, sequence_length, fft_length, x.dtype)))


@op(settings=("sequence_length", "sequence_stride", "fft_length"))
def istft(
    x: Sequence[TensorLike],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: str | ArrayLike | None = "hann",
    center: bool = True,
) -> Any:
    """The inverse of `stft`: overlapping windows are added and divided by the sum of their squared weights.

    Shapes: two of (..., windows, fft_length // 2 + 1) -> (..., samples).

    Args:
        x: Pair (real part, imaginary part).
        sequence_length: Length of a window.
        sequence_stride: Step between windows.
        fft_length: Length of each transform; windows are padded to it.
        length: Number of samples to return; None means all that the windows cover.
        window: "hann", "hamming" or an array of length `sequence_length`. None adds the windows and divides by nothing,
            as in Keras.
        center: Whether window t is centered at t * sequence_stride, with mirrored ends, instead of beginning there.
    """
    frames, sequence_stride = jnp.fft.irfft(_complex(x), fft_length), whole("istft", "sequence_stride", sequence_stride)
    weights = _window(window, sequence_length, fft_length, frames.dtype)
    total = fft_length + (frames.shape[-2] - 1) * sequence_stride
    indices = _window_indices(total, fft_length, sequence_stride)
    signal = jnp.zeros((*frames.shape[:-2], total), frames.dtype).at[..., indices].add(frames * weights)
    if window is not None:
        squares = jnp.zeros(total, frames.dtype).at[indices].add(jnp.broadcast_to(weights**2, indices.shape))
        signal = signal / jnp.where(squares > 1e-10, squares, 1)
    start = fft_length // 2 if center else 0
    end = start + length if length is not None else total - start
    return signal[..., start:end]


def _window_indices(total, length, stride):
    """Indices of the elements of each window: (windows, length)."""
    windows = 1 + (total - length) // stride
    reserve_array((max(windows, 0), length), 8, "A table of windows")
    return np.arange(windows)[:, None] * stride + np.arange(length)


def _window(window, sequence_length, fft_length, dtype):
    """The weights of one window, centered in fft_length numbers."""
    if not sequence_length <= fft_length:
        message = f"fft_length must be at least sequence_length; got {fft_length} and {sequence_length}."
        raise ConfigError(message, fix=f"fft_length={sequence_length}")
    if window is None:
        return jnp.ones(fft_length, dtype)
    if isinstance(window, str):
        choice("stft", "window", window, ("hann", "hamming", None))
        rise = {"hann": 0.5, "hamming": 0.54}[window]
        weights = rise - (1 - rise) * np.cos(2 * np.pi * np.arange(sequence_length) / sequence_length)
    else:
        weights = floating(window)
        if weights.shape != (sequence_length,):
            message = f"A window array must have shape ({sequence_length},); got {tuple(weights.shape)}."
            raise ShapeError(message, fix=f"np.hanning({sequence_length})")
    before = (fft_length - sequence_length) // 2
    return jnp.pad(jnp.asarray(weights, dtype), (before, fft_length - sequence_length - before))
