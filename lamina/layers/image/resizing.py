"""Resizing, CenterCrop and RandomCrop: a part of each image, brought to a size."""

from typing import Any

import jax

from lamina import random
from lamina.layers.base.validation import positive_integer
from lamina.layers.image.base import RandomImageLayer
from lamina.layers.image.moving import MovingLayer, matrices
from lamina.ops.image import margins_of_ratio, resize, window_of_ratio

__all__ = ["CenterCrop", "RandomCrop", "Resizing"]


class _Window(MovingLayer):
    """A window of each image, resized to (height, width)."""

    def __init__(self, height, width, data_format=None, **kwargs):
        super().__init__(data_format=data_format, **kwargs)
        name = type(self).__name__
        self.height = positive_integer(name, "height", height, fix=f"{name}(32, 32)")
        self.width = positive_integer(name, "width", width, fix=f"{name}(32, 32)")

    def _window(self, transformation, height, width) -> Any:
        """(top, left, height, width) of the window."""
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
    """The middle of each image; of one that is smaller than (height, width), the largest part with that ratio, resized.

    Shapes: ([batch], rows, columns, channels) -> ([batch], height, width, channels).

    >>> import lamina as keras
    >>> keras.layers.CenterCrop(4, 4)(keras.Input((10, 8, 3))).shape
    (None, 4, 4, 3)
    """


class RandomCrop(_Window, RandomImageLayer):
    """In training a part of the images at a random place, the same for all images of a batch; else the middle.

    Images smaller than (height, width) give the largest part with that ratio, resized.

    Shapes: ([batch], rows, columns, channels) -> ([batch], height, width, channels).

    >>> import lamina as keras
    >>> keras.layers.RandomCrop(4, 4)(keras.Input((10, 8, 3))).shape
    (None, 4, 4, 3)
    """

    def __init__(self, height, width, seed=None, data_format=None, name=None, **kwargs):
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
    """Each image at another size. The type of the pixels stays: uint8 images are rounded.

    Shapes: ([batch], rows, columns, channels) -> ([batch], height, width, channels).

    Args:
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        crop_to_aspect_ratio, pad_to_aspect_ratio: cut off, or add `fill_value` around, so that nothing is distorted.
        antialias: whether to smooth when images become smaller.

    >>> import lamina as keras
    >>> keras.layers.Resizing(4, 6)(keras.Input((10, 8, 3))).shape
    (None, 4, 6, 3)
    """

    _keeps_integers = True

    def __init__(
        self,
        height,
        width,
        interpolation="bilinear",
        crop_to_aspect_ratio=False,
        pad_to_aspect_ratio=False,
        fill_mode="constant",
        fill_value=0.0,
        antialias=False,
        data_format=None,
        **kwargs,
    ):
        super().__init__(height, width, data_format=data_format, **kwargs)
        self.interpolation = interpolation
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = bool(antialias)

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
