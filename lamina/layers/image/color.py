"""Random changes of colour: of brightness, contrast, hue, saturation, sharpness and the like."""

import jax.numpy as jnp

from lamina import random
from lamina.errors import ConfigError
from lamina.layers.image.base import RandomImageLayer, drawn_to_apply, factor_range
from lamina.layers.image.contrast import LEVELS, pixel_range, rescaled
from lamina.ops.image import filtered, gaussian_blur, hsv_to_rgb, rgb_to_grayscale, rgb_to_hsv
from lamina.runtime import settings

__all__ = [
    "RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast", "RandomGaussianBlur",
    "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPosterization", "RandomSaturation", "RandomSharpness",
    "Solarization",
]  # fmt: skip


def each(numbers):
    """One number for each image, of a shape that meets (batch, height, width, channels)."""
    return jnp.reshape(numbers, (-1, 1, 1, 1))


class _Strength(RandomImageLayer):
    """A layer that draws one number from the range `factor` for each image."""

    bounds = (-1, 1)  # of `factor`

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.factor = factor_range(self, factor, "factor", *self.bounds)
        self.value_range = sorted(pixel_range(self, value_range))

    def _draw(self, shape, seed):
        return {"factor": random.uniform((shape[0],), *self.factor, seed=seed)}


class RandomBrightness(_Strength):
    """`images + delta` within `value_range`, for each image a delta from the range `factor`, 1 being the whole range
    from black to white.

    Args:
        factor: a pair of numbers from -1 to 1; f stands for (-f, f).
        value_range: of the pixels.
        seed: a whole number makes the draws repeatable.

    >>> import lamina as keras
    >>> keras.layers.RandomBrightness((0.5, 0.5))(keras.ops.array([[[0.0], [200.0]]]))[0, :, 0].tolist()
    [127.5, 255.0]
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(factor, value_range, seed, **kwargs)

    def _draw(self, shape, seed):
        low, high = self.value_range
        return {"rgb_delta": random.uniform((shape[0], 1, 1, 1), *self.factor, seed=seed) * (high - low)}

    def _change(self, images, transformation):
        return jnp.clip(images + each(transformation["rgb_delta"]).astype(images.dtype), *self.value_range)


class RandomContrast(RandomImageLayer):
    """`(images - mean) * f + mean` within `value_range`, with the mean of each channel of each image and an f from
    1 - lower to 1 + upper.

    Args:
        factor: (lower, upper), from 0 to 1; u stands for (0, u).
        value_range: of the pixels.
        seed: a whole number makes the draws repeatable.

    >>> import lamina as keras
    >>> keras.layers.RandomContrast(0.5, seed=1)(keras.ops.array([[[40.0], [80.0]]]))[0, :, 0].round().tolist()
    [39.0, 81.0]
    """

    def __init__(self, factor, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.factor = factor_range(self, factor, low=0)
        self.value_range = pixel_range(self, value_range)

    def _draw(self, shape, seed):
        lower, upper = 1.0 - self.factor[0], 1.0 + self.factor[1]
        return {"contrast_factor": random.uniform((shape[0], 1, 1, 1), lower, upper, self.compute_dtype, seed)}

    def _change(self, images, transformation):
        mean = jnp.mean(images, axis=(1, 2), keepdims=True)
        return jnp.clip((images - mean) * each(transformation["contrast_factor"]) + mean, *self.value_range)


class RandomColorDegeneration(_Strength):
    """`images + f * (gray - images)` within `value_range`: paler colours, for each image an f from the range `factor`.

    Args:
        factor: a pair of numbers from -1 to 1: 0 for no change, 1 for gray; f stands for (-f, f).
        value_range: of the pixels.
        seed: a whole number makes the draws repeatable.

    >>> import lamina as keras
    >>> keras.layers.RandomColorDegeneration((1, 1))(keras.ops.array([[[100.0, 0.0, 0.0]]])).round().tolist()
    [[[30.0, 30.0, 30.0]]]
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)

    def _change(self, images, transformation):
        gray = rgb_to_grayscale(images, "channels_last")
        factor = each(transformation["factor"]).astype(images.dtype)
        return jnp.clip(images + factor * (gray - images), *self.value_range)


