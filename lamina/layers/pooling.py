"""Pooling over 1 to 3 spatial axes: the maximum or the mean of windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lamina.core.arguments import choice
from lamina.layers.spatial import SpatialLayer
from lamina.legacy import moved_from
from lamina.ops.pooling import average_pool, max_pool

if TYPE_CHECKING:
    from lamina.core.typing import DataFormat, Size, Tensor

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "AvgPool1D", "AvgPool2D", "AvgPool3D", "MaxPool1D",
    "MaxPool2D", "MaxPool3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
]  # fmt: skip


class _Pooling(SpatialLayer):
    """One number for each window and channel. Subclasses set `pool`."""

    _traits = frozenset(("pooling",))

    pool: Callable

    def __init__(
        self,
        pool_size: Size = 2,
        strides: Size | None = None,
        padding: str = "valid",
        data_format: DataFormat = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format, name=name, **kwargs)
        self.pool_size = self._per_axis("pool_size", pool_size)
        self.strides = self.pool_size if strides is None else self._per_axis("strides", strides)
        self.padding = str(padding).lower()
        choice(self, "padding", self.padding, ("valid", "same"))

    def call(self, inputs: Tensor) -> Tensor:
        return self.pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def _shape_rule(self, input_shape):
        channels = input_shape[self.channel_axis]
        return self._shape_of_windows(input_shape, self.pool_size, self.strides, self.padding, channels)


class MaxPooling1D(_Pooling):
    """The largest number of each window of `pool_size` steps, for each channel; strides=None puts them side by side.

    Shapes: (batch, steps, channels) -> (batch, new_steps, channels), new_steps = (steps - pool_size) // strides + 1 for
    padding="valid" and ceil(steps / strides) for "same".

    Args:
        pool_size: Size of the window along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis; None means `pool_size`.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ShapeError: for inputs of another rank, or shorter than the window with padding="valid".

    >>> import lamina as keras
    >>> keras.layers.MaxPooling1D(2)(keras.Input((10, 4))).shape
    (None, 5, 4)
    """

    rank: int = 1
    pool: Any = staticmethod(max_pool)


class MaxPooling2D(_Pooling):
    """The largest number of each window of an image, for each channel.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, channels).

    Args:
        pool_size: Size of the window along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis; None means `pool_size`.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ShapeError: For inputs of another rank, or shorter than the window with padding="valid".

    >>> import lamina as keras
    >>> keras.layers.MaxPooling2D(3, strides=2, padding="same")(keras.Input((28, 28, 3))).shape
    (None, 14, 14, 3)
    """

    rank: int = 2
    pool: Any = staticmethod(max_pool)


class MaxPooling3D(_Pooling):
    """The largest number of each window of a volume, for each channel.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, channels).

    Args:
        pool_size: Size of the window along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis; None means `pool_size`.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ShapeError: For inputs of another rank, or shorter than the window with padding="valid".
    """

    rank: int = 3
    pool: Any = staticmethod(max_pool)


class AveragePooling1D(_Pooling):
    """The mean of each window of `pool_size` steps, for each channel; padding does not count.

    Shapes: (batch, steps, channels) -> (batch, new_steps, channels).

    Args:
        pool_size: Size of the window along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis; None means `pool_size`.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ShapeError: For inputs of another rank, or shorter than the window with padding="valid".

    >>> import lamina as keras
    >>> keras.layers.AveragePooling1D(2)(keras.Input((10, 4))).shape
    (None, 5, 4)
    """

    rank: int = 1
    pool: Any = staticmethod(average_pool)


class AveragePooling2D(_Pooling):
    """The mean of each window of an image, for each channel; padding does not count.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, channels).

    Args:
        pool_size: Size of the window along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis; None means `pool_size`.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ShapeError: For inputs of another rank, or shorter than the window with padding="valid".
    """

    rank: int = 2
    pool: Any = staticmethod(average_pool)


class AveragePooling3D(_Pooling):
    """The mean of each window of a volume, for each channel; padding does not count.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, channels).

    Args:
        pool_size: Size of the window along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis; None means `pool_size`.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ShapeError: For inputs of another rank, or shorter than the window with padding="valid".
    """

    rank: int = 3
    pool: Any = staticmethod(average_pool)


AvgPool1D = AveragePooling1D
AvgPool2D = AveragePooling2D
AvgPool3D = AveragePooling3D
MaxPool1D = MaxPooling1D
MaxPool2D = MaxPooling2D
MaxPool3D = MaxPooling3D

__getattr__: Any = moved_from(__name__)
