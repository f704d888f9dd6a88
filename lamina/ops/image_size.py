"""Resizing, cropping and padding of images."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from lamina.core.arguments import choice, is_whole, shown
from lamina.core.op import op
from lamina.core.typing import DataFormat, Tensor, TensorLike
from lamina.errors import ConfigError, ShapeError
from lamina.ops.arrays import floating, tensor
from lamina.ops.core import saturate_cast
from lamina.ops.image_batch import batched

__all__ = ["crop_images", "pad_images", "resize", "scale_and_translate"]


@op(settings=("size",))
def resize(
    images: TensorLike,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: DataFormat = None,
) -> Tensor:
    """Images of another size. Integers are rounded.

    Args:
        images: Images of shape ([batch], height, width, channels).
        size: (height, width) of the result.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        antialias: Whether images are smoothed before they are made smaller.
        crop_to_aspect_ratio: Whether images are cropped to the ratio of `size` instead of being distorted.
        pad_to_aspect_ratio: Whether images are padded to the ratio of `size` instead of being distorted.
        fill_mode: "constant", the only mode.
        fill_value: Value of the padding.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.

    >>> import lamina as keras
    >>> keras.ops.image.resize(keras.Input((8, 8, 3)), (4, 6)).shape
    (None, 4, 6, 3)
    """
    methods = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
    choice("resize", "interpolation", interpolation, methods)
    choice("resize", "fill_mode", fill_mode, ("constant",))
    if not isinstance(size, (list, tuple)) or len(size) != 2 or not all(is_whole(side, 1) for side in size):
        side = size if isinstance(size, int) else 32
        raise ConfigError(f"resize: `size` must be (height, width); got {shown(size)}.", fix=f"size=({side}, {side})")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        message = "Only one of crop_to_aspect_ratio and pad_to_aspect_ratio can be True."
        raise ConfigError(message, fix="pad_to_aspect_ratio=False")
    images, (height, width) = tensor(images), map(int, size)
    method = "cubic" if interpolation == "bicubic" else interpolation

    def scaled(batch):
        if crop_to_aspect_ratio:
            batch = _crop_to_ratio(batch, height, width)
        elif pad_to_aspect_ratio:
            batch = _pad_to_ratio(batch, height, width, fill_value)
        shape = (batch.shape[0], height, width, batch.shape[-1])
        return jax.image.resize(batch, shape=shape, method=method, antialias=antialias)

    exact = interpolation == "nearest" or jnp.issubdtype(images.dtype, jnp.floating)
    outputs = batched(scaled, images if exact else images.astype("float32"), data_format)
    return outputs if exact else saturate_cast(jnp.round(outputs), images.dtype)


def _crop_to_ratio(batch, height, width):
    top, left, high, wide = window_of_ratio(batch.shape[1], batch.shape[2], height, width)
    return batch[:, top : top + high, left : left + wide]


def window_of_ratio(height: int, width: int, target_height: int, target_width: int) -> tuple[int, int, int, int]:
    """(top, left, height, width) of the largest centered part of an image with the ratio of the target."""
    high = max(min(height, int(width * target_height / target_width)), 1)
    wide = max(min(width, int(height * target_width / target_height)), 1)
    return (height - high) // 2, (width - wide) // 2, high, wide


def margins_of_ratio(height: int, width: int, target_height: int, target_width: int) -> tuple[int, int]:
    """(rows, columns) to add on both sides of an image for the ratio of the target."""
    high = max(height, int(width * target_height / target_width))
    wide = max(width, int(height * target_width / target_height))
    return (high - height) // 2, (wide - width) // 2


def _pad_to_ratio(batch, height, width, fill_value):
    rows, columns = margins_of_ratio(batch.shape[1], batch.shape[2], height, width)
    return jnp.pad(batch, ((0, 0), (rows, rows), (columns, columns), (0, 0)), constant_values=fill_value)


@op
def crop_images(
    images: TensorLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: DataFormat = None,
) -> Tensor:
    """Images without some of their rows and columns. In each direction exactly two of (before, after, target) are
    given.

    Args:
        images: Images of shape ([batch], height, width, channels).
        top_cropping: Rows cut at the top.
        left_cropping: Columns cut at the left.
        bottom_cropping: Rows cut at the bottom.
        right_cropping: Columns cut at the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.

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
    images: TensorLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: DataFormat = None,
) -> Tensor:
    """Images with rows and columns of zeros around them. In each direction exactly two of (before, after, target) are
    given.

    Args:
        images: Images of shape ([batch], height, width, channels).
        top_padding: Rows added at the top.
        left_padding: Columns added at the left.
        bottom_padding: Rows added at the bottom.
        right_padding: Columns added at the right.
        target_height: Height of the result.
        target_width: Width of the result.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """

    def padded(batch):
        rows = _sides(batch.shape[1], top_padding, bottom_padding, target_height, 1, "height")
        columns = _sides(batch.shape[2], left_padding, right_padding, target_width, 1, "width")
        return jnp.pad(batch, ((0, 0), rows, columns, (0, 0)))

    return batched(padded, tensor(images), data_format)


def _sides(size, before, after, target, sign, name):
    """The sizes added (sign 1) or cut (sign -1) before and after, from the two of three that are given."""
    if [before, after, target].count(None) != 1:
        message = f"Give exactly two of (before, after, target_{name}); got {(before, after, target)}."
        first = {"height": "top", "width": "left"}[name]
        raise ConfigError(message, fix=f"{first}_{'padding' if sign > 0 else 'cropping'}=0, target_{name}={size}")
    if before is None:
        before = sign * (target - size) - after
    elif after is None:
        after = sign * (target - size) - before
    if before < 0 or after < 0 or size + sign * (before + after) < 1:
        message = f"A {name} of {size} cannot become {size + sign * (before + after)} by {before} and {after}."
        raise ShapeError(message, fix=f"A target_{name} of {'at least' if sign > 0 else 'at most'} {size}.")
    return int(before), int(after)


@op(settings=("output_shape", "spatial_dims", "method"))
def scale_and_translate(
    images: TensorLike,
    output_shape: Sequence[int | None],
    scale: TensorLike,
    translation: TensorLike,
    spatial_dims: Sequence[int],
    method: str,
    antialias: bool = True,
) -> Tensor:
    """Images where the pixel at x + 0.5 is moved to (x + 0.5) * scale + translation.

    Args:
        images: Images of any shape.
        output_shape: Shape of the result; None is the size that the images have.
        scale: Factor for each of `spatial_dims`.
        translation: Distance for each of `spatial_dims`, in pixels of the result.
        spatial_dims: Axes to scale and translate.
        method: "linear", "cubic", "lanczos3" or "lanczos5" (also "bilinear", "trilinear", "bicubic", "tricubic").
        antialias: Whether images are smoothed before they are made smaller.
    """
    method = method.removeprefix("bi").removeprefix("tri") if method.endswith(("linear", "cubic")) else method
    images = floating(images)
    return jax.image.scale_and_translate(
        images,
        tuple(own if size is None else size for own, size in zip(images.shape, output_shape, strict=True)),
        tuple(spatial_dims),
        floating(scale),
        floating(translation),
        method,
        antialias,
    )
