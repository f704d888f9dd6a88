"""Fourier transforms. Complex numbers are pairs (real, imaginary) of arrays, as in Keras."""

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.op import op
from lamina.core.read_limits import reserve_array, reserve_steps
from lamina.errors import ConfigError, ShapeError
from lamina.ops.arrays import floating

__all__ = ["fft", "fft2", "ifft2", "irfft", "istft", "rfft", "stft"]


def _complex(x):
    """One complex array from a pair."""
    if not isinstance(x, (tuple, list)) or len(x) != 2:
        raise ConfigError(f"Complex inputs are a pair (real, imaginary); got {type(x).__name__}.")
    return jax.lax.complex(floating(x[0]), floating(x[1]))


def _pair(x):
    return jnp.real(x), jnp.imag(x)


@op
def fft(x):
    """The discrete Fourier transform of the last axis: sum over n of x[n] exp(-2 pi i k n / N). A pair in, a pair
    out."""
    return _pair(jnp.fft.fft(_complex(x)))


@op
def fft2(x):
    """The discrete Fourier transform of the last two axes. A pair in, a pair out."""
    return _pair(jnp.fft.fft2(_complex(x)))


@op
def ifft2(x):
    """The inverse of `fft2`."""
    return _pair(jnp.fft.ifft2(_complex(x)))


@op
def rfft(x, fft_length=None):
    """The Fourier transform of real numbers: the first fft_length // 2 + 1 terms, as a pair. x is cut or filled to
    fft_length."""
    return _pair(jnp.fft.rfft(floating(x), fft_length))


@op
def irfft(x, fft_length=None):
    """The inverse of `rfft`: real numbers of length fft_length, 2 * (terms - 1) if None."""
    return jnp.fft.irfft(_complex(x), fft_length)


@op(settings=("sequence_length", "sequence_stride", "fft_length"))
def stft(x, sequence_length, sequence_stride, fft_length, window="hann", center=True):
    """Fourier transforms of windows that slide over the last axis, as a pair.

    Shapes: (..., samples) -> two of (..., windows, fft_length // 2 + 1).

    Args:
        window: 'hann', 'hamming', an array of sequence_length, or None for fft_length ones.
        center: whether window t is centred at t * sequence_stride (the ends are mirrored) or begins there.
    """
    x = floating(x)
    if center:
        half = fft_length // 2
        reserve_steps(5 * half // max(x.shape[-1] - 1, 1), "stft")  # mirrored once and again
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(half, half)], mode="reflect")
    frames = x[..., _places(x.shape[-1], fft_length, sequence_stride)]
    return _pair(jnp.fft.rfft(frames * _window(window, sequence_length, fft_length, x.dtype)))


@op(settings=("sequence_length", "sequence_stride", "fft_length"))
def istft(x, sequence_length, sequence_stride, fft_length, length=None, window="hann", center=True):
    """The inverse of `stft`: windows laid over each other, each sample divided by the squared weights it got.

    Shapes: two of (..., windows, fft_length // 2 + 1) -> (..., samples); `length` cuts or keeps that many.
    """
    frames = jnp.fft.irfft(_complex(x), fft_length)
    weights = _window(window, sequence_length, fft_length, frames.dtype)
    total = fft_length + (frames.shape[-2] - 1) * sequence_stride
    places = _places(total, fft_length, sequence_stride)
    signal = jnp.zeros((*frames.shape[:-2], total), frames.dtype).at[..., places].add(frames * weights)
    seen = jnp.zeros(total, frames.dtype).at[places].add(jnp.broadcast_to(weights**2, places.shape))
    signal = signal / jnp.where(seen > 1e-10, seen, 1)
    start = fft_length // 2 if center else 0
    end = start + length if length is not None else total - start
    return signal[..., start:end]


def _places(total, length, stride):
    """The indices of each window. Shapes: (windows, length)."""
    windows = 1 + (total - length) // stride
    reserve_array((max(windows, 0), length), 8, "A table of windows")
    return np.arange(windows)[:, None] * stride + np.arange(length)


def _window(window, sequence_length, fft_length, dtype):
    """The weights of one window, in the middle of fft_length places."""
    if not sequence_length <= fft_length:
        raise ConfigError(f"fft_length is at least sequence_length; got {fft_length} and {sequence_length}.")
    if window is None:
        return jnp.ones(fft_length, dtype)
    elif isinstance(window, str):
        if window not in ("hann", "hamming"):
            raise ConfigError(f"window is 'hann', 'hamming', an array or None; got {window!r}.")
        rise = {"hann": 0.5, "hamming": 0.54}[window]
        weights = rise - (1 - rise) * np.cos(2 * np.pi * np.arange(sequence_length) / sequence_length)
    else:
        weights = floating(window)
        if weights.shape != (sequence_length,):
            raise ShapeError(f"A window array has shape ({sequence_length},); got {tuple(weights.shape)}.")
    before = (fft_length - sequence_length) // 2
    return jnp.pad(jnp.asarray(weights, dtype), (before, fft_length - sequence_length - before))
