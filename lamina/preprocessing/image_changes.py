"""Random and fixed changes of one image in NumPy, as in Keras 2. Today they are layers, such as `RandomRotation`.

All take an image of rank 3, and by default one with the channels first. Random numbers are those of `np.random`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.drawing.canvas import pillow
from lamina.errors import ConfigError, ShapeError
from lamina.legacy import old_names, warn_renamed
from lamina.utils.images import array_to_img, img_to_array

__all__ = [
    "apply_affine_transform", "apply_brightness_shift", "apply_channel_shift", "flip_axis", "random_brightness",
    "random_channel_shift", "random_rotation", "random_shear", "random_shift", "random_zoom",
]  # fmt: skip


def apply_affine_transform(
    x: np.ndarray,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    order: int = 1,
) -> np.ndarray:
    """An image that is rotated, shifted, sheared and zoomed, in this order, around its center.

    Args:
        x: Image of rank 3.
        theta: Angle of the rotation in degrees.
        tx: Shift of the height, in pixels.
        ty: Shift of the width, in pixels.
        shear: Angle of the shear in degrees.
        zx: Zoom of the height; below 1 enlarges.
        zy: Zoom of the width; below 1 enlarges.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels: the first or the last.
        fill_mode: What is outside of the image: "nearest", "constant", "reflect" or "wrap", as in SciPy.
        cval: Value outside of the image with "constant".
        order: Order of the interpolation, from 0 to 5.

    Raises:
        ShapeError: The image is not of rank 3.
        ConfigError: The axes are not 0, 1 and 2, or the channels are in the middle.

    >>> image = np.arange(9.0).reshape(3, 3, 1)
    >>> apply_affine_transform(image, theta=90, row_axis=0, col_axis=1, channel_axis=2)[..., 0].round().tolist()
    [[2.0, 5.0, 8.0], [1.0, 4.0, 7.0], [0.0, 3.0, 6.0]]
    """
    from scipy import ndimage

    if sorted((row_axis, col_axis, channel_axis)) != [0, 1, 2] or channel_axis == 1:
        raise ConfigError(
            "row_axis, col_axis and channel_axis are 0, 1 and 2 in some order, with the channels first or last; got "
            f"{row_axis}, {col_axis} and {channel_axis}.",
            fix="row_axis=0, col_axis=1, channel_axis=2",
        )
    if np.ndim(x) != 3:
        raise ShapeError(
            f"One image of rank 3 is expected; got shape {np.shape(x)}.", fix="Change one image at a time."
        )
    if not (theta or tx or ty or shear) and zx == zy == 1:
        return x
    rotation, slant = np.deg2rad(theta), np.deg2rad(shear)
    matrix = np.array([[np.cos(rotation), -np.sin(rotation), 0], [np.sin(rotation), np.cos(rotation), 0], [0, 0, 1]])
    matrix = matrix @ np.array([[1, 0, tx], [0, 1, ty], [0, 0, 1]])
    matrix = matrix @ np.array([[1, -np.sin(slant), 0], [0, np.cos(slant), 0], [0, 0, 1]])
    matrix = matrix @ np.diag([zx, zy, 1])
    center = np.array([x.shape[row_axis], x.shape[col_axis]]) / 2 - 0.5
    linear, offset = matrix[:2, :2], matrix[:2, 2]
    offset = center + offset - linear @ center
    if col_axis > row_axis:  # the matrix is of (x, y), and an array has (y, x)
        linear, offset = linear[::-1, ::-1], offset[::-1]
    channels = [
        ndimage.affine_transform(channel, linear, tuple(offset), order=order, mode=fill_mode, cval=cval)  # type: ignore
        for channel in np.moveaxis(x, channel_axis, 0)
    ]
    return np.moveaxis(np.stack(channels), 0, channel_axis)


def apply_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """An image with a number added to all pixels; they stay between the smallest and the largest of the image.

    Args:
        x: Image of rank 3.
        intensity: Number to add.
        channel_axis: Accepted; all channels are changed alike.
    """
    return np.clip(x + intensity, np.min(x), np.max(x))


def apply_brightness_shift(x: np.ndarray, brightness: float, scale: bool = True) -> np.ndarray:
    """An image of another brightness, by Pillow.

    Args:
        x: Image of rank 3.
        brightness: Factor: 0 is black, 1 is the image.
        scale: Whether the smallest number becomes 0 and the largest 255 first.
    """
    pillow()
    from PIL import ImageEnhance

    low, high = np.min(x), np.max(x)
    is_outside = bool(low < 0 or high > 255)
    image = ImageEnhance.Brightness(array_to_img(x, scale=is_outside or scale)).enhance(brightness)
    changed = img_to_array(image)
    return changed / 255 * (high - low) + low if is_outside and not scale else changed


def flip_axis(x: np.ndarray, axis: int) -> np.ndarray:
    """An array with one axis reversed.

    Args:
        x: Array.
        axis: Axis to reverse.
    """
    return np.flip(np.asarray(x), axis)


def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image rotated by a random angle.

    Args:
        x: Image of rank 3.
        rg: Largest angle in degrees, in both directions.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: "nearest", "constant", "reflect" or "wrap".
        cval: Value outside of the image with "constant".
        interpolation_order: Order of the interpolation.
    """
    _tell("random_rotation(x, 20)", "keras.layers.RandomRotation(20 / 360)(x, training=True)")
    theta = np.random.uniform(-rg, rg)
    axes = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, *axes)


