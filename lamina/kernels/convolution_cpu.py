"""Convolutions on CPUs by the algorithm that is fastest for their shapes (measured in docs/performance.md)."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from lamina.kernels import convolution_depthwise as depthwise
from lamina.kernels import convolution_im2col as im2col
from lamina.kernels import convolution_shift_add as shift_add
from lamina.kernels import convolution_winograd as winograd
from lamina.kernels.convolution_windows import Window, pad, window_size
from lamina.kernels.matmul import column_sums, matmul, multiply
from lamina.kernels.native import kernels

__all__ = ["Algorithm", "choose_algorithm", "convolve", "input_gradient", "kernel_gradient"]

FEW_CHANNELS = 4
FILTERS_PER_CHANNEL = 4  # of more, programs of XLA's beat lamina-native's (measured by benchmarks/few_channels.py)
MAX_WINDOW_SIZE = 64  # elements of a window, each of which is an operation in most programs


class Algorithm(enum.Enum):
    """How a convolution or one of its gradients is computed without lamina-native."""

    MATMUL = "one matrix product: a window of one element, without strides and padding"
    SHIFT_AND_ADD = "a matrix product, whose shifted results are added: few filters"
    GROUPED = "group by group"
    DEPTHWISE = "multiplications and additions: each channel has filters of its own"
    WINOGRAD = "products of transformed tiles: many channels and many positions"
    IM2COL = "a matrix product of patches: few channels"
    IM2COL_OR_LAX = "im2col where the patches fit into the cache, else XLA's program"
    LAX = "XLA's program"


def choose_algorithm(
    array: jax.Array,
    kernel_shape: Sequence[int],
    window: Window,
    space: Sequence[int] | None = None,
    winograd_axes: Sequence[int] = (1, 2),
) -> Algorithm:
    """The fastest algorithm by the shapes.

    Args:
        array: The inputs, or the cotangent for the gradient of the inputs.
        kernel_shape: The shape of the kernel.
        window: The window.
        space: The spatial sizes of the result; None means those of the outputs.
        winograd_axes: The numbers of axes that Winograd's algorithm may transform.
    """
    is_static = all(isinstance(size, int) for size in array.shape)
    size = window_size(kernel_shape)
    if not is_static or not jnp.issubdtype(array.dtype, jnp.floating) or size > MAX_WINDOW_SIZE:
        return Algorithm.LAX
    if kernel_shape[-2] == 1:
        return Algorithm.DEPTHWISE
    if window.groups > 1:
        return Algorithm.GROUPED
    if size == max(window.strides) == 1 and not any(map(any, window.padding)):
        return Algorithm.MATMUL
    if size > 1 and kernel_shape[-1] <= FEW_CHANNELS < kernel_shape[-2] and max(window.strides) == 1:
        return Algorithm.SHIFT_AND_ADD
    if size == 1 or kernel_shape[-2] <= FEW_CHANNELS:
        return Algorithm.IM2COL
    space = space or window.output_space(array.shape[1:-1], kernel_shape)
    if winograd.is_faster(array.shape[0], space, kernel_shape, window, winograd_axes):
        return Algorithm.WINOGRAD
    return Algorithm.IM2COL_OR_LAX


def convolve(lax_program: Callable[..., Any], inputs: jax.Array, kernel: jax.Array, window: Window) -> Any:
    """As `lamina.kernels.convolution.convolve`; `lax_program` is XLA's."""
    algorithm, native = choose_algorithm(inputs, kernel.shape, window), kernels(inputs, kernel)
    if algorithm is Algorithm.MATMUL:
        return matmul(inputs, kernel.reshape(kernel.shape[-2:]))
    if algorithm is Algorithm.SHIFT_AND_ADD:
        return shift_add.convolve(inputs, kernel, window)
    if native is not None:
        return native.convolve(inputs, kernel, **window.settings())
    if algorithm is Algorithm.GROUPED:
        return _group_by_group(partial(convolve, lax_program), inputs, kernel, window)
    if algorithm is Algorithm.DEPTHWISE:
        return depthwise.convolve(inputs, kernel, window)
    if algorithm is Algorithm.WINOGRAD:
        return winograd.convolve(inputs, kernel, window)
    may_use_im2col = algorithm is Algorithm.IM2COL_OR_LAX and im2col.is_faster(inputs, kernel.shape, window)
    if algorithm is Algorithm.IM2COL or may_use_im2col:
        return im2col.convolve(inputs, kernel, window)
    return lax_program(inputs, kernel, window)


