"""Rescaling and Normalization: layers that bring numbers to a suitable range, inside of the model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.errors import CallTypeError, ConfigError, DataError, ShapeError
from lamina.layers.data_layer import DataLayer
from lamina.legacy import moved_from
from lamina.ops.normalization import broadcast_along
from lamina.runtime import settings
from lamina.runtime.tracebacks import filters_traceback

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import ArrayLike, Axes, LayerArguments, Shape, Tensor
    from lamina.core.variable import Variable

__all__ = ["Normalization", "Rescaling"]


class Rescaling(DataLayer):
    """`inputs * scale + offset`, with numbers or one for each channel.

    Args:
        scale: Factor, or one for each channel.
        offset: Summand, or one for each channel.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Rescaling(1 / 127.5, offset=-1.0)(keras.ops.array([0, 255])).tolist()
    [-1.0, 1.0]
    """

    _traits = frozenset(("pointwise",))

    def __init__(
        self, scale: float | Sequence[float], offset: float | Sequence[float] = 0.0, **kwargs: Unpack[LayerArguments]
    ):
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        scale, offset = (jnp.asarray(value, self.compute_dtype) for value in (self.scale, self.offset))
        if scale.ndim and settings.image_data_format() == "channels_first":
            scale = scale.reshape(*scale.shape, *[1] * (3 - scale.ndim))
        return inputs.astype(self.compute_dtype) * scale + offset


class Normalization(DataLayer):
    """`(inputs - mean) / sqrt(variance)` for each position of `axis`, with moments that are given or found by `adapt`.

    Args:
        axis: Axis or axes with a mean and variance for each position (the features); None means one mean and variance
            for all values.
        mean: Mean, a number or an array along `axis`; None if `adapt` computes it.
        variance: Variance, a number or an array along `axis`; None if `adapt` computes it.
        invert: Whether to apply the inverse, `inputs * sqrt(variance) + mean`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> layer = keras.layers.Normalization()
    >>> layer.adapt(keras.ops.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> layer(keras.ops.array([[3.0, 20.0]])).tolist()
    [[1.0, 0.0]]
    """

    _traits = frozenset(("pointwise",))

    def __init__(
        self,
        axis: Axes = -1,
        mean: ArrayLike | None = None,
        variance: ArrayLike | None = None,
        invert: bool = False,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self.axis: tuple[int, ...] = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean: Any = mean
        self.input_variance: Any = variance
        self.invert = invert
        self.supports_masking = True
        if (mean is None) != (variance is None):
            raise ConfigError("Normalization needs both mean and variance, or neither.", fix="mean=0.0, variance=1.0")
        shapes = np.shape(self.input_mean), np.shape(self.input_variance)
        if shapes[0] != shapes[1] or len(shapes[0]) > len(self.axis):
            raise ConfigError(
                f"mean and variance must have one shape, with at most the axes {self.axis}; got {shapes[0]} "
                f"and {shapes[1]}.",
                fix="Give both one number for each position of `axis`; axis=None takes one number for all.",
            )

    @property
    def _adaptable(self):
        return self.input_mean is None

    def build(self, input_shape: Shape) -> None:
        rank, name, got = len(input_shape), f"Normalization(axis={self.axis})", f"got shape {tuple(input_shape)}."
        if any(not -rank <= axis < rank for axis in self.axis):
            raise ShapeError(f"{name} needs inputs with these axes; {got}", fix="axis=-1")
        self._kept = {axis: input_shape[axis] for axis in sorted(axis % rank for axis in self.axis)}
        if None in self._kept.values():
            raise ShapeError(
                f"{name} needs known sizes of these axes; {got}",
                fix="axis=None has one mean for all; or give the size in keras.Input(shape=...).",
            )
        self._rank = rank
        if self.input_mean is None:
            shape = tuple(self._kept.values())
            self.adapt_mean: Variable = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
            self.adapt_variance: Variable = self.add_weight(
                shape=shape, initializer="ones", trainable=False, name="variance"
            )
            self.count: Variable = self.add_weight(
                shape=(), initializer="zeros", dtype="int32", trainable=False, name="count"
            )

    @property
    def mean(self) -> Any:
        """The mean in use, with the rank of the inputs; None before the layer is built."""
        return self._moment("adapt_mean", self.input_mean)

    @property
    def variance(self) -> Any:
        """The variance in use, with the rank of the inputs; None before the layer is built."""
        return self._moment("adapt_variance", self.input_variance)

    def _moment(self, weight, given) -> Any:
        if not self.built:
            return None
        values: Any = getattr(self, weight).value if given is None else jnp.asarray(given)
        axes = list(self._kept)[len(self._kept) - values.ndim :]  # values with fewer axes belong to the last ones
        shape = [self._kept.get(axis, 1) for axis in range(self._rank)]
        aligned: Any = broadcast_along(values, axes, self._rank)
        return jnp.broadcast_to(aligned, shape).astype(self.compute_dtype)

    def call(self, inputs: Tensor) -> Tensor:
        if inputs.ndim == self._rank:
            self._check(inputs.shape)
        mean, deviation = self.mean, jnp.maximum(jnp.sqrt(self.variance), settings.epsilon())
        inputs = inputs.astype(self.compute_dtype)
        return mean + inputs * deviation if self.invert else (inputs - mean) / deviation

    @filters_traceback
    def adapt(self, data: Any) -> None:
        """Computes mean and variance of data. Of a batch that is a tuple it takes the first element, the inputs.

        Args:
            data: Array, dataset or iterable of batches.
        """
        if self.input_mean is not None:
            raise ConfigError(
                f"{self.name} cannot adapt, since it has a mean and variance.", fix="layers.Normalization()"
            )
        count, mean, squares = 0, 0.0, 0.0
        for batch in map(_inputs_of, _batches(data)):
            if not self.built:
                self.build(batch.shape)
            self._check(batch.shape)
            n, batch_mean, batch_variance = _moments(batch, tuple(self._kept))
            step = batch_mean - mean  # moments of two sets combined (Chan, Golub and LeVeque, 1983)
            squares = squares + batch_variance * n + step**2 * (count * n / (count + n))
            mean = mean + step * (n / (count + n))
            count += n
        if not count:
            raise DataError("adapt got no data.", fix="Pass an array, or an iterable that is not exhausted.")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(squares / count)

    def _check(self, shape):
        if len(shape) != self._rank or any(shape[axis] != size for axis, size in self._kept.items()):
            kept = ", ".join(f"{size} values on axis {axis}" for axis, size in self._kept.items())
            raise ShapeError(
                f"{self.name} was built for data of rank {self._rank} with {kept}; got shape {tuple(shape)}.",
                fix=f"{self.name} = layers.Normalization(); {self.name}.adapt(x)",
            )

    def finalize_state(self) -> None:
        """Does nothing; for programs for earlier versions of Keras."""

    def _argument(self, name, parameter, owner):
        if name in ("mean", "variance"):
            return np.array(getattr(self, f"input_{name}")).tolist()
        return super()._argument(name, parameter, owner)


def _batches(data):
    """Batches of the data: a single array, or those of a dataset or sequence."""
    if hasattr(data, "element_spec") and not len(_first(data.element_spec).shape) > 1:  # tf.data, not batched yet
        data = data.batch(128)
    if isinstance(data, (np.ndarray, jax.Array)) or (hasattr(data, "__array__") and not hasattr(data, "element_spec")):
        return [data]
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):  # also for a PyDataset, whose iterator never ends
        return (data[index] for index in range(len(data)))
    if hasattr(data, "__iter__"):
        return data
    raise DataError(
        f"adapt needs an array or batches; got {type(data).__name__}.", fix="adapt(np.array([1.0, 2.0, 3.0]))"
    )


def _first(batch):
    return batch[0] if isinstance(batch, (list, tuple)) else batch


def _inputs_of(batch):
    inputs = _first(batch)
    if not hasattr(inputs, "shape"):
        raise CallTypeError(
            f"adapt needs batches that are arrays, which have a `.shape`; got {type(inputs).__name__}.",
            fix="adapt(np.array([1.0, 2.0, 3.0]))",
        )
    array = np.asarray(inputs)
    if array.dtype.kind in "OUSMm":
        try:
            return array.astype("float64")
        except (TypeError, ValueError):
            table = hasattr(inputs, "columns") and hasattr(inputs, "select_dtypes")
            names = [*inputs.select_dtypes(exclude="number").columns] if table else []
            raise DataError(
                f"adapt needs numbers; got {f'other values in the columns {names}' if names else array.dtype}.",
                fix=f"adapt(x.drop(columns={names}))" if names else "StringLookup() is the layer that adapts to text.",
            ) from None
    return array


def _moments(batch, kept):
    """(count, mean, variance) over all axes that are not kept, in float64."""
    axes = tuple(axis for axis in range(batch.ndim) if axis not in kept)
    count = math.prod(batch.shape[axis] for axis in axes)
    return count, np.mean(batch, axes, dtype="float64"), np.var(batch, axes, dtype="float64")


__getattr__: Any = moved_from(__name__)
