"""RandomHeight and RandomWidth of Keras 2, which draw the size of their outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jax.core import Tracer

from lamina import random
from lamina.errors import ConfigError, TracingError
from lamina.layers.base.layer import Layer
from lamina.ops.image_size import resize

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import LayerArguments, SeedLike, Shape, Tensor

__all__ = ["RandomHeight", "RandomWidth"]


class RandomHeight(Layer):
    """In training images of a height that is drawn once for a batch; otherwise the images as they are.

    The size of the outputs is random, so that a training step with this layer runs op by op, with
    `compile(run_eagerly=True)`. `RandomZoom` keeps the size and is compiled.

    Shapes: ([batch], rows, columns, channels) -> ([batch], other rows, columns, channels).

    Args:
        factor: Largest change as a share of the height; or a pair, the least and the largest, below 0 for smaller.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ConfigError: A factor lets no pixels, or is not a pair in order.

    >>> RandomHeight((0.5, 0.5))(np.ones((1, 4, 4, 3)), training=True).shape
    (1, 6, 4, 3)
    """

    _axis = -3
    _today = "keras.layers.RandomZoom(height_factor=0.2, width_factor=0.0)"

    def __init__(
        self,
        factor: float | tuple[float, float],
        interpolation: str = "bilinear",
        seed: SeedLike = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self.factor, self.interpolation, self.seed = factor, interpolation, seed
        least, largest = factor if isinstance(factor, (tuple, list)) else (-factor, factor)
        if not -1.0 <= least <= largest:
            raise ConfigError(
                f"{type(self).__name__} needs a factor of 0 or more, or a pair in order from -1 on; got {factor!r}.",
                fix="factor=(-0.2, 0.3)",
            )
        self._range = 1.0 + least, 1.0 + largest
        self.generator: random.SeedGenerator = random.SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        share: Any = random.uniform((), *self._range, seed=self.generator)
        if isinstance(share, Tracer):
            raise TracingError(f"{type(self).__name__} draws the size of its outputs in each step.", fix=self._today)
        sizes = list(inputs.shape)
        sizes[self._axis] = int(np.float32(share) * sizes[self._axis])
        return resize(inputs, tuple(sizes[-3:-1]), self.interpolation, data_format="channels_last")

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """The shape of the inputs, with one size that is not known."""
        sizes: list[Any] = list(input_shape)
        sizes[self._axis] = None
        return tuple(sizes)


class RandomWidth(RandomHeight):
    """In training images of a width that is drawn once for a batch; otherwise the images as they are.

    The size of the outputs is random, so that a training step with this layer runs op by op, with
    `compile(run_eagerly=True)`. `RandomZoom` keeps the size and is compiled.

    Shapes: ([batch], rows, columns, channels) -> ([batch], rows, other columns, channels).

    Args:
        factor: Largest change as a share of the width; or a pair, the least and the largest, below 0 for smaller.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> RandomWidth((0.5, 0.5))(np.ones((1, 4, 4, 3)), training=True).shape
    (1, 4, 6, 3)
    """

    _axis = -2
    _today = "keras.layers.RandomZoom(height_factor=0.0, width_factor=0.2)"
