"""Convolution, pooling, padding and resizing, by the names K had."""

import builtins

from lamina import ops
from lamina.core.variable import unwrap
from lamina.errors import CallError, ConfigError
from lamina.runtime.settings import standardize_data_format

__all__ = [
    "bias_add", "conv1d", "conv2d", "conv2d_transpose", "conv3d", "depthwise_conv2d", "pool2d", "pool3d",
    "resize_images", "resize_volumes", "separable_conv2d", "spatial_2d_padding", "spatial_3d_padding",
    "temporal_padding",
]  # fmt: skip

conv2d, conv3d = ops.conv, ops.conv
depthwise_conv2d, separable_conv2d = ops.depthwise_conv, ops.separable_conv


def conv1d(x, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """`ops.conv` over time; "causal" padding puts all zeros in front."""
    if padding == "causal":
        front = (dilation_rate if isinstance(dilation_rate, int) else dilation_rate[0]) * (ops.shape(kernel)[0] - 1)
        first = standardize_data_format(data_format) == "channels_first"
        x = ops.pad(x, [[0, 0], [0, 0], [front, 0]] if first else [[0, 0], [front, 0], [0, 0]])
        padding = "valid"
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def conv2d_transpose(x, kernel, output_shape, strides=(1, 1), padding="valid", data_format=None, dilation_rate=(1, 1)):
    """`ops.conv_transpose`, of which `output_shape` has to be the shape."""
    outputs = ops.conv_transpose(x, kernel, strides, padding, None, data_format, dilation_rate)
    pairs = zip(ops.shape(outputs)[1:], tuple(output_shape)[1:], strict=True)
    if not builtins.all(wanted is None or size == wanted for size, wanted in pairs):
        raise CallError(f"conv2d_transpose gives shape {ops.shape(outputs)}; output_shape is {tuple(output_shape)}.")
    return outputs


def pool2d(x, pool_size, strides=(1, 1), padding="valid", data_format=None, pool_mode="max"):
    """`ops.max_pool`, or `ops.average_pool` for pool_mode="avg"."""
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def pool3d(x, pool_size, strides=(1, 1, 1), padding="valid", data_format=None, pool_mode="max"):
    """`pool2d` for volumes."""
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def _pool(mode):
    if mode not in ("max", "avg"):
        raise ConfigError(f"pool_mode is 'max' or 'avg'; got {mode!r}.")
    return ops.max_pool if mode == "max" else ops.average_pool


def bias_add(x, bias, data_format=None):
    """`x + bias`, a bias for each channel or one of the shape of a sample."""
    if standardize_data_format(data_format) == "channels_first" and ops.ndim(bias) == 1 and ops.ndim(x) > 2:
        bias = ops.reshape(bias, (-1, *(1,) * (ops.ndim(x) - 2)))
    return x + unwrap(bias)


def resize_images(x, height_factor, width_factor, data_format, interpolation="nearest"):
    """`ops.image.resize`, by factors."""
    start = 2 if standardize_data_format(data_format) == "channels_first" else 1
    height, width = ops.shape(x)[start : start + 2]
    return ops.image.resize(x, (height * height_factor, width * width_factor), interpolation, data_format=data_format)


def resize_volumes(x, depth_factor, height_factor, width_factor, data_format):
    """`ops.repeat` along the three axes."""
    start = 2 if standardize_data_format(data_format) == "channels_first" else 1
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), start):
        x = ops.repeat(x, factor, axis)
    return x


def temporal_padding(x, padding=(1, 1)):
    """`ops.pad` of the time axis."""
    return ops.pad(x, [[0, 0], list(padding), [0, 0]])


def spatial_2d_padding(x, padding=((1, 1), (1, 1)), data_format=None):
    """`ops.pad` of the axes of an image."""
    return _pad_space(x, padding, data_format)


def spatial_3d_padding(x, padding=((1, 1), (1, 1), (1, 1)), data_format=None):
    """`ops.pad` of the axes of a volume."""
    return _pad_space(x, padding, data_format)


def _pad_space(x, padding, data_format):
    space = [list(pair) for pair in padding]
    first = standardize_data_format(data_format) == "channels_first"
    return ops.pad(x, [[0, 0], [0, 0], *space] if first else [[0, 0], *space, [0, 0]])
