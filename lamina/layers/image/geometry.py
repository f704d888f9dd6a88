"""RandomFlip, RandomRotation, RandomTranslation, RandomZoom, RandomShear, RandomPerspective, RandomElasticTransform:
in training, images of slightly different geometry."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina import random
from lamina.errors import ConfigError
from lamina.layers.image.base import RandomImageLayer, drawn_to_apply, factor_range
from lamina.layers.image.moving import MovingLayer, matrices
from lamina.ops.image import affine_transform, perspective_transform
from lamina.ops.warp import elastic_moves, homography, moved

__all__ = [
    "RandomElasticTransform", "RandomFlip", "RandomPerspective", "RandomRotation", "RandomShear", "RandomTranslation",
    "RandomZoom",
]  # fmt: skip


class _RandomMove(MovingLayer, RandomImageLayer):
    """A random layer that moves pixels."""


def one_of(layer, name, value, known):
    """`value`, if it is among those that are known."""
    if value not in known:
        raise ConfigError(f"{type(layer).__name__}: {name} is one of {', '.join(known)}; got {value!r}.")
    return value


def number_or_pair(factor):
    """A factor as it is kept: pairs as tuples, from files too."""
    return tuple(factor) if isinstance(factor, list) else factor


class RandomFlip(_RandomMove):
    """In training, half of the images mirrored.

    Args:
        mode: "horizontal" (left and right change places), "vertical" or "horizontal_and_vertical" (both together).

    >>> import lamina as keras
    >>> images = keras.ops.reshape(keras.ops.arange(3.0), (1, 1, 3, 1))
    >>> keras.layers.RandomFlip("horizontal", seed=1)(images, training=True).ravel().tolist()
    [2.0, 1.0, 0.0]
    """

    def __init__(self, mode="horizontal_and_vertical", seed=None, data_format=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.mode = one_of(self, "mode", mode, ("horizontal", "vertical", "horizontal_and_vertical"))

    def _draw(self, shape, seed):
        return {"flips": random.uniform((shape[0], 1, 1, 1), seed=seed) <= 0.5}

    def _warp(self, images, transformation, interpolation):
        axes = [axis for axis, name in ((1, "vertical"), (2, "horizontal")) if name in self.mode]
        return jnp.where(transformation["flips"], jnp.flip(images, axes), images)

    def _source(self, transformation, height, width):
        flips = jnp.reshape(jnp.asarray(transformation["flips"]), -1)
        across, down = (jnp.where(flips & (name in self.mode), -1, 1) for name in ("horizontal", "vertical"))
        return matrices(across, 0, jnp.where(across < 0, width, 0), 0, down, jnp.where(down < 0, height, 0))


class _Affine(_RandomMove):
    """Pixels moved by `(x, y) -> matrix (x, y, 1)`, one matrix for each image: a subclass says which in `_source`."""

    def __init__(
        self,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.fill_mode = one_of(self, "fill_mode", fill_mode, ("reflect", "wrap", "constant", "nearest"))
        self.interpolation = one_of(self, "interpolation", interpolation, ("nearest", "bilinear"))
        self.fill_value = fill_value

    def _warp(self, images, transformation, interpolation):
        rows = self._source(transformation, *images.shape[1:3]).reshape(-1, 9)[:, :8]
        return affine_transform(images, rows, interpolation, self.fill_mode, self.fill_value, "channels_last")


class RandomRotation(_Affine):
    """In training, images turned around their middle by random angles.

    Args:
        factor: the largest turn, a fraction of the full circle, in both directions; or a pair (lower, upper), where
            turns above 0 are counterclockwise.
        fill_mode: what lies beyond the edges a b c d: "reflect" (b a | a b c d | d c), "wrap" (c d | a b c d | a b),
            "constant" (fill_value) or "nearest" (a a | a b c d | d d).

    >>> import lamina as keras
    >>> images = keras.ops.reshape(keras.ops.arange(4.0), (1, 2, 2, 1))
    >>> keras.layers.RandomRotation((0.5, 0.5))(images, training=True).round().ravel().tolist()
    [3.0, 2.0, 1.0, 0.0]
    """

    def __init__(
        self,
        factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor = factor_range(self, factor)

    def _draw(self, shape, seed):
        lower, upper = (360.0 * bound for bound in self.factor)
        return {"angle": random.uniform((shape[0],), lower, upper, seed=seed)}

    def _source(self, transformation, height, width):
        angle = jnp.deg2rad(jnp.asarray(transformation["angle"], "float32"))
        cos, sin, x, y = jnp.cos(angle), jnp.sin(angle), (width - 1) / 2, (height - 1) / 2
        return matrices(cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos)


class RandomTranslation(_Affine):
    """In training, images moved by random fractions of their height and width.

    Args:
        height_factor, width_factor: the largest move in both directions, or a pair (lower, upper); moves above 0 are
            downwards and to the right.
        fill_mode: see RandomRotation.

    >>> import lamina as keras
    >>> images = keras.ops.reshape(keras.ops.arange(4.0), (1, 1, 4, 1))
    >>> keras.layers.RandomTranslation(0.0, (0.25, 0.25), "nearest")(images, training=True).ravel().tolist()
    [0.0, 0.0, 1.0, 2.0]
    """

    def __init__(
        self,
        height_factor,
        width_factor,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = number_or_pair(height_factor), number_or_pair(width_factor)
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
    """In training, images with more around them (zoom above 1) or only their middle (below 1).

    Args:
        height_factor: the largest change of what the height shows, 0.2 is 80 to 120 percent; or a pair (lower, upper).
        width_factor: the same for the width; None zooms both alike.
        fill_mode: see RandomRotation.

    >>> import lamina as keras
    >>> images = keras.ops.reshape(keras.ops.arange(3.0), (1, 1, 3, 1))
    >>> keras.layers.RandomZoom((-0.5, -0.5))(images, training=True).ravel().tolist()
    [0.5, 1.0, 1.5]
    """

    def __init__(
        self,
        height_factor,
        width_factor=None,
        fill_mode="reflect",
        interpolation="bilinear",
        seed=None,
        fill_value=0.0,
        data_format=None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self.width_factor = number_or_pair(height_factor), number_or_pair(width_factor)
        self.height_lower, self.height_upper = self._range("height_factor", height_factor)
        if width_factor is not None:
            self.width_lower, self.width_upper = self._range("width_factor", width_factor)

    def _range(self, name, factor):
        bounds = factor_range(self, factor, name, strict=True)
        if np.min(factor) <= -1:
            raise ConfigError(f"RandomZoom needs a {name} above -1, which leaves nothing; got {factor!r}.")
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
    """In training, images whose rows and columns slide along each other.

    Args:
        x_factor, y_factor: how far at most, in pixels for each pixel of the other direction; or a pair (lower, upper).
            The direction is random.
        fill_mode: see RandomRotation.

    >>> import lamina as keras
    >>> keras.layers.RandomShear(0.2, 0.1)(keras.Input((10, 8, 3))).shape
    (None, 10, 8, 3)
    """

    def __init__(
        self,
        x_factor=0.0,
        y_factor=0.0,
        interpolation="bilinear",
        fill_mode="reflect",
        fill_value=0.0,
        data_format=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.x_factor = factor_range(self, x_factor, "x_factor", strict=True)
        self.y_factor = factor_range(self, y_factor, "y_factor", strict=True)

    def _draw(self, shape, seed):
        sign = jnp.where(random.uniform((shape[0], 1), seed=seed) > 0.5, -1.0, 1.0)
        y = random.uniform((shape[0], 1), *self.y_factor, seed=seed)
        x = random.uniform((shape[0], 1), *self.x_factor, seed=seed)
        return {"shear_factor": jnp.concatenate([x, y], axis=1) * sign}

    def _source(self, transformation, height, width):
        x, y = jnp.asarray(transformation["shear_factor"], "float32").T
        return matrices(1, x, 0, y, 1, 0)


class RandomPerspective(_RandomMove):
    """In training, images as if seen from another side: each corner moves by a random part of its distance from the
    upper left one.

    Args:
        factor: a pair (lower, upper) from which the probability that an image changes is drawn; a number is
            (0, number): 1.0 changes about half of the images.
        scale: how far the corners move, from 0 to 1.

    >>> import lamina as keras
    >>> keras.layers.RandomPerspective(scale=0.5)(keras.Input((10, 8, 3))).shape
    (None, 10, 8, 3)
    """

    def __init__(
        self,
        factor=1.0,
        scale=1.0,
        interpolation="bilinear",
        fill_value=0.0,
        seed=None,
        data_format=None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self, factor, low=0)
        if not 0 <= scale <= 1:
            raise ConfigError(f"RandomPerspective needs a scale from 0 to 1; got {scale!r}.")
        self.scale = scale
        self.interpolation = one_of(self, "interpolation", interpolation, ("nearest", "bilinear"))
        self.fill_value = fill_value

    def _draw(self, shape, seed):
        batch, height, width, _ = shape
        applied = drawn_to_apply(batch, self.factor, seed)
        moves = random.uniform((batch, 4, 2), -0.5 * self.scale, 0.5 * self.scale, seed=seed)
        right, low = width - 1.0, height - 1.0
        corners = jnp.tile(jnp.asarray([[[0.0, 0.0], [right, 0.0], [0.0, low], [right, low]]]), (batch, 1, 1))
        return {"apply_perspective": applied, "start_points": corners, "end_points": corners * (1 + moves)}

    def _warp(self, images, transformation, interpolation):
        points = transformation["start_points"], transformation["end_points"]
        changed = perspective_transform(images, *points, interpolation, self.fill_value, "channels_last")
        return jnp.where(jnp.asarray(transformation["apply_perspective"])[:, None, None, None], changed, images)

    def _source(self, transformation, height, width):
        start, end = (jnp.asarray(transformation[name], "float32") for name in ("start_points", "end_points"))
        rows = jnp.concatenate([homography(end, start), jnp.ones((len(end), 1))], axis=1).reshape(-1, 3, 3)
        return jnp.where(jnp.asarray(transformation["apply_perspective"])[:, None, None], rows, jnp.eye(3))


class RandomElasticTransform(_RandomMove):
    """In training, images as if printed on rubber that is pulled here and there (Simard et al., 2003). Boxes cannot
    follow.

    Args:
        factor: a pair (lower, upper) from which the probability that an image changes is drawn; a number is
            (0, number): 1.0 changes about half of the images.
        scale: a pair from 0 to 1 from which is drawn, for each batch, how far and how smoothly pixels move; a number is
            (0, number).
        fill_mode: see RandomRotation; also "mirror" (c b | a b c d | c b).
        value_range: what pixels are cut to.

    >>> import lamina as keras
    >>> keras.layers.RandomElasticTransform(scale=0.5)(keras.Input((10, 8, 3))).shape
    (None, 10, 8, 3)
    """

    def __init__(
        self,
        factor=1.0,
        scale=1.0,
        interpolation="bilinear",
        fill_mode="reflect",
        fill_value=0.0,
        value_range=(0, 255),
        seed=None,
        data_format=None,
        **kwargs,
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self, factor, low=0)
        self.scale = factor_range(self, scale, "scale", low=0)
        self.interpolation = one_of(self, "interpolation", interpolation, ("nearest", "bilinear"))
        self.fill_mode = one_of(self, "fill_mode", fill_mode, ("reflect", "wrap", "constant", "nearest", "mirror"))
        self.fill_value = fill_value
        self.value_range = tuple(value_range)

    def _draw(self, shape, seed) -> Any:
        if self.factor[1] == 0 or self.scale[1] == 0:
            return None
        return {
            "apply_transform": drawn_to_apply(shape[0], self.factor, seed),
            "distortion_factor": random.uniform((), *self.scale, seed=seed),
            "seed": random.draw_seed(seed),  # one draw, so that masks move as their images do
        }

    def _change(self, images, transformation):
        return jnp.clip(super()._change(images, transformation), *self.value_range)

    def _warp(self, images, transformation, interpolation):
        sizes, factor = images.shape[1:3], transformation["distortion_factor"]
        alpha, sigma, largest = 0.1 * max(sizes) * factor, 0.05 * min(sizes) * factor, 0.05 * min(sizes) * self.scale[1]
        moves = elastic_moves(images.shape, alpha, sigma, largest, random.draw_seed(transformation["seed"]))
        changed = moved(images, moves, interpolation, self.fill_mode, self.fill_value)
        return jnp.where(jnp.asarray(transformation["apply_transform"])[:, None, None, None], changed, images)

    def transform_bounding_boxes(self, bounding_boxes, transformation: Any = None, training=True):
        if not self._applies(transformation, training):
            return bounding_boxes
        raise NotImplementedError("RandomElasticTransform bends images: boxes cannot follow. Use masks, or no boxes.")
