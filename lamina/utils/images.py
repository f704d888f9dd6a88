"""Images to arrays and back, through Pillow (`pip install lamina[images]`)."""

import contextlib
import io
import os
from typing import Any

import numpy as np

from lamina.core.variable import unwrap
from lamina.drawing.canvas import pillow
from lamina.errors import ConfigError, DataError, ShapeError, warn
from lamina.ops.image import resize
from lamina.runtime import settings

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def load_img(path, color_mode="rgb", target_size=None, interpolation="nearest", keep_aspect_ratio=False):
    """The image in a file (or in an open binary file), as a Pillow image.

    Args:
        color_mode: "grayscale" (16 and 32 bit greys stay), "rgb" or "rgba".
        target_size: (height, width) to resize to; None keeps the size.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos", as Pillow computes them.
        keep_aspect_ratio: cut the middle out first, so that nothing is distorted.
    """
    if color_mode not in _MODES:
        raise ConfigError(f"color_mode is one of {', '.join(map(repr, _MODES))}; got {color_mode!r}.")
    if interpolation not in _RESAMPLING:
        raise ConfigError(f"interpolation is one of {', '.join(map(repr, _RESAMPLING))}; got {interpolation!r}.")
    if not isinstance(path, (str, os.PathLike, io.IOBase)):
        raise ConfigError(f"path is a path or an open binary file; got {type(path).__name__}.")
    module = pillow()
    with _opened(path) as stream, module.open(stream) as file:
        deep_gray = color_mode == "grayscale" and file.mode in ("I", "I;16")
        image = file.copy() if deep_gray or file.mode == _MODES[color_mode] else file.convert(_MODES[color_mode])
    if target_size is None or image.size == tuple(target_size)[::-1]:
        return image
    height, width = target_size
    box = middle(image.height, image.width, height, width) if keep_aspect_ratio else None
    return image.resize((width, height), module.Resampling[interpolation.upper()], box)


def _opened(path) -> Any:
    return contextlib.nullcontext(path) if isinstance(path, io.IOBase) else open(path, "rb")


def middle(height, width, new_height, new_width):
    """(left, top, right, bottom) of the largest middle part with the ratio of the new size."""
    high = min(height, int(width * new_height / new_width))
    wide = min(width, int(height * new_width / new_height))
    top, left = int((height - high) / 2), int((width - wide) / 2)
    return left, top, left + wide, top + high


def img_to_array(img, data_format=None, dtype=None):
    """A Pillow image (or an array of rank 2 or 3) as an array of rank 3.

    >>> img_to_array(np.ones((2, 5))).shape
    (2, 5, 1)
    """
    data_format = settings.standardize_data_format(data_format)
    x = np.asarray(img, dtype or settings.floatx())
    if x.ndim not in (2, 3):
        raise ShapeError(f"An image has rank 2 or 3; got shape {x.shape}.", fix="Convert one image at a time.")
    x = x[..., None] if x.ndim == 2 else x
    return np.moveaxis(x, -1, 0) if data_format == "channels_first" else x


def array_to_img(x, data_format=None, scale=True, dtype=None):
    """An array of rank 3 as a Pillow image: of 1 channel grey, of 3 RGB, of 4 RGBA.

    `scale` maps the smallest number to 0 and the largest to 255; without it the numbers are taken as they are.
    """
    data_format = settings.standardize_data_format(data_format)
    x = np.asarray(unwrap(x), dtype or settings.floatx())
    if x.ndim != 3:
        raise ShapeError(f"array_to_img takes one image, of rank 3; got shape {x.shape}.")
    x = np.moveaxis(x, 0, -1) if data_format == "channels_first" else x
    if scale and x.size:
        x = x - x.min()
        x = x / (x.max() or 1) * 255
    channels = x.shape[-1]
    if channels == 1:
        return pillow().fromarray(x[..., 0].astype("int32" if x.max() > 255 else "uint8"))
    if channels not in (3, 4):
        raise ShapeError(f"An image has 1, 3 or 4 channels; got {channels} (shape {x.shape}, {data_format}).")
    return pillow().fromarray(x.astype("uint8"))


def save_img(path, x, data_format=None, file_format=None, scale=True, **kwargs):
    """Write an array as an image file, in `file_format` or by the ending of `path`; `kwargs` go to Pillow's `save`."""
    image = array_to_img(x, data_format, scale)
    ending = file_format or os.path.splitext(path)[1][1:] if isinstance(path, (str, os.PathLike)) else file_format
    if image.mode == "RGBA" and str(ending).lower() in ("jpg", "jpeg"):
        warn("JPEG has no transparency: the image is written as RGB.")
        image = image.convert("RGB")
    file_format = "jpeg" if str(file_format).lower() == "jpg" else file_format
    image.save(path, format=file_format, **kwargs)


def smart_resize(x, size, interpolation="bilinear", data_format="channels_last", **kwargs):
    """Images of another size without distortion: the largest middle part of the right ratio, resized.

    Shapes: ([batch], height, width, channels) -> ([batch], *size, channels). NumPy in gives NumPy out.

    Args:
        size: (height, width).
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        backend_module: taken for Keras's sake; there is one engine.
    """
    if kwargs.keys() - {"backend_module"}:
        raise ConfigError(f"smart_resize has no argument {', '.join(kwargs)}.")
    if len(size) != 2:
        raise ConfigError(f"size is (height, width); got {size!r}.")
    images = unwrap(x)
    if np.ndim(images) not in (3, 4):
        raise DataError(f"Expected an image of rank 3 or a batch of rank 4; got shape {np.shape(images)}.")
    first = settings.standardize_data_format(data_format) == "channels_first"
    shape = np.shape(images)
    height, width = shape[-2:] if first else shape[-3:-1]
    left, top, right, bottom = middle(height, width, *size)
    rows, columns = slice(top, bottom), slice(left, right)
    cut = images[..., rows, columns] if first else images[..., rows, columns, :]
    resized = resize(cut, size, interpolation=interpolation, data_format=data_format)
    return np.asarray(resized) if isinstance(x, np.ndarray) else resized
