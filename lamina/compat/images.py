"""tf.image and the functions of tf.io that read images. Images have the shape (..., height, width, channels)."""

from __future__ import annotations

import functools
import io
import pathlib
import random as python_random
from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina import ops
from lamina.compat.sessions import constants
from lamina.core.variable import unwrap
from lamina.errors import DataError, ShapeError
from lamina.runtime.packages import MissingPackageError

__all__ = ["IMAGE", "IO"]

rgb_to_hsv, hsv_to_rgb = (
    functools.partial(getattr(ops.image, name), data_format="channels_last") for name in ("rgb_to_hsv", "hsv_to_rgb")
)
METHODS_OF_1 = ("bilinear", "nearest", "bicubic", "area")
METHODS = tuple("area bicubic bilinear gaussian lanczos3 lanczos5 mitchellcubic nearest nearest_neighbor".split())


def convert_image_dtype(image: Any, dtype: Any, saturate: Any = False, name: Any = None) -> Any:
    """Convert to another dtype and its value range: up to the maximum for integers, up to 1 for floats."""
    image, dtype = jnp.asarray(unwrap(image)), jnp.dtype(dtype)
    source, target = (1 if kind.kind in "fV" else np.iinfo(kind).max for kind in (image.dtype, dtype))
    if source == target:
        return image.astype(dtype)
    if target == 1:
        return (image.astype("float32") / source).astype(dtype)
    scaled = image.astype("float32") * ((target + 0.5) / source)
    return jnp.clip(jnp.floor(scaled), 0, target).astype(dtype)


def _in_floats(change):
    """Make a function of float images accept integer images too, by converting them to floats in [0, 1] and back."""

    @functools.wraps(change)
    def changed(image, *args, **kwargs):
        image = jnp.asarray(unwrap(image))
        if image.dtype.kind not in "iu":
            return change(image, *args, **kwargs)
        return convert_image_dtype(change(convert_image_dtype(image, "float32"), *args, **kwargs), image.dtype)

    return changed


def read_file(filename: Any, name: Any = None) -> Any:
    """The contents of a file as bytes."""
    return pathlib.Path(str(filename)).read_bytes()


