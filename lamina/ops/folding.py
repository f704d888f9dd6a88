"""Images as columns of patches and back, and blocks of pixels as channels and back."""

import jax

from lamina.core.op import op
from lamina.ops.arrays import tensor
from lamina.ops.convolution import per_axis
from lamina.runtime.settings import standardize_data_format

__all__ = ["depth_to_space", "fold", "space_to_depth", "unfold"]


@op(settings=("kernel_size",))
def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    """All windows of images as columns. Shapes: (batch, channels, height, width) -> (batch, channels * kernel,
    windows).

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
def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Images from columns of windows, overlapping pixels added up: the transpose of `unfold`.

    Shapes: (batch, channels * kernel, windows) -> (batch, channels, *output_size).
    """
    x = tensor(x)
    height, width = per_axis(kernel_size, 2, "kernel_size")
    images = (x.shape[0], x.shape[1] // (height * width), *per_axis(output_size, 2, "output_size"))
    columns = jax.linear_transpose(
        lambda image: unfold(image, kernel_size, dilation, padding, stride), jax.ShapeDtypeStruct(images, x.dtype)
    )
    return columns(x)[0]


@op(settings=("block_size",))
def depth_to_space(x, block_size, data_format="channels_last"):
    """Groups of b**2 channels spread into square blocks of pixels, b being block_size.

    A channel's number is (place in the block, channel of the pixel); with 'channels_first' the other way around.

    Shapes: (batch, height, width, channels) -> (batch, height * b, width * b, channels // b**2).
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
def space_to_depth(x, block_size, data_format="channels_last"):
    """Square blocks of pixels stacked into channels: the inverse of `depth_to_space`.

    Shapes: (batch, height, width, channels) -> (batch, height // b, width // b, channels * b**2).
    """
    x, b = tensor(x), block_size
    if standardize_data_format(data_format) == "channels_first":
        batch, channels, height, width = x.shape
        x = x.reshape(batch, channels, height // b, b, width // b, b).transpose(0, 1, 3, 5, 2, 4)
        return x.reshape(batch, channels * b**2, height // b, width // b)
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // b, b, width // b, b, channels).swapaxes(2, 3)
    return x.reshape(batch, height // b, width // b, channels * b**2)
