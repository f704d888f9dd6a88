"""Random effects on pixel values: sharpness, blur, inversion, posterization and solarization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import random
from lamina.errors import ConfigError
from lamina.layers.image.base import RandomImageLayer, drawn_to_apply, factor_range
from lamina.layers.image.color import RandomStrengthLayer, per_image
from lamina.layers.image.contrast import LEVELS, pixel_range, rescaled
from lamina.ops.image_filters import filtered, gaussian_blur

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import DataFormat, SeedLike, Size
    from lamina.layers.image.base import BoxFormatArguments, ImageLayerArguments, Pair, Range

__all__ = ["RandomGaussianBlur", "RandomInvert", "RandomPosterization", "RandomSharpness", "Solarization"]


class RandomSharpness(RandomStrengthLayer):
    """Random sharpness: `images + (1 - 2f) * (smooth - images)`, clipped, with an f drawn for each image.

    Args:
        factor: Range (lower, upper) from 0 to 1: 0 is smooth, 0.5 keeps the image, 1 is sharp; f means (0, f).
        value_range: Lowest and highest value of the pixels.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomSharpness((0, 0))(keras.ops.full((3, 3, 1), 13.0))[1, :, 0].round().tolist()
    [10.0, 13.0, 10.0]
    """

    bounds: Pair = (0, 1)

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
        smooth = (
            filtered(images, [1, 1, 1], [1, 1, 1]) + 4 * images
        ) / 13  # a 3x3 kernel with 5 in the middle and 1 around it
        factor = per_image(transformation["factor"] * 2).astype(images.dtype)
        return jnp.clip(images + (1 - factor) * (smooth - images), *self.value_range)


class RandomGaussianBlur(RandomImageLayer):
    """Blurs random images with a Gaussian kernel, whose standard deviation is drawn once for each batch.

    Args:
        factor: Range (lower, upper) from which the probability that an image is blurred is drawn; f means (0, f).
        kernel_size: Size of the kernel in pixels, odd: (width, height), or one number for both.
        sigma: Range (lower, upper), from 0 to 1, of the standard deviation in pixels; s means (0, s).
        value_range: Lowest and highest value of the pixels.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> layer = keras.layers.RandomGaussianBlur((1, 1), sigma=(1, 1))
    >>> layer(keras.ops.full((3, 3, 1), 100.0))[1, :, 0].round().tolist()
    [73.0, 100.0, 73.0]
    """

    def __init__(
        self,
        factor: Range = 1.0,
        kernel_size: Size = 3,
        sigma: Range = 1.0,
        value_range: Sequence[float] = (0, 255),
        data_format: DataFormat = None,
        seed: SeedLike = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor: Pair = factor_range(self, factor, low=0)
        sizes: Any = kernel_size if isinstance(kernel_size, (tuple, list)) else (kernel_size, kernel_size)
        self.kernel_size: Any = tuple(sizes)
        if len(self.kernel_size) != 2 or any(size % 2 == 0 or size < 1 for size in self.kernel_size):
            raise ConfigError(
                f"RandomGaussianBlur needs kernel_size as odd numbers from 1; got kernel_size={kernel_size!r}.",
                fix=f"kernel_size={max(kernel_size + 1, 3) if isinstance(kernel_size, int) else 3}",
            )
        self.sigma: Pair = factor_range(self, sigma, "sigma", low=0)
        self.value_range: Any = pixel_range(self, value_range)

    def _draw(self, shape, seed):
        blurred = drawn_to_apply(shape[0], self.factor, seed)
        sigma = random.uniform((2,), *self.sigma, dtype=self.compute_dtype, seed=seed)
        return {"should_apply_blur": blurred, "blur_factor": sigma + 1e-6}

    def _change(self, images, transformation):
        smooth = gaussian_blur(images, self.kernel_size, transformation["blur_factor"], "channels_last")
        return jnp.clip(jnp.where(per_image(transformation["should_apply_blur"]), smooth, images), *self.value_range)


class RandomInvert(RandomImageLayer):
    """Inverts random images: `high - images`, with the upper end of `value_range`.

    Args:
        factor: Range (lower, upper) from which the probability that an image is inverted is drawn; f means (0, f).
        value_range: Lowest and highest value of the pixels.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomInvert((1, 1))(keras.ops.array([[[0.0], [200.0]]]))[0, :, 0].tolist()
    [255.0, 55.0]
    """

    def __init__(
        self,
        factor: Range = 1.0,
        value_range: Sequence[float] = (0, 255),
        seed: SeedLike = None,
        data_format: DataFormat = None,
        **kwargs: Unpack[BoxFormatArguments],
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor: Pair = factor_range(self, factor, low=0)
        self.value_range: Any = pixel_range(self, value_range)

    def _draw(self, shape, seed):
        return {"apply_inversion": drawn_to_apply(shape[0], self.factor, seed)}

    def _change(self, images, transformation):
        return jnp.where(per_image(transformation["apply_inversion"]), self.value_range[1] - images, images)


class RandomPosterization(RandomStrengthLayer):
    """Keeps only the highest bits of the 8 bits of each pixel, with a number of bits drawn for each image.

    Args:
        factor: Range (lower, upper) of the number of bits, from 1 to 8, without the upper end; b means (1, b).
        value_range: Lowest and highest value of the pixels.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.RandomPosterization((2, 2))(keras.ops.array([[[63.0], [100.0]]]))[0, :, 0].tolist()
    [0.0, 64.0]
    """

    bounds: Pair = (1, 8)

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
        low, high = self.factor
        bits = jnp.full((shape[0],), low, "uint8")
        if low != high:
            bits = random.randint((shape[0],), low, high, "uint8", seed)
        return {"shift_factor": 8 - bits}

    def _change(self, images, transformation):
        shift = per_image(transformation["shift_factor"]).astype("uint8")
        levels = rescaled(images, self.value_range, LEVELS).astype("uint8")
        return rescaled((levels >> shift << shift).astype(images.dtype), LEVELS, self.value_range)


class Solarization(RandomImageLayer):
    """Adds a random value, then inverts pixels that are not below a random threshold, like an overexposed film.

    The lower ends of both ranges are used as levels from 0 to 255, not as fractions, as in Keras.

    Args:
        addition_factor: Range (lower, upper), from 0 to 1, of what is added, as a fraction of 255; f means (0, f).
        threshold_factor: Range (lower, upper), from 0 to 1, of the threshold, as a fraction of 255; f means (0, f).
        value_range: Lowest and highest value of the pixels.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`; and
            `bounding_box_format`.

    >>> import lamina as keras
    >>> keras.layers.Solarization()(keras.ops.array([[[0.0], [200.0]]]))[0, :, 0].tolist()
    [255.0, 55.0]
    """

    def __init__(
        self,
        addition_factor: Range = 0.0,
        threshold_factor: Range = 0.0,
        value_range: Sequence[float] = (0, 255),
        seed: SeedLike = None,
        **kwargs: Unpack[ImageLayerArguments],
    ):
        super().__init__(seed=seed, **kwargs)
        self.addition_factor: Pair = factor_range(self, addition_factor, "addition_factor", low=0, strict=True)
        self.threshold_factor: Pair = factor_range(self, threshold_factor, "threshold_factor", low=0, strict=True)
        self.value_range: Any = sorted(pixel_range(self, value_range))

    def _draw(self, shape, seed):
        ranges = {"additions": self.addition_factor, "thresholds": self.threshold_factor}
        return {
            name: random.uniform((shape[0], 1, 1, 1), low, high * 255, self.compute_dtype, seed)
            for name, (low, high) in ranges.items()
        }

    def _change(self, images, transformation):
        levels = rescaled(images, self.value_range, LEVELS) + per_image(transformation["additions"])
        levels = jnp.clip(levels, *LEVELS)
        levels = jnp.where(levels < per_image(transformation["thresholds"]), levels, 255 - levels)
        return rescaled(levels, LEVELS, self.value_range)
