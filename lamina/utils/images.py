"""Conversion between images, arrays and files, by Pillow (`pip install lamina[images]`)."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from lamina.core.arguments import choice
from lamina.core.dtypes import numpy_dtype
from lamina.core.keywords import keywords
from lamina.core.typing import ArrayLike, DataFormat, DTypeLike, Tensor
from lamina.core.variable import unwrap
from lamina.drawing.canvas import pillow
from lamina.errors import ArgumentError, ConfigError, DataError, ShapeError, warn
from lamina.legacy import old_names
from lamina.ops.image import resize
from lamina.runtime import settings
from lamina.spelling.paths import MissingFile, nearest_path

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["array_to_img", "center_box", "img_to_array", "load_img", "save_img", "smart_resize"]

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


@old_names("load_img")
def load_img(
    path: str | os.PathLike[str] | IO[bytes],
    color_mode: str = "rgb",
    target_size: Sequence[int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Image:
    """The image in a file, as a Pillow image.

    Args:
        path: Path of the file, or an open binary file.
        color_mode: "grayscale", "rgb" or "rgba". Gray images of 16 or 32 bits keep their depth in "grayscale".
        target_size: (height, width) to resize to; None keeps the size.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos", as in Pillow.
        keep_aspect_ratio: Whether to crop the image around its center to the aspect ratio of `target_size` first.

    Raises:
        ConfigError: An argument has a value that is not allowed.
    """
    choice("load_img", "color_mode", color_mode, _MODES)
    choice("load_img", "interpolation", interpolation, _RESAMPLING)
    if not isinstance(path, (str, os.PathLike, io.IOBase)):
        raise ConfigError(
            f"path must be a path or an open binary file; got {type(path).__name__}.",
            fix="io.BytesIO(path)" if isinstance(path, bytes) else "load_img('image.png')",
        )
    if isinstance(target_size, int):
        fix = f"target_size=({target_size}, {target_size})"
        raise ConfigError(f"load_img: `target_size` must be (height, width); got {target_size}.", fix=fix)
    if not isinstance(path, io.IOBase) and not os.path.isfile(path):
        fix = nearest_path(path, (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"))
        raise MissingFile(f"There is no file {os.fspath(path)} (in {os.path.abspath(os.path.dirname(path))}).", fix=fix)
    module = pillow()
    with _opened(path) as stream, module.open(stream) as file:
        deep_gray = color_mode == "grayscale" and file.mode in ("I", "I;16")
        image = file.copy() if deep_gray or file.mode == _MODES[color_mode] else file.convert(_MODES[color_mode])
    if target_size is None or image.size == tuple(target_size)[::-1]:
        return image
    height, width = target_size
    box = center_box(image.height, image.width, height, width) if keep_aspect_ratio else None
    return image.resize((width, height), module.Resampling[interpolation.upper()], box)


def _opened(path) -> Any:
    return contextlib.nullcontext(path) if isinstance(path, io.IOBase) else open(path, "rb")


def center_box(height: int, width: int, new_height: int, new_width: int) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of the largest box around the center that has the aspect ratio of a new size.

    Args:
        height: Height of the image.
        width: Width of the image.
        new_height: Height of the new size.
        new_width: Width of the new size.
    """
    high = min(height, int(width * new_height / new_width))
    wide = min(width, int(height * new_width / new_height))
    top, left = int((height - high) / 2), int((width - wide) / 2)
    return left, top, left + wide, top + high


@old_names("img_to_array")
def img_to_array(img: Any, data_format: DataFormat = None, dtype: DTypeLike | None = None) -> np.ndarray:
    """An image as an array of rank 3.

    Args:
        img: Pillow image, or an array of rank 2 or 3.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dtype: Type of the array; None means `keras.config.floatx()`.

    >>> img_to_array(np.ones((2, 5))).shape
    (2, 5, 1)
    """
    data_format = settings.standardize_data_format(data_format)
    if isinstance(img, (str, os.PathLike)):
        path = str(img)
        raise ArgumentError(
            f"img_to_array takes an image; got the path {path!r}.",
            fix=f"keras.utils.img_to_array(keras.utils.load_img({path!r}))",
        )
    x = np.asarray(img, numpy_dtype(dtype or settings.floatx()))
    if x.ndim not in (2, 3):
        raise ShapeError(f"An image has rank 2 or 3; got shape {x.shape}.", fix="[img_to_array(one) for one in img]")
    x = x[..., None] if x.ndim == 2 else x
    return np.moveaxis(x, -1, 0) if data_format == "channels_first" else x


