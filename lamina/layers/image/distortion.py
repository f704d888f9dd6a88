"""RandomPerspective and RandomElasticTransform: random distortions that are not affine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import random
from lamina.core.arguments import real
from lamina.errors import UnsupportedError
from lamina.layers.image.base import drawn_to_apply, factor_range
from lamina.layers.image.geometry import RandomGeometryLayer, one_of
from lamina.ops.image import perspective_transform
from lamina.ops.warp import displace, elastic_displacements, homography

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import DataFormat, SeedLike
    from lamina.layers.image.base import BoxFormatArguments, Pair, Range

__all__ = ["RandomElasticTransform", "RandomPerspective"]


class RandomPerspective(RandomGeometryLayer):
    """Random changes of perspective in training: each corner moves by a random fraction of its distance from the upper
    left corner.

    Args:
        factor: Range (lower, upper) from which the probability that an image changes is drawn; f means (0, f).
        scale: Strength of the distortion, from 0 to 1.
        interpolation: "bilinear" or "nearest".
        fill_value: Value of the pixels outside of the image.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomPerspective(scale=0.5)(keras.Input((10, 8, 3))).shape
    (None, 10, 8, 3)
    """

    def __init__(
        self,
        factor: Range = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: SeedLike = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor: Pair = factor_range(self, factor, low=0)
        real(self, "scale", scale, 0, 1, example=0.3)
        self.scale = scale
        self.interpolation: str = one_of(self, "interpolation", interpolation, ("nearest", "bilinear"))
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


class RandomElasticTransform(RandomGeometryLayer):
    """Random elastic distortions in training. Bounding boxes are not supported.

    Args:
        factor: Range (lower, upper) from which the probability that an image changes is drawn; f means (0, f).
        scale: Range (lower, upper), from 0 to 1, of the strength and smoothness of the distortion, drawn once for each
            batch; s means (0, s).
        interpolation: "bilinear" or "nearest".
        fill_mode: Pixels outside of the image a b c d: "reflect" (b a | a b c d | d c), "wrap" (c d | a b c d | a b),
            "constant" (fill_value) "nearest" (a a | a b c d | d d) or "mirror" (c b | a b c d | c b).
        fill_value: Value of the pixels outside of the image for fill_mode="constant".
        value_range: Range to which the pixels are clipped.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    Source: P. Simard et al., "Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis",
    2003.

    >>> import lamina as keras
    >>> keras.layers.RandomElasticTransform(scale=0.5)(keras.Input((10, 8, 3))).shape
    (None, 10, 8, 3)
    """

    def __init__(
        self,
        factor: Range = 1.0,
        scale: Range = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: SeedLike = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor: Pair = factor_range(self, factor, low=0)
        self.scale: Pair = factor_range(self, scale, "scale", low=0)
        self.interpolation: str = one_of(self, "interpolation", interpolation, ("nearest", "bilinear"))
        self.fill_mode: str = one_of(self, "fill_mode", fill_mode, ("reflect", "wrap", "constant", "nearest", "mirror"))
        self.fill_value = fill_value
        self.value_range: Any = tuple(value_range)

    def _draw(self, shape, seed) -> Any:
        if self.factor[1] == 0 or self.scale[1] == 0:
            return None
        return {
            "apply_transform": drawn_to_apply(shape[0], self.factor, seed),
            "distortion_factor": random.uniform((), *self.scale, seed=seed),
            "seed": random.draw_seed(seed),  # one seed, so that masks move like their images
        }

    def _change(self, images, transformation):
        return jnp.clip(super()._change(images, transformation), *self.value_range)

    def _warp(self, images, transformation, interpolation):
        sizes, factor = images.shape[1:3], transformation["distortion_factor"]
        alpha, sigma, largest = 0.1 * max(sizes) * factor, 0.05 * min(sizes) * factor, 0.05 * min(sizes) * self.scale[1]
        moves = elastic_displacements(images.shape, alpha, sigma, largest, random.draw_seed(transformation["seed"]))
        changed = displace(images, moves, interpolation, self.fill_mode, self.fill_value)
        return jnp.where(jnp.asarray(transformation["apply_transform"])[:, None, None, None], changed, images)

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any = None, training: bool = True) -> Any:
        if not self._applies(transformation, training):
            return bounding_boxes
        raise UnsupportedError(
            "RandomElasticTransform does not support bounding boxes.", fix="Pass segmentation_masks in their place."
        )
