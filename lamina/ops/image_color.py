"""Conversion of images between RGB, HSV and grayscale."""

from __future__ import annotations

import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.typing import DataFormat, Tensor, TensorLike
from lamina.errors import ConfigError, ShapeError
from lamina.ops.arrays import floating, tensor
from lamina.ops.image_batch import batched

__all__ = ["hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv"]


@op
def rgb_to_grayscale(images: TensorLike, data_format: DataFormat = None) -> Tensor:
    """0.2989 red + 0.587 green + 0.114 blue (ITU-R BT.601) as one channel.

    Args:
        images: Images of shape ([batch], height, width, 3).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    images = tensor(images)
    return batched(_to_gray, images, data_format).astype(images.dtype)


def _to_gray(rgb):
    red, green, blue = _three(floating(rgb))
    return (0.2989 * red + 0.5870 * green + 0.1140 * blue)[..., None]


def _three(images):
    """The three channels of (..., 3), each of shape (...)."""
    if images.shape[-1] != 3:
        channels = images.shape[-1] if images.ndim else 0
        fix = "images[..., :3]" if channels > 3 and images.ndim > 1 else "keras.ops.repeat(images, 3, axis=-1)"
        if 3 in images.shape[:-1] and images.ndim > 2 and channels != 1:
            fix = "keras.ops.moveaxis(images, -3, -1)"
        raise ShapeError(f"Images must have 3 channels; got shape {tuple(images.shape)}.", fix=fix)
    return jnp.moveaxis(images, -1, 0)


@op
def rgb_to_hsv(images: TensorLike, data_format: DataFormat = None) -> Tensor:
    """Hue, saturation and value in [0, 1] of red, green and blue. Hue 0 is red, 1/3 green, 2/3 blue.

    Args:
        images: Images of floats in [0, 1], of shape ([batch], height, width, 3).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
    return batched(_to_hsv, _floats(images, "rgb_to_hsv"), data_format)


def _to_hsv(rgb):
    red, green, blue = _three(rgb)
    value = jnp.max(rgb, axis=-1)
    span = value - jnp.min(rgb, axis=-1)
    safe = jnp.where(span == 0, 1, span)
    sector = jnp.where(
        value == red,
        (green - blue) / safe,
        jnp.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = jnp.where(span == 0, 0, sector / 6 % 1)
    saturation = jnp.where(value > 0, span / jnp.where(value > 0, value, 1), 0)
    return jnp.stack([hue, saturation, value], axis=-1)


@op
def hsv_to_rgb(images: TensorLike, data_format: DataFormat = None) -> Tensor:
    """Red, green and blue of hue, saturation and value: the inverse of `rgb_to_hsv`.

    Args:
        images: Images of floats in [0, 1], of shape ([batch], height, width, 3).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
    """
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
