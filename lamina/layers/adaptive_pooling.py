"""Adaptive pooling over 1 to 3 spatial axes: outputs of a given size for inputs of any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lamina.layers.spatial import SpatialLayer
from lamina.ops.pooling import adaptive_average_pool, adaptive_max_pool

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import DataFormat, LayerArguments, Size, Tensor

__all__ = [
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D",
]  # fmt: skip


class _AdaptivePooling(SpatialLayer):
    """Maps of `output_size` for inputs of any size. Subclasses set `pool`."""

    _traits = frozenset(("adaptive_pooling",))

    pool: Callable

    def __init__(self, output_size: Size, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(data_format, **kwargs)
        self.output_size = self._per_axis("output_size", output_size)

    def call(self, inputs: Tensor) -> Tensor:
        return self.pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(_AdaptivePooling):
    """The means of `output_size` windows that cover the steps: window i of m over n steps goes from floor(i * n / m) to
    ceil((i + 1) * n / m).

    Shapes: (batch, steps, channels) -> (batch, output_size, channels).

    Args:
        output_size: Size of the outputs along each spatial axis, or one number for all axes.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.AdaptiveAveragePooling1D(3)(keras.Input((10, 4))).shape
    (None, 3, 4)
    """

    rank: int = 1
    pool: Any = staticmethod(adaptive_average_pool)


class AdaptiveAveragePooling2D(_AdaptivePooling):
    """The means of windows that cover the image (see AdaptiveAveragePooling1D).

    Shapes: (batch, rows, columns, channels) -> (batch, *output_size, channels).

    Args:
        output_size: Size of the outputs along each spatial axis, or one number for all axes.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank: int = 2
    pool: Any = staticmethod(adaptive_average_pool)


class AdaptiveAveragePooling3D(_AdaptivePooling):
    """The means of windows that cover the volume (see AdaptiveAveragePooling1D).

    Shapes: (batch, depth, rows, columns, channels) -> (batch, *output_size, channels).

    Args:
        output_size: Size of the outputs along each spatial axis, or one number for all axes.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank: int = 3
    pool: Any = staticmethod(adaptive_average_pool)


class AdaptiveMaxPooling1D(_AdaptivePooling):
    """The largest numbers of windows that cover the steps (see AdaptiveAveragePooling1D).

    Shapes: (batch, steps, channels) -> (batch, output_size, channels).

    Args:
        output_size: Size of the outputs along each spatial axis, or one number for all axes.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank: int = 1
    pool: Any = staticmethod(adaptive_max_pool)


class AdaptiveMaxPooling2D(_AdaptivePooling):
    """The largest numbers of windows that cover the image (see AdaptiveAveragePooling1D).

    Shapes: (batch, rows, columns, channels) -> (batch, *output_size, channels).

    Args:
        output_size: Size of the outputs along each spatial axis, or one number for all axes.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank: int = 2
    pool: Any = staticmethod(adaptive_max_pool)


class AdaptiveMaxPooling3D(_AdaptivePooling):
    """The largest numbers of windows that cover the volume (see AdaptiveAveragePooling1D).

    Shapes: (batch, depth, rows, columns, channels) -> (batch, *output_size, channels).

    Args:
        output_size: Size of the outputs along each spatial axis, or one number for all axes.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank: int = 3
    pool: Any = staticmethod(adaptive_max_pool)