@old_names("random_shift")
def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image shifted by random distances.

    Args:
        x: Image of rank 3.
        wrg: Largest shift along the width, as a share of it.
        hrg: Largest shift along the height, as a share of it.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: "nearest", "constant", "reflect" or "wrap".
        cval: Value outside of the image with "constant".
        interpolation_order: Order of the interpolation.
    """
    _tell("random_shift(x, 0.1, 0.2)", "keras.layers.RandomTranslation(0.2, 0.1)(x, training=True)")
    tx = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    ty = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    axes = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    return apply_affine_transform(x, 0, tx, ty, 0, 1, 1, *axes)


def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image sheared by a random angle.

    Args:
        x: Image of rank 3.
        intensity: Largest angle in degrees, in both directions.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: "nearest", "constant", "reflect" or "wrap".
        cval: Value outside of the image with "constant".
        interpolation_order: Order of the interpolation.
    """
    _tell("random_shear(x, 10)", "keras.layers.RandomShear(x_factor=0.17)(x, training=True)")
    shear = np.random.uniform(-intensity, intensity)
    axes = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, *axes)


def random_zoom(
    x: np.ndarray,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
    interpolation_order: int = 1,
) -> np.ndarray:
    """An image zoomed by random factors, one for each side.

    Args:
        x: Image of rank 3.
        zoom_range: (smallest, largest) factor; below 1 enlarges.
        row_axis: Axis of the rows.
        col_axis: Axis of the columns.
        channel_axis: Axis of the channels.
        fill_mode: "nearest", "constant", "reflect" or "wrap".
        cval: Value outside of the image with "constant".
        interpolation_order: Order of the interpolation.

    Raises:
        ConfigError: `zoom_range` is not two numbers.
    """
    _tell("random_zoom(x, (0.8, 1.2))", "keras.layers.RandomZoom(0.2)(x, training=True)")
    low, high = _two("zoom_range", zoom_range, (0.8, 1.2))
    zx, zy = (1, 1) if low == high == 1 else np.random.uniform(low, high, 2)
    axes = (row_axis, col_axis, channel_axis, fill_mode, cval, interpolation_order)
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, *axes)


def random_channel_shift(x: np.ndarray, intensity_range: float, channel_axis: int = 0) -> np.ndarray:
    """An image with a random number added to all pixels.

    Args:
        x: Image of rank 3.
        intensity_range: Largest number to add or subtract.
        channel_axis: Accepted; all channels are changed alike.
    """
    _tell("random_channel_shift(x, 20)", "keras.layers.RandomBrightness(20 / 255)(x, training=True)")
    return apply_channel_shift(x, np.random.uniform(-intensity_range, intensity_range), channel_axis)


def random_brightness(x: np.ndarray, brightness_range: Sequence[float], scale: bool = True) -> np.ndarray:
    """An image of a random brightness.

    Args:
        x: Image of rank 3.
        brightness_range: (smallest, largest) factor.
        scale: Whether the smallest number becomes 0 and the largest 255 first.

    Raises:
        ConfigError: `brightness_range` is not two numbers.
    """
    _tell("random_brightness(x, (0.8, 1.2))", "keras.layers.RandomBrightness(0.2)(x, training=True)")
    low, high = _two("brightness_range", brightness_range, (0.8, 1.2))
    return apply_brightness_shift(x, np.random.uniform(low, high), scale)


def _tell(old, today):
    warn_renamed(f"keras.preprocessing.image.{old} is {today} since Keras 3.")


def _two(name: str, value: Any, example: Any) -> Any:
    if not isinstance(value, (list, tuple, np.ndarray)) or len(value) != 2:
        raise ConfigError(f"{name} is two numbers; got {value!r}.", fix=f"{name}={example}")
    return value
