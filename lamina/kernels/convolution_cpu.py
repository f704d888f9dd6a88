"""Convolutions on CPUs as matrix products and sums over taps, where these are faster than XLA's own.

A tap is one element of the window: the inputs seen through it are a (strided) slice. Which way is taken follows from
the shapes; docs/performance.md has the measurements.
"""

import itertools
import math
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from lamina.kernels import convolution_shift_add, convolution_winograd
from lamina.kernels.convolution_windows import offsets, pad, some_samples, wide
from lamina.kernels.matmul import column_sums, matmul, multiply
from lamina.kernels.native import kernels

__all__ = ["convolve", "input_gradient", "kernel_gradient"]

FEW_CHANNELS = 4
MOST_TAPS = 64
PATCHES = 640_000  # numbers in patches at a time, whose products are added: 2.5 MB of float32 stay in the cache
PATCHES_FORWARD = 3_000_000  # the same where each gives outputs of its own
SPREAD = 4_000_000  # numbers that taps hand back at a time


def convolve(lax_program, inputs, kernel, window):
    """As `lamina.kernels.convolution.convolve`; `lax_program` is XLA's."""
    way, native = _way(inputs, kernel.shape, window), kernels(inputs, kernel)
    if way == "as a product":
        return matmul(inputs, kernel.reshape(kernel.shape[-2:]))
    if way == "by taps":
        return convolution_shift_add.convolve(inputs, kernel, window)
    if native is not None:
        return native.convolve(inputs, kernel, **window.settings())
    if way == "by group":
        return _by_group(partial(convolve, lax_program), inputs, kernel, window)
    if way == "by channel":
        return _by_channel(inputs, kernel, window)
    if way == "at points":
        return convolution_winograd.convolve(inputs, kernel, window)
    if way == "by patches" or (way == "XLA" and _has_fast_patches(inputs, kernel.shape, window)):
        return _by_patches(inputs, kernel, window)
    return lax_program(inputs, kernel, window)


