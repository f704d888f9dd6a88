"""RandomErasing, CutMix and MixUp, which replace parts of images or blend images in training; MaxNumBoundingBoxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import random
from lamina.errors import ConfigError, UnsupportedError
from lamina.layers.image.base import BaseImagePreprocessingLayer, RandomImageLayer, factor_range
from lamina.ops.image_batch import batched

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import ArrayLike, DataFormat, SeedLike
    from lamina.layers.image.base import BoxFormatArguments, ImageLayerArguments, Pair, Range

__all__ = ["CutMix", "MaxNumBoundingBoxes", "MixUp", "RandomErasing"]


def _random_rectangles(shape, ratios, seed):
    """Rectangles at random positions in images of this shape (batch, height, width, channels): masks (batch, height,
    width, 1) and the sides. `ratios` are the fractions (batch,) of the height and of the width."""
    sides = []
    for size, ratio in zip((shape[2], shape[1]), ratios, strict=True):
        length = ratio * size
        start = random.uniform((shape[0],), seed=seed) * (size - length)
        places = jnp.arange(size)
        sides.append((start, start + length, (places >= start[:, None]) & (places < (start + length)[:, None])))
    (left, right, across), (top, bottom, down) = sides
    return (down[:, :, None] & across[:, None, :])[..., None], (left, right, top, bottom)


def _weighted(weights, parts, order):
    """`weights * parts + (1 - weights) * parts[order]`, one weight for each part."""
    weights = jnp.reshape(jnp.asarray(weights), (-1, *[1] * (parts.ndim - 1)))
    return weights * parts + (1 - weights) * jnp.take(parts, jnp.asarray(order), axis=0)


class RandomErasing(RandomImageLayer):
    """Fills a random rectangle of each image in training.

    Args:
        factor: Range (lower, upper) from which the probability that an image changes is drawn; f means (0, f).
        scale: Range (lower, upper) of the fraction of the area that is filled; s means (0, s).
        fill_value: Value of the filled pixels, or one for each channel; None means noise.
        value_range: Lowest and highest value of the pixels.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    Source: Z. Zhong et al., "Random Erasing Data Augmentation", 2020.

    >>> import lamina as keras
    >>> keras.layers.RandomErasing()(keras.Input((10, 8, 3))).shape
    (None, 10, 8, 3)
    """

    def __init__(
        self,
        factor: Range = 1.0,
        scale: Range = (0.02, 0.33),
        fill_value: Range | None = None,
        value_range: Sequence[float] = (0, 255),
        seed: SeedLike = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor: Pair = factor_range(self, factor, low=0)
        self.scale: Pair = factor_range(self, scale, "scale", low=0)
        self.fill_value = fill_value
        self.value_range: Any = tuple(value_range)

    def _draw(self, shape, seed):
        ratios = jnp.sqrt(random.uniform((shape[0], 2), *self.scale, seed=seed))
        masks, _ = _random_rectangles(shape, (ratios[:, 0], ratios[:, 1]), seed)
        probability = random.uniform((shape[0],), *self.factor, seed=seed)
        applied = random.uniform((shape[0],), seed=seed) < probability
        fill = self.fill_value
        if fill is None:
            fill = random.normal(shape, seed=seed) * self.value_range[1]
        fill = jnp.clip(jnp.asarray(fill, "float32"), *self.value_range)
        return {"apply_erasing": applied, "batch_masks": masks, "fill_value": fill}

    def _change(self, images, transformation):
        applied = jnp.asarray(transformation["apply_erasing"])[:, None, None, None]
        fill = jnp.asarray(transformation["fill_value"], images.dtype)
        return jnp.where(transformation["batch_masks"] & applied, fill, images)


class _Mix(RandomImageLayer):
    """A layer that mixes each image and its label with another one of the batch."""

    def transform_labels(self, labels: Any, transformation: Any = None, training: bool = True) -> Any:
        if not self._applies(transformation, training):
            return labels
        return _weighted(transformation["mix_weight"], _mixable(self, labels), transformation["permutation_order"])


class CutMix(_Mix):
    """Replaces a random rectangle of each image by that of another image in training, and mixes labels by area.

    Args:
        factor: Range (lower, upper) from which the parameter of the beta distribution of areas is drawn for each batch;
            f means (0, f).
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    Source: S. Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features",
    2019.

    >>> import lamina as keras
    >>> batch = {"images": keras.ops.ones((4, 8, 8, 3)), "labels": keras.ops.eye(4)}
    >>> keras.layers.CutMix(seed=1)(batch, training=True)["labels"].sum(axis=1).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    def __init__(
        self,
        factor: Range = 1.0,
        seed: SeedLike = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor: Pair = factor_range(self, factor, low=0)

    def _draw(self, shape, seed):
        batch, height, width, _ = shape
        alpha = random.uniform((), *self.factor, seed=seed) + 1e-6
        ratio = jnp.sqrt(1 - random.beta((batch,), alpha, alpha, seed=seed))
        masks, (left, right, top, bottom) = _random_rectangles(shape, (ratio, ratio), seed)
        return {
            "batch_masks": masks,
            "mix_weight": 1 - (right - left) * (bottom - top) / (width * height),
            "permutation_order": random.shuffle(jnp.arange(batch), seed=seed),
        }

    def _change(self, images, transformation):
        others = jnp.take(images, jnp.asarray(transformation["permutation_order"]), axis=0)
        return jnp.where(transformation["batch_masks"], others, images)

    def transform_segmentation_masks(
        self, segmentation_masks: ArrayLike, transformation: Any = None, training: bool = True
    ) -> Any:
        if not self._applies(transformation, training):
            return segmentation_masks
        return batched(
            lambda batch: self._change(batch, transformation), jnp.asarray(segmentation_masks), self.data_format
        )

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any = None, training: bool = True) -> Any:
        if not self._applies(transformation, training):
            return bounding_boxes
        raise UnsupportedError("CutMix does not support bounding boxes.", fix="Pass segmentation_masks in their place.")


