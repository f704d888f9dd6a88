"""Global pooling over 1 to 3 spatial axes: the maximum or the mean of each channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.layers.spatial import SpatialLayer

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import DataFormat, LayerArguments, Tensor

__all__ = [
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalAvgPool1D",
    "GlobalAvgPool2D", "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPool3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D",
]  # fmt: skip


class _GlobalPooling(SpatialLayer):
    """One number for each channel. Subclasses set `reduce`."""

    _traits = frozenset(("global_pooling",))

    reduce: Any

    def __init__(self, data_format: DataFormat = None, keepdims: bool = False, **kwargs: Unpack[LayerArguments]):
        super().__init__(data_format, **kwargs)
        self.keepdims = keepdims

    def call(self, inputs: Tensor) -> Tensor:
        return self.reduce(inputs, self.space, keepdims=self.keepdims)

    def _shape_rule(self, input_shape):
        return self._shape(input_shape, [1] * (self.rank * self.keepdims), input_shape[self.channel_axis])


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean of each channel over the steps, or over those that a mask (batch, steps) leaves; 0 where it leaves none.

    Shapes: (batch, steps, channels) -> (batch, channels), with keepdims (batch, 1, channels).

    Args:
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        keepdims: Whether the spatial axes are kept, with size 1.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.GlobalAveragePooling1D()(keras.Input((None, 4))).shape
    (None, 4)
    """

    rank: int = 1
    reduce: Any = staticmethod(jnp.mean)

    def __init__(self, data_format: DataFormat = None, keepdims: bool = False, **kwargs: Unpack[LayerArguments]):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Any = None) -> Tensor:
        if mask is None:
            return super().call(inputs)
        weights = jnp.expand_dims(jnp.asarray(mask, inputs.dtype), self.channel_axis)
        total = jnp.sum(weights, self.space, keepdims=True)
        return jnp.sum(inputs * weights / jnp.where(total == 0, 1, total), self.space, keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of each channel over the image.

    Shapes: (batch, rows, columns, channels) -> (batch, channels), with keepdims (batch, 1, 1, channels).

    Args:
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        keepdims: Whether the spatial axes are kept, with size 1.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.GlobalAveragePooling2D(keepdims=True)(keras.Input((28, 28, 3))).shape
    (None, 1, 1, 3)
    """

    rank: int = 2
    reduce: Any = staticmethod(jnp.mean)


class GlobalAveragePooling3D(_GlobalPooling):
    """The mean of each channel over the volume.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, channels), with keepdims (batch, 1, 1, 1, channels).

    Args:
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        keepdims: Whether the spatial axes are kept, with size 1.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank: int = 3
    reduce: Any = staticmethod(jnp.mean)


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest number of each channel over the steps.

    Shapes: (batch, steps, channels) -> (batch, channels), with keepdims (batch, 1, channels).

    Args:
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        keepdims: Whether the spatial axes are kept, with size 1.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.GlobalMaxPooling1D()(keras.Input((None, 4))).shape
    (None, 4)
    """

    rank: int = 1
    reduce: Any = staticmethod(jnp.max)


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest number of each channel over the image.

    Shapes: (batch, rows, columns, channels) -> (batch, channels), with keepdims (batch, 1, 1, channels).

    Args:
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        keepdims: Whether the spatial axes are kept, with size 1.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank: int = 2
    reduce: Any = staticmethod(jnp.max)


class GlobalMaxPooling3D(_GlobalPooling):
    """The largest number of each channel over the volume.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, channels), with keepdims (batch, 1, 1, 1, channels).

    Args:
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        keepdims: Whether the spatial axes are kept, with size 1.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank: int = 3
    reduce: Any = staticmethod(jnp.max)


GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
