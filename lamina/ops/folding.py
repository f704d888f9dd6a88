"""im2col and col2im of images, and blocks of pixels as channels."""

from __future__ import annotations

import jax

from lamina.core.op import op
from lamina.core.typing import DataFormat, Size, Tensor, TensorLike
from lamina.ops.arrays import tensor
from lamina.ops.convolution import per_axis
from lamina.runtime.settings import standardize_data_format

__all__ = ["depth_to_space", "fold", "space_to_depth", "unfold"]


@op(settings=("kernel_size",))
def unfold(x: TensorLike, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Tensor:
    """All windows of images as columns (im2col).

    Shapes: (batch, channels, height, width) -> (batch, channels * kernel, windows).

    Args:
        x: Tensor of shape (batch, channels, height, width).
        kernel_size: Size of the window, one number or (height, width).
        dilation: Distance between elements of the window, one number or two.
        padding: Zeros on both sides, one number or two.
        stride: Step of the window, one number or two.

    >>> import lamina as keras
    >>> keras.ops.unfold(keras.ops.zeros((2, 3, 5, 5)), 2).shape
    (2, 12, 16)
    """
    kernel, dilation, padding, stride = (
        per_axis(value, 2, name)
        for name, value in zip(
            ("kernel_size", "dilation", "padding", "stride"), (kernel_size, dilation, padding, stride), strict=True
        )
    )
    x = tensor(x)
    columns = jax.lax.conv_general_dilated_patches(
        x, kernel, stride, [(before, before) for before in padding], rhs_dilation=dilation
    )
    return columns.reshape(*columns.shape[:2], -1)


@op(settings=("output_size", "kernel_size"))
def fold(
    x: TensorLike, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """Images from columns of windows, where overlapping pixels are added (col2im): the transpose of `unfold`.

    Shapes: (batch, channels * kernel, windows) -> (batch, channels, *output_size).

    Args:
        x: Tensor of shape (batch, channels * kernel, windows).
        output_size: Size of the images, one number or (height, width).
        kernel_size: Size of the window, one number or (height, width).
        dilation: Distance between elements of the window, one number or two.
        padding: Zeros on both sides, one number or two.
        stride: Step of the window, one number or two.
    """
    x = tensor(x)
    height, width = per_axis(kernel_size, 2, "kernel_size")
    images = (x.shape[0], x.shape[1] // (height * width), *per_axis(output_size, 2, "output_size"))
    columns = jax.linear_transpose(
        lambda image: unfold(image, kernel_size, dilation, padding, stride), jax.ShapeDtypeStruct(images, x.dtype)
    )
    return columns(x)[0]


@op(settings=("block_size",))
def depth_to_space(x: TensorLike, block_size: int, data_format: DataFormat = "channels_last") -> Tensor:
    """Blocks of b by b pixels from b**2 groups of channels, where b is `block_size`.

    A channel's index is (position in the block, channel of the pixel); with "channels_first" the other way around.

    Shapes: (batch, height, width, channels) -> (batch, height * b, width * b, channels // b**2).

    Args:
        x: Tensor of shape (batch, height, width, channels).
        block_size: Side b of a block.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    x, b = tensor(x), block_size
    if standardize_data_format(data_format) == "channels_first":
        batch, channels, height, width = x.shape
        x = x.reshape(batch, channels // b**2, b, b, height, width).transpose(0, 1, 4, 2, 5, 3)
        return x.reshape(batch, channels // b**2, height * b, width * b)
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height, width, b, b, channels // b**2).swapaxes(2, 3)
    return x.reshape(batch, height * b, width * b, channels // b**2)


@op(settings=("block_size",))
def space_to_depth(x: TensorLike, block_size: int, data_format: DataFormat = "channels_last") -> Tensor:
    """Channels from blocks of b by b pixels, where b is `block_size`: the inverse of `depth_to_space`.

    Shapes: (batch, height, width, channels) -> (batch, height // b, width // b, channels * b**2).

    Args:
        x: Tensor of shape (batch, height, width, channels).
        block_size: Side b of a block.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    x, b = tensor(x), block_size
    if standardize_data_format(data_format) == "channels_first":
        batch, channels, height, width = x.shape
        x = x.reshape(batch, channels, height // b, b, width // b, b).transpose(0, 1, 3, 5, 2, 4)
        return x.reshape(batch, channels * b**2, height // b, width // b)
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // b, b, width // b, b, channels).swapaxes(2, 3)
    return x.reshape(batch, height // b, width // b, channels * b**2)
