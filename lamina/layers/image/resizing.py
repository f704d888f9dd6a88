"""Resizing, CenterCrop and RandomCrop: layers that change the size of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

from lamina import random
from lamina.core.arguments import whole
from lamina.layers.image.base import RandomImageLayer
from lamina.layers.image.moving import MovingLayer, matrices
from lamina.ops.image_size import margins_of_ratio, resize, window_of_ratio

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import DataFormat, SeedLike
    from lamina.layers.image.base import BoxFormatArguments

__all__ = ["CenterCrop", "RandomCrop", "Resizing"]


class _Window(MovingLayer):
    """A layer that resizes a window of each image to (height, width)."""

    def __init__(self, height: int, width: int, data_format: DataFormat = None, **kwargs: Any):
        super().__init__(data_format=data_format, **kwargs)
        name = type(self).__name__
        self.height = whole(name, "height", height)
        self.width = whole(name, "width", width)

    def _window(self, transformation, height, width) -> Any:
        """(top, left, height, width) of the window in the inputs."""
        if height >= self.height and width >= self.width:
            return (height - self.height) // 2, (width - self.width) // 2, self.height, self.width
        return window_of_ratio(height, width, self.height, self.width)

    def _warp(self, images, transformation, interpolation):
        top, left, height, width = self._window(transformation, *images.shape[1:3])
        sizes = (images.shape[0], height, width, images.shape[3])
        part = jax.lax.dynamic_slice(images, (0, top, left, 0), sizes)
        if (height, width) == (self.height, self.width):
            return part
        return resize(part, (self.height, self.width), interpolation, data_format="channels_last")

    def _source(self, transformation, height, width):
        top, left, window_height, window_width = self._window(transformation, height, width)
        return matrices(window_width / self.width, 0, left, 0, window_height / self.height, top)

    def _output_size(self, height, width):
        return self.height, self.width


class CenterCrop(_Window):
    """The middle of each image. Of an image smaller than (height, width) it resizes the largest part with that ratio.

    Shapes: ([batch], rows, columns, channels) -> ([batch], height, width, channels).

    Args:
        height: Rows of the outputs.
        width: Columns of the outputs.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.CenterCrop(4, 4)(keras.Input((10, 8, 3))).shape
    (None, 4, 4, 3)
    """

    def __init__(self, height: int, width: int, data_format: DataFormat = None, **kwargs: Unpack[BoxFormatArguments]):
        super().__init__(height, width, data_format=data_format, **kwargs)


class RandomCrop(_Window, RandomImageLayer):
    """In training a crop at a random position, the same for all images of a batch; otherwise the middle.

    Of images smaller than (height, width) it resizes the largest part with that ratio.

    Shapes: ([batch], rows, columns, channels) -> ([batch], height, width, channels).

    Args:
        height: Rows of the outputs.
        width: Columns of the outputs.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomCrop(4, 4)(keras.Input((10, 8, 3))).shape
    (None, 4, 4, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: SeedLike = None,
        data_format: DataFormat = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(height, width, seed=seed, data_format=data_format, name=name, **kwargs)

    def _draw(self, shape, seed):
        height, width = shape[1:3]
        if height < self.height or width < self.width:
            return {}
        return {
            name: random.uniform((), 0, float(size - target + 1), seed=seed).astype("int32")
            for name, size, target in (("h_start", height, self.height), ("w_start", width, self.width))
        }

    def _applies(self, transformation, training):
        return True

    def _window(self, transformation, height, width):
        if not transformation or "h_start" not in transformation:
            return window_of_ratio(height, width, self.height, self.width)
        return transformation["h_start"], transformation["w_start"], self.height, self.width


class Resizing(_Window):
    """Resizes images. The type of the pixels is kept: uint8 images are rounded.

    Shapes: ([batch], rows, columns, channels) -> ([batch], height, width, channels).

    Args:
        height: Rows of the outputs.
        width: Columns of the outputs.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio: Whether images are cropped first, so that they are not distorted.
        pad_to_aspect_ratio: Whether images are padded first, so that they are not distorted.
        fill_mode: How images are padded; only "constant" is supported.
        fill_value: Value of the padding.
        antialias: Whether to smooth when images become smaller.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.Resizing(4, 6)(keras.Input((10, 8, 3))).shape
    (None, 4, 6, 3)
    """

    _keeps_integers = True

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(height, width, data_format=data_format, **kwargs)
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias: bool = bool(antialias)

    def _warp(self, images, transformation, interpolation):
        return resize(
            images,
            (self.height, self.width),
            interpolation,
            self.antialias,
            self.crop_to_aspect_ratio,
            self.pad_to_aspect_ratio,
            self.fill_mode,
            self.fill_value,
            "channels_last",
        )

    def _window(self, transformation, height, width):
        if self.crop_to_aspect_ratio:
            return window_of_ratio(height, width, self.height, self.width)
        if self.pad_to_aspect_ratio:
            rows, columns = margins_of_ratio(height, width, self.height, self.width)
            return -rows, -columns, height + 2 * rows, width + 2 * columns
        return 0, 0, height, width
