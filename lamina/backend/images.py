"""Convolution, pooling, padding and resizing, under the names of `keras.backend` in Keras 2."""

from __future__ import annotations

import builtins
from typing import Any

from lamina import ops
from lamina.core.typing import DataFormat, TensorLike
from lamina.core.variable import unwrap
from lamina.errors import CallError, ConfigError
from lamina.runtime.settings import standardize_data_format

__all__ = [
    "bias_add", "conv1d", "conv2d", "conv2d_transpose", "conv3d", "depthwise_conv2d", "pool2d", "pool3d",
    "resize_images", "resize_volumes", "separable_conv2d", "spatial_2d_padding", "spatial_3d_padding",
    "temporal_padding",
]  # fmt: skip

_shape: Any = ops.shape  # with numbers for all sizes
conv2d: Any = ops.conv
conv3d: Any = ops.conv
depthwise_conv2d: Any = ops.depthwise_conv
separable_conv2d: Any = ops.separable_conv


def conv1d(
    x: TensorLike,
    kernel: Any,
    strides: Any = 1,
    padding: Any = "valid",
    data_format: DataFormat = None,
    dilation_rate: Any = 1,
) -> Any:
    """`ops.conv` over time; with "causal" padding all zeros are at the beginning."""
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
    """`ops.conv_transpose`; the result must have the shape `output_shape`."""
    outputs = ops.conv_transpose(x, kernel, strides, padding, None, data_format, dilation_rate)
    pairs = zip(_shape(outputs)[1:], tuple(output_shape)[1:], strict=True)
    if not builtins.all(wanted is None or size == wanted for size, wanted in pairs):
        raise CallError(f"conv2d_transpose gives shape {_shape(outputs)}; output_shape is {tuple(output_shape)}.")
    return outputs


def pool2d(
    x: TensorLike,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: Any = "valid",
    data_format: DataFormat = None,
    pool_mode: str = "max",
) -> Any:
    """`ops.max_pool`, or `ops.average_pool` for pool_mode="avg"."""
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def pool3d(
    x: TensorLike,
    pool_size: Any,
    strides: Any = (1, 1, 1),
    padding: Any = "valid",
    data_format: DataFormat = None,
    pool_mode: str = "max",
) -> Any:
    """`pool2d` for volumes."""
    return _pool(pool_mode)(x, pool_size, strides, padding, data_format)


def _pool(mode):
    if mode not in ("max", "avg"):
        raise ConfigError(f"pool_mode is 'max' or 'avg'; got {mode!r}.")
    return ops.max_pool if mode == "max" else ops.average_pool


def bias_add(x: TensorLike, bias: TensorLike, data_format: DataFormat = None) -> Any:
    """`x + bias`, with a bias for each channel, or a bias of the shape of a sample."""
    if standardize_data_format(data_format) == "channels_first" and ops.ndim(bias) == 1 and ops.ndim(x) > 2:
        bias = ops.reshape(bias, (-1, *(1,) * (ops.ndim(x) - 2)))
    return x + unwrap(bias)


def resize_images(
    x: TensorLike, height_factor: int, width_factor: int, data_format: DataFormat, interpolation: str = "nearest"
) -> Any:
    """`ops.image.resize`, by factors."""
    start = 2 if standardize_data_format(data_format) == "channels_first" else 1
    height, width = _shape(x)[start : start + 2]
    return ops.image.resize(x, (height * height_factor, width * width_factor), interpolation, data_format=data_format)


def resize_volumes(
    x: TensorLike, depth_factor: int, height_factor: int, width_factor: int, data_format: DataFormat
) -> Any:
    """`ops.repeat` along the three axes."""
    start = 2 if standardize_data_format(data_format) == "channels_first" else 1
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), start):
        x = ops.repeat(x, factor, axis)
    return x


def temporal_padding(x: TensorLike, padding: Any = (1, 1)) -> Any:
    """`ops.pad` of the time axis."""
    return ops.pad(x, [[0, 0], list(padding), [0, 0]])


def spatial_2d_padding(x: TensorLike, padding: Any = ((1, 1), (1, 1)), data_format: DataFormat = None) -> Any:
    """`ops.pad` of the axes of an image."""
    return _pad_space(x, padding, data_format)


def spatial_3d_padding(x: TensorLike, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: DataFormat = None) -> Any:
    """`ops.pad` of the axes of a volume."""
    return _pad_space(x, padding, data_format)


def _pad_space(x, padding, data_format):
    space = [list(pair) for pair in padding]
    first = standardize_data_format(data_format) == "channels_first"
    return ops.pad(x, [[0, 0], [0, 0], *space] if first else [[0, 0], *space, [0, 0]])
