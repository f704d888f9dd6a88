"""RandomFlip, RandomRotation, RandomTranslation, RandomZoom, RandomShear: random affine transformations in training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from lamina import random
from lamina.core.arguments import choice
from lamina.errors import ConfigError
from lamina.layers.image.base import RandomImageLayer, factor_range
from lamina.layers.image.moving import MovingLayer, matrices
from lamina.ops.image import affine_transform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import DataFormat, SeedLike
    from lamina.layers.image.base import BoxFormatArguments, Pair, Range

__all__ = ["RandomFlip", "RandomRotation", "RandomShear", "RandomTranslation", "RandomZoom"]


class RandomGeometryLayer(MovingLayer, RandomImageLayer):
    """Base class of random layers that move pixels."""


def one_of(layer: object, name: str, value: str, known: Sequence[str]) -> str:
    """`value`, after a check that it is one of those that are known."""
    choice(layer, name, value, known)
    return value


def _number_or_pair(factor):
    """A factor as an attribute keeps it: pairs from files become tuples."""
    return tuple(factor) if isinstance(factor, list) else factor


class RandomFlip(RandomGeometryLayer):
    """Flips a random half of the images in training.

    Args:
        mode: "horizontal" (left and right are swapped), "vertical" or "horizontal_and_vertical" (both at once).
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> images = keras.ops.reshape(keras.ops.arange(3.0), (1, 1, 3, 1))
    >>> keras.layers.RandomFlip("horizontal", seed=1)(images, training=True).ravel().tolist()
    [2.0, 1.0, 0.0]
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: SeedLike = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.mode: str = one_of(self, "mode", mode, ("horizontal", "vertical", "horizontal_and_vertical"))

    def _draw(self, shape, seed):
        return {"flips": random.uniform((shape[0], 1, 1, 1), seed=seed) <= 0.5}

    def _warp(self, images, transformation, interpolation):
        axes = [axis for axis, name in ((1, "vertical"), (2, "horizontal")) if name in self.mode]
        return jnp.where(transformation["flips"], jnp.flip(images, axes), images)

    def _source(self, transformation, height, width):
        flips = jnp.reshape(jnp.asarray(transformation["flips"]), -1)
        across, down = (jnp.where(flips & (name in self.mode), -1, 1) for name in ("horizontal", "vertical"))
        return matrices(across, 0, jnp.where(across < 0, width, 0), 0, down, jnp.where(down < 0, height, 0))


