"""Random changes of colour: brightness, contrast, saturation, hue, gray and mixtures of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import random
from lamina.core.arguments import real
from lamina.layers.image.base import RandomImageLayer, factor_range
from lamina.layers.image.contrast import pixel_range, rescaled
from lamina.ops.image import hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from lamina.runtime import settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import DataFormat, SeedLike, Tensor
    from lamina.layers.image.base import BoxFormatArguments, ImageLayerArguments, Pair, Range

__all__ = [
    "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast", "RandomGrayscale",
    "RandomHue", "RandomSaturation",
]  # fmt: skip


def per_image(numbers: Tensor) -> Tensor:
    """One number for each image, in a shape that broadcasts with (batch, height, width, channels)."""
    return jnp.reshape(numbers, (-1, 1, 1, 1))


class RandomStrengthLayer(RandomImageLayer):
    """A layer that draws one number from the range `factor` for each image."""

    bounds: Pair = (-1, 1)  # of `factor`

    def __init__(self, factor: Range, value_range: Sequence[float], seed: SeedLike, **kwargs: Any):
        super().__init__(seed=seed, **kwargs)
        self.factor: Pair = factor_range(self, factor, "factor", *self.bounds)
        self.value_range: Any = sorted(pixel_range(self, value_range))

    def _draw(self, shape, seed):
        return {"factor": random.uniform((shape[0],), *self.factor, seed=seed)}


class RandomBrightness(RandomStrengthLayer):
    """Random brightness: `images + delta`, clipped to `value_range`, with a delta drawn for each image.

    Args:
        factor: Range (lower, upper) of the change as a fraction of the value range, from -1 to 1; f means (-f, f).
        value_range: Lowest and highest value of the pixels.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomBrightness((0.5, 0.5))(keras.ops.array([[[0.0], [200.0]]]))[0, :, 0].tolist()
    [127.5, 255.0]
    """

    def __init__(
        self,
        factor: Range,
        value_range: Sequence[float] = (0, 255),
        seed: SeedLike = None,
        **kwargs: Unpack[ImageLayerArguments],
    ):
        super().__init__(factor, value_range, seed, **kwargs)

    def _draw(self, shape, seed):
        low, high = self.value_range
        return {"rgb_delta": random.uniform((shape[0], 1, 1, 1), *self.factor, seed=seed) * (high - low)}

    def _change(self, images, transformation):
        return jnp.clip(images + per_image(transformation["rgb_delta"]).astype(images.dtype), *self.value_range)


class RandomContrast(RandomImageLayer):
    """Random contrast: `(images - mean) * f + mean`, clipped to `value_range`, with the mean of each channel of each
    image and an f drawn for each image.

    Args:
        factor: (lower, upper), both from 0 to 1: contrast factors lie between 1 - lower and 1 + upper; f means (0, f).
        value_range: Lowest and highest value of the pixels.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomContrast(0.5, seed=1)(keras.ops.array([[[40.0], [80.0]]]))[0, :, 0].round().tolist()
    [39.0, 81.0]
    """

    def __init__(
        self,
        factor: Range,
        value_range: Sequence[float] = (0, 255),
        seed: SeedLike = None,
        **kwargs: Unpack[ImageLayerArguments],
    ):
        super().__init__(seed=seed, **kwargs)
        self.factor: Pair = factor_range(self, factor, low=0)
        self.value_range: Any = pixel_range(self, value_range)

    def _draw(self, shape, seed):
        lower, upper = 1.0 - self.factor[0], 1.0 + self.factor[1]
        return {"contrast_factor": random.uniform((shape[0], 1, 1, 1), lower, upper, self.compute_dtype, seed)}

    def _change(self, images, transformation):
        mean = jnp.mean(images, axis=(1, 2), keepdims=True)
        return jnp.clip((images - mean) * per_image(transformation["contrast_factor"]) + mean, *self.value_range)


class RandomColorDegeneration(RandomStrengthLayer):
    """Random degeneration of colours towards gray: `images + f * (gray - images)`, with an f drawn for each image.

    Args:
        factor: Range (lower, upper) of the weight of gray, from -1 to 1: 0 keeps the image; f means (-f, f).
        value_range: Lowest and highest value of the pixels.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomColorDegeneration((1, 1))(keras.ops.array([[[100.0, 0.0, 0.0]]])).round().tolist()
    [[[30.0, 30.0, 30.0]]]
    """

    def __init__(
        self,
        factor: Range,
        value_range: Sequence[float] = (0, 255),
        data_format: DataFormat = None,
        seed: SeedLike = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)

    def _change(self, images, transformation):
        gray = rgb_to_grayscale(images, "channels_last")
        factor = per_image(transformation["factor"]).astype(images.dtype)
        return jnp.clip(images + factor * (gray - images), *self.value_range)


class RandomGrayscale(RandomImageLayer):
    """Converts images to gray with probability `factor`, with three channels. The type of the pixels is kept.

    Args:
        factor: Probability from 0 to 1 that an image becomes gray.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomGrayscale(1.0)(keras.ops.array([[[100.0, 0.0, 0.0]]])).round().tolist()
    [[[30.0, 30.0, 30.0]]]
    """

    _config_optional = frozenset(("activity_regularizer", "bounding_box_format", "seed"))
    _keeps_integers = True

    def __init__(
        self,
        factor: float = 0.5,
        data_format: DataFormat = None,
        seed: SeedLike = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        real(self, "factor", factor, 0, 1)
        self.factor = factor

    def _draw(self, shape, seed):
        return random.uniform((shape[0], 1, 1, 1), seed=seed) < self.factor

    def _change(self, images, transformation):
        return jnp.where(per_image(transformation), rgb_to_grayscale(images, "channels_last"), images)


class RandomHue(RandomImageLayer):
    """Random hue: shifts the colours of each image along the circle of hues, by up to half of it in either direction.

    Args:
        factor: Range (lower, upper) of the shift, from 0 (none) to 1 (half of the circle of hues); f means (0, f).
        value_range: Lowest and highest value of the pixels.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomHue((1, 1), value_range=(0, 1))(keras.ops.array([[[1.0, 0.0, 0.0]]])).tolist()
    [[[0.0, 1.0, 1.0]]]
    """

    def __init__(
        self,
        factor: Range,
        value_range: Sequence[float] = (0, 255),
        data_format: DataFormat = None,
        seed: SeedLike = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor: Pair = factor_range(self, factor, low=0)
        self.value_range: Any = pixel_range(self, value_range)

    def _draw(self, shape, seed):
        direction = jnp.where(random.uniform((shape[0],), seed=seed) > 0.5, -1.0, 1.0)
        return {"factor": direction * random.uniform((shape[0],), *self.factor, seed=seed) * 0.5}

    def _change(self, images, transformation):
        turn = per_image(transformation["factor"])[..., 0].astype(images.dtype)
        hsv = rgb_to_hsv(rescaled(images, self.value_range, (0, 1)), "channels_last")
        hsv = hsv.at[..., 0].set((hsv[..., 0] + turn) % 1)
        return rescaled(jnp.clip(hsv_to_rgb(hsv, "channels_last"), 0, 1), (0, 1), self.value_range)


class RandomSaturation(RandomStrengthLayer):
    """Random saturation: multiplies saturations by `f / (1 - f)`, with an f drawn for each image.

    Args:
        factor: Range (lower, upper) from -1 to 1: 0 is gray, 0.5 keeps the image; f means (-f, f).
        value_range: Lowest and highest value of the pixels.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomSaturation((0, 0), value_range=(0, 1))(keras.ops.array([[[0.5, 1.0, 0.0]]])).tolist()
    [[[1.0, 1.0, 1.0]]]
    """

    def __init__(
        self,
        factor: Range,
        value_range: Sequence[float] = (0, 255),
        data_format: DataFormat = None,
        seed: SeedLike = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)

    def _draw(self, shape, seed):
        factor = random.uniform((shape[0],), *self.factor, seed=seed)
        return {"factor": factor / (1 - factor + settings.epsilon())}

    def _change(self, images, transformation):
        factor = per_image(transformation["factor"])[..., 0].astype(images.dtype)
        hsv = rgb_to_hsv(images, "channels_last")
        hsv = hsv.at[..., 1].set(jnp.clip(hsv[..., 1] * factor, *self.value_range))
        return hsv_to_rgb(hsv, "channels_last")


class RandomColorJitter(RandomImageLayer):
    """RandomBrightness, RandomContrast, RandomSaturation and RandomHue in sequence, those that have a factor.

    Args:
        value_range: Lowest and highest value of the pixels.
        brightness_factor: `factor` of RandomBrightness; None leaves the brightness.
        contrast_factor: `factor` of RandomContrast; None leaves the contrast.
        saturation_factor: `factor` of RandomSaturation; None leaves the saturation.
        hue_factor: `factor` of RandomHue; None leaves the hue.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> layer = keras.layers.RandomColorJitter(brightness_factor=(0.1, 0.1), hue_factor=0.2)
    >>> layer(keras.ops.full((1, 2, 3), 100.0)).round().tolist()
    [[[126.0, 126.0, 126.0], [126.0, 126.0, 126.0]]]
    """

    _kinds = {
        "brightness": RandomBrightness, "contrast": RandomContrast, "saturation": RandomSaturation, "hue": RandomHue,
    }  # fmt: skip

    def __init__(
        self,
        value_range: Sequence[float] = (0, 255),
        brightness_factor: Range | None = None,
        contrast_factor: Range | None = None,
        saturation_factor: Range | None = None,
        hue_factor: Range | None = None,
        seed: SeedLike = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range: Any = pixel_range(self, value_range)
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        common = dict(value_range=value_range, seed=seed, data_format=data_format, dtype=self.dtype_policy)
        for name, kind in self._kinds.items():
            factor = getattr(self, f"{name}_factor")
            setattr(self, f"random_{name}", None if factor is None else kind(factor, **common))

    @property
    def _steps(self):
        steps = {name: getattr(self, f"random_{name}") for name in self._kinds}
        return {name: layer for name, layer in steps.items() if layer is not None}

    def _draw(self, shape, seed):
        return {name: layer._draw(shape, seed) for name, layer in self._steps.items()}

    def _change(self, images, transformation):
        for name, layer in self._steps.items():
            images = layer._change(images, transformation[name])
        return images
