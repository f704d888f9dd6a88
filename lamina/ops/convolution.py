"""Convolutions of 1 to 3 spatial axes: plain, transposed, depthwise and separable, in the terms of one primitive."""

from typing import Any

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.errors import ConfigError, ShapeError
from lamina.kernels.convolution import Window, convolve, input_gradient
from lamina.ops.arrays import tensor
from lamina.runtime.settings import standardize_data_format

__all__ = ["conv", "conv_transpose", "depthwise_conv", "separable_conv"]

Sizes = int | tuple[int, ...]


@op
def conv(inputs, kernel, strides: Sizes = 1, padding="valid", data_format=None, dilation_rate: Sizes = 1):
    """The convolution: each output is the sum of a window of the inputs times the kernel.

    Shapes: inputs (batch, *space, channels), kernel (*window, channels // groups, filters) -> (batch, *new_space,
    filters); with data_format='channels_first' the channels follow the batch. The groups follow from the shapes.

    Args:
        strides, dilation_rate: a number or one for each spatial axis; only one of the two may exceed 1.
        padding: 'valid', 'same', or 'causal' (one spatial axis: no output sees a later input).

    >>> import lamina as keras
    >>> keras.ops.conv(keras.Input((28, 28, 3)), keras.ops.ones((3, 3, 3, 8)), strides=2, padding="same").shape
    (None, 14, 14, 8)
    """
    inputs, kernel = _same_type(inputs, kernel)
    rank, data_format = _rank(inputs, kernel, "conv"), standardize_data_format(data_format)
    strides, dilation_rate = per_axis(strides, rank, "strides"), per_axis(dilation_rate, rank, "dilation_rate")
    if padding == "valid":
        window = tuple(dilated(*sizes) for sizes in zip(kernel.shape[:rank], dilation_rate, strict=True))
        check_fits(inputs, window, data_format, "kernel")
    groups = _groups(inputs.shape[channel_axis(data_format)], kernel)
    padding = _padding(padding, _space(inputs, data_format), kernel.shape[:rank], strides, dilation_rate)
    window = Window(strides, padding, dilation_rate, groups)
    return _channels_last(lambda inputs: convolve(inputs, kernel, window), inputs, data_format)


@op
def depthwise_conv(inputs, kernel, strides: Sizes = 1, padding="valid", data_format=None, dilation_rate: Sizes = 1):
    """A convolution of each channel by itself, with `multiplier` filters of its own.

    Shapes: inputs (batch, *space, channels), kernel (*window, channels, multiplier)
    -> (batch, *new_space, channels * multiplier).
    """
    inputs, kernel = _same_type(inputs, kernel)
    *window, channels, multiplier = kernel.shape
    _check_channels(inputs, channels, data_format, "depthwise_conv")
    kernel = kernel.reshape(*window, 1, channels * multiplier)
    return conv(inputs, kernel, strides, padding, data_format, dilation_rate)


@op
def separable_conv(
    inputs,
    depthwise_kernel,
    pointwise_kernel,
    strides: Sizes = 1,
    padding="valid",
    data_format=None,
    dilation_rate: Sizes = 1,
):
    """A depthwise convolution followed by a mix of its channels.

    Shapes: depthwise_kernel (*window, channels, multiplier), pointwise_kernel (1, ..., channels * multiplier, filters).
    """
    each = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(each, pointwise_kernel, data_format=data_format)


@op
def conv_transpose(
    inputs, kernel, strides: Sizes = 1, padding="valid", output_padding=None, data_format=None, dilation_rate: Sizes = 1
):
    """The transpose (gradient) of a convolution, which makes small maps large.

    Shapes: inputs (batch, *space, channels), kernel (*window, filters, channels) -> (batch, *new_space, filters),
    where a size n becomes n * stride for 'same' and (n - 1) * stride + max(window, stride) for 'valid' unless
    `output_padding` is given.
    """
    inputs, kernel = _same_type(inputs, kernel)
    rank, data_format = _rank(inputs, kernel, "conv_transpose"), standardize_data_format(data_format)
    strides, dilation_rate = per_axis(strides, rank, "strides"), per_axis(dilation_rate, rank, "dilation_rate")
    _check_channels(inputs, kernel.shape[-1], data_format, "conv_transpose")
    extra = [None] * rank if output_padding is None else per_axis(output_padding, rank, "output_padding")
    windows = [dilated(*sizes) for sizes in zip(kernel.shape[:rank], dilation_rate, strict=True)]
    space, zeros = [], []
    for axis, size in enumerate(_space(inputs, data_format)):
        before, after = _transpose_padding(windows[axis], strides[axis], extra[axis], padding)
        space.append((size - 1) * strides[axis] + 2 - windows[axis] + before + after)
        zeros.append((windows[axis] - 1 - before, windows[axis] - 1 - after))
    window, shape = Window(strides, tuple(zeros), dilation_rate), (inputs.shape[0], *space, kernel.shape[-2])
    return _channels_last(lambda inputs: input_gradient(inputs, kernel, window, shape), inputs, data_format)


