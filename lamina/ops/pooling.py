"""Pooling over 1 to 3 spatial axes: the maximum or the mean of sliding windows."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.arguments import choice, rank
from lamina.core.op import op
from lamina.core.read_limits import reserve_array
from lamina.core.typing import DataFormat, Size, Tensor, TensorLike
from lamina.kernels.max_pool import max_pool_with_indices
from lamina.kernels.monotone import before_monotone
from lamina.kernels.native import is_portable
from lamina.ops.arrays import tensor
from lamina.ops.convolution import check_fits, per_axis
from lamina.runtime.settings import standardize_data_format

__all__ = ["adaptive_average_pool", "adaptive_max_pool", "average_pool", "max_pool"]

MAX_SLICES = 40  # sum of the sizes of a window beyond which XLA's own loop is used


@op(settings=("pool_size",))
def max_pool(
    inputs: TensorLike,
    pool_size: Size,
    strides: Size | None = None,
    padding: str = "valid",
    data_format: DataFormat = None,
) -> Tensor:
    """The maximum of each window.

    Shapes: (batch, *space, channels) -> (batch, *new_space, channels); with "channels_first" the channels are the
    second axis.

    Args:
        inputs: Tensor of shape (batch, *space, channels).
        pool_size: Size of the window, one number or one for each spatial axis.
        strides: Step of the window, one number or one for each spatial axis; None means `pool_size`.
        padding: "valid" for none, or "same" for outputs of size ceil(size / stride).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.

    >>> import lamina as keras
    >>> keras.ops.max_pool(keras.Input((5, 5, 3)), 2).shape
    (None, 2, 2, 3)
    """
    inputs = tensor(inputs)
    lowest = -jnp.inf if jnp.issubdtype(inputs.dtype, jnp.floating) else jnp.iinfo(inputs.dtype).min
    sizes = _windows(inputs, pool_size, strides, padding, data_format)

    def program(x):
        return _reduce_windows(x, lowest, _larger, jax.lax.max, *sizes)

    source, apply = before_monotone(inputs)
    maxima = max_pool_with_indices(program, source, *sizes)
    return program(inputs) if maxima is None else apply(maxima)


@op(settings=("pool_size",))
def average_pool(
    inputs: TensorLike,
    pool_size: Size,
    strides: Size | None = None,
    padding: str = "valid",
    data_format: DataFormat = None,
) -> Tensor:
    """The mean of each window; with "same" padding of its elements inside the inputs.

    Shapes: (batch, *space, channels) -> (batch, *new_space, channels); with "channels_first" the channels are the
    second axis.

    Args:
        inputs: Tensor of shape (batch, *space, channels).
        pool_size: Size of the window, one number or one for each spatial axis.
        strides: Step of the window, one number or one for each spatial axis; None means `pool_size`.
        padding: "valid" for none, or "same" for outputs of size ceil(size / stride).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    inputs = tensor(inputs)
    window, strides, padding = _windows(inputs, pool_size, strides, padding, data_format)

    def window_sums(x):
        return _reduce_windows(x, 0, jax.lax.add, jax.lax.add, window, strides, padding)

    if padding == "VALID":
        return window_sums(inputs) / int(np.prod(window))
    one_sample = tuple(size if width > 1 else 1 for size, width in zip(inputs.shape, window, strict=True))
    return window_sums(inputs) / window_sums(jnp.ones(one_sample, inputs.dtype))


def _larger(kept, other):
    """The larger element; of equal ones the first, which then receives the gradient. NaN counts as the largest."""
    return jnp.where((other > kept) | (other != other), other, kept)


def _reduce_windows(inputs, empty, combine, xla_combine, window, strides, padding):
    """Combine the elements of each window; those outside of the inputs are `empty`.

    On CPUs slices are combined along one axis after the other, the last one first, because XLA's own gradient of a
    maximum takes ten times as long.
    """
    if jax.default_backend() != "cpu" or sum(window) > MAX_SLICES or is_portable():
        return jax.lax.reduce_window(inputs, np.asarray(empty, inputs.dtype), xla_combine, window, strides, padding)
    return _combine_slices(inputs, empty, combine, window, strides, padding)


