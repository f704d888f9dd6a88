"""Convolution, pooling, padding, resizing and data formats, under the names of `keras.backend` in Keras 1 and 2."""

from __future__ import annotations

import builtins
from typing import Any

from lamina import ops
from lamina.backend.keywords import taking
from lamina.core.arguments import choice
from lamina.core.typing import DataFormat, TensorLike
from lamina.core.variable import unwrap
from lamina.errors import CallError
from lamina.legacy import data_format_of, warn_renamed_method
from lamina.runtime.settings import image_data_format, set_image_data_format, standardize_data_format

__all__ = [
    "bias_add", "conv1d", "conv2d", "conv2d_transpose", "conv3d", "depthwise_conv2d", "image_dim_ordering", "pool2d",
    "pool3d", "resize_images", "resize_volumes", "separable_conv1d", "separable_conv2d", "set_image_dim_ordering",
    "spatial_2d_padding", "spatial_3d_padding", "temporal_padding",
]  # fmt: skip

_shape: Any = ops.shape  # with numbers for all sizes
conv2d: Any = taking(ops.conv, x="inputs")
conv3d: Any = conv2d
depthwise_conv2d: Any = taking(ops.depthwise_conv, x="inputs", depthwise_kernel="kernel")
separable_conv1d: Any = taking(ops.separable_conv, x="inputs")
separable_conv2d: Any = separable_conv1d


def conv1d(
    x: TensorLike,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: DataFormat = None,
    dilation_rate: Any = 1,
) -> Any:
    """`ops.conv` over time; with "causal" padding all zeros are at the beginning.

    Args:
        x: Sequences of shape (batch, time, channels), or (batch, channels, time) for "channels_first".
        kernel: Kernel of shape (window, channels, filters).
        strides: Number of time steps from one window to the next.
        padding: "valid" for none, "same" for ceil(time / strides) outputs, or "causal", which sees no later step.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between elements of the kernel, in time steps.
    """
    if padding == "causal":
        front = (dilation_rate if isinstance(dilation_rate, int) else dilation_rate[0]) * (_shape(kernel)[0] - 1)
        first = standardize_data_format(data_format) == "channels_first"
        x = ops.pad(x, [[0, 0], [0, 0], [front, 0]] if first else [[0, 0], [front, 0], [0, 0]])
        padding = "valid"
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d_transpose(
    x: TensorLike,
    kernel: TensorLike,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: Any = "valid",
    data_format: DataFormat = None,
    dilation_rate: Any = (1, 1),
) -> Any:
    """`ops.conv_transpose`; the result must have the shape `output_shape`.

    Args:
        x: Images of shape (batch, height, width, channels); the channels are second for "channels_first".
        kernel: Kernel of shape (height, width, filters, channels).
        output_shape: Shape that the result must have, batch included; the batch and sizes of None are not checked.
        strides: Factor by which each spatial axis grows, one number or one for each.
        padding: "valid" or "same".
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between elements of the kernel, one number or one for each spatial axis.
    """
    outputs = ops.conv_transpose(x, kernel, strides, padding, None, data_format, dilation_rate)
    pairs = zip(_shape(outputs)[1:], tuple(output_shape)[1:], strict=True)
    if not builtins.all(wanted is None or size == wanted for size, wanted in pairs):
        raise CallError(
            f"conv2d_transpose gives shape {_shape(outputs)}; output_shape is {tuple(output_shape)}.",
            fix=f"output_shape={tuple(_shape(outputs))}",
        )
    return outputs


def pool2d(
    x: TensorLike,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: Any = "valid",
    data_format: DataFormat = None,
    pool_mode: str = "max",
) -> Any:
    """`ops.max_pool`, or `ops.average_pool` for pool_mode="avg".

    Args:
        x: Images of shape (batch, height, width, channels); the channels are second for "channels_first".
        pool_size: Size of the window, one number or one for each spatial axis.
        strides: Step of the window, one number or one for each spatial axis.
        padding: "valid" for none, or "same" for outputs of size ceil(size / stride).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        pool_mode: "max" for the largest value of each window, or "avg" for the mean.
    """
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def pool3d(
    x: TensorLike,
    pool_size: Any,
    strides: Any = (1, 1, 1),
    padding: Any = "valid",
    data_format: DataFormat = None,
    pool_mode: str = "max",
) -> Any:
    """`pool2d` for volumes.

    Args:
        x: Volumes of shape (batch, depth, height, width, channels); the channels are second for "channels_first".
        pool_size: Size of the window, one number or one for each spatial axis.
        strides: Step of the window, one number or one for each spatial axis.
        padding: "valid" for none, or "same" for outputs of size ceil(size / stride).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        pool_mode: "max" for the largest value of each window, or "avg" for the mean.
    """
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def _pool(mode):
    choice("pool2d", "pool_mode", mode, ("max", "avg"))
    return ops.max_pool if mode == "max" else ops.average_pool


