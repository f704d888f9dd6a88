"""Layers that rearrange each sample: flattening, reshaping, permuting and repeating."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.core.arguments import whole
from lamina.core.dtypes import is_float
from lamina.core.keras_tensor import KerasTensor
from lamina.errors import ConfigError, ShapeError
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.legacy import moved_from
from lamina.runtime.settings import standardize_data_format

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import DataFormat, LayerArguments, Shape, Tensor

__all__ = ["Flatten", "Permute", "RepeatVector", "Reshape"]


def _fitting(target, sizes):
    """The target with one size left open such that it fits samples of these sizes, or the nearest one that fits."""
    total = math.prod(size or 1 for size in sizes)
    for place in range(len(target)):
        rest = math.prod(abs(size) for size in (*target[:place], *target[place + 1 :]))
        if rest and total % rest == 0 and -1 not in (*target[:place], *target[place + 1 :]):
            return (*target[:place], -1, *target[place + 1 :])
    return _nearest(tuple(abs(size) for size in target), total)


def _nearest(target, total):
    """Sizes whose product is `total`, each as near to that of the target as can be, from the last one on."""
    if len(target) < 2:
        return (total,)
    size = min((n for n in range(1, total + 1) if total % n == 0), key=lambda n: abs(math.log(n / (target[-1] or 1))))
    return (*_nearest(target[:-1], total // size), size)


def _one_open(sizes):
    """The sizes with their first -1 only; the others are 1."""
    first = sizes.index(-1)
    return tuple(1 if size == -1 and place != first else size for place, size in enumerate(sizes))


class Flatten(Layer):
    """Each sample as one vector, channels last.

    Shapes: (batch, ...) -> (batch, product of the other sizes); (batch,) -> (batch, 1).

    Args:
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Flatten()(keras.Input((4, 4, 3))).shape
    (None, 48)
    """

    _traits = frozenset(("rearranging",))
    _takes_sparse = True

    def __init__(self, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.data_format: str = standardize_data_format(data_format)
        self.input_spec: Any = InputSpec(min_ndim=1)

    def call(self, inputs: Tensor) -> Tensor:
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = inputs.transpose((0, *range(2, inputs.ndim), 1))
        return inputs.reshape(inputs.shape[0], math.prod(inputs.shape[1:]))


class Reshape(Layer):
    """Each sample in another shape; one size may be -1 and follows from the others.

    Shapes: (batch, ...) -> (batch, *target_shape).

    Args:
        target_shape: Shape of a sample of the outputs; one size may be -1 and follows from the others.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ConfigError: for more than one -1, or a size below it.
        ShapeError: where the sizes do not come to the same number of elements.

    >>> import lamina as keras
    >>> keras.layers.Reshape((-1, 3))(keras.Input((4, 6))).shape
    (None, 8, 3)
    """

    _traits = frozenset(("rearranging",))
    _takes_sparse = True

    def __init__(self, target_shape: Sequence[int], **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.target_shape: tuple[int, ...] = tuple(target_shape)
        if self.target_shape.count(-1) > 1:
            raise ConfigError(
                f"Reshape takes at most one -1 in target_shape; got {self.target_shape}.",
                fix=f"target_shape={_one_open(self.target_shape)}",
            )
        if any(size < -1 for size in self.target_shape):
            raise ConfigError(
                f"Each size of target_shape is a non-negative integer or -1; got {self.target_shape}.",
                fix=f"target_shape={tuple(abs(size) for size in self.target_shape)}",
            )

    def compute_output_shape(self, input_shape: Any) -> Shape:
        # Not traced: the sizes that stand in for None need not be divisible by those of the target.
        return (input_shape[0], *self._sizes(tuple(input_shape[1:])))

    def compute_output_spec(self, inputs: Any) -> Any:
        dtype = self.compute_dtype if self.autocast and is_float(inputs.dtype) else inputs.dtype
        return KerasTensor(self.compute_output_shape(inputs.shape), dtype, sparse=inputs.sparse)

    def call(self, inputs: Tensor) -> Tensor:
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
                f"Reshape to {self.target_shape} needs {multiple}{known} values in each sample; "
                f"inputs of {sample_shape} have {total}.",
                fix=f"target_shape={_fitting(self.target_shape, sample_shape)}",
            )
        return tuple(missing if size == -1 else size for size in self.target_shape)


class Permute(Layer):
    """The axes of each sample in another order; axis 1 is the first after the batch.

    Shapes: (batch, a, b) with dims=(2, 1) -> (batch, b, a).

    Args:
        dims: Order of the axes of a sample, counted from 1.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Permute((2, 1))(keras.Input((10, 64))).shape
    (None, 64, 10)
    """

    _traits = frozenset(("rearranging",))
    _takes_sparse = True

    def __init__(self, dims: Sequence[int], **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.dims: tuple[int, ...] = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            axes = tuple(range(len(self.dims), 0, -1))
            if len(self.dims) > 2 and self.dims[0] == 0 and sorted(self.dims) == list(range(len(self.dims))):
                axes = self.dims[1:]  # the batch is among them
            raise ConfigError(
                f"Permute needs dims with each of 1 to {len(axes)} once, without the batch; got {self.dims}.",
                fix=f"dims={axes}",
            )
        self.input_spec: Any = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs: Tensor) -> Tensor:
        return inputs.transpose((0, *self.dims))


class RepeatVector(Layer):
    """Each vector `n` times.

    Shapes: (batch, features) -> (batch, n, features).

    Args:
        n: Number of repetitions.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.RepeatVector(3)(keras.Input((32,))).shape
    (None, 3, 32)
    """

    _traits = frozenset(("rearranging",))

    def __init__(self, n: int, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.n: int = whole(self, "n", n)
        self.input_spec: Any = InputSpec(ndim=2)

    def call(self, inputs: Tensor) -> Tensor:
        return jnp.repeat(inputs[:, None], self.n, axis=1)


__getattr__: Any = moved_from(__name__)
