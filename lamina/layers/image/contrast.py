"""Contrast from the distribution of brightness: stretched to the whole range, or equalized by the histogram."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from lamina.core.read_limits import reserve_array, reserve_steps
from lamina.errors import ConfigError
from lamina.layers.image.base import BaseImagePreprocessingLayer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import DataFormat, Tensor
    from lamina.layers.image.base import BoxFormatArguments, ImageLayerArguments

__all__ = ["AutoContrast", "ContrastLimitedAdaptiveHistogramEqualization", "Equalization"]

LEVELS = (0, 255)


def pixel_range(layer: object, value_range: Sequence[float]) -> Any:
    """The argument `value_range` as a tuple, after a check."""
    if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
        raise ConfigError(
            f"{type(layer).__name__} needs value_range as two numbers; got value_range={value_range!r}.",
            fix="value_range=(0, 255)",
        )
    return tuple(value_range)


def rescaled(images: Tensor, source: Sequence[float], target: Sequence[float]) -> Tensor:
    """Images, rescaled from the range `source` to the range `target`."""
    if tuple(source) == tuple(target):
        return images
    (low, high), (new_low, new_high) = source, target
    return (images - low) / (high - low) * (new_high - new_low) + new_low


class AutoContrast(BaseImagePreprocessingLayer):
    """Stretches each channel of each image to the whole `value_range`, in training and inference.

    A channel with a single value is not changed.

    Args:
        value_range: Lowest and highest value of the pixels.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> image = keras.ops.array([[[51.0], [102.0], [153.0]]])
    >>> keras.layers.AutoContrast()(image)[0, :, 0].tolist()
    [0.0, 127.5, 255.0]
    """

    def __init__(self, value_range: Sequence[float] = (0, 255), **kwargs: Unpack[ImageLayerArguments]):
        super().__init__(**kwargs)
        self.value_range: Any = sorted(pixel_range(self, value_range))

    def _change(self, images, transformation):
        levels = rescaled(images, self.value_range, LEVELS)
        low, high = (extreme(levels, axis=(1, 2), keepdims=True) for extreme in (jnp.min, jnp.max))
        scale = 255 / jnp.where(high > low, high - low, 1)
        stretched = rescaled(jnp.clip(levels * scale - low * scale, *LEVELS), LEVELS, self.value_range)
        return jnp.where(high > low, stretched, images)


class Equalization(BaseImagePreprocessingLayer):
    """Histogram equalization of each channel, in training: all levels become about equally frequent.

    A pixel becomes the fraction of pixels that are not brighter. The histogram is that of the whole batch.

    Args:
        value_range: Lowest and highest value of the pixels.
        bins: Number of bins of the histogram.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> image = keras.ops.array([[[10.0], [11.0], [12.0], [200.0]]])
    >>> keras.layers.Equalization()(image)[0, :, 0].tolist()
    [0.0, 85.0, 170.0, 255.0]
    """

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        bins: int = 256,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range: Any = sorted(pixel_range(self, value_range))
        self.bins = bins

    def _applies(self, transformation, training):
        return bool(training)

    def _change(self, images, transformation):
        levels = rescaled(images, self.value_range, LEVELS)
        evened = equalized(levels, self.bins)
        return rescaled(evened, LEVELS, self.value_range).astype(images.dtype)


@functools.partial(jax.jit, static_argnums=1)
@functools.partial(jax.vmap, in_axes=(-1, None), out_axes=-1)
def equalized(levels, bins):
    """Levels (..., channels), each replaced by 255 times the fraction of its channel that is not above it."""
    place = jnp.clip(levels / 255 * (bins - 1), 0, bins - 1).astype("int32")
    counts = jnp.bincount(place.ravel(), length=bins)
    not_above = jnp.cumsum(counts)
    lowest = counts[jnp.argmax(counts > 0)]
    share = (not_above - lowest).astype("float32") * 255 / jnp.maximum(not_above[-1] - lowest, 1)
    new_levels = jnp.clip(jnp.round(share), *LEVELS)
    return jnp.where(jnp.count_nonzero(counts) > 1, new_levels[place], levels)


class ContrastLimitedAdaptiveHistogramEqualization(BaseImagePreprocessingLayer):
    """Histogram equalization in tiles, interpolated between the tiles around a pixel, in training and inference.

    The type of the pixels is kept.

    Args:
        value_range: Lowest and highest value of the pixels.
        clip_limit: Highest count of a level, as a multiple of the mean count; counts above it are redistributed evenly
            over all levels, which limits the contrast. 0 means no limit.
        tile_grid_size: Number of tiles (rows, columns).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> image = keras.ops.reshape(keras.ops.arange(16.0), (4, 4, 1))
    >>> layer = keras.layers.ContrastLimitedAdaptiveHistogramEqualization(clip_limit=0, tile_grid_size=(1, 1))
    >>> keras.ops.round(layer(image)[0, :, 0]).tolist()
    [0.0, 17.0, 34.0, 51.0]

    Source: K. Zuiderveld, "Contrast Limited Adaptive Histogram Equalization", 1994.
    """

    _keeps_integers = True

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Sequence[int] = (8, 8),
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(data_format=data_format, **kwargs)
        self.value_range: Any = pixel_range(self, value_range)
        self.clip_limit = clip_limit
        self.tile_grid_size: Any = tuple(tile_grid_size)

    def _change(self, images, transformation):
        levels = rescaled(images.astype("float32"), self.value_range, LEVELS)
        evened = equalized_in_tiles(levels, self.clip_limit, self.tile_grid_size)
        return rescaled(evened, LEVELS, self.value_range).astype(images.dtype)


@functools.partial(jax.jit, static_argnums=(1, 2))
def equalized_in_tiles(levels, clip_limit, grid):
    """Levels (batch, height, width, channels), each mapped by the curves of the four tiles around it."""
    (_, height, width, _), (rows, columns) = levels.shape, grid
    high, wide = -(-height // rows), -(-width // columns)
    reserve_array((rows * high + columns * wide,), 64, "The pixels in tiles")
    reserve_steps(5 * max(rows * high // max(height, 1), columns * wide // max(width, 1)), "mirroring")
    padding = ((0, 0), (0, rows * high - height), (0, columns * wide - width), (0, 0))
    levels = jnp.clip(jnp.pad(levels, padding, mode="symmetric"), *LEVELS).astype("int32")
    curves = _curves(_tiles(levels, grid), clip_limit)
    batch, _, _, channel = jnp.ogrid[tuple(slice(size) for size in levels.shape)]
    evened: Any = 0.0
    for row, row_weight in _around(rows, high):
        for column, column_weight in _around(columns, wide):
            corner = curves[batch, row[:, None, None], column[:, None], channel, levels]
            evened += corner * row_weight[:, None, None] * column_weight[:, None]
    return evened[:, :height, :width]


def _tiles(levels, grid):
    """(batch, height, width, channels) -> (batch, rows, columns, channels, pixels of a tile)."""
    (batch, height, width, channels), (rows, columns) = levels.shape, grid
    parts = levels.reshape(batch, rows, height // rows, columns, width // columns, channels)
    return parts.transpose(0, 1, 3, 5, 2, 4).reshape(batch, rows, columns, channels, -1)


def _curves(tiles, clip_limit):
    """The new level of each of 256 levels in each tile: (..., pixels) -> (..., 256)."""
    pixels = tiles.shape[-1]
    count = jax.vmap(lambda tile: jnp.bincount(tile, length=256))
    counts = count(tiles.reshape(-1, pixels)).reshape(*tiles.shape[:-1], 256).astype("float32")
    if clip_limit > 0:
        clipped = jnp.minimum(counts, clip_limit * pixels / 256)
        counts = clipped + jnp.sum(counts - clipped, axis=-1, keepdims=True) / 256
    not_above = jnp.cumsum(counts, axis=-1)
    lowest = not_above[..., :1]
    rest = pixels - lowest
    return jnp.clip((not_above - lowest) * 255 / jnp.where(rest == 0, 1, rest), *LEVELS)


def _around(tiles, size):
    """For each pixel along an axis the two tiles with the nearest centres, and their weights: [(tile, weight)] * 2."""
    position = (jnp.arange(tiles * size) - size / 2) / size
    before = jnp.floor(position)
    weight = position - before
    first, second = (jnp.clip(tile, 0, tiles - 1).astype("int32") for tile in (before, before + 1))
    return [(first, 1 - weight), (second, weight)]