class MixUp(_Mix):
    """In training, `w * image + (1 - w) * other` with another image of the batch, and the same for labels.

    w is drawn from Beta(alpha, alpha) for each image.

    The boxes are those of both images. Masks become fractions.

    Args:
        alpha: Both parameters of the beta distribution of the weights.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    Source: H. Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018.

    >>> import lamina as keras
    >>> batch = {"images": keras.ops.ones((4, 8, 8, 3)), "labels": keras.ops.eye(4)}
    >>> keras.layers.MixUp(seed=1)(batch, training=True)["labels"].sum(axis=1).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """

    def __init__(
        self,
        alpha: float = 0.2,
        data_format: DataFormat = None,
        seed: SeedLike = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.alpha = alpha

    def _draw(self, shape, seed):
        order = random.shuffle(jnp.arange(shape[0]), seed=seed)
        return {"mix_weight": random.beta((shape[0],), self.alpha, self.alpha, seed=seed), "permutation_order": order}

    def _change(self, images, transformation):
        weights = jnp.asarray(transformation["mix_weight"], images.dtype)
        return _weighted(weights, images, transformation["permutation_order"])

    def transform_segmentation_masks(
        self, segmentation_masks: ArrayLike, transformation: Any = None, training: bool = True
    ) -> Any:
        if not self._applies(transformation, training):
            return segmentation_masks
        masks = jnp.asarray(segmentation_masks)
        return _weighted(transformation["mix_weight"], masks, transformation["permutation_order"])

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any = None, training: bool = True) -> Any:
        if not self._applies(transformation, training):
            return bounding_boxes
        order = jnp.asarray(transformation["permutation_order"])
        both = {
            name: jnp.concatenate([jnp.asarray(part), jnp.take(jnp.asarray(part), order, axis=0)], axis=1)
            for name, part in bounding_boxes.items()
        }
        return both


def _mixable(layer, labels) -> Any:
    """Labels as an array, after a check that they are no class indices, whose mixture would mean nothing."""
    labels = jnp.asarray(labels)
    if labels.ndim == 1 and jnp.issubdtype(labels.dtype, jnp.integer):
        raise ConfigError(
            f"{type(layer).__name__} needs labels as probabilities; got class indices {labels.dtype}{labels.shape}.",
            fix="keras.utils.to_categorical(labels), and categorical_crossentropy.",
        )
    return labels


class MaxNumBoundingBoxes(BaseImagePreprocessingLayer):
    """Cuts or pads the boxes and their labels to `max_number` for each image.

    Args:
        max_number: Number of boxes of each image.
        fill_value: Value of the boxes and labels that are added.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> layer = keras.layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")
    >>> boxes = {"boxes": keras.ops.array([[1.0, 2.0, 3.0, 4.0]]), "labels": keras.ops.array([7])}
    >>> layer({"images": keras.ops.ones((8, 8, 3)), "bounding_boxes": boxes})["bounding_boxes"]["labels"].tolist()
    [7, -1]
    """

    _keeps_integers = True

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Unpack[ImageLayerArguments]):
        super().__init__(**kwargs)
        self.max_number: int = int(max_number)
        self.fill_value: int = int(fill_value)

    def _change(self, images, transformation):
        return images

    def transform_bounding_boxes(self, bounding_boxes: Any, transformation: Any = None, training: bool = True) -> Any:
        return {**bounding_boxes, **{name: self._filled(bounding_boxes[name]) for name in ("boxes", "labels")}}

    def _filled(self, parts):
        parts = jnp.asarray(parts)[:, : self.max_number]
        missing = [(0, 0), (0, self.max_number - parts.shape[1]), *[(0, 0)] * (parts.ndim - 2)]
        return jnp.pad(parts, missing, constant_values=self.fill_value)