def input_gradient(lax_program, cotangent, kernel, window, shape):
    """As `lamina.kernels.convolution.input_gradient`."""
    way, native = _way(cotangent, kernel.shape, window, shape[1:-1]), kernels(cotangent, kernel)
    if way == "as a product":
        rows = cotangent.reshape(-1, cotangent.shape[-1])
        return multiply(rows, kernel.reshape(kernel.shape[-2:]), transpose_right=True).reshape(shape)
    if native is not None and not (window.groups == 1 and shape[-1] <= FEW_CHANNELS and way != "XLA"):
        return native.convolve_input_gradient(cotangent, kernel, shape, **window.settings())
    if way == "by taps":
        return convolution_shift_add.input_gradient(cotangent, kernel, window, shape)
    if way == "by group":
        shape = (*shape[:-1], shape[-1] // window.groups)
        return _by_group(partial(input_gradient, lax_program, shape=shape), cotangent, kernel, window)
    if way == "by channel":
        parts = _cotangent_by_channel(cotangent, kernel, window)
        return _spread(parts, kernel.shape, window, shape).astype(cotangent.dtype)
    if way == "by patches":
        return _input_gradient_by_patches(cotangent, kernel, window, shape)
    if way == "at points":
        return convolution_winograd.convolve(cotangent, *_turned(kernel, window))
    if way == "XLA" and max(window.strides) > 1 and max(window.dilation) == 1:
        program = _input_gradient_by_patches if _is_small_and_odd(kernel.shape, window) else _by_phases
        return program(cotangent, kernel, window, shape)
    if way == "XLA" and max(window.strides) == 1:
        turned, around = _turned(kernel, window)
        if _has_fast_patches(cotangent, turned.shape, around):
            return _by_patches(cotangent, turned, around)
    return lax_program(cotangent, kernel, window, shape)


def kernel_gradient(lax_program, inputs, cotangent, window, shape):
    """As `lamina.kernels.convolution.kernel_gradient`."""
    way, native = _way(inputs, shape, window, axes_at_points=(2,)), kernels(inputs, cotangent)
    if way == "as a product":
        return column_sums(inputs, cotangent).reshape(shape)
    if way == "by taps":
        return convolution_shift_add.kernel_gradient(inputs, cotangent, window, shape)
    if native is not None:
        return native.convolve_kernel_gradient(inputs, cotangent, shape, **window.settings())
    if way == "by group":
        shape = (*shape[:-1], shape[-1] // window.groups)
        return _by_group(partial(kernel_gradient, lax_program, shape=shape), inputs, cotangent, window)
    if way == "by channel" and window.groups > 1:
        return _kernel_gradient_by_channel(inputs, cotangent, window, shape)
    if way == "at points":
        return convolution_winograd.kernel_gradient(inputs, cotangent, window, shape)
    if way != "as it is" and math.prod(cotangent.shape[1:-1]) * math.prod(shape[:-1]) < 2 * PATCHES:
        return _kernel_gradient_by_patches(inputs, cotangent, window, shape)
    return lax_program(inputs, cotangent, window, shape)


def _way(array, kernel_shape, window, space=None, axes_at_points=(1, 2)):
    """How results of that space, if not the outputs', are computed fastest: by docs/performance.md. "XLA" is for plain
    ones, "as it is" for others."""
    known = all(isinstance(size, int) for size in array.shape)
    if not known or not jnp.issubdtype(array.dtype, jnp.floating) or _taps(kernel_shape) > MOST_TAPS:
        return "as it is"
    if kernel_shape[-2] == 1:
        return "by channel"
    if window.groups > 1:
        return "by group"
    if _taps(kernel_shape) == max(window.strides) == 1 and not any(map(any, window.padding)):
        return "as a product"
    if _taps(kernel_shape) > 1 and kernel_shape[-1] <= FEW_CHANNELS < kernel_shape[-2] and max(window.strides) == 1:
        return "by taps"
    if _taps(kernel_shape) == 1 or kernel_shape[-2] <= FEW_CHANNELS:
        return "by patches"
    space = space or window.output_space(array.shape[1:-1], kernel_shape)
    return (
        "at points" if convolution_winograd.fits(array.shape[0], space, kernel_shape, window, axes_at_points) else "XLA"
    )


def _by_group(program, left, right, window):
    """Each group of channels as a convolution of its own, one after the other."""
    parts = [jnp.moveaxis(array.reshape(*array.shape[:-1], window.groups, -1), -2, 0) for array in (left, right)]
    single = replace(window, groups=1)
    results = jnp.moveaxis(jax.lax.map(lambda pair: program(*pair, window=single), parts), 0, -2)
    return results.reshape(*results.shape[:-2], -1)


def _taps(kernel_shape):
    """How many elements the window has."""
    return math.prod(kernel_shape[:-2])


def _seen(inputs, kernel_shape, window):
    """The inputs (batch, *space, channels) as seen through each tap: a list of (batch, *new_space, channels)."""
    space = window.output_space(inputs.shape[1:-1], kernel_shape)
    padded = pad(inputs, window.padding)
    ends = [(size - 1) * stride + 1 for size, stride in zip(space, window.strides, strict=True)]
    return [
        jax.lax.slice(
            padded,
            (0, *offset, 0),
            (padded.shape[0], *map(sum, zip(offset, ends, strict=True)), padded.shape[-1]),
            (1, *window.strides, 1),
        )
        for offset in offsets(kernel_shape, window)
    ]


def _padded(inputs, window):
    """The inputs with the zeros of a window around them, and the window without."""
    return pad(inputs, window.padding), replace(window, padding=((0, 0),) * len(window.strides))


def _by_patches(inputs, kernel, window):
    """patches @ kernel, some samples at a time."""
    places = inputs.shape[0] * math.prod(window.output_space(inputs.shape[1:-1], kernel.shape))

    def part(inputs):
        # All that the window covers at each place, side by side. XLA writes a stack at once, a concatenation twice.
        patches = jnp.stack(_seen(inputs, kernel.shape, window), -2)
        return _rows(patches.reshape(*patches.shape[:-2], -1), kernel)

    return some_samples(part, (inputs,), places * math.prod(kernel.shape[:-1]) / PATCHES_FORWARD)


def _input_gradient_by_patches(cotangent, kernel, window, shape):
    """cotangent @ kernel.T, what each tap hands back, at the places that it sees, some samples at a time."""
    taps, matrix = _taps(kernel.shape), wide(kernel).reshape(-1, kernel.shape[-1]).T

    def part(cotangent):
        columns = jnp.split(_rows(wide(cotangent), matrix), taps, -1)
        return _spread(columns, kernel.shape, window, (len(cotangent), *shape[1:])).astype(cotangent.dtype)

    numbers = math.prod(cotangent.shape[:-1]) * matrix.shape[-1]
    return some_samples(part, (cotangent,), numbers / SPREAD)


def _turned(kernel, window):
    """The convolution in steps of one that is the gradient of the inputs of another: its kernel and window."""
    rank = len(window.strides)
    reach = [(size - 1) * rate for size, rate in zip(kernel.shape[:rank], window.dilation, strict=True)]
    padding = tuple((last - low, last - high) for last, (low, high) in zip(reach, window.padding, strict=True))
    return jnp.flip(kernel, range(rank)).swapaxes(-1, -2), replace(window, padding=padding)


def _has_fast_patches(inputs, kernel_shape, window):
    """Whether a product of patches is faster than XLA's own: of two or three axes, where those of a sample fit."""
    rank, places = len(window.strides), math.prod(window.output_space(inputs.shape[1:-1], kernel_shape))
    if max(window.strides) > 1:
        return rank > 1
    fits_cache = places * math.prod(kernel_shape[:-1]) < 2 * PATCHES
    return fits_cache and (rank == 3 or (rank == 2 and kernel_shape[-2] >= 32))


def _is_small_and_odd(kernel_shape, window):
    """Whether a window is small and does not divide by its strides: its phases are unequal, and to compute them apart
    takes longer than to add up all taps."""
    sizes = zip(kernel_shape[:-2], window.strides, strict=True)
    return _taps(kernel_shape) <= 9 and any(size % stride for size, stride in sizes)


def _rows(inputs, kernel):
    """Each row of inputs (..., n) times the kernel as a matrix (n, m)."""
    return jnp.matmul(inputs, kernel.reshape(inputs.shape[-1], -1))


def _by_channel(inputs, kernel, window):
    """Where each channel has filters of its own: a sum over the taps, (batch, *space, channels, 1) times (channels,
    multiplier)."""
    seen = _seen(wide(inputs), kernel.shape, window)
    channels = inputs.shape[-1]
    outputs: Any
    kernel = wide(kernel).reshape(len(seen), channels, -1)
    if kernel.shape[-1] == 1:
        outputs = sum(part * weights[:, 0] for part, weights in zip(seen, kernel, strict=True))
    elif channels == 1:
        outputs = sum(part * weights[0] for part, weights in zip(seen, kernel, strict=True))
    else:
        outputs = sum(part[..., None] * weights for part, weights in zip(seen, kernel, strict=True))
        outputs = outputs.reshape(*outputs.shape[:-2], -1)
    return outputs.astype(inputs.dtype)


def _cotangent_by_channel(cotangent, kernel, window):
    """What each tap hands back: a list of (batch, *new_space, channels)."""
    channels = window.groups
    kernel = wide(kernel).reshape(_taps(kernel.shape), channels, -1)
    if channels == 1:
        return [jnp.matmul(wide(cotangent), weights.T) for weights in kernel]
    if kernel.shape[-1] == 1:
        return [wide(cotangent) * weights[:, 0] for weights in kernel]
    cotangent = wide(cotangent).reshape(*cotangent.shape[:-1], channels, -1)
    return [jnp.sum(cotangent * weights, -1) for weights in kernel]


def _spread(parts, kernel_shape, window, shape) -> Any:
    """The sum of what the taps hand back, each at the places that it sees."""

    def place(part, offset):
        padding, interior = [], [stride - 1 for stride in window.strides]
        for axis, (start, stride) in enumerate(zip(offset, window.strides, strict=True)):
            before, size = window.padding[axis][0], shape[axis + 1]
            end = start - before + (part.shape[axis + 1] - 1) * stride + 1
            padding.append((start - before, size - end))
        return pad(part, padding, interior)

    return sum(place(*pair) for pair in zip(parts, offsets(kernel_shape, window), strict=True))


def _by_phases(cotangent, kernel, window, shape):
    """With strides, places of the inputs that are equal modulo the stride see the same taps: each such phase is a plain
    convolution of the cotangent with those taps, reversed."""
    rank = len(window.strides)
    total = None
    for phase in itertools.product(*map(range, window.strides)):
        slices, padding, places = [], [], []
        for axis, (start, stride) in enumerate(zip(phase, window.strides, strict=True)):
            first, moved = (start + window.padding[axis][0]) % stride, (start + window.padding[axis][0]) // stride
            taps = len(range(first, kernel.shape[axis], stride))
            length = len(range(start, shape[axis + 1], stride))
            slices.append(slice(first, None, stride))
            padding.append((taps - 1 - moved, length - cotangent.shape[axis + 1] + moved))
            places.append((start, shape[axis + 1] - start - ((length - 1) * stride + 1)))
        part = jnp.flip(kernel[tuple(slices)], range(rank)).swapaxes(-1, -2)
        if 0 in part.shape:
            continue
        space = "DHW"[3 - rank :]
        numbers = (f"N{space}C", f"{space}IO", f"N{space}C")
        part = jax.lax.conv_general_dilated(
            pad(cotangent, padding), part, (1,) * rank, "VALID", dimension_numbers=numbers
        )
        part = pad(part, places, [stride - 1 for stride in window.strides])
        total = part if total is None else total + part
    return total


def _kernel_gradient_by_channel(inputs, cotangent, window, shape):
    """Products of what a tap sees and the cotangent, added up sample by sample: the sums stay in the cache."""
    taps, channels = _taps(shape), window.groups
    padded, unpadded = _padded(inputs, window)

    def add(sums, sample):
        inputs, cotangent = map(wide, sample)
        cotangent = cotangent.reshape(*cotangent.shape[:-1], channels, -1)
        seen = _seen(inputs[None], shape, unpadded)
        return [total + part[0][..., None] * cotangent for total, part in zip(sums, seen, strict=True)], None

    zeros = jnp.zeros((*cotangent.shape[1:-1], channels, shape[-1] // channels), wide(inputs[:0]).dtype)
    sums, _ = jax.lax.scan(add, [zeros] * taps, (padded, cotangent))
    totals = jnp.stack([total.sum(range(total.ndim - 2)) for total in sums])
    return totals.reshape(shape).astype(inputs.dtype)


def _kernel_gradient_by_patches(inputs, cotangent, window, shape):
    """patches.T @ cotangent, some samples at a time, the smaller of the two transposed."""
    if _taps(shape) == 1:
        return column_sums(_seen(inputs, shape, window)[0], cotangent).reshape(shape)
    numbers = cotangent.shape[0] * math.prod(cotangent.shape[1:-1]) * math.prod(shape[:-1])
    padded, unpadded = _padded(inputs, window)

    def part(inputs, cotangent):
        return column_sums(jnp.concatenate(_seen(inputs, shape, unpadded), -1), cotangent)

    return some_samples(part, (padded, cotangent), numbers / PATCHES, add=True).reshape(shape)
