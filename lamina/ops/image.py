"""keras.ops.image: images as ([batch], height, width, channels), or channels before the space with 'channels_first'."""

# ruff: noqa: F403  (each module lists its public names in __all__)

import functools

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.op import op
from lamina.core.read_limits import reserve_array, reserve_steps
from lamina.errors import ConfigError, ShapeError
from lamina.ops import warp
from lamina.ops.arrays import floating, tensor
from lamina.ops.convolution import per_axis
from lamina.ops.core import saturate_cast
from lamina.ops.warp import *
from lamina.runtime.settings import standardize_data_format

__all__ = [
    "crop_images", "extract_patches", "extract_patches_3d", "gaussian_blur", "hsv_to_rgb", "pad_images", "resize",
    "rgb_to_grayscale", "rgb_to_hsv", "scale_and_translate", "sobel_edges", "ssim",
]  # fmt: skip
__all__ += warp.__all__


def batched(function, images, data_format, space=2):
    """`function` of (batch, *space, channels), on images of either format, with or without a batch."""
    if images.ndim not in (space + 1, space + 2):
        raise ShapeError(
            f"Expected images of rank {space + 1}, or {space + 2} with a batch; got shape {tuple(images.shape)}."
        )
    first = standardize_data_format(data_format) == "channels_first"
    batch = images if images.ndim == space + 2 else images[None]
    outputs = function(jnp.moveaxis(batch, 1, -1) if first else batch)
    outputs = jnp.moveaxis(outputs, -1, 1) if first else outputs
    return outputs if images.ndim == space + 2 else outputs[0]


# Colours


@op
def rgb_to_grayscale(images, data_format=None):
    """0.2989 red + 0.587 green + 0.114 blue, as one channel (ITU-R BT.601)."""
    images = tensor(images)
    return batched(_to_gray, images, data_format).astype(images.dtype)


def _to_gray(rgb):
    red, green, blue = _three(floating(rgb))
    return (0.2989 * red + 0.5870 * green + 0.1140 * blue)[..., None]


def _three(images):
    """The three channels of (..., 3), each (...)."""
    if images.shape[-1] != 3:
        raise ShapeError(f"Colours have 3 channels; got {images.shape[-1]}: images of shape {tuple(images.shape)}.")
    return jnp.moveaxis(images, -1, 0)


@op
def rgb_to_hsv(images, data_format=None):
    """Hue, saturation and value, all in [0, 1], of red, green and blue in [0, 1]. Hue 0 is red, 1/3 green, 2/3 blue."""
    return batched(_to_hsv, _floats(images, "rgb_to_hsv"), data_format)


