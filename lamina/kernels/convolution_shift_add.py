"""Convolutions from many channels to few filters with stride 1, as the last layer of a decoder: one matrix product
gives each input's contribution to every element of the window, and the shifted contributions are added.

Arrays here have the window's elements and filters first and the positions last, so that shifts move whole rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp

from lamina.kernels.convolution_windows import Window, offsets, to_float32
from lamina.kernels.matmul import multiply

__all__ = ["convolve", "input_gradient", "kernel_gradient"]


def convolve(inputs: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    """As `lamina.kernels.convolution.convolve`."""
    rows = to_float32(inputs).reshape(-1, inputs.shape[-1])
    columns = multiply(_matrix(kernel), rows, transpose_right=True)
    columns = columns.reshape(-1, kernel.shape[-1], *inputs.shape[:-1])
    columns = _pad(columns, window.padding)
    space = window.output_space(inputs.shape[1:-1], kernel.shape)
    shifts = offsets(kernel.shape, window)
    outputs = sum(_slice(part, offset, space) for part, offset in zip(columns, shifts, strict=True))
    return jnp.moveaxis(jnp.asarray(outputs), 0, -1).astype(inputs.dtype)


def input_gradient(cotangent: jax.Array, kernel: jax.Array, window: Window, shape: Sequence[int]) -> jax.Array:
    """As `lamina.kernels.convolution.input_gradient`."""
    shifted = _shift(cotangent, kernel.shape, window, shape)
    return multiply(shifted, _matrix(kernel), transpose_left=True).reshape(shape).astype(cotangent.dtype)


def kernel_gradient(inputs: jax.Array, cotangent: jax.Array, window: Window, shape: Sequence[int]) -> jax.Array:
    """As `lamina.kernels.convolution.kernel_gradient`."""
    shifted = _shift(cotangent, shape, window, inputs.shape)
    sums = multiply(shifted, to_float32(inputs).reshape(-1, inputs.shape[-1]))
    return sums.reshape(-1, shape[-1], shape[-2]).swapaxes(1, 2).reshape(shape).astype(inputs.dtype)


def _matrix(kernel):
    """The kernel as (window elements * filters, channels)."""
    channels, filters = kernel.shape[-2:]
    return to_float32(kernel).reshape(-1, channels, filters).swapaxes(1, 2).reshape(-1, channels)


def _shift(cotangent, kernel_shape, window, shape):
    """For each element of the window, the cotangents of the outputs that it adds to: (window elements * filters,
    positions of the inputs)."""
    spans = [span - 1 for span in window.spans(kernel_shape)]
    around = [(span - low, span - high) for span, (low, high) in zip(spans, window.padding, strict=True)]
    padded = _pad(jnp.moveaxis(to_float32(cotangent), -1, 0), around)
    parts = [
        _slice(padded, [span - start for span, start in zip(spans, offset, strict=True)], shape[1:-1])
        for offset in offsets(kernel_shape, window)
    ]
    return jnp.stack(parts).reshape(-1, math.prod(shape[:-1]))


def _slice(array, starts, space):
    """The part (..., *space) that begins there."""
    lead = array.ndim - len(space)
    ends = [start + size for start, size in zip(starts, space, strict=True)]
    return jax.lax.slice(array, [0] * lead + list(starts), [*array.shape[:lead], *ends])


def _pad(array, padding):
    config = [(0, 0, 0)] * (array.ndim - len(padding)) + [(*pair, 0) for pair in padding]
    return jax.lax.pad(array, jnp.zeros((), array.dtype), config)
