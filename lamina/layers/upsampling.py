"""Upsampling over 1 to 3 spatial axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from lamina.core.arguments import choice
from lamina.layers.spatial import SpatialLayer

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import DataFormat, LayerArguments, Size, Tensor

__all__ = ["UpSampling1D", "UpSampling2D", "UpSampling3D"]


class _UpSampling(SpatialLayer):
    """Each element `size` times along each spatial axis."""

    _traits = frozenset(("rearranging",))

    def __init__(self, size: Size = 2, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(data_format, **kwargs)
        self._factors = self._per_axis("size", size)
        self.size = self._factors if self.rank > 1 else self._factors[0]

    def call(self, inputs: Tensor) -> Tensor:
        for axis, times in zip(self.space, self._factors, strict=True):
            inputs = jnp.repeat(inputs, times, axis)
        return inputs


class UpSampling1D(_UpSampling):
    """Each step `size` times.

    Shapes: (batch, steps, channels) -> (batch, steps * size, channels).

    Args:
        size: Factor along each spatial axis, or one number for all axes.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.UpSampling1D(3)(keras.Input((10, 4))).shape
    (None, 30, 4)
    """

    rank = 1
    _config_skips = _UpSampling._config_skips | {"data_format"}

    def __init__(self, size: Size = 2, **kwargs: Unpack[LayerArguments]):
        super().__init__(size, "channels_last", **kwargs)


class UpSampling2D(_UpSampling):
    """Images made larger by whole factors, by repetition or by interpolation between pixels.

    Shapes: (batch, rows, columns, channels) -> (batch, rows * size[0], columns * size[1], channels).

    Args:
        size: Factor along each spatial axis, or one number for all axes.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.UpSampling2D((2, 3), interpolation="bilinear")(keras.Input((4, 4, 3))).shape
    (None, 8, 12, 3)
    """

    rank = 2

    def __init__(
        self,
        size: Size = 2,
        data_format: DataFormat = None,
        interpolation: str = "nearest",
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(size, data_format, **kwargs)
        self.interpolation: str = str(interpolation).lower()
        choice(self, "interpolation", self.interpolation, ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"))

    def call(self, inputs: Tensor) -> Tensor:
        if self.interpolation == "nearest":
            return super().call(inputs)
        larger = list(inputs.shape)
        for axis, times in zip(self.space, self._factors, strict=True):
            larger[axis] *= times
        return jax.image.resize(inputs, larger, self.interpolation)


class UpSampling3D(_UpSampling):
    """Volumes made larger by whole factors: each element size[i] times along axis i.

    Shapes: (batch, depth, rows, columns, channels)
    -> (batch, depth * size[0], rows * size[1], columns * size[2], channels).

    Args:
        size: Factor along each spatial axis, or one number for all axes.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank = 3