def _transpose_padding(window, stride, extra, padding):
    """Zeros before and after the inputs, which are spread `stride` apart, so that sizes come out as documented."""
    if padding == "valid":
        extra = max(stride - window, 0) if extra is None else extra
        return window - 1, window - 1 + extra
    if padding != "same":
        raise ConfigError(f"padding of a transposed convolution is 'valid' or 'same'; got {padding!r}.")
    total = window + stride - 2 if extra is None else 2 * (window - 1 - window // 2) + extra
    before = min((total + 1) // 2, window - 1)
    return before, total - before


def per_axis(value, rank, name):
    """A number for each of `rank` axes, from one number or one for each.

    >>> per_axis(2, 3, "strides")
    (2, 2, 2)
    """
    values = (value,) * rank if isinstance(value, int) else tuple(value)
    if len(values) != rank:
        raise ConfigError(f"{name} is one number or {rank} of them; got {value!r}.")
    return values


def dilated(window, dilation_rate):
    """The length that a window covers when its elements lie `dilation_rate` apart."""
    return (window - 1) * dilation_rate + 1


def check_fits(inputs, window, data_format, what):
    """Raise ShapeError where the window is longer than the inputs, so that no output would be left."""
    space = inputs.shape[2:] if standardize_data_format(data_format) == "channels_first" else inputs.shape[1:-1]
    if any(length > size for length, size in zip(window, space, strict=True)):
        raise ShapeError(
            f"The {what} covers {window}, more than the inputs, which are {tuple(space)}.",
            fix="padding='same' keeps sizes; or make the window smaller, or the inputs larger.",
        )


def channel_axis(data_format):
    """The axis of the channels: 1 or -1."""
    return 1 if standardize_data_format(data_format) == "channels_first" else -1


def _same_type(inputs, kernel):
    inputs, kernel = tensor(inputs), tensor(kernel)
    dtype = jnp.result_type(inputs, kernel)
    return inputs.astype(dtype), kernel.astype(dtype)


def _rank(inputs, kernel, name):
    """The number of spatial axes."""
    rank = inputs.ndim - 2
    if not 1 <= rank <= 3 or kernel.ndim != inputs.ndim:
        raise ShapeError(
            f"{name} needs inputs of rank 3 to 5 and a kernel of the same rank; "
            f"got inputs of shape {tuple(inputs.shape)} and a kernel of shape {tuple(kernel.shape)}.",
            fix="Inputs are (batch, *space, channels): x[..., None] adds a channel, x[None] a batch of one.",
        )
    return rank


def _groups(channels, kernel):
    """How many groups of channels a kernel for `kernel.shape[-2]` channels works on."""
    if channels % kernel.shape[-2]:
        raise ShapeError(
            f"The inputs of a convolution have {channels} channels, no multiple of the {kernel.shape[-2]} channels "
            f"of its kernel {tuple(kernel.shape)}.",
            fix="Check data_format: 'channels_last' is (batch, *space, channels).",
        )
    return channels // kernel.shape[-2]


def _check_channels(inputs, channels, data_format, name):
    found = inputs.shape[channel_axis(data_format)]
    if found != channels:
        raise ShapeError(
            f"{name}: the kernel is for {channels} channels; the inputs of shape {tuple(inputs.shape)} have {found}.",
            fix="Check data_format.",
        )


def _space(inputs, data_format):
    """The spatial sizes of the inputs."""
    return inputs.shape[1:-1] if channel_axis(data_format) == -1 else inputs.shape[2:]


def _padding(padding, space, window, strides, dilation_rate) -> Any:
    """Pairs (zeros before, zeros after), one for each spatial axis."""
    spans = [dilated(*sizes) for sizes in zip(window, dilation_rate, strict=True)]
    if padding == "causal" and len(window) == 1:
        return ((spans[0] - 1, 0),)
    if padding not in ("valid", "same"):
        raise ConfigError(f"padding is 'valid' or 'same' ('causal' with one spatial axis); got {padding!r}.")
    return tuple(map(tuple, jax.lax.padtype_to_pads(space, spans, strides, padding.upper())))


def _channels_last(program, inputs, data_format):
    """A program for inputs with their channels last on inputs of any format; XLA moves no more axes than it must."""
    if channel_axis(data_format) == -1:
        return program(inputs)
    return jnp.moveaxis(program(jnp.moveaxis(inputs, 1, -1)), -1, 1)
