"""Layers that act in training only: dropout, noise, and the regularization of activities."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import random, regularizers
from lamina.core.arguments import real
from lamina.errors import ConfigError, ShapeError
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.legacy import moved_from
from lamina.runtime.settings import standardize_data_format

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import CommonLayerArguments, DataFormat, LayerArguments, SeedLike, Tensor

__all__ = [
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D",
]  # fmt: skip


class _Noise(Layer):
    """Disturbs its inputs in training and passes them on unchanged otherwise. A subclass says how in `_disturb`."""

    _traits = frozenset(("pointwise", "noise", "passes_through"))
    strength = "rate"  # the argument, from 0 to 1, that says how much

    def __init__(self, seed: SeedLike = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.seed = seed
        amount = getattr(self, self.strength)
        real(self, self.strength, amount, 0, 1, example=0.5)
        if amount > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        return self._disturb(inputs) if training and getattr(self, self.strength) > 0 else inputs

    def _disturb(self, inputs) -> Any:
        raise NotImplementedError

    def _shape_rule(self, input_shape):
        return input_shape


class Dropout(_Noise):
    """In training, each value is 0 with probability `rate` and the others are divided by `1 - rate` (Srivastava et al.,
    2014). With rate 1 outputs and gradients are zeros.

    Args:
        rate: Probability, from 0 to 1, that a value is dropped.
        noise_shape: Shape of the draws: 1 shares a draw along an axis, None takes the size of the inputs; (None, 1,
            None) drops a feature at all time steps of a sample or at none. None draws for each value.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ConfigError: for a rate outside of 0 to 1, or a noise_shape that is no tuple of whole numbers above 0 and None.

    >>> import lamina as keras
    >>> keras.layers.Dropout(0.5, seed=1)(keras.ops.ones((6,)), training=True).tolist()
    [2.0, 0.0, 0.0, 2.0, 0.0, 2.0]
    """

    _traits = frozenset(("pointwise", "noise", "dropout", "passes_through"))

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: SeedLike = None,
        **kwargs: Unpack[LayerArguments],
    ):
        self.rate = rate
        super().__init__(seed, **kwargs)
        self.noise_shape: Any = _checked_noise_shape(noise_shape)

    def _disturb(self, inputs):
        return random.dropout(inputs, self.rate, self._noise_sizes(inputs.shape), self.seed_generator)

    def _noise_sizes(self, shape):
        """The whole shape of the draws for inputs of this shape."""
        if self.noise_shape is None:
            return shape
        sizes = [shape[axis] if size is None else size for axis, size in enumerate(self.noise_shape[: len(shape)])]
        sizes = [1] * (len(shape) - len(sizes)) + sizes
        if len(self.noise_shape) > len(shape) or any(a not in (1, b) for a, b in zip(sizes, shape, strict=True)):
            raise ShapeError(
                f"noise_shape needs 1, None or the input's size on each axis; got {self.noise_shape} for inputs of "
                f"shape {tuple(shape)}.",
                fix="None stands for the size of the input, so that any batch fits.",
            )
        return tuple(sizes)


def _checked_noise_shape(noise_shape):
    if noise_shape is None:
        return None
    if isinstance(noise_shape, (list, tuple)) and all(
        size is None or (isinstance(size, int) and size > 0) for size in noise_shape
    ):
        return tuple(noise_shape)
    raise ConfigError(
        f"noise_shape is a tuple of whole numbers above 0 and None; got {noise_shape!r}.",
        fix="noise_shape=(None, 1, None)",
    )


class _SpatialDropout(Dropout):
    """Dropout of whole channels: neighbours in a feature map are too alike to be dropped one by one (Tompson et al.,
    2015, arXiv:1411.4280)."""

    _config_skips = frozenset(("autocast", "activity_regularizer", "trainable", "noise_shape"))
    rank = 0
    data_format = "channels_last"

    def __init__(
        self,
        rate: float,
        seed: SeedLike = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        axes = [1] * self.rank
        noise_shape = (None, *axes, None) if self.data_format == "channels_last" else (None, None, *axes)
        super().__init__(rate, noise_shape, seed, name=name, dtype=dtype, **kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 2)


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels. Shapes: (batch, time, channels).

    Args:
        rate: Probability, from 0 to 1, that a channel is dropped.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        name: Name of the layer, unique in a model.
        dtype: Type or dtype policy; None means the global policy.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank = 1


class _FormattedSpatialDropout(_SpatialDropout):
    def __init__(
        self,
        rate: float,
        data_format: DataFormat = None,
        seed: SeedLike = None,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        self.data_format = standardize_data_format(data_format)
        super().__init__(rate, seed, name, dtype, **kwargs)


class SpatialDropout2D(_FormattedSpatialDropout):
    """Dropout of whole channels. Shapes: (batch, height, width, channels), or (batch, channels, height, width).

    Args:
        rate: Probability, from 0 to 1, that a channel is dropped.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        name: Name of the layer, unique in a model.
        dtype: Type or dtype policy; None means the global policy.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank = 2


