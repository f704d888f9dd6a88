"""Depthwise convolutions, where each channel has filters of its own, as sums over the elements of the window.

A kernel has the shape (*window, 1, channels * multiplier).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from lamina.kernels.convolution_im2col import col2im
from lamina.kernels.convolution_windows import Window, to_float32, window_size, window_slices, without_padding

__all__ = ["convolve", "input_gradient", "kernel_gradient"]


def convolve(inputs: jax.Array, kernel: jax.Array, window: Window) -> jax.Array:
    """As `lamina.kernels.convolution.convolve`."""
    slices = window_slices(to_float32(inputs), kernel.shape, window)
    channels = inputs.shape[-1]
    outputs: Any
    weights = to_float32(kernel).reshape(len(slices), channels, -1)
    if weights.shape[-1] == 1:
        outputs = sum(part * weight[:, 0] for part, weight in zip(slices, weights, strict=True))
    elif channels == 1:
        outputs = sum(part * weight[0] for part, weight in zip(slices, weights, strict=True))
    else:
        outputs = sum(part[..., None] * weight for part, weight in zip(slices, weights, strict=True))
        outputs = outputs.reshape(*outputs.shape[:-2], -1)
    return outputs.astype(inputs.dtype)


def input_gradient(cotangent: jax.Array, kernel: jax.Array, window: Window, shape: Sequence[int]) -> jax.Array:
    """As `lamina.kernels.convolution.input_gradient`."""
    return col2im(_columns(cotangent, kernel, window.groups), kernel.shape, window, shape).astype(cotangent.dtype)


def kernel_gradient(inputs: jax.Array, cotangent: jax.Array, window: Window, shape: Sequence[int]) -> jax.Array:
    """As `lamina.kernels.convolution.kernel_gradient`: a scan adds the products sample by sample, so that the sums stay
    in the cache."""
    channels = window.groups
    padded, unpadded = without_padding(inputs, window)

    def add(sums, sample):
        inputs, cotangent = map(to_float32, sample)
        cotangent = cotangent.reshape(*cotangent.shape[:-1], channels, -1)
        slices = window_slices(inputs[None], shape, unpadded)
        return [total + part[0][..., None] * cotangent for total, part in zip(sums, slices, strict=True)], None

    zeros = jnp.zeros((*cotangent.shape[1:-1], channels, shape[-1] // channels), to_float32(inputs[:0]).dtype)
    sums, _ = jax.lax.scan(add, [zeros] * window_size(shape), (padded, cotangent))
    totals = jnp.stack([total.sum(range(total.ndim - 2)) for total in sums])
    return totals.reshape(shape).astype(inputs.dtype)


def _columns(cotangent, kernel, channels):
    """The cotangent of each slice of `window_slices`: (batch, *new_space, channels)."""
    weights, cotangent = to_float32(kernel).reshape(window_size(kernel.shape), channels, -1), to_float32(cotangent)
    if channels == 1:
        return [jnp.matmul(cotangent, weight.T) for weight in weights]
    if weights.shape[-1] == 1:
        return [cotangent * weight[:, 0] for weight in weights]
    cotangent = cotangent.reshape(*cotangent.shape[:-1], channels, -1)
    return [jnp.sum(cotangent * weight, -1) for weight in weights]