class RandomGrayscale(RandomImageLayer):
    """Gray images in place of coloured ones, with probability `factor`, three channels each. The outputs have the type
    of the inputs.

    >>> import lamina as keras
    >>> keras.layers.RandomGrayscale(1.0)(keras.ops.array([[[100.0, 0.0, 0.0]]])).round().tolist()
    [[[30.0, 30.0, 30.0]]]
    """

    _config_optional = frozenset(("activity_regularizer", "bounding_box_format", "seed"))
    _keeps_integers = True

    def __init__(self, factor=0.5, data_format=None, seed=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        if not 0 <= factor <= 1:
            raise ConfigError(f"RandomGrayscale needs a factor (a probability) between 0 and 1; got {factor!r}.")
        self.factor = factor

    def _draw(self, shape, seed):
        return random.uniform((shape[0], 1, 1, 1), seed=seed) < self.factor

    def _change(self, images, transformation):
        return jnp.where(each(transformation), rgb_to_grayscale(images, "channels_last"), images)


class RandomHue(RandomImageLayer):
    """Colours turned around the circle of hues, by up to half of it, for each image a turn of either direction from the
    range `factor`.

    Args:
        factor: a pair of numbers from 0 (no change) to 1 (half of the circle); f stands for (0, f).
        value_range: of the pixels.
        seed: a whole number makes the draws repeatable.

    >>> import lamina as keras
    >>> keras.layers.RandomHue((1, 1), value_range=(0, 1))(keras.ops.array([[[1.0, 0.0, 0.0]]])).tolist()
    [[[0.0, 1.0, 1.0]]]
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self, factor, low=0)
        self.value_range = pixel_range(self, value_range)

    def _draw(self, shape, seed):
        direction = jnp.where(random.uniform((shape[0],), seed=seed) > 0.5, -1.0, 1.0)
        return {"factor": direction * random.uniform((shape[0],), *self.factor, seed=seed) * 0.5}

    def _change(self, images, transformation):
        turn = each(transformation["factor"])[..., 0].astype(images.dtype)
        hsv = rgb_to_hsv(rescaled(images, self.value_range, (0, 1)), "channels_last")
        hsv = hsv.at[..., 0].set((hsv[..., 0] + turn) % 1)
        return rescaled(jnp.clip(hsv_to_rgb(hsv, "channels_last"), 0, 1), (0, 1), self.value_range)


class RandomSaturation(_Strength):
    """Saturations times `f / (1 - f)`, for each image an f from the range `factor`.

    Args:
        factor: a pair of numbers from -1 to 1: 0 for gray, 0.5 for no change; f stands for (-f, f).
        value_range: of the pixels.
        seed: a whole number makes the draws repeatable.

    >>> import lamina as keras
    >>> keras.layers.RandomSaturation((0, 0), value_range=(0, 1))(keras.ops.array([[[0.5, 1.0, 0.0]]])).tolist()
    [[[1.0, 1.0, 1.0]]]
    """

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)

    def _draw(self, shape, seed):
        factor = random.uniform((shape[0],), *self.factor, seed=seed)
        return {"factor": factor / (1 - factor + settings.epsilon())}

    def _change(self, images, transformation):
        factor = each(transformation["factor"])[..., 0].astype(images.dtype)
        hsv = rgb_to_hsv(images, "channels_last")
        hsv = hsv.at[..., 1].set(jnp.clip(hsv[..., 1] * factor, *self.value_range))
        return hsv_to_rgb(hsv, "channels_last")


class RandomSharpness(_Strength):
    """`images + (1 - 2f) * (smooth - images)` within `value_range`, for each image an f from the range `factor`.

    Args:
        factor: a pair of numbers from 0 to 1: 0 for smooth, 0.5 for no change, 1 for sharp; f stands for (0, f).
        value_range: of the pixels.
        seed: a whole number makes the draws repeatable.

    >>> import lamina as keras
    >>> keras.layers.RandomSharpness((0, 0))(keras.ops.full((3, 3, 1), 13.0))[1, :, 0].round().tolist()
    [10.0, 13.0, 10.0]
    """

    bounds = (0, 1)

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)

    def _change(self, images, transformation):
        smooth = (filtered(images, [1, 1, 1], [1, 1, 1]) + 4 * images) / 13  # a middle of 5, and 1 around it
        factor = each(transformation["factor"] * 2).astype(images.dtype)
        return jnp.clip(images + (1 - factor) * (smooth - images), *self.value_range)


class RandomGaussianBlur(RandomImageLayer):
    """Some images blurred by a bell curve; the width of the curve is drawn once for the batch.

    Args:
        factor: the range, from 0 to 1, of the probability of an image to be blurred; f stands for (0, f).
        kernel_size: pixels of the curve, odd, along (the width, the height).
        sigma: the range, from 0 to 1, of the standard deviations in pixels; s stands for (0, s).
        value_range: of the pixels.
        seed: a whole number makes the draws repeatable.

    >>> import lamina as keras
    >>> layer = keras.layers.RandomGaussianBlur((1, 1), sigma=(1, 1))
    >>> layer(keras.ops.full((3, 3, 1), 100.0))[1, :, 0].round().tolist()
    [73.0, 100.0, 73.0]
    """

    def __init__(
        self, factor=1.0, kernel_size=3, sigma=1.0, value_range=(0, 255), data_format=None, seed=None, **kwargs
    ):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self, factor, low=0)
        self.kernel_size = tuple(kernel_size) if isinstance(kernel_size, (tuple, list)) else (kernel_size, kernel_size)
        if len(self.kernel_size) != 2 or any(size % 2 == 0 for size in self.kernel_size):
            raise ConfigError(f"RandomGaussianBlur needs a kernel_size of one or two odd numbers; got {kernel_size!r}.")
        self.sigma = factor_range(self, sigma, "sigma", low=0)
        self.value_range = pixel_range(self, value_range)

    def _draw(self, shape, seed):
        blurred = drawn_to_apply(shape[0], self.factor, seed)
        sigma = random.uniform((2,), *self.sigma, self.compute_dtype, seed)
        return {"should_apply_blur": blurred, "blur_factor": sigma + 1e-6}

    def _change(self, images, transformation):
        smooth = gaussian_blur(images, self.kernel_size, transformation["blur_factor"], "channels_last")
        return jnp.clip(jnp.where(each(transformation["should_apply_blur"]), smooth, images), *self.value_range)


class RandomInvert(RandomImageLayer):
    """Some images as negatives, `high - images`.

    Args:
        factor: the range, from 0 to 1, of the probability of an image to be inverted; f stands for (0, f).
        value_range: (low, high) of the pixels.
        seed: a whole number makes the draws repeatable.

    >>> import lamina as keras
    >>> keras.layers.RandomInvert((1, 1))(keras.ops.array([[[0.0], [200.0]]]))[0, :, 0].tolist()
    [255.0, 55.0]
    """

    def __init__(self, factor=1.0, value_range=(0, 255), seed=None, data_format=None, **kwargs):
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.factor = factor_range(self, factor, low=0)
        self.value_range = pixel_range(self, value_range)

    def _draw(self, shape, seed):
        return {"apply_inversion": drawn_to_apply(shape[0], self.factor, seed)}

    def _change(self, images, transformation):
        return jnp.where(each(transformation["apply_inversion"]), self.value_range[1] - images, images)


class RandomPosterization(_Strength):
    """Pixels with only some of their 8 bits, the highest, for each image a number of bits from the range `factor`.

    Args:
        factor: a number of bits from 1 to 8, or a range of them (without the upper end); b stands for (1, b).
        value_range: of the pixels.
        seed: a whole number makes the draws repeatable.

    >>> import lamina as keras
    >>> keras.layers.RandomPosterization((2, 2))(keras.ops.array([[[63.0], [100.0]]]))[0, :, 0].tolist()
    [0.0, 64.0]
    """

    bounds = (1, 8)

    def __init__(self, factor, value_range=(0, 255), data_format=None, seed=None, **kwargs):
        super().__init__(factor, value_range, seed, data_format=data_format, **kwargs)

    def _draw(self, shape, seed):
        low, high = self.factor
        bits = jnp.full((shape[0],), low, "uint8")
        if low != high:
            bits = random.randint((shape[0],), low, high, "uint8", seed)
        return {"shift_factor": 8 - bits}

    def _change(self, images, transformation):
        shift = each(transformation["shift_factor"]).astype("uint8")
        levels = rescaled(images, self.value_range, LEVELS).astype("uint8")
        return rescaled((levels >> shift << shift).astype(images.dtype), LEVELS, self.value_range)


class Solarization(RandomImageLayer):
    """`images + addition`, with what is not below a threshold inverted, as if the film had been lit too long.

    Args:
        addition_factor: the range, from 0 to 1, of the part of 255 that is added; f stands for (0, f).
        threshold_factor: the range, from 0 to 1, of the threshold as a part of 255; f stands for (0, f).
        value_range: of the pixels.
        seed: a whole number makes the draws repeatable.

    Of both ranges the lower end is used as it is, in levels of 0 to 255, as Keras does.

    >>> import lamina as keras
    >>> keras.layers.Solarization()(keras.ops.array([[[0.0], [200.0]]]))[0, :, 0].tolist()
    [255.0, 55.0]
    """

    def __init__(self, addition_factor=0.0, threshold_factor=0.0, value_range=(0, 255), seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.addition_factor = factor_range(self, addition_factor, "addition_factor", low=0, strict=True)
        self.threshold_factor = factor_range(self, threshold_factor, "threshold_factor", low=0, strict=True)
        self.value_range = sorted(pixel_range(self, value_range))

    def _draw(self, shape, seed):
        ranges = {"additions": self.addition_factor, "thresholds": self.threshold_factor}
        return {
            name: random.uniform((shape[0], 1, 1, 1), low, high * 255, self.compute_dtype, seed)
            for name, (low, high) in ranges.items()
        }

    def _change(self, images, transformation):
        levels = rescaled(images, self.value_range, LEVELS) + each(transformation["additions"])
        levels = jnp.clip(levels, *LEVELS)
        levels = jnp.where(levels < each(transformation["thresholds"]), levels, 255 - levels)
        return rescaled(levels, LEVELS, self.value_range)


class RandomColorJitter(RandomImageLayer):
    """RandomBrightness, RandomContrast, RandomSaturation and RandomHue, one after the other; those with a factor.

    >>> import lamina as keras
    >>> layer = keras.layers.RandomColorJitter(brightness_factor=(0.1, 0.1), hue_factor=0.2)
    >>> layer(keras.ops.full((1, 2, 3), 100.0)).round().tolist()
    [[[126.0, 126.0, 126.0], [126.0, 126.0, 126.0]]]
    """

    _kinds = {
        "brightness": RandomBrightness, "contrast": RandomContrast, "saturation": RandomSaturation, "hue": RandomHue,
    }  # fmt: skip

    def __init__(
        self, value_range=(0, 255), brightness_factor=None, contrast_factor=None, saturation_factor=None,
        hue_factor=None, seed=None, data_format=None, **kwargs,
    ):  # fmt: skip
        super().__init__(seed=seed, data_format=data_format, **kwargs)
        self.value_range = pixel_range(self, value_range)
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
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