class SpatialDropout3D(_FormattedSpatialDropout):
    """Dropout of whole channels. Shapes: (batch, depth, height, width, channels), or with the channels second.

    Args:
        rate: Probability, from 0 to 1, that a channel is dropped.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        name: Name of the layer, unique in a model.
        dtype: Type or dtype policy; None means the global policy.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank = 3


class GaussianNoise(_Noise):
    """In training, `inputs + N(0, stddev)`.

    Args:
        stddev: Standard deviation of the noise, from 0 to 1.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    strength = "stddev"

    def __init__(self, stddev: float, seed: SeedLike = None, **kwargs: Unpack[LayerArguments]):
        self.stddev = stddev
        super().__init__(seed, **kwargs)

    def _disturb(self, inputs):
        return inputs + random.normal(inputs.shape, 0.0, self.stddev, self.compute_dtype, self.seed_generator)


class GaussianDropout(_Noise):
    """In training, `inputs * N(1, sqrt(rate / (1 - rate)))` (Srivastava et al., 2014). The rate is below 1.

    Args:
        rate: Strength of the noise, from 0 to below 1, as the rate of a Dropout.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    def __init__(self, rate: float, seed: SeedLike = None, **kwargs: Unpack[LayerArguments]):
        real(self, "rate", rate, 0, 1, ends="[)")
        self.rate = rate
        super().__init__(seed, **kwargs)

    def _disturb(self, inputs):
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        return inputs * random.normal(inputs.shape, 1.0, stddev, self.compute_dtype, self.seed_generator)


class AlphaDropout(Dropout):
    """Dropout that keeps the mean and variance of `selu` networks: dropped values get selu's lower limit, and all are
    scaled and shifted (Klambauer et al., 2017, arXiv:1706.02515).

    Args:
        rate: Probability, from 0 to 1, that a value is dropped.
        noise_shape: Shape of the draws: 1 shares a draw along an axis, None takes the size of the inputs; (None, 1,
            None) drops a feature at all time steps of a sample or at none. None draws for each value.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    _lowest = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946

    def _disturb(self, inputs):
        if self.rate == 1:
            return jnp.zeros_like(inputs)
        draws = random.uniform(self._noise_sizes(inputs.shape), seed=self.seed_generator)
        scale = ((1 - self.rate) * (1 + self.rate * self._lowest**2)) ** -0.5
        return scale * jnp.where(draws >= self.rate, inputs, self._lowest) - scale * self._lowest * self.rate


class ActivityRegularization(Layer):
    """Passes its inputs on and adds `(l1 * sum(|inputs|) + l2 * sum(inputs**2)) / batch` to the loss.

    Args:
        l1: Factor of the sum of absolute outputs.
        l2: Factor of the sum of squared outputs.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    l1: float
    l2: float

    _traits = frozenset(("pointwise", "passes_through"))
    _config_skips = frozenset(("autocast", "activity_regularizer"))

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Unpack[CommonLayerArguments]):
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return inputs


__getattr__: Any = moved_from(__name__)