class _Affine(RandomGeometryLayer):
    """Moves pixels by a matrix for each image, `(x, y) -> matrix (x, y, 1)`, which a subclass returns in `_source`."""

    def __init__(
        self,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: SeedLike = None,
        fill_value: float = 0.0,
        data_format: DataFormat = None,
        **kwargs: Any,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.fill_mode: str = one_of(self, "fill_mode", fill_mode, ("reflect", "wrap", "constant", "nearest"))
        self.interpolation: str = one_of(self, "interpolation", interpolation, ("nearest", "bilinear"))
        self.fill_value = fill_value

    def _warp(self, images, transformation, interpolation):
        rows = self._source(transformation, *images.shape[1:3]).reshape(-1, 9)[:, :8]
        return affine_transform(images, rows, interpolation, self.fill_mode, self.fill_value, "channels_last")


class RandomRotation(_Affine):
    """Rotates images around their middle by random angles in training.

    Args:
        factor: Range (lower, upper) of the angle as a fraction of a full turn, positive counterclockwise; f means (-f,
            f).
        fill_mode: Pixels outside of the image a b c d: "reflect" (b a | a b c d | d c), "wrap" (c d | a b c d | a b),
            "constant" (fill_value) or "nearest" (a a | a b c d | d d).
        interpolation: "bilinear" or "nearest".
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        fill_value: Value of the pixels outside of the image for fill_mode="constant".
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> images = keras.ops.reshape(keras.ops.arange(4.0), (1, 2, 2, 1))
    >>> keras.layers.RandomRotation((0.5, 0.5))(images, training=True).round().ravel().tolist()
    [3.0, 2.0, 1.0, 0.0]
    """

    def __init__(
        self,
        factor: Range,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: SeedLike = None,
        fill_value: float = 0.0,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor: Pair = factor_range(self, factor)

    def _draw(self, shape, seed):
        lower, upper = (360.0 * bound for bound in self.factor)
        return {"angle": random.uniform((shape[0],), lower, upper, seed=seed)}

    def _source(self, transformation, height, width):
        angle = jnp.deg2rad(jnp.asarray(transformation["angle"], "float32"))
        cos, sin, x, y = jnp.cos(angle), jnp.sin(angle), (width - 1) / 2, (height - 1) / 2
        return matrices(cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos)


class RandomTranslation(_Affine):
    """Shifts images by random fractions of their height and width in training.

    Args:
        height_factor: Range (lower, upper) of the shift as a fraction of the height, positive downwards; f means (-f,
            f).
        width_factor: Range (lower, upper) of the shift as a fraction of the width, positive to the right; f means (-f,
            f).
        fill_mode: Pixels outside of the image a b c d: "reflect" (b a | a b c d | d c), "wrap" (c d | a b c d | a b),
            "constant" (fill_value) or "nearest" (a a | a b c d | d d).
        interpolation: "bilinear" or "nearest".
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        fill_value: Value of the pixels outside of the image for fill_mode="constant".
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> images = keras.ops.reshape(keras.ops.arange(4.0), (1, 1, 4, 1))
    >>> keras.layers.RandomTranslation(0.0, (0.25, 0.25), "nearest")(images, training=True).ravel().tolist()
    [0.0, 0.0, 1.0, 2.0]
    """

    height_lower: float
    height_upper: float
    width_lower: float
    width_upper: float

    def __init__(
        self,
        height_factor: Range,
        width_factor: Range,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: SeedLike = None,
        fill_value: float = 0.0,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor: Any = _number_or_pair(height_factor)
        self.width_factor: Any = _number_or_pair(width_factor)
        self.height_lower, self.height_upper = factor_range(self, height_factor, "height_factor", strict=True)
        self.width_lower, self.width_upper = factor_range(self, width_factor, "width_factor", strict=True)

    def _draw(self, shape, seed):
        batch, height, width, _ = shape
        down = random.uniform((batch, 1), self.height_lower, self.height_upper, seed=seed) * height
        right = random.uniform((batch, 1), self.width_lower, self.width_upper, seed=seed) * width
        return {"translations": jnp.concatenate([right, down], axis=1)}

    def _source(self, transformation, height, width):
        right, down = jnp.asarray(transformation["translations"], "float32").T
        return matrices(1, 0, -right, 0, 1, -down)


class RandomZoom(_Affine):
    """Zooms images out (factor above 0) or in (below 0) at random in training.

    Args:
        height_factor: Range (lower, upper) of the change of the height that is shown: 0.2 shows 120 percent of it
            (zooms out), -0.2 80 percent (zooms in); f means (-f, f).
        width_factor: The same for the width; None zooms both axes alike.
        fill_mode: Pixels outside of the image a b c d: "reflect" (b a | a b c d | d c), "wrap" (c d | a b c d | a b),
            "constant" (fill_value) or "nearest" (a a | a b c d | d d).
        interpolation: "bilinear" or "nearest".
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        fill_value: Value of the pixels outside of the image for fill_mode="constant".
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> images = keras.ops.reshape(keras.ops.arange(3.0), (1, 1, 3, 1))
    >>> keras.layers.RandomZoom((-0.5, -0.5))(images, training=True).ravel().tolist()
    [0.5, 1.0, 1.5]
    """

    height_lower: float
    height_upper: float
    width_lower: float
    width_upper: float

    def __init__(
        self,
        height_factor: Range,
        width_factor: Range | None = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: SeedLike = None,
        fill_value: float = 0.0,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor: Any = _number_or_pair(height_factor)
        self.width_factor: Any = _number_or_pair(width_factor)
        self.height_lower, self.height_upper = self._range("height_factor", height_factor)
        if width_factor is not None:
            self.width_lower, self.width_upper = self._range("width_factor", width_factor)

    def _range(self, name, factor):
        bounds = factor_range(self, factor, name, strict=True)
        if np.min(factor) <= -1:
            raise ConfigError(f"RandomZoom needs {name} above -1; got {name}={factor!r}.", fix=f"{name}=(-0.5, 0.5)")
        return bounds

    def _draw(self, shape, seed):
        height = random.uniform((shape[0], 1), 1 + self.height_lower, 1 + self.height_upper, seed=seed)
        width = height
        if self.width_factor is not None:
            width = random.uniform((shape[0], 1), 1 + self.width_lower, 1 + self.width_upper, seed=seed)
        return {"height_zoom": height, "width_zoom": width}

    def _source(self, transformation, height, width):
        down, across = (jnp.ravel(jnp.asarray(transformation[name])) for name in ("height_zoom", "width_zoom"))
        return matrices(across, 0, (width - 1) / 2 * (1 - across), 0, down, (height - 1) / 2 * (1 - down))


class RandomShear(_Affine):
    """Shears images at random in training.

    Args:
        x_factor: Range (lower, upper) of the horizontal shear, in pixels for each row; f means (-f, f). The direction
            is random.
        y_factor: Range (lower, upper) of the vertical shear, in pixels for each column; f means (-f, f). The direction
            is random.
        interpolation: "bilinear" or "nearest".
        fill_mode: Pixels outside of the image a b c d: "reflect" (b a | a b c d | d c), "wrap" (c d | a b c d | a b),
            "constant" (fill_value) or "nearest" (a a | a b c d | d d).
        fill_value: Value of the pixels outside of the image for fill_mode="constant".
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomShear(0.2, 0.1)(keras.Input((10, 8, 3))).shape
    (None, 10, 8, 3)
    """

    def __init__(
        self,
        x_factor: Range = 0.0,
        y_factor: Range = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: DataFormat = None,
        seed: SeedLike = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.x_factor: Pair = factor_range(self, x_factor, "x_factor", strict=True)
        self.y_factor: Pair = factor_range(self, y_factor, "y_factor", strict=True)

    def _draw(self, shape, seed):
        sign = jnp.where(random.uniform((shape[0], 1), seed=seed) > 0.5, -1.0, 1.0)
        y = random.uniform((shape[0], 1), *self.y_factor, seed=seed)
        x = random.uniform((shape[0], 1), *self.x_factor, seed=seed)
        return {"shear_factor": jnp.concatenate([x, y], axis=1) * sign}

    def _source(self, transformation, height, width):
        x, y = jnp.asarray(transformation["shear_factor"], "float32").T
        return matrices(1, x, 0, y, 1, 0)