def bias_add(x: TensorLike, bias: TensorLike, data_format: DataFormat = None) -> Any:
    """`x + bias`, with a bias for each channel, or a bias of the shape of a sample.

    Args:
        x: Tensor of shape (batch, ..., channels), or (batch, channels, ...) for "channels_first".
        bias: Tensor of shape (channels,), or of the shape of one sample.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    if standardize_data_format(data_format) == "channels_first" and ops.ndim(bias) == 1 and ops.ndim(x) > 2:
        bias = ops.reshape(bias, (-1, *(1,) * (ops.ndim(x) - 2)))
    return x + unwrap(bias)


def resize_images(
    x: TensorLike, height_factor: int, width_factor: int, data_format: DataFormat, interpolation: str = "nearest"
) -> Any:
    """`ops.image.resize`, by factors.

    Args:
        x: Images of shape (batch, height, width, channels); the channels are second for "channels_first".
        height_factor: Whole number by which the height is multiplied.
        width_factor: Whole number by which the width is multiplied.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
    """
    start = 2 if standardize_data_format(data_format) == "channels_first" else 1
    height, width = _shape(x)[start : start + 2]
    return ops.image.resize(x, (height * height_factor, width * width_factor), interpolation, data_format=data_format)


def resize_volumes(
    x: TensorLike, depth_factor: int, height_factor: int, width_factor: int, data_format: DataFormat
) -> Any:
    """`ops.repeat` along the three axes.

    Args:
        x: Volumes of shape (batch, depth, height, width, channels); the channels are second for "channels_first".
        depth_factor: Number of times that each slice along the depth is repeated.
        height_factor: Number of times that each row is repeated.
        width_factor: Number of times that each column is repeated.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    start = 2 if standardize_data_format(data_format) == "channels_first" else 1
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), start):
        x = ops.repeat(x, factor, axis)
    return x


def temporal_padding(x: TensorLike, padding: Any = (1, 1)) -> Any:
    """`ops.pad` of the time axis.

    Args:
        x: Sequences of shape (batch, time, features).
        padding: Numbers of zeros (before the first step, after the last).
    """
    return ops.pad(x, [[0, 0], list(padding), [0, 0]])


def spatial_2d_padding(x: TensorLike, padding: Any = ((1, 1), (1, 1)), data_format: DataFormat = None) -> Any:
    """`ops.pad` of the axes of an image.

    Args:
        x: Images of shape (batch, height, width, channels); the channels are second for "channels_first".
        padding: Numbers of zeros ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    return _pad_space(x, padding, data_format)


def spatial_3d_padding(x: TensorLike, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: DataFormat = None) -> Any:
    """`ops.pad` of the axes of a volume.

    Args:
        x: Volumes of shape (batch, depth, height, width, channels); the channels are second for "channels_first".
        padding: Numbers of zeros (before, after) for each of depth, height and width.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    return _pad_space(x, padding, data_format)


def _pad_space(x, padding, data_format):
    space = [list(pair) for pair in padding]
    first = standardize_data_format(data_format) == "channels_first"
    return ops.pad(x, [[0, 0], [0, 0], *space] if first else [[0, 0], *space, [0, 0]])


def image_dim_ordering() -> str:
    """The name of Keras 1 for `image_data_format`: 'tf' for channels_last, 'th' for channels_first."""
    warn_renamed_method("backend", "image_dim_ordering")
    return "tf" if image_data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """`set_image_data_format`, with the names of Keras 1.

    Args:
        dim_ordering: "tf" for channels_last, "th" for channels_first.
    """
    warn_renamed_method("backend", "set_image_dim_ordering")
    set_image_data_format(data_format_of(dim_ordering))