def decode_image(
    contents: Any,
    channels: Any = 0,
    dtype: Any = "uint8",
    name: Any = None,
    expand_animations: Any = True,
    **kwargs: Any,
) -> Any:
    """Decode a JPEG, PNG, GIF or BMP with Pillow: integers up to 255, shape (height, width, channels)."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingPackageError("decode_image", "pillow") from error
    if not isinstance(contents, bytes):
        raise DataError(f"decode_image takes the bytes of a file; got {type(contents).__name__}.",
                        fix="tf.io.read_file(path)")  # fmt: skip
    mode = {1: "L", 3: "RGB", 4: "RGBA"}.get(channels)
    with Image.open(io.BytesIO(contents)) as image:
        pixels = np.asarray(image if mode is None else image.convert(mode))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def resize(
    images: Any,
    size: Any,
    method: Any = "bilinear",
    preserve_aspect_ratio: Any = False,
    antialias: Any = False,
    name: Any = None,
) -> Any:
    """`ops.image.resize`. The result is float unless method="nearest"."""
    method = {"nearest_neighbor": "nearest"}.get(str(method), str(method))
    if preserve_aspect_ratio:
        height, width = ops.shape(images)[-3:-1]
        scale = min(size[0] / height, size[1] / width)
        size = (round(height * scale), round(width * scale))
    images = images if method == "nearest" else ops.cast(images, "float32")
    if method in ("area", *_FILTERS):
        return _by_weights(images, size, method, antialias)
    return ops.image.resize(images, tuple(map(int, size)), method, antialias, data_format="channels_last")


def _box(count, target):
    """Shares of the pixels of an axis in each of `target` boxes of equal size."""
    edges = np.arange(target + 1)[:, None] * (count / target)
    low, high = np.maximum(edges[:-1], np.arange(count)), np.minimum(edges[1:], np.arange(count) + 1)
    return np.maximum(high - low, 0)


def _bell(distance):
    return np.exp(-2 * distance**2) * (distance < 1.5)


def _mitchell(distance):
    """Mitchell and Netravali, Reconstruction Filters in Computer Graphics, 1988, with B = C = 1/3."""
    near = 7 / 6 * distance**3 - 2 * distance**2 + 8 / 9
    far = -7 / 18 * distance**3 + 2 * distance**2 - 10 / 3 * distance + 16 / 9
    return np.where(distance < 1, near, np.where(distance < 2, far, 0))


_FILTERS = {"gaussian": _bell, "mitchellcubic": _mitchell}


def _by_weights(images, size, method, antialias):
    """Images resized along each axis by a matrix of weights, for the methods that no op has."""
    for axis, target in zip((-3, -2), map(int, size), strict=True):
        count = images.shape[axis]
        step = count / target
        distance = np.abs((np.arange(target)[:, None] + 0.5) * step - np.arange(count) - 0.5)
        wide = max(step, 1.0) if antialias else 1.0
        weights = _box(count, target) if method == "area" else _FILTERS[method](distance / wide)
        weights = jnp.asarray(weights / weights.sum(1, keepdims=True), images.dtype)
        images = jnp.moveaxis(jnp.tensordot(weights, images, (1, axis)), 0, axis)
    return images


def resize_images(images: Any, size: Any, method: Any = "bilinear", align_corners: Any = False,
                  preserve_aspect_ratio: Any = False, name: Any = None) -> Any:  # fmt: skip
    """`tf.compat.v1.image.resize_images`, in which pixels are points at multiples of the step, not squares."""
    method = METHODS_OF_1[method] if isinstance(method, int) else str(method).removesuffix("_neighbor")
    if method not in ("bilinear", "nearest") or preserve_aspect_ratio:
        return resize(images, size, method, preserve_aspect_ratio=preserve_aspect_ratio)
    images = jnp.asarray(unwrap(images))
    images = images.astype("float32") if method == "bilinear" and images.dtype.kind != "f" else images
    for axis, target in zip((-3, -2), map(int, size), strict=True):
        count = images.shape[axis]
        places = np.arange(target) * ((count - 1) / (target - 1) if align_corners and target > 1 else count / target)
        low = np.minimum((places + 0.5 * (align_corners and method == "nearest")).astype(int), count - 1)
        part = jnp.asarray(places - low, images.dtype).reshape(-1, *[1] * (-axis - 1))
        first, second = (jnp.take(images, index, axis) for index in (low, np.minimum(low + 1, count - 1)))
        images = first if method == "nearest" else first + (second - first) * part
    return images


def resize_by(method: str) -> Any:
    """`tf.compat.v1.image.resize_bilinear` and its kin.

    Args:
        method: Name of the method.
    """

    def run(images, size, align_corners=False, name=None, half_pixel_centers=False):
        return (
            resize(images, size, method) if half_pixel_centers else resize_images(images, size, method, align_corners)
        )

    return run


def flip_left_right(image: Any) -> Any:
    """Reverse the order of the columns."""
    return ops.flip(image, -2)


def flip_up_down(image: Any) -> Any:
    """Reverse the order of the rows."""
    return ops.flip(image, -3)


def _perhaps(flip):
    def randomly(image, seed=None):
        """Flip with probability one half."""
        draw = python_random if seed is None else python_random.Random(seed)
        if np.ndim(image) == 3:
            return flip(image) if draw.random() < 0.5 else image
        chosen = jnp.asarray([draw.random() < 0.5 for _ in image])
        return jnp.where(chosen[:, None, None, None], flip(image), image)

    return randomly


def rot90(image: Any, k: Any = 1, name: Any = None) -> Any:
    """Rotate by k quarter turns counterclockwise."""
    return ops.rot90(image, k, axes=(-3, -2))


def grayscale_to_rgb(images: Any, name: Any = None) -> Any:
    """Repeat the channel three times."""
    return ops.repeat(images, 3, axis=-1)


@_in_floats
def rgb_to_grayscale(images: Any, name: Any = None) -> Any:
    """Convert to luminance, with one channel."""
    return ops.image.rgb_to_grayscale(images, data_format="channels_last")


def crop_to_bounding_box(
    image: Any, offset_height: Any, offset_width: Any, target_height: Any, target_width: Any
) -> Any:
    """Cut out a box of the given size and offset."""
    rows, columns = (
        slice(offset_height, offset_height + target_height),
        slice(offset_width, offset_width + target_width),
    )
    return unwrap(image)[..., rows, columns, :]


def central_crop(image: Any, central_fraction: Any) -> Any:
    """Crop to the central fraction of height and width."""
    height, width = np.shape(unwrap(image))[-3:-1]
    top, left = (int((size - size * central_fraction) / 2) for size in (height, width))
    return crop_to_bounding_box(image, top, left, height - 2 * top, width - 2 * left)


def random_crop(value: Any, size: Any, seed: Any = None, name: Any = None) -> Any:
    """Cut out a box of the given size at a random offset."""
    draw = python_random if seed is None else python_random.Random(seed)
    room = [have - want for have, want in zip(ops.shape(value), size, strict=True)]
    if min(room) < 0:
        have = ops.shape(value)
        fits = tuple(int(want) + min(0, rest) for want, rest in zip(size, room, strict=True))
        raise ShapeError(f"No part of shape {tuple(size)} fits into {have}.", fix=f"tf.image.random_crop(x, {fits})")
    starts = [draw.randint(0, rest) for rest in room]
    return unwrap(value)[tuple(slice(start, start + int(want)) for start, want in zip(starts, size, strict=True))]


def per_image_standardization(image: Any) -> Any:
    """Standardize each image to mean 0 and standard deviation 1, where the deviation is at least 1 / sqrt(size)."""
    image = jnp.asarray(unwrap(image), "float32")
    axes, count = (-3, -2, -1), np.prod(image.shape[-3:])
    deviation = jnp.maximum(image.std(axes, keepdims=True), 1 / np.sqrt(count))
    return (image - image.mean(axes, keepdims=True)) / deviation


def extract_patches(images: Any, sizes: Any, strides: Any, rates: Any, padding: Any, name: Any = None) -> Any:
    """`ops.image.extract_patches`, with sizes, strides and rates given as [1, rows, columns, 1]."""
    settings = (tuple(given[1:3]) for given in (sizes, strides, rates))
    extract: Any = ops.image.extract_patches
    return extract(images, *settings, padding.lower(), "channels_last")


@_in_floats
def adjust_brightness(image: Any, delta: Any) -> Any:
    """`image + delta`."""
    return image + delta


@_in_floats
def adjust_contrast(images: Any, contrast_factor: Any) -> Any:
    """Scale the differences from the mean of each channel by a factor."""
    mean = ops.mean(images, (-3, -2), keepdims=True)
    return (images - mean) * contrast_factor + mean


def random_brightness(image: Any, max_delta: Any, seed: Any = None) -> Any:
    """`adjust_brightness` by a random delta in [-max_delta, max_delta]."""
    return adjust_brightness(image, (python_random if seed is None else python_random.Random(seed)).uniform(
        -max_delta, max_delta))  # fmt: skip


def random_contrast(image: Any, lower: Any, upper: Any, seed: Any = None) -> Any:
    """`adjust_contrast` by a random factor in [lower, upper]."""
    return adjust_contrast(image, (python_random if seed is None else python_random.Random(seed)).uniform(lower, upper))


IMAGE: dict[str, Any] = {
    "ResizeMethod": constants("ResizeMethod", **{name.upper(): name for name in METHODS}),
    "adjust_brightness": adjust_brightness, "adjust_contrast": adjust_contrast, "central_crop": central_crop,
    "convert_image_dtype": convert_image_dtype, "crop_to_bounding_box": crop_to_bounding_box,
    "extract_patches": extract_patches,
    **dict.fromkeys(("decode_image", "decode_jpeg", "decode_png"), decode_image), "flip_left_right": flip_left_right,
    "flip_up_down": flip_up_down, "grayscale_to_rgb": grayscale_to_rgb, "hsv_to_rgb": hsv_to_rgb,
    "per_image_standardization": per_image_standardization, "random_brightness": random_brightness,
    "random_contrast": random_contrast, "random_crop": random_crop, "random_flip_left_right": _perhaps(flip_left_right),
    "random_flip_up_down": _perhaps(flip_up_down), "resize": resize, "rgb_to_hsv": rgb_to_hsv, "rot90": rot90,
    "rgb_to_grayscale": lambda images, name=None: rgb_to_grayscale(images),
    "ssim": lambda img1, img2, max_val, *args, **kwargs: ops.image.ssim(
        img1, img2, max_val, *args, data_format="channels_last", **kwargs),
}  # fmt: skip
IO: dict[str, Any] = {
    "read_file": read_file,
    **dict.fromkeys(("decode_image", "decode_jpeg", "decode_png"), decode_image),
}
