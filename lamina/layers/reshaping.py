"""Layers that move numbers about: flattening, reshaping, permuting, repeating, padding, cropping and upsampling."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from lamina.core.dtypes import is_float
from lamina.core.keras_tensor import KerasTensor
from lamina.errors import ConfigError, ShapeError
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.base.validation import positive_integer
from lamina.layers.spatial import SpatialLayer
from lamina.runtime.settings import standardize_data_format

__all__ = [
    "Cropping1D", "Cropping2D", "Cropping3D", "Flatten", "Permute", "RepeatVector", "Reshape", "UpSampling1D",
    "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
]  # fmt: skip


class Flatten(Layer):
    """Each sample as one vector, channels last.

    Shapes: (batch, ...) -> (batch, product of the other sizes); (batch,) -> (batch, 1).

    >>> import lamina as keras
    >>> keras.layers.Flatten()(keras.Input((4, 4, 3))).shape
    (None, 48)
    """

    _traits = frozenset(("rearranging",))

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = jnp.moveaxis(inputs, 1, -1)
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:]))


class Reshape(Layer):
    """Each sample in another shape; one size may be -1 and follows from the others.

    Shapes: (batch, ...) -> (batch, *target_shape).

    Raises:
        ConfigError: for more than one -1, or a size below it.
        ShapeError: where the sizes do not come to the same number of elements.

    >>> import lamina as keras
    >>> keras.layers.Reshape((-1, 3))(keras.Input((4, 6))).shape
    (None, 8, 3)
    """

    _traits = frozenset(("rearranging",))

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)
        if self.target_shape.count(-1) > 1:
            raise ConfigError(f"Reshape takes at most one -1 in target_shape; got {self.target_shape}.")
        if any(size < -1 for size in self.target_shape):
            raise ConfigError(f"Each size of target_shape is a non-negative integer or -1; got {self.target_shape}.")

    def compute_output_shape(self, input_shape):
        # Not traced: the sizes that stand in for None need not be divisible by those of the target.
        return (input_shape[0], *self._sizes(tuple(input_shape[1:])))

    def compute_output_spec(self, inputs):
        dtype = self.compute_dtype if self.autocast and is_float(inputs.dtype) else inputs.dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype)

    def call(self, inputs):
        return inputs.reshape(inputs.shape[0], *self._sizes(inputs.shape[1:]))

    def _sizes(self, sample_shape):
        """target_shape with -1 worked out; None where the size is not known."""
        known = math.prod(size for size in self.target_shape if size != -1)
        if None in sample_shape:
            return tuple(None if size == -1 else size for size in self.target_shape)
        total = math.prod(sample_shape)
        missing = total // known if -1 in self.target_shape and known else 1
        if known * missing != total:
            multiple = "a multiple of " if -1 in self.target_shape else ""
            raise ShapeError(
                f"Reshape to {self.target_shape} needs {multiple}{known} numbers a sample; "
                f"inputs of {sample_shape} have {total}.",
                fix="One size may be -1: it follows from the others.",
            )
        return tuple(missing if size == -1 else size for size in self.target_shape)


class Permute(Layer):
    """The axes of each sample in another order; axis 1 is the first after the batch.

    Shapes: (batch, a, b) with dims=(2, 1) -> (batch, b, a).

    >>> import lamina as keras
    >>> keras.layers.Permute((2, 1))(keras.Input((10, 64))).shape
    (None, 64, 10)
    """

    _traits = frozenset(("rearranging",))

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ConfigError(
                f"Permute needs dims with each of 1 to {len(self.dims)} once; got {self.dims}.",
                fix="The batch is not counted.",
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs):
        return inputs.transpose(0, *self.dims)


class RepeatVector(Layer):
    """Each vector `n` times.

    Shapes: (batch, features) -> (batch, n, features).

    >>> import lamina as keras
    >>> keras.layers.RepeatVector(3)(keras.Input((32,))).shape
    (None, 3, 32)
    """

    _traits = frozenset(("rearranging",))

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        self.n = positive_integer("RepeatVector", "n", n, fix="RepeatVector(3)")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs):
        return jnp.repeat(inputs[:, None], self.n, axis=1)


class _ZeroPadding(SpatialLayer):
    """Zeros around the spatial axes: one number, one for each axis, or (before, after) of each axis."""

    _traits = frozenset(("rearranging",))

    def __init__(self, padding: Any = 1, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self._margins = self.margins("padding", padding)
        self.padding = self._margins if self.rank > 1 else self._margins[0]

    def call(self, inputs):
        return jnp.pad(inputs, self.over_all_axes(self._margins, (0, 0)))

    def _shape_rule(self, input_shape):
        margins = self.over_all_axes(self._margins, (0, 0))
        return tuple(size and size + sum(margin) for size, margin in zip(input_shape, margins, strict=True))


class ZeroPadding1D(_ZeroPadding):
    """Zeros before and after the steps: `padding` of them, or (before, after).

    Shapes: (batch, steps, channels) -> (batch, before + steps + after, channels).

    >>> import lamina as keras
    >>> keras.layers.ZeroPadding1D((1, 2))(keras.Input((10, 4))).shape
    (None, 13, 4)
    """

    rank = 1


class ZeroPadding2D(_ZeroPadding):
    """Zeros around images: one number, one for (rows, columns), or ((top, bottom), (left, right)).

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, channels).
    """

    rank = 2


class ZeroPadding3D(_ZeroPadding):
    """Zeros around volumes: one number, one for each axis, or (before, after) of each axis.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, channels).
    """

    rank = 3


class _Cropping(SpatialLayer):
    """The spatial axes without their ends: one number, one for each axis, or (before, after) of each axis."""

    _traits = frozenset(("rearranging",))

    def __init__(self, cropping: Any = 1, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self._margins = self.margins("cropping", cropping)
        self.cropping = self._margins if self.rank > 1 else self._margins[0]

    def _shape_rule(self, input_shape):
        self._check(input_shape)
        margins = self.over_all_axes(self._margins, (0, 0))
        return tuple(size and size - sum(margin) for size, margin in zip(input_shape, margins, strict=True))

    def _check(self, shape):
        """Refuse sizes, where they are known, of which nothing would be left."""
        sizes = tuple(shape[axis] for axis in self.space)
        if any(size is not None and sum(margin) >= size for margin, size in zip(self._margins, sizes, strict=True)):
            raise ShapeError(
                f"{type(self).__name__} of {self.cropping} leaves nothing of inputs of size {sizes}.",
                fix="Before and after together stay below the size of each axis.",
            )

    def call(self, inputs):
        self._check(inputs.shape)
        sizes = [inputs.shape[axis] for axis in self.space]
        kept = [slice(before, size - after) for (before, after), size in zip(self._margins, sizes, strict=True)]
        return inputs[self.over_all_axes(kept, slice(None))]


class Cropping1D(_Cropping):
    """The steps without the first and last `cropping` of them, or without (before, after).

    Shapes: (batch, steps, channels) -> (batch, steps - before - after, channels).

    Raises:
        ShapeError: where nothing is left.

    >>> import lamina as keras
    >>> keras.layers.Cropping1D((1, 2))(keras.Input((10, 4))).shape
    (None, 7, 4)
    """

    rank = 1
    _config_skips = _Cropping._config_skips | {"data_format"}

    def __init__(self, cropping: Any = (1, 1), **kwargs):
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(_Cropping):
    """Images without their borders: one number, one for (rows, columns), or ((top, bottom), (left, right)).

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, channels).

    Raises:
        ShapeError: where nothing is left.
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format=None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Volumes without their borders: one number, one for each axis, or (before, after) of each axis.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, channels).

    Raises:
        ShapeError: where nothing is left.
    """

    rank = 3


class _UpSampling(SpatialLayer):
    """Each element `size` times along each spatial axis."""

    _traits = frozenset(("rearranging",))

    def __init__(self, size=2, data_format=None, **kwargs):
        super().__init__(data_format, **kwargs)
        self._factors = self.per_axis("size", size)
        self.size = self._factors if self.rank > 1 else self._factors[0]

    def call(self, inputs):
        for axis, times in zip(self.space, self._factors, strict=True):
            inputs = jnp.repeat(inputs, times, axis)
        return inputs


class UpSampling1D(_UpSampling):
    """Each step `size` times.

    Shapes: (batch, steps, channels) -> (batch, steps * size, channels).

    >>> import lamina as keras
    >>> keras.layers.UpSampling1D(3)(keras.Input((10, 4))).shape
    (None, 30, 4)
    """

    rank = 1
    _config_skips = _UpSampling._config_skips | {"data_format"}

    def __init__(self, size=2, **kwargs):
        super().__init__(size, "channels_last", **kwargs)


class UpSampling2D(_UpSampling):
    """Images made larger by whole factors, by repetition or by interpolation between pixels.

    Shapes: (batch, rows, columns, channels) -> (batch, rows * size[0], columns * size[1], channels).

    Args:
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".

    >>> import lamina as keras
    >>> keras.layers.UpSampling2D((2, 3), interpolation="bilinear")(keras.Input((4, 4, 3))).shape
    (None, 8, 12, 3)
    """

    rank = 2

    def __init__(self, size=2, data_format=None, interpolation="nearest", **kwargs):
        super().__init__(size, data_format, **kwargs)
        self.interpolation = str(interpolation).lower()
        if self.interpolation not in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"):
            raise ConfigError(
                f"UpSampling2D needs interpolation 'nearest', 'bilinear', 'bicubic', 'lanczos3' or 'lanczos5'; "
                f"got {interpolation!r}."
            )

    def call(self, inputs):
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
    """

    rank = 3