def _to_hsv(rgb):
    red, green, blue = _three(rgb)
    value = jnp.max(rgb, axis=-1)
    spread = value - jnp.min(rgb, axis=-1)
    safe = jnp.where(spread == 0, 1, spread)
    sector = jnp.where(
        value == red,
        (green - blue) / safe,
        jnp.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = jnp.where(spread == 0, 0, sector / 6 % 1)
    saturation = jnp.where(value > 0, spread / jnp.where(value > 0, value, 1), 0)
    return jnp.stack([hue, saturation, value], axis=-1)


@op
def hsv_to_rgb(images, data_format=None):
    """Red, green and blue of hue, saturation and value: the inverse of `rgb_to_hsv`."""
    return batched(_to_rgb, _floats(images, "hsv_to_rgb"), data_format)


def _to_rgb(hsv):
    hue, saturation, value = _three(hsv)
    distance = jnp.stack([jnp.abs(hue * 6 - 3) - 1, 2 - jnp.abs(hue * 6 - 2), 2 - jnp.abs(hue * 6 - 4)], axis=-1)
    return value[..., None] * (1 - saturation[..., None] * (1 - jnp.clip(distance, 0, 1)))


def _floats(images, name):
    images = tensor(images)
    if not jnp.issubdtype(images.dtype, jnp.floating):
        raise ConfigError(f"{name} needs floats in [0, 1]; got {images.dtype}.", fix="images / 255.0")
    return images


# Sizes


@op(settings=("size",))
def resize(
    images, size, interpolation="bilinear", antialias=False, crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
    fill_mode="constant", fill_value=0.0, data_format=None,
):  # fmt: skip
    """Images of another (height, width) = size.

    Args:
        interpolation: 'nearest', 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'.
        antialias: whether to smooth when images become smaller.
        crop_to_aspect_ratio, pad_to_aspect_ratio: cut off, or add `fill_value` around, so that nothing is distorted.

    >>> import lamina as keras
    >>> keras.ops.image.resize(keras.Input((8, 8, 3)), (4, 6)).shape
    (None, 4, 6, 3)
    """
    methods = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
    if interpolation not in methods:
        raise ConfigError(f"interpolation is one of {methods}; got {interpolation!r}.")
    if fill_mode != "constant":
        raise ConfigError(f"fill_mode is 'constant'; got {fill_mode!r}.")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ConfigError("Only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True.")
    images, (height, width) = tensor(images), size
    method = "cubic" if interpolation == "bicubic" else interpolation

    def scaled(batch):
        if crop_to_aspect_ratio:
            batch = _cut_to_ratio(batch, height, width)
        elif pad_to_aspect_ratio:
            batch = _filled_to_ratio(batch, height, width, fill_value)
        shape = (batch.shape[0], height, width, batch.shape[-1])
        return jax.image.resize(batch, shape=shape, method=method, antialias=antialias)

    exact = interpolation == "nearest" or jnp.issubdtype(images.dtype, jnp.floating)
    outputs = batched(scaled, images if exact else images.astype("float32"), data_format)
    return outputs if exact else saturate_cast(jnp.round(outputs), images.dtype)


def _cut_to_ratio(batch, height, width):
    top, left, high, wide = window_of_ratio(batch.shape[1], batch.shape[2], height, width)
    return batch[:, top : top + high, left : left + wide]


def window_of_ratio(height, width, target_height, target_width):
    """(top, left, height, width) of the largest part in the middle of an image with the ratio of the target."""
    high = max(min(height, int(width * target_height / target_width)), 1)
    wide = max(min(width, int(height * target_width / target_height)), 1)
    return (height - high) // 2, (width - wide) // 2, high, wide


def margins_of_ratio(height, width, target_height, target_width):
    """(rows, columns) to add on both sides of an image to get the ratio of the target."""
    high = max(height, int(width * target_height / target_width))
    wide = max(width, int(height * target_width / target_height))
    return (high - height) // 2, (wide - width) // 2


def _filled_to_ratio(batch, height, width, fill_value):
    rows, columns = margins_of_ratio(batch.shape[1], batch.shape[2], height, width)
    return jnp.pad(batch, ((0, 0), (rows, rows), (columns, columns), (0, 0)), constant_values=fill_value)


@op
def crop_images(
    images, top_cropping=None, left_cropping=None, bottom_cropping=None, right_cropping=None, target_height=None,
    target_width=None, data_format=None,
):  # fmt: skip
    """Images without some rows and columns. In each direction two of (before, after, target size) say how many.

    >>> import lamina as keras
    >>> keras.ops.image.crop_images(keras.Input((8, 8, 3)), 1, 2, target_height=4, target_width=5).shape
    (None, 4, 5, 3)
    """

    def cropped(batch):
        top, bottom = _sides(batch.shape[1], top_cropping, bottom_cropping, target_height, -1, "height")
        left, right = _sides(batch.shape[2], left_cropping, right_cropping, target_width, -1, "width")
        return batch[:, top : batch.shape[1] - bottom, left : batch.shape[2] - right]

    return batched(cropped, tensor(images), data_format)


@op
def pad_images(
    images, top_padding=None, left_padding=None, bottom_padding=None, right_padding=None, target_height=None,
    target_width=None, data_format=None,
):  # fmt: skip
    """Images with rows and columns of zeros around. In each direction two of (before, after, target size) say how
    many."""

    def padded(batch):
        rows = _sides(batch.shape[1], top_padding, bottom_padding, target_height, 1, "height")
        columns = _sides(batch.shape[2], left_padding, right_padding, target_width, 1, "width")
        return jnp.pad(batch, ((0, 0), rows, columns, (0, 0)))

    return batched(padded, tensor(images), data_format)


def _sides(size, before, after, target, sign, name):
    """How much is added (sign 1) or taken (sign -1) before and after, from the two of three that are given."""
    if [before, after, target].count(None) != 1:
        raise ConfigError(f"Give exactly two of (before, after, target_{name}); got {(before, after, target)}.")
    if before is None:
        before = sign * (target - size) - after
    elif after is None:
        after = sign * (target - size) - before
    if before < 0 or after < 0 or size + sign * (before + after) < 1:
        raise ShapeError(f"A {name} of {size} cannot become {size + sign * (before + after)} by {before} and {after}.")
    return int(before), int(after)


@op(settings=("output_shape", "spatial_dims", "method"))
def scale_and_translate(images, output_shape, scale, translation, spatial_dims, method, antialias=True):
    """Images where what was at x + 0.5 is at (x + 0.5) * scale + translation, along `spatial_dims`.

    method: 'linear', 'cubic', 'lanczos3' or 'lanczos5' (and the names with bi- and tri-).
    """
    method = method.removeprefix("bi").removeprefix("tri") if method.endswith(("linear", "cubic")) else method
    return jax.image.scale_and_translate(
        floating(images),
        tuple(output_shape),
        tuple(spatial_dims),
        floating(scale),
        floating(translation),
        method,
        antialias,
    )


# Patches and filters


@op(settings=("size",))
def extract_patches(images, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
    """Windows of images (or volumes, with three sizes), each as one vector of channels. strides None means size.

    Shapes: ([batch], *space, channels) -> ([batch], *windows, prod(size) * channels).
    """
    space = 3 if not isinstance(size, int) and len(size) == 3 else 2
    return _patches(images, size, strides, dilation_rate, padding, data_format, space)


@op(settings=("size",))
def extract_patches_3d(volumes, size, strides=None, dilation_rate=1, padding="valid", data_format=None):
    """`extract_patches` of volumes. Shapes: ([batch], *space, channels) -> ([batch], *windows, prod(size) *
    channels)."""
    return _patches(volumes, size, strides, dilation_rate, padding, data_format, 3)


def _patches(images, size, strides, dilation_rate, padding, data_format, space):
    size = per_axis(size, space, "size")
    strides = size if strides is None else per_axis(strides, space, "strides")
    dilation = per_axis(dilation_rate, space, "dilation_rate")

    def windows(batch):
        parts = jax.lax.conv_general_dilated_patches(
            jnp.moveaxis(batch, -1, 1), size, strides, padding.upper(), rhs_dilation=dilation
        )
        parts = parts.reshape(batch.shape[0], batch.shape[-1], int(np.prod(size)), *parts.shape[2:])
        parts = jnp.moveaxis(parts, (1, 2), (-1, -2))
        return parts.reshape(*parts.shape[:-2], -1)

    return batched(windows, floating(images), data_format, space)


@op
def gaussian_blur(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format=None):
    """Images smoothed by a bell curve of standard deviations `sigma` over kernel_size pixels; zeros lie around them.

    Both are (along the width, along the height): so Keras computes it.
    """
    across, down = (_bell(*pair) for pair in zip(kernel_size, sigma, strict=True))
    return batched(functools.partial(filtered, down=down, across=across), floating(images), data_format)


def _bell(size, sigma):
    reserve_array((size,), 8, "A kernel")
    x = np.arange(size) - (size - 1) / 2
    curve = jnp.exp(-0.5 * (x / sigma) ** 2)
    return curve / curve.sum()


def filtered(batch, down, across, padding="same"):
    """Each channel of (batch, height, width, channels) weighed along its columns by `down` and along its rows by
    `across`, weights of the pixels around one. Sums of moved images are many times faster on CPUs than XLA's depthwise
    convolution.
    """
    for axis, weights in ((1, down), (2, across)):
        taps = len(weights)
        reserve_steps(taps, f"A kernel of {taps} pixels")
        before = (taps - 1) // 2 if padding == "same" else 0
        margin = [(before, taps - 1 - before) if padding == "same" and i == axis else (0, 0) for i in range(4)]
        padded = jnp.pad(batch, margin)
        size = padded.shape[axis] - taps + 1
        moved = (jax.lax.slice_in_dim(padded, tap, tap + size, axis=axis) for tap in range(taps))
        weighed = [part * jnp.asarray(weight, batch.dtype) for part, weight in zip(moved, weights, strict=True)]
        batch = functools.reduce(jnp.add, weighed)
    return batch


@op
def sobel_edges(images, data_format=None):
    """The differences [downwards, to the right] around each pixel, zeros lying around it.

    Shapes: (batch, height, width, channels) -> (batch, height, width, channels, 2).

    Source: I. Sobel, G. Feldman, "A 3x3 Isotropic Gradient Operator for Image Processing", 1968.
    """
    images = floating(images)
    difference, smooth = [-1, 0, 1], [1, 2, 1]
    first = standardize_data_format(data_format) == "channels_first"
    batch = jnp.moveaxis(images, 1, -1) if first else images
    edges = jnp.stack([filtered(batch, difference, smooth), filtered(batch, smooth, difference)], axis=-1)
    return jnp.moveaxis(edges, 3, 1) if first else edges


@op
def ssim(image1, image2, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, data_format=None):
    """The structural similarity of two images, 1 for equal ones. Shapes: ([batch], height, width, channels) ->
    ([batch]).

    Source: Z. Wang et al., "Image Quality Assessment: From Error Visibility to Structural Similarity", 2004.
    """
    image1, image2 = floating(image1), floating(image2)
    curve = _bell(filter_size, filter_sigma)
    smooth = functools.partial(filtered, down=curve, across=curve, padding="valid")
    c1, c2 = (k1 * max_val) ** 2, (k2 * max_val) ** 2
    channels = image1.shape[-1 if standardize_data_format(data_format) == "channels_last" else -3]

    def similarity(pair):
        x, y = pair[..., :channels], pair[..., channels:]
        mean_x, mean_y = smooth(x), smooth(y)
        var_x, var_y = smooth(x * x) - mean_x**2, smooth(y * y) - mean_y**2
        covariance = smooth(x * y) - mean_x * mean_y
        light = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
        return light * (2 * covariance + c2) / (var_x + var_y + c2)

    axis = -1 if standardize_data_format(data_format) == "channels_last" else -3
    return jnp.mean(batched(similarity, jnp.concatenate([image1, image2], axis), data_format), axis=(-3, -2, -1))
