"""Pooling over 1 to 3 spatial axes: windows, whole maps, and maps of a given size."""

from collections.abc import Callable

import jax.numpy as jnp

from lamina.errors import ConfigError
from lamina.layers.spatial import SpatialLayer
from lamina.legacy import moved_from
from lamina.ops.pooling import adaptive_average_pool, adaptive_max_pool, average_pool, max_pool

__all__ = [
    "AdaptiveAveragePooling1D", "AdaptiveAveragePooling2D", "AdaptiveAveragePooling3D", "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D", "AdaptiveMaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "AvgPool1D", "AvgPool2D", "AvgPool3D", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D",
    "GlobalAvgPool1D", "GlobalAvgPool2D", "GlobalAvgPool3D", "GlobalMaxPool1D", "GlobalMaxPool2D", "GlobalMaxPool3D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalMaxPooling3D", "MaxPool1D", "MaxPool2D", "MaxPool3D",
    "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
]  # fmt: skip


class _Pooling(SpatialLayer):
    """One number for each window and channel. Subclasses set `pool`."""

    _traits = frozenset(("pooling",))

    pool: Callable

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, name=None, **kwargs):
        super().__init__(data_format, name=name, **kwargs)
        self.pool_size = self.per_axis("pool_size", pool_size)
        self.strides = self.pool_size if strides is None else self.per_axis("strides", strides)
        self.padding = str(padding).lower()
        if self.padding not in ("valid", "same"):
            raise ConfigError(f"padding of {type(self).__name__} is 'valid' or 'same'; got {padding!r}.")

    def call(self, inputs):
        return self.pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def _shape_rule(self, input_shape):
        channels = input_shape[self.channel_axis]
        return self._shape_of_windows(input_shape, self.pool_size, self.strides, self.padding, channels)


class MaxPooling1D(_Pooling):
    """The largest number of each window of `pool_size` steps, for each channel; strides=None puts them side by side.

    Shapes: (batch, steps, channels) -> (batch, new_steps, channels), new_steps = (steps - pool_size) // strides + 1 for
    padding="valid" and ceil(steps / strides) for "same".

    Raises:
        ShapeError: for inputs of another rank, or shorter than the window with padding="valid".

    >>> import lamina as keras
    >>> keras.layers.MaxPooling1D(2)(keras.Input((10, 4))).shape
    (None, 5, 4)
    """

    rank, pool = 1, staticmethod(max_pool)


class MaxPooling2D(_Pooling):
    """The largest number of each window of an image, for each channel. Sizes and errors as for MaxPooling1D.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, channels).

    >>> import lamina as keras
    >>> keras.layers.MaxPooling2D(3, strides=2, padding="same")(keras.Input((28, 28, 3))).shape
    (None, 14, 14, 3)
    """

    rank, pool = 2, staticmethod(max_pool)


class MaxPooling3D(_Pooling):
    """The largest number of each window of a volume, for each channel. Sizes and errors as for MaxPooling1D.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, channels).
    """

    rank, pool = 3, staticmethod(max_pool)


class AveragePooling1D(_Pooling):
    """The mean of each window of `pool_size` steps, for each channel; padding does not count. Sizes as in MaxPooling1D.

    Shapes: (batch, steps, channels) -> (batch, new_steps, channels).

    >>> import lamina as keras
    >>> keras.layers.AveragePooling1D(2)(keras.Input((10, 4))).shape
    (None, 5, 4)
    """

    rank, pool = 1, staticmethod(average_pool)


class AveragePooling2D(_Pooling):
    """The mean of each window of an image, for each channel; padding does not count. Sizes as for MaxPooling1D.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, channels).
    """

    rank, pool = 2, staticmethod(average_pool)


class AveragePooling3D(_Pooling):
    """The mean of each window of a volume, for each channel; padding does not count. Sizes as for MaxPooling1D.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, channels).
    """

    rank, pool = 3, staticmethod(average_pool)


class _GlobalPooling(SpatialLayer):
    """One number for each channel. Subclasses set `reduce`."""

    _traits = frozenset(("global_pooling",))

    reduce: Callable

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(data_format, **kwargs)
        self.keepdims = keepdims

    def call(self, inputs):
        return self.reduce(inputs, self.space, keepdims=self.keepdims)

    def _shape_rule(self, input_shape):
        return self._shape(input_shape, [1] * (self.rank * self.keepdims), input_shape[self.channel_axis])


