"""Zero padding and cropping over 1 to 3 spatial axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.errors import ShapeError
from lamina.layers.spatial import SpatialLayer

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import DataFormat, LayerArguments, Tensor

__all__ = ["Cropping1D", "Cropping2D", "Cropping3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D"]


class _ZeroPadding(SpatialLayer):
    """Zeros around the spatial axes: one number, one for each axis, or (before, after) of each axis."""

    _traits = frozenset(("rearranging",))

    def __init__(self, padding: Any = 1, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(data_format, **kwargs)
        self._margins = self._pairs_per_axis("padding", padding)
        self.padding = self._margins if self.rank > 1 else self._margins[0]

    def call(self, inputs: Tensor) -> Tensor:
        return jnp.pad(inputs, self._over_all_axes(self._margins, (0, 0)))

    def _shape_rule(self, input_shape):
        margins = self._over_all_axes(self._margins, (0, 0))
        return tuple(size and size + sum(margin) for size, margin in zip(input_shape, margins, strict=True))


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the steps: `padding` of them, or (before, after).

    Shapes: (batch, steps, channels) -> (batch, before + steps + after, channels).

    Args:
        padding: Number of steps added at both ends, or (before, after).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.ZeroPadding1D((1, 2))(keras.Input((10, 4))).shape
    (None, 13, 4)
    """

    rank = 1


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images: one number, one for (rows, columns), or ((top, bottom), (left, right)).

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, channels).

    Args:
        padding: One number, one each for (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank = 2


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes: one number, one for each axis, or (before, after) of each axis.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, channels).

    Args:
        padding: One number, one for each spatial axis, or (before, after) for each.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    rank = 3


class _Cropping(SpatialLayer):
    """The spatial axes without their ends: one number, one for each axis, or (before, after) of each axis."""

    _traits = frozenset(("rearranging",))

    def __init__(self, cropping: Any = 1, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(data_format, **kwargs)
        self._margins = self._pairs_per_axis("cropping", cropping)
        self.cropping = self._margins if self.rank > 1 else self._margins[0]

    def _shape_rule(self, input_shape):
        self._check(input_shape)
        margins = self._over_all_axes(self._margins, (0, 0))
        return tuple(size and size - sum(margin) for size, margin in zip(input_shape, margins, strict=True))

    def _check(self, shape):
        """Refuse sizes, where they are known, of which nothing would be left."""
        sizes = tuple(shape[axis] for axis in self.space)
        if any(size is not None and sum(margin) >= size for margin, size in zip(self._margins, sizes, strict=True)):
            raise ShapeError(
                f"{type(self).__name__} of {self.cropping} leaves nothing of inputs of size {sizes}.",
                fix="cropping=0" if None in sizes else f"cropping={tuple(((size - 1) // 2,) * 2 for size in sizes)}",
            )

    def call(self, inputs: Tensor) -> Tensor:
        self._check(inputs.shape)
        sizes = [inputs.shape[axis] for axis in self.space]
        kept = [slice(before, size - after) for (before, after), size in zip(self._margins, sizes, strict=True)]
        return inputs[self._over_all_axes(kept, slice(None))]


class Cropping1D(_Cropping):
    """The steps without the first and last `cropping` of them, or without (before, after).

    Shapes: (batch, steps, channels) -> (batch, steps - before - after, channels).

    Args:
        cropping: Number of steps removed at both ends, or (before, after).
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ShapeError: where nothing is left.

    >>> import lamina as keras
    >>> keras.layers.Cropping1D((1, 2))(keras.Input((10, 4))).shape
    (None, 7, 4)
    """

    rank = 1
    _config_skips = _Cropping._config_skips | {"data_format"}

    def __init__(self, cropping: Any = (1, 1), **kwargs: Unpack[LayerArguments]):
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(_Cropping):
    """Images without their borders: one number, one for (rows, columns), or ((top, bottom), (left, right)).

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, channels).

    Args:
        cropping: One number, one each for (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ShapeError: where nothing is left.
    """

    rank = 2

    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]
    ):
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Volumes without their borders: one number, one for each axis, or (before, after) of each axis.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, channels).

    Args:
        cropping: One number, one for each spatial axis, or (before, after) for each.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ShapeError: where nothing is left.
    """

    rank = 3