@functools.partial(jax.jit, static_argnums=(1, 2, 3, 4, 5), inline=True)  # one program where it is called on arrays
def _combine_slices(inputs, empty, combine, window, strides, padding):
    empty = np.asarray(empty, inputs.dtype)
    pads = jax.lax.padtype_to_pads(inputs.shape, window, strides, padding)
    for axis in reversed([axis for axis, size in enumerate(window) if size > 1 or strides[axis] > 1]):
        edges = [(*pads[axis], 0) if other == axis else (0, 0, 0) for other in range(inputs.ndim)]
        padded = jax.lax.pad(inputs, empty, edges)
        count = (padded.shape[axis] - window[axis]) // strides[axis] + 1
        slices = (
            jax.lax.slice_in_dim(padded, first, first + (count - 1) * strides[axis] + 1, strides[axis], axis)
            for first in range(window[axis])
        )
        inputs = functools.reduce(combine, slices)
    return inputs


def _windows(inputs, pool_size, strides, padding, data_format):
    """Window, strides and padding over all axes of the inputs."""
    choice("Pooling", "padding", padding, ("valid", "same"))
    rank = _rank(inputs)
    window = per_axis(pool_size, rank, "pool_size")
    strides = window if strides is None else per_axis(strides, rank, "strides")
    if padding == "valid":
        check_fits(inputs, window, data_format, "window")
    return _all_axes(window, data_format), _all_axes(strides, data_format), padding.upper()


def _rank(inputs):
    rank("Pooling", "inputs", inputs.shape, 3, 5, "(batch, *space, channels)")
    return inputs.ndim - 2


def _all_axes(sizes, data_format):
    """Sizes over space as sizes over all axes, 1 for batch and channels."""
    return (1, 1, *sizes) if standardize_data_format(data_format) == "channels_first" else (1, *sizes, 1)


@op(settings=("output_size",))
def adaptive_average_pool(inputs: TensorLike, output_size: Size, data_format: DataFormat = None) -> Tensor:
    """The means of `output_size` windows that cover the inputs.

    Window i of m over n elements reaches from floor(i * n / m) to ceil((i + 1) * n / m).

    Args:
        inputs: Tensor of shape (batch, *space, channels).
        output_size: Size of the outputs, one number or one for each spatial axis.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.

    >>> import lamina as keras
    >>> keras.ops.adaptive_average_pool(keras.ops.array([[[1.0], [2.0], [3.0]]]), 2)[0, :, 0]
    Array([1.5, 2.5], dtype=float32)
    """
    return _adaptive(inputs, output_size, data_format, 0, lambda parts, lengths, axis: jnp.sum(parts, axis) / lengths)


@op(settings=("output_size",))
def adaptive_max_pool(inputs: TensorLike, output_size: Size, data_format: DataFormat = None) -> Tensor:
    """The maxima of `output_size` windows that cover the inputs, those of `adaptive_average_pool`.

    Args:
        inputs: Tensor of shape (batch, *space, channels).
        output_size: Size of the outputs, one number or one for each spatial axis.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    return _adaptive(inputs, output_size, data_format, -jnp.inf, lambda parts, lengths, axis: jnp.max(parts, axis))


def _adaptive(inputs, output_size, data_format, outside, reduce):
    """Along one spatial axis after the other, windows as a new axis, padded with `outside`, are reduced."""
    inputs = tensor(inputs)
    rank = _rank(inputs)
    first = 2 if standardize_data_format(data_format) == "channels_first" else 1
    for axis, count in enumerate(per_axis(output_size, rank, "output_size"), first):
        size, axes_after = inputs.shape[axis], [1] * (inputs.ndim - axis - 1)
        reserve_array((count + -(-size // count),), 32, "A list of windows")
        starts = np.arange(count) * size // count
        lengths = -(-(np.arange(count) + 1) * size // count) - starts
        steps = np.arange(lengths.max())
        inside = (steps < lengths[:, None]).reshape(count, len(steps), *axes_after)
        windows = jnp.take(inputs, np.minimum(starts[:, None] + steps, size - 1), axis)
        lengths = lengths.astype(inputs.dtype).reshape(count, *axes_after)
        inputs = reduce(jnp.where(inside, windows, outside), lengths, axis + 1)
    return inputs
