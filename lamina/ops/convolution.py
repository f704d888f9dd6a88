"""Convolutions of 1 to 3 spatial axes: plain, transposed, depthwise and separable, in the terms of one primitive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.arguments import choice, is_whole
from lamina.core.op import op
from lamina.core.typing import DataFormat, Size, Tensor, TensorLike
from lamina.errors import ArgumentError, ShapeError
from lamina.kernels.convolution import Window, convolve, input_gradient
from lamina.ops.arrays import tensor
from lamina.runtime.settings import standardize_data_format

__all__ = ["conv", "conv_transpose", "depthwise_conv", "separable_conv"]


@op
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Size = 1,
    padding: str = "valid",
    data_format: DataFormat = None,
    dilation_rate: Size = 1,
) -> Tensor:
    """The convolution: each output is the sum of a window of the inputs times the kernel.

    Shapes: inputs (batch, *space, channels), kernel (*window, channels // groups, filters) -> (batch, *new_space,
    filters); with "channels_first" the channels are the second axis. The number of groups follows from the shapes.

    Args:
        inputs: Tensor of shape (batch, *space, channels).
        kernel: Kernel of shape (*window, channels // groups, filters).
        strides: Step of the window, one number or one for each spatial axis; only strides or dilation_rate may exceed
            1.
        padding: "valid" for none, "same" for outputs of size ceil(size / stride), or "causal" (one spatial axis) for
            outputs that depend on no later input.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between elements of the kernel, one number or one for each spatial axis.

    >>> import lamina as keras
    >>> keras.ops.conv(keras.Input((28, 28, 3)), keras.ops.ones((3, 3, 3, 8)), strides=2, padding="same").shape
    (None, 14, 14, 8)
    """
    inputs, kernel = _same_type(inputs, kernel)
    rank, data_format = _rank(inputs, kernel, "conv"), standardize_data_format(data_format)
    strides, dilation_rate = per_axis(strides, rank, "strides"), per_axis(dilation_rate, rank, "dilation_rate")
    padding = str(padding).lower()  # "SAME" too, as in Keras
    if padding == "valid":
        window = tuple(dilated_size(*sizes) for sizes in zip(kernel.shape[:rank], dilation_rate, strict=True))
        check_fits(inputs, window, data_format, "kernel", strides)
    groups = _groups(inputs, kernel, data_format)
    zeros = _padding(padding, _space(inputs, data_format), kernel.shape[:rank], strides, dilation_rate)
    window = Window(strides, zeros, dilation_rate, groups)
    return _channels_last(lambda inputs: convolve(inputs, kernel, window), inputs, data_format)


@op
def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Size = 1,
    padding: str = "valid",
    data_format: DataFormat = None,
    dilation_rate: Size = 1,
) -> Tensor:
    """A convolution of each channel separately, with `multiplier` filters for each.

    Shapes: inputs (batch, *space, channels), kernel (*window, channels, multiplier) -> (batch, *new_space, channels *
    multiplier).

    Args:
        inputs: Tensor of shape (batch, *space, channels).
        kernel: Kernel of shape (*window, channels, multiplier).
        strides: Step of the window, one number or one for each spatial axis.
        padding: "valid" for none, or "same" for outputs of size ceil(size / stride).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between elements of the kernel, one number or one for each spatial axis.
    """
    inputs, kernel = _same_type(inputs, kernel)
    *window, channels, multiplier = kernel.shape
    _check_channels(inputs, channels, data_format, "depthwise_conv")
    kernel = kernel.reshape(*window, 1, channels * multiplier)
    return conv(inputs, kernel, strides, padding, data_format, dilation_rate)


@op
def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: Size = 1,
    padding: str = "valid",
    data_format: DataFormat = None,
    dilation_rate: Size = 1,
) -> Tensor:
    """A depthwise convolution followed by a pointwise one, which mixes the channels.

    Shapes: inputs (batch, *space, channels) -> (batch, *new_space, filters).

    Args:
        inputs: Tensor of shape (batch, *space, channels).
        depthwise_kernel: Kernel of shape (*window, channels, multiplier).
        pointwise_kernel: Kernel of shape (1, ..., channels * multiplier, filters).
        strides: Step of the window, one number or one for each spatial axis.
        padding: "valid" for none, or "same" for outputs of size ceil(size / stride).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between elements of the kernel, one number or one for each spatial axis.
    """
    channelwise = depthwise_conv(tensor(inputs), depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(channelwise, pointwise_kernel, data_format=data_format)


@op
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: Size = 1,
    padding: str = "valid",
    output_padding: Size | None = None,
    data_format: DataFormat = None,
    dilation_rate: Size = 1,
) -> Tensor:
    """The transpose (gradient) of a convolution, which upsamples.

    Shapes: inputs (batch, *space, channels), kernel (*window, filters, channels) -> (batch, *new_space, filters).
    Without `output_padding` a size n becomes n * stride for "same" and (n - 1) * stride + max(window, stride) for
    "valid".

    Args:
        inputs: Tensor of shape (batch, *space, channels).
        kernel: Kernel of shape (*window, filters, channels).
        strides: Factor by which each spatial axis grows, one number or one for each.
        padding: "valid" or "same".
        output_padding: Added to the size of the outputs, one number or one for each spatial axis; None means
            that `padding` determines the size.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between elements of the kernel, one number or one for each spatial axis.
    """
    inputs, kernel = _same_type(inputs, kernel)
    rank, data_format = _rank(inputs, kernel, "conv_transpose"), standardize_data_format(data_format)
    strides, dilation_rate = per_axis(strides, rank, "strides"), per_axis(dilation_rate, rank, "dilation_rate")
    _check_channels(inputs, kernel.shape[-1], data_format, "conv_transpose")
    extra = [None] * rank if output_padding is None else per_axis(output_padding, rank, "output_padding")
    windows = [dilated_size(*sizes) for sizes in zip(kernel.shape[:rank], dilation_rate, strict=True)]
    space, zeros = [], []
    for axis, size in enumerate(_space(inputs, data_format)):
        before, after = _transpose_padding(windows[axis], strides[axis], extra[axis], padding)
        space.append((size - 1) * strides[axis] + 2 - windows[axis] + before + after)
        zeros.append((windows[axis] - 1 - before, windows[axis] - 1 - after))
    window, shape = Window(strides, tuple(zeros), dilation_rate), (inputs.shape[0], *space, kernel.shape[-2])
    return _channels_last(lambda inputs: input_gradient(inputs, kernel, window, shape), inputs, data_format)


def _transpose_padding(window, stride, extra, padding):
    """Zeros before and after the inputs, which are `stride` apart, such that sizes are as documented."""
    padding = str(padding).lower()
    if padding == "valid":
        extra = max(stride - window, 0) if extra is None else extra
        return window - 1, window - 1 + extra
    choice("conv_transpose", "padding", padding, ("valid", "same"))
    total = window + stride - 2 if extra is None else 2 * (window - 1 - window // 2) + extra
    before = min((total + 1) // 2, window - 1)
    return before, total - before


def per_axis(value: Size, rank: int, name: str) -> tuple[int, ...]:
    """A number for each of `rank` axes, from one number or a sequence of them.

    >>> per_axis(2, 3, "strides")
    (2, 2, 2)
    """
    values: Any = tuple(value) if isinstance(value, (list, tuple, np.ndarray)) else (value,) * rank
    if len(values) != rank or not all(is_whole(one) for one in values):
        whole = [max(int(one), 1) if isinstance(one, (int, float)) else 2 for one in values] or [2]
        fix = f"{name}={(*whole, *whole[-1:] * rank)[:rank]}"
        raise ArgumentError(f"{name} must be one whole number or {rank} of them; got {value!r}.", fix=fix)
    return values


def dilated_size(window: int, dilation_rate: int) -> int:
    """The length that a window covers when its elements lie `dilation_rate` apart."""
    return (window - 1) * dilation_rate + 1


def check_fits(
    inputs: Tensor, window: Sequence[int], data_format: DataFormat, what: str, strides: Sequence[int] = (1,)
) -> None:
    """Raise ShapeError if the window is longer than the inputs, so that there would be no output."""
    space = inputs.shape[2:] if standardize_data_format(data_format) == "channels_first" else inputs.shape[1:-1]
    if any(length > size for length, size in zip(window, space, strict=True)):
        first, *rest = inputs.shape[1:]
        swapped = data_format != "channels_first" and first in (1, 3, 4) and rest[-1] not in (None, 1, 3, 4)
        fix = "padding='same' keeps sizes; or make the window smaller, or the inputs larger."
        if swapped:
            fix = f"keras.Input({(*rest, first)}), and x = np.moveaxis(x, 1, -1): channels come last."
        elif what == "kernel" and min(window) >= 8 and min(strides) >= 2:  # Conv2D(16, 32, 3), as in PyTorch
            name = f"Conv{len(window)}D"
            fix = f"layers.{name}({window[0]}, {strides[0]}): filters, kernel_size, without the channels of inputs."
        raise ShapeError(
            f"The {what} covers {window}, which is more than the inputs' size {tuple(space)}."
            + f" Its {rest[-1]} channels come last." * swapped,
            fix=fix,
        )


def channel_axis(data_format: DataFormat) -> int:
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
            fix="inputs[None] adds a batch of one, inputs[..., None] a channel."
            if inputs.ndim < max(kernel.ndim, 3)
            else f"Make a kernel of shape {(*[3] * max(inputs.ndim - 2, 1), inputs.shape[-1], 8)}.",
        )
    return rank


def _groups(inputs, kernel, data_format):
    """The number of groups of `kernel.shape[-2]` channels."""
    channels = inputs.shape[channel_axis(data_format)]
    if channels % kernel.shape[-2]:
        raise ShapeError(
            f"The channels of the inputs must be a multiple of {kernel.shape[-2]} for a kernel of shape "
            f"{tuple(kernel.shape)}; got {channels}.",
            fix=_fix_of_channels(inputs.shape, kernel.shape[-2], data_format),
        )
    return channels // kernel.shape[-2]


def _check_channels(inputs, channels, data_format, name):
    found = inputs.shape[channel_axis(data_format)]
    if found != channels:
        raise ShapeError(
            f"{name}: the kernel is for {channels} channels; the inputs of shape {tuple(inputs.shape)} have {found}.",
            fix=_fix_of_channels(inputs.shape, channels, data_format),
        )


def _fix_of_channels(shape, channels, data_format):
    """Where the channels are, if another axis has as many; else the shape that a kernel needs."""
    other = 1 if channel_axis(data_format) == -1 else len(shape) - 1
    if shape[other] == channels:
        return f"data_format={'channels_first' if other == 1 else 'channels_last'!r}"
    found = shape[channel_axis(data_format)]
    return f"Make a kernel of shape (..., {found}, filters), or give inputs with {channels} channels."


def _space(inputs, data_format):
    """The spatial sizes of the inputs."""
    return inputs.shape[1:-1] if channel_axis(data_format) == -1 else inputs.shape[2:]


def _padding(padding, space, window, strides, dilation_rate) -> Any:
    """Pairs (zeros before, zeros after), one for each spatial axis."""
    spans = [dilated_size(*sizes) for sizes in zip(window, dilation_rate, strict=True)]
    if padding == "causal" and len(window) == 1:
        return ((spans[0] - 1, 0),)
    known = ("valid", "same", "causal") if len(window) == 1 else ("valid", "same")
    choice("conv", "padding", padding, known)
    return tuple(map(tuple, jax.lax.padtype_to_pads(space, spans, strides, padding.upper())))


def _channels_last(program, inputs, data_format):
    """`program`, which takes channels last, applied to inputs of any format; XLA removes needless transpositions."""
    if channel_axis(data_format) == -1:
        return program(inputs)
    return jnp.moveaxis(program(jnp.moveaxis(inputs, 1, -1)), -1, 1)