def input_gradient(
    lax_program: Callable[..., Any], cotangent: jax.Array, kernel: jax.Array, window: Window, shape: Sequence[int]
) -> Any:
    """As `lamina.kernels.convolution.input_gradient`."""
    algorithm, native = choose_algorithm(cotangent, kernel.shape, window, shape[1:-1]), kernels(cotangent, kernel)
    is_plain = algorithm is Algorithm.IM2COL_OR_LAX
    if algorithm is Algorithm.MATMUL:
        rows = cotangent.reshape(-1, cotangent.shape[-1])
        return multiply(rows, kernel.reshape(kernel.shape[-2:]), transpose_right=True).reshape(shape)
    is_few = window.groups == 1 and shape[-1] <= FEW_CHANNELS and not is_plain
    has_more = max(window.strides) > 1 or cotangent.shape[-1] > FILTERS_PER_CHANNEL * shape[-1]
    if native is not None and not (is_few and has_more):
        return native.convolve_input_gradient(cotangent, kernel, shape, **window.settings())
    if algorithm is Algorithm.SHIFT_AND_ADD:
        return shift_add.input_gradient(cotangent, kernel, window, shape)
    if algorithm is Algorithm.GROUPED:
        shape = (*shape[:-1], shape[-1] // window.groups)
        return _group_by_group(partial(input_gradient, lax_program, shape=shape), cotangent, kernel, window)
    if algorithm is Algorithm.DEPTHWISE:
        return depthwise.input_gradient(cotangent, kernel, window, shape)
    if algorithm is Algorithm.IM2COL:
        return im2col.input_gradient(cotangent, kernel, window, shape)
    if algorithm is Algorithm.WINOGRAD:
        return winograd.convolve(cotangent, *_transposed(kernel, window))
    if is_plain and max(window.strides) > 1 and max(window.dilation) == 1:
        program = im2col.input_gradient if _has_unequal_phases(kernel.shape, window) else _by_phases
        return program(cotangent, kernel, window, shape)
    if is_plain and max(window.strides) == 1:
        flipped, around = _transposed(kernel, window)
        if im2col.is_faster(cotangent, flipped.shape, around):
            return im2col.convolve(cotangent, flipped, around)
    return lax_program(cotangent, kernel, window, shape)


def kernel_gradient(
    lax_program: Callable[..., Any], inputs: jax.Array, cotangent: jax.Array, window: Window, shape: Sequence[int]
) -> Any:
    """As `lamina.kernels.convolution.kernel_gradient`."""
    algorithm, native = choose_algorithm(inputs, shape, window, winograd_axes=(2,)), kernels(inputs, cotangent)
    if algorithm is Algorithm.MATMUL:
        return column_sums(inputs, cotangent).reshape(shape)
    if algorithm is Algorithm.SHIFT_AND_ADD:
        return shift_add.kernel_gradient(inputs, cotangent, window, shape)
    if native is not None:
        return native.convolve_kernel_gradient(inputs, cotangent, shape, **window.settings())
    if algorithm is Algorithm.GROUPED:
        shape = (*shape[:-1], shape[-1] // window.groups)
        return _group_by_group(partial(kernel_gradient, lax_program, shape=shape), inputs, cotangent, window)
    if algorithm is Algorithm.DEPTHWISE and window.groups > 1:
        return depthwise.kernel_gradient(inputs, cotangent, window, shape)
    if algorithm is Algorithm.WINOGRAD:
        return winograd.kernel_gradient(inputs, cotangent, window, shape)
    if algorithm is not Algorithm.LAX and im2col.patches_fit(cotangent.shape[1:-1], shape):
        return im2col.kernel_gradient(inputs, cotangent, window, shape)
    return lax_program(inputs, cotangent, window, shape)


def _group_by_group(program, left, right, window):
    """Each group of channels as a convolution of its own, one after the other."""
    parts = [jnp.moveaxis(array.reshape(*array.shape[:-1], window.groups, -1), -2, 0) for array in (left, right)]
    single = replace(window, groups=1)
    results = jnp.moveaxis(jax.lax.map(lambda pair: program(*pair, window=single), parts), 0, -2)
    return results.reshape(*results.shape[:-2], -1)


def _transposed(kernel, window):
    """The kernel and window of the convolution that is the input gradient of one with stride 1."""
    rank = len(window.strides)
    reach = [(size - 1) * rate for size, rate in zip(kernel.shape[:rank], window.dilation, strict=True)]
    padding = tuple((last - low, last - high) for last, (low, high) in zip(reach, window.padding, strict=True))
    return jnp.flip(kernel, range(rank)).swapaxes(-1, -2), replace(window, padding=padding)


def _has_unequal_phases(kernel_shape, window):
    """Whether a window is small and its sizes are no multiples of the strides: its phases are unequal then, and
    computing them one by one takes longer than col2im."""
    sizes = zip(kernel_shape[:-2], window.strides, strict=True)
    return window_size(kernel_shape) <= 9 and any(size % stride for size, stride in sizes)


def _by_phases(cotangent, kernel, window, shape):
    """The input gradient of a convolution with strides, phase by phase: positions of the inputs that are equal modulo
    the stride meet the same elements of the kernel, so the gradient of a phase is a convolution of the cotangent with
    those elements, flipped."""
    rank = len(window.strides)
    total = None
    for phase in itertools.product(*map(range, window.strides)):
        slices, padding, places = [], [], []
        for axis, (start, stride) in enumerate(zip(phase, window.strides, strict=True)):
            shift, first = divmod(start + window.padding[axis][0], stride)
            size = len(range(first, kernel.shape[axis], stride))
            length = len(range(start, shape[axis + 1], stride))
            slices.append(slice(first, None, stride))
            padding.append((size - 1 - shift, length - cotangent.shape[axis + 1] + shift))
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