@old_names("array_to_img")
def array_to_img(
    x: ArrayLike, data_format: DataFormat = None, scale: bool = True, dtype: DTypeLike | None = None
) -> Image:
    """An array of rank 3 as a Pillow image: gray for 1 channel, RGB for 3, RGBA for 4.

    Args:
        x: Array of rank 3.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        scale: Whether the smallest number becomes 0 and the largest 255; if not, numbers are kept.
        dtype: Type in which numbers are scaled; None means `keras.config.floatx()`.

    Raises:
        ShapeError: The array has another rank or another number of channels.
    """
    data_format = settings.standardize_data_format(data_format)
    pixels = np.asarray(unwrap(x), numpy_dtype(dtype or settings.floatx()))
    if pixels.ndim != 3:
        raise ShapeError(
            f"array_to_img takes one image, of rank 3; got shape {pixels.shape}.",
            fix="array_to_img(x[..., None])" if pixels.ndim == 2 else "[array_to_img(one) for one in x]",
        )
    pixels = np.moveaxis(pixels, 0, -1) if data_format == "channels_first" else pixels
    if scale and pixels.size:
        pixels = pixels - pixels.min()
        pixels = pixels / (pixels.max() or 1) * 255
    channels = pixels.shape[-1]
    if channels == 1:
        return pillow().fromarray(pixels[..., 0].astype("int32" if pixels.max() > 255 else "uint8"))
    if channels not in (3, 4):
        raise ShapeError(
            f"An image has 1, 3 or 4 channels; got {channels} (shape {pixels.shape}, {data_format}).",
            fix="array_to_img(x[..., :1])" if data_format == "channels_last" else "array_to_img(x[:1])",
        )
    return pillow().fromarray(pixels.astype("uint8"))


def save_img(
    path: str | os.PathLike[str] | IO[bytes],
    x: ArrayLike,
    data_format: DataFormat = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array of rank 3 as an image file.

    Args:
        path: Path of the file, or an open binary file.
        x: Array of rank 3.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        file_format: Format of the file, such as "png"; None means the one that the ending of `path` names.
        scale: Whether the smallest number becomes 0 and the largest 255; if not, numbers are kept.
        **kwargs: Arguments of Pillow's `Image.save`.
    """
    image = array_to_img(x, data_format, scale)
    ending = file_format or os.path.splitext(path)[1][1:] if isinstance(path, (str, os.PathLike)) else file_format
    if image.mode == "RGBA" and str(ending).lower() in ("jpg", "jpeg"):
        warn("JPEG has no transparency: the image is written as RGB.")
        image = image.convert("RGB")
    file_format = "jpeg" if str(file_format).lower() == "jpg" else file_format
    known = pillow().registered_extensions()
    if file_format is None and ending is not None and f".{ending.lower()}" not in known:
        name = os.path.splitext(str(path))[0]
        raise ConfigError(
            f"Pillow writes no files that end in {ending!r}.", fix=f"keras.utils.save_img('{name}.png', x)"
        )
    image.save(path, format=file_format, **kwargs)


def smart_resize(
    x: ArrayLike,
    size: Sequence[int],
    interpolation: str = "bilinear",
    data_format: DataFormat = "channels_last",
    **kwargs: Any,
) -> np.ndarray | Tensor:
    """Images of another size without distortion: the largest part around the center with the new aspect ratio, resized.

    Shapes: ([batch], height, width, channels) -> ([batch], *size, channels). NumPy arrays give NumPy arrays.

    Args:
        x: Image or batch of images.
        size: (height, width) of the result.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: `backend_module` is ignored; no other argument is allowed.
    """
    keywords("smart_resize", kwargs, backend_module=None)
    if len(size) != 2:
        raise ConfigError(f"size is (height, width); got {size!r}.", fix="size=(224, 224)")
    images = unwrap(x)
    if np.ndim(images) not in (3, 4):
        raise DataError(
            f"Expected an image of rank 3 or a batch of rank 4; got shape {np.shape(images)}.",
            fix="x[..., None]" if np.ndim(images) == 2 else None,
        )
    first = settings.standardize_data_format(data_format) == "channels_first"
    shape = np.shape(images)
    height, width = shape[-2:] if first else shape[-3:-1]
    left, top, right, bottom = center_box(height, width, *size)
    rows, columns = slice(top, bottom), slice(left, right)
    crop = images[..., rows, columns] if first else images[..., rows, columns, :]
    resized = resize(crop, size, interpolation=interpolation, data_format=data_format)
    return np.asarray(resized) if isinstance(x, np.ndarray) else resized
