"""Convolutions from many channels to few filters, in steps of one: a product with all taps at once, and a sum of its
results shifted; the last layer of a decoder is one.

Arrays of taps and filters come first here, and places last, so that shifts move whole rows.
"""

import math

import jax
import jax.numpy as jnp

from lamina.kernels.convolution_windows import offsets, wide
from lamina.kernels.matmul import multiply

__all__ = ["convolve", "input_gradient", "kernel_gradient"]


def convolve(inputs, kernel, window):
    """As `lamina.kernels.convolution.convolve`."""
    rows = wide(inputs).reshape(-1, inputs.shape[-1])
    columns = multiply(_matrix(kernel), rows, transpose_right=True)
    columns = columns.reshape(-1, kernel.shape[-1], *inputs.shape[:-1])
    columns = _pad(columns, window.padding)
    space = window.output_space(inputs.shape[1:-1], kernel.shape)
    shifts = offsets(kernel.shape, window)
    outputs = sum(_cut(part, offset, space) for part, offset in zip(columns, shifts, strict=True))
    return jnp.moveaxis(jnp.asarray(outputs), 0, -1).astype(inputs.dtype)


def input_gradient(cotangent, kernel, window, shape):
    """As `lamina.kernels.convolution.input_gradient`."""
    shifted = _shifted(cotangent, kernel.shape, window, shape)
    return multiply(shifted, _matrix(kernel), transpose_left=True).reshape(shape).astype(cotangent.dtype)


def kernel_gradient(inputs, cotangent, window, shape):
    """As `lamina.kernels.convolution.kernel_gradient`."""
    shifted = _shifted(cotangent, shape, window, inputs.shape)
    sums = multiply(shifted, wide(inputs).reshape(-1, inputs.shape[-1]))
    return sums.reshape(-1, shape[-1], shape[-2]).swapaxes(1, 2).reshape(shape).astype(inputs.dtype)


def _matrix(kernel):
    """(taps * filters, channels)."""
    channels, filters = kernel.shape[-2:]
    return wide(kernel).reshape(-1, channels, filters).swapaxes(1, 2).reshape(-1, channels)


def _shifted(cotangent, kernel_shape, window, shape):
    """What each place of the inputs gave to: the cotangent seen through each tap, (taps * filters, places)."""
    spans = [span - 1 for span in window.spans(kernel_shape)]
    around = [(span - low, span - high) for span, (low, high) in zip(spans, window.padding, strict=True)]
    padded = _pad(jnp.moveaxis(wide(cotangent), -1, 0), around)
    parts = [
        _cut(padded, [span - start for span, start in zip(spans, offset, strict=True)], shape[1:-1])
        for offset in offsets(kernel_shape, window)
    ]
    return jnp.stack(parts).reshape(-1, math.prod(shape[:-1]))


def _cut(array, starts, space):
    """The part (..., *space) that begins there."""
    lead = array.ndim - len(space)
    ends = [start + size for start, size in zip(starts, space, strict=True)]
    return jax.lax.slice(array, [0] * lead + list(starts), [*array.shape[:lead], *ends])


def _pad(array, padding):
    config = [(0, 0, 0)] * (array.ndim - len(padding)) + [(*pair, 0) for pair in padding]
    return jax.lax.pad(array, jnp.zeros((), array.dtype), config)