class GlobalAveragePooling1D(_GlobalPooling):
    """The mean of each channel over the steps, or over those that a mask (batch, steps) leaves; 0 where it leaves none.

    Shapes: (batch, steps, channels) -> (batch, channels), with keepdims (batch, 1, channels).

    >>> import lamina as keras
    >>> keras.layers.GlobalAveragePooling1D()(keras.Input((None, 4))).shape
    (None, 4)
    """

    rank, reduce = 1, staticmethod(jnp.mean)

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return super().call(inputs)
        weights = jnp.expand_dims(jnp.asarray(mask, inputs.dtype), self.channel_axis)
        total = jnp.sum(weights, self.space, keepdims=True)
        return jnp.sum(inputs * weights / jnp.where(total == 0, 1, total), self.space, keepdims=self.keepdims)

    def compute_mask(self, inputs, previous_mask=None):
        return None


class GlobalAveragePooling2D(_GlobalPooling):
    """The mean of each channel over the image.

    Shapes: (batch, rows, columns, channels) -> (batch, channels), with keepdims (batch, 1, 1, channels).

    >>> import lamina as keras
    >>> keras.layers.GlobalAveragePooling2D(keepdims=True)(keras.Input((28, 28, 3))).shape
    (None, 1, 1, 3)
    """

    rank, reduce = 2, staticmethod(jnp.mean)


class GlobalAveragePooling3D(_GlobalPooling):
    """The mean of each channel over the volume.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, channels), with keepdims (batch, 1, 1, 1, channels).
    """

    rank, reduce = 3, staticmethod(jnp.mean)


class GlobalMaxPooling1D(_GlobalPooling):
    """The largest number of each channel over the steps.

    Shapes: (batch, steps, channels) -> (batch, channels), with keepdims (batch, 1, channels).

    >>> import lamina as keras
    >>> keras.layers.GlobalMaxPooling1D()(keras.Input((None, 4))).shape
    (None, 4)
    """

    rank, reduce = 1, staticmethod(jnp.max)


class GlobalMaxPooling2D(_GlobalPooling):
    """The largest number of each channel over the image.

    Shapes: (batch, rows, columns, channels) -> (batch, channels), with keepdims (batch, 1, 1, channels).
    """

    rank, reduce = 2, staticmethod(jnp.max)


class GlobalMaxPooling3D(_GlobalPooling):
    """The largest number of each channel over the volume.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, channels), with keepdims (batch, 1, 1, 1, channels).
    """

    rank, reduce = 3, staticmethod(jnp.max)


class _AdaptivePooling(SpatialLayer):
    """Maps of `output_size`, whatever the size of the inputs. Subclasses set `pool`."""

    _traits = frozenset(("adaptive_pooling",))

    pool: Callable

    def __init__(self, output_size, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self.output_size = self.per_axis("output_size", output_size)

    def call(self, inputs):
        return self.pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(_AdaptivePooling):
    """The means of `output_size` windows that cover the steps: window i of m over n steps goes from floor(i * n / m) to
    ceil((i + 1) * n / m).

    Shapes: (batch, steps, channels) -> (batch, output_size, channels).

    >>> import lamina as keras
    >>> keras.layers.AdaptiveAveragePooling1D(3)(keras.Input((10, 4))).shape
    (None, 3, 4)
    """

    rank, pool = 1, staticmethod(adaptive_average_pool)


class AdaptiveAveragePooling2D(_AdaptivePooling):
    """The means of windows that cover the image (see AdaptiveAveragePooling1D).

    Shapes: (batch, rows, columns, channels) -> (batch, *output_size, channels).
    """

    rank, pool = 2, staticmethod(adaptive_average_pool)


class AdaptiveAveragePooling3D(_AdaptivePooling):
    """The means of windows that cover the volume (see AdaptiveAveragePooling1D).

    Shapes: (batch, depth, rows, columns, channels) -> (batch, *output_size, channels).
    """

    rank, pool = 3, staticmethod(adaptive_average_pool)


class AdaptiveMaxPooling1D(_AdaptivePooling):
    """The largest numbers of windows that cover the steps (see AdaptiveAveragePooling1D).

    Shapes: (batch, steps, channels) -> (batch, output_size, channels).
    """

    rank, pool = 1, staticmethod(adaptive_max_pool)


class AdaptiveMaxPooling2D(_AdaptivePooling):
    """The largest numbers of windows that cover the image (see AdaptiveAveragePooling1D).

    Shapes: (batch, rows, columns, channels) -> (batch, *output_size, channels).
    """

    rank, pool = 2, staticmethod(adaptive_max_pool)


class AdaptiveMaxPooling3D(_AdaptivePooling):
    """The largest numbers of windows that cover the volume (see AdaptiveAveragePooling1D).

    Shapes: (batch, depth, rows, columns, channels) -> (batch, *output_size, channels).
    """

    rank, pool = 3, staticmethod(adaptive_max_pool)


AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
GlobalAvgPool1D, GlobalAvgPool2D = GlobalAveragePooling1D, GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D, GlobalMaxPool2D, GlobalMaxPool3D = GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D

__getattr__ = moved_from(__name__)
