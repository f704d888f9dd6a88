"""Convolutions as matrix products of patches (im2col), and their input gradients as sums of shifted columns (col2im).

Patches are computed for some samples at a time, so that they stay in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from lamina.kernels.convolution_windows import (
    Window,
    in_chunks,
    offsets,
    pad,
    to_float32,
    window_size,
    window_slices,
    without_padding,
)
from lamina.kernels.matmul import column_sums

__all__ = ["col2im", "convolve", "input_gradient", "is_faster", "kernel_gradient", "patches_fit"]

PATCH_VALUES = 640_000  # in a chunk, where the products of chunks are added: 2.5 MB of float32 stay in the cache
PATCH_VALUES_FORWARD = 3_000_000  # in a chunk, where each gives outputs of its own
COLUMN_VALUES = 4_000_000  # in a chunk of an input gradient


def patches_fit(space: Sequence[int], kernel_shape: Sequence[int]) -> bool:
    """Whether the patches of one sample stay in the cache, for outputs of that space."""
    return math.prod(space) * math.prod(kernel_shape[:-1]) < 2 * PATCH_VALUES


def is_faster(inputs: jax.Array, kernel_shape: Sequence[int], window: Window) -> bool:
    """Whether im2col is faster than XLA's own convolution: with two or three axes, if a sample's patches fit."""
    rank = len(window.strides)
    if max(window.strides) > 1:
        return rank > 1
    fits = patches_fit(window.output_space(inputs.shape[1:-1], kernel_shape), kernel_shape)
    return fits and (rank == 3 or (rank == 2 and kernel_shape[-2] >= 32))


def convolve(inputs: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    """As `lamina.kernels.convolution.convolve`: patches @ kernel."""
    positions = inputs.shape[0] * math.prod(window.output_space(inputs.shape[1:-1], kernel.shape))

    def chunk(inputs):
        # XLA writes a stack of slices once and a concatenation of them twice.
        patches = jnp.stack(window_slices(inputs, kernel.shape, window), -2)
        return _matmul_rows(patches.reshape(*patches.shape[:-2], -1), kernel)

    return in_chunks(chunk, (inputs,), positions * math.prod(kernel.shape[:-1]) / PATCH_VALUES_FORWARD)


def input_gradient(cotangent: jax.Array, kernel: jax.Array, window: Window, shape: Sequence[int]) -> jax.Array:
    """As `lamina.kernels.convolution.input_gradient`: col2im(cotangent @ kernel.T)."""
    matrix = to_float32(kernel).reshape(-1, kernel.shape[-1]).T

    def chunk(cotangent):
        columns = jnp.split(_matmul_rows(to_float32(cotangent), matrix), window_size(kernel.shape), -1)
        return col2im(columns, kernel.shape, window, (len(cotangent), *shape[1:])).astype(cotangent.dtype)

    values = math.prod(cotangent.shape[:-1]) * matrix.shape[-1]
    return in_chunks(chunk, (cotangent,), values / COLUMN_VALUES)


def kernel_gradient(inputs: jax.Array, cotangent: jax.Array, window: Window, shape: Sequence[int]) -> jax.Array:
    """As `lamina.kernels.convolution.kernel_gradient`: patches.T @ cotangent."""
    if window_size(shape) == 1:
        return column_sums(window_slices(inputs, shape, window)[0], cotangent).reshape(shape)
    values = cotangent.shape[0] * math.prod(cotangent.shape[1:-1]) * math.prod(shape[:-1])
    padded, unpadded = without_padding(inputs, window)

    def chunk(inputs, cotangent):
        return column_sums(jnp.concatenate(window_slices(inputs, shape, unpadded), -1), cotangent)

    return in_chunks(chunk, (padded, cotangent), values / PATCH_VALUES, add=True).reshape(shape)


def col2im(columns: Sequence[jax.Array], kernel_shape: Sequence[int], window: Window, shape: Sequence[int]) -> Any:
    """The transpose of `window_slices`: columns, one for each element of the window, added where they were sliced."""

    def place(column, offset):
        padding, interior = [], [stride - 1 for stride in window.strides]
        for axis, (start, stride) in enumerate(zip(offset, window.strides, strict=True)):
            before, size = window.padding[axis][0], shape[axis + 1]
            end = start - before + (column.shape[axis + 1] - 1) * stride + 1
            padding.append((start - before, size - end))
        return pad(column, padding, interior)

    return sum(place(*pair) for pair in zip(columns, offsets(kernel_shape, window), strict=True))


def _matmul_rows(inputs, kernel):
    """Each row of inputs (..., n) times the kernel as a matrix (n, m)."""
    return jnp.matmul(inputs, kernel.reshape(inputs.shape[-1], -1))
