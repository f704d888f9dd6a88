"""Layers that merge several tensors into one: Add, Multiply, Concatenate, Dot and others."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from lamina.core.keras_tensor import OPS
from lamina.core.sparse import has_sparse, to_dense
from lamina.errors import ConfigError, ShapeError
from lamina.layers.base.layer import Layer
from lamina.layers.merging_fixes import fix_of_dot, fix_of_rank, fix_of_sizes
from lamina.legacy import moved_from
from lamina.ops.normalization import normalize
from lamina.runtime import settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import LayerArguments, Shape, Tensor

__all__ = ["Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"]


class _Merge(Layer):
    """Called on a list of tensors, gives one. Element by element, unless a subclass says otherwise:

    `combine(x, y)` two at a time, shapes broadcast, missing axes put after the batch. The outputs are masked where all
    inputs are.
    """

    _traits = frozenset(("merge", "pointwise"))
    _takes_sparse = True

    combine: Any = None
    _op: str = ""
    count: int | None = None  # how many inputs it needs, if not any number

    def __init__(self, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        name = type(self).__name__
        if not all(isinstance(shape, (list, tuple)) for shape in input_shape):
            raise ShapeError(f"{name} takes a list of tensors; got one of {input_shape}.", fix=f"{name}()([x, y])")
        if not input_shape or len(input_shape) != (self.count or len(input_shape)):
            raise ShapeError(
                f"{name} takes {self.count or 'one or more'} tensors; got {len(input_shape)}.",
                fix=f"{name}()([{', '.join(['x', 'y', 'z'][: self.count or 2])}])",
            )
        self.compute_output_shape(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shapes = _same_rank(input_shape)
        return tuple(self._size(sizes, axis, input_shape) for axis, sizes in enumerate(zip(*shapes, strict=True)))

    def _size(self, sizes, axis, shapes):
        """The size of the output on an axis where the inputs have `sizes`."""
        known = {size for size in sizes if size not in (1, None)} if axis else set(sizes) - {None}
        if len(known) > 1:
            where = "batch sizes" if axis == 0 else f"sizes on axis {axis}"
            name = type(self).__name__
            raise ShapeError(
                f"{name} needs inputs that broadcast; got {where} {sizes} of shapes {shapes}.",
                fix=fix_of_sizes(axis, _same_rank(shapes)),
            )
        if axis and None in sizes:
            return None
        return known.pop() if known else sizes[0]

    def call(self, inputs: Any, mask: Any = None) -> Tensor:
        if has_sparse(inputs) and any(one is not None for one in mask or ()):
            inputs = to_dense(inputs)
        values = [x.reshape(shape) for x, shape in zip(inputs, _same_rank([x.shape for x in inputs]), strict=True)]
        if any(one is not None for one in mask or ()):
            return self._merge(values, mask)
        return self._merge_function(values)

    def _merge_function(self, inputs) -> Any:
        """What packages override to merge inputs of one rank, without masks."""
        return self._merge(inputs, [None] * len(inputs))

    def _merge(self, values, masks):
        return functools.reduce(self._combine(values), values)

    def _combine(self, values):
        """What merges two of the values: the op by its name where some are sparse."""
        return OPS[self._op] if has_sparse(values) else self.combine

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return None
        _check_lists(self, inputs, mask)
        if any(one is None for one in mask):
            return None
        return functools.reduce(jnp.logical_or, mask)


def _check_lists(layer, inputs, mask):
    """A mask, or None, for each of the inputs."""
    for name, value in (("inputs", inputs), ("mask", mask)):
        if not isinstance(value, (list, tuple)):
            message = f"{type(layer).__name__}: `{name}` should be a list; got a {type(value).__name__}."
            raise ShapeError(message, fix=f"{name}=[x, y]")
    if len(inputs) != len(mask):
        raise ShapeError(
            f"{type(layer).__name__}: `inputs` and `mask` should have the same length; "
            f"got {len(inputs)} and {len(mask)}.",
            fix=f"mask={[None] * len(inputs)}",
        )


def _same_rank(shapes):
    """The shapes with axes of size 1 after the batch, as many as the longest has more."""
    rank = max(map(len, shapes))
    return [(*shape[:1], *[1] * (rank - len(shape)), *shape[1:]) for shape in map(tuple, shapes)]


def _broadcast_mask(mask, values):
    """A mask of (batch, time) over values of (batch, time, features)."""
    return jnp.broadcast_to(mask[..., None], values.shape)


class Add(_Merge):
    """The sum of its inputs, which broadcast.

    Args:
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Add()([keras.ops.array([1.0, 2.0]), keras.ops.array([3.0, 4.0])]).tolist()
    [4.0, 6.0]
    """

    combine: Any = staticmethod(operator.add)
    _op = "add"


class Subtract(_Merge):
    """The first of its two inputs less the second.

    Args:
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    combine: Any = staticmethod(operator.sub)
    _op = "subtract"
    count: int | None = 2


class Average(Add):
    """The mean of its inputs, element by element.

    Args:
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    def _merge(self, values, masks):
        return super()._merge(values, masks) / len(values)


class Multiply(_Merge):
    """The product of its inputs, element by element. Masked values count as 1; where all are masked it is 0.

    Args:
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    combine: Any = staticmethod(operator.mul)
    _op = "multiply"

    def _merge(self, values, masks):
        pairs = list(zip(values, masks, strict=True))
        product = super()._merge(
            [x if mask is None else jnp.where(_broadcast_mask(mask, x), x, 1) for x, mask in pairs], masks
        )
        if any(mask is None for mask in masks):
            return product
        return jnp.where(functools.reduce(jnp.logical_or, [_broadcast_mask(mask, x) for x, mask in pairs]), product, 0)


class _Extreme(_Merge):
    """The largest or smallest. Masked values are ignored where another input is not masked."""

    def _merge(self, values, masks):
        combine = self._combine(values)
        result, kept = values[0], None if masks[0] is None else _broadcast_mask(masks[0], values[0])
        for x, mask in zip(values[1:], masks[1:], strict=True):
            keep = None if mask is None else _broadcast_mask(mask, x)
            x = x if keep is None else jnp.where(keep, x, result)
            result = result if kept is None else jnp.where(kept, result, x)
            kept = None if kept is None or keep is None else kept | keep
            result = combine(result, x)
        return result


class Maximum(_Extreme):
    """The largest of its inputs, element by element.

    Args:
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    combine: Any = staticmethod(jnp.maximum)
    _op = "maximum"


class Minimum(_Extreme):
    """The smallest of its inputs, element by element.

    Args:
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    combine: Any = staticmethod(jnp.minimum)
    _op = "minimum"


class Concatenate(_Merge):
    """Its inputs one after the other along `axis`; all other sizes are the same.

    Args:
        axis: Axis along which the inputs are joined.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Concatenate()([keras.Input((5, 2)), keras.Input((5, 3))]).shape
    (None, 5, 5)
    """

    def __init__(self, axis: int = -1, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.axis = axis

    def compute_output_shape(self, input_shape: Any) -> Shape:
        ranks = {len(shape) for shape in input_shape}
        if len(ranks) > 1 or not -min(ranks) <= self.axis < min(ranks):
            raise ShapeError(
                f"Concatenate(axis={self.axis}) needs inputs of one rank with it; got {input_shape}.",
                fix=fix_of_rank(input_shape),
            )
        axis = self.axis % min(ranks)
        columns = list(zip(*input_shape, strict=True))
        for other, sizes in enumerate(columns):
            known = set(sizes) - {None}
            if other != axis and len(known) > 1:
                alike, rank = sum(len(set(one) - {None}) < 2 for one in columns), len(columns)
                raise ShapeError(
                    f"Concatenate(axis={self.axis}) needs inputs that agree on the other axes; got {sizes} on axis "
                    f"{other} of shapes {input_shape}.",
                    fix=f"axis={other}" if alike >= rank - 1 else fix_of_sizes(other, input_shape),
                )
        first = [next((size for size in sizes if size is not None), None) for sizes in columns]
        first[axis] = None if None in columns[axis] else sum(columns[axis])
        return tuple(first)

    def call(self, inputs: Any, mask: Any = None) -> Tensor:
        return (OPS["concatenate"] if has_sparse(inputs) else jnp.concatenate)(inputs, self.axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return None
        _check_lists(self, inputs, mask)
        if all(one is None for one in mask):
            return None
        masks = [
            jnp.ones(x.shape, bool) if one is None else _broadcast_mask(one, x) if one.ndim < x.ndim else one
            for x, one in zip(inputs, mask, strict=True)
        ]
        return jnp.any(jnp.concatenate(masks, self.axis), axis=-1)


class Dot(_Merge):
    """Sums of products of its two inputs along an axis of each, sample by sample.

    Shapes: (batch, *a), (batch, *b) -> (batch, *a, *b) without the two axes; (batch, 1) if nothing else is left.

    Args:
        axes: Axis that is summed over, or one for each input; not the batch axis 0.
        normalize: Whether the vectors are scaled to length 1 first, so that the outputs are cosines.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Dot(axes=-1)([keras.Input((4,)), keras.Input((4,))]).shape
    (None, 1)
    >>> keras.layers.Dot(axes=(1, 2))([keras.Input((3, 5)), keras.Input((10, 3))]).shape
    (None, 5, 10)
    """

    _traits = frozenset(("merge",))
    count: int | None = 2

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        pair = axes if isinstance(axes, (list, tuple)) else (axes, axes)
        if len(pair) != 2 or not all(isinstance(axis, int) for axis in pair):
            raise ConfigError(f"Dot needs axes, a whole number or two of them; got {axes!r}.", fix="Dot(axes=-1)")
        self.axes: Any = axes
        self.normalize = normalize

    def _axes_of(self, shapes) -> Any:
        pair = self.axes if isinstance(self.axes, (list, tuple)) else (self.axes, self.axes)
        if min(map(len, shapes)) < 2:
            raise ShapeError(
                f"Dot needs inputs of rank 2 or more; got shapes {shapes}.",
                fix="layers.Reshape((-1,)) gives a vector for each sample.",
            )
        axes = [axis % len(shape) if axis < 0 else axis for axis, shape in zip(pair, shapes, strict=True)]
        if any(not 0 < axis < len(shape) for axis, shape in zip(axes, shapes, strict=True)):
            raise ShapeError(
                f"Dot needs axes from 1 on that its inputs have; got axes={self.axes}, shapes {shapes}.", fix="axes=-1"
            )
        return axes

    def compute_output_shape(self, input_shape: Any) -> Shape:
        first, second = map(list, input_shape)
        axes = self._axes_of(input_shape)
        sizes = [(first[0], second[0]), (first[axes[0]], second[axes[1]])]
        if any(a != b and None not in (a, b) for a, b in sizes):
            raise ShapeError(
                f"Dot(axes={self.axes}) needs one size of batch and of what is summed over; got {input_shape}.",
                fix=fix_of_dot(first, second),
            )
        del first[axes[0]], second[axes[1]]
        first[0] = second[0] if first[0] is None else first[0]
        shape = (*first, *second[1:])
        return shape if len(shape) > 1 else (*shape, 1)

    def call(self, inputs: Any) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        x, y = map(to_dense, inputs)
        a, b = self._axes_of([x.shape, y.shape])
        if self.normalize:
            x, y = (normalize(v, axis, epsilon=settings.epsilon()) for v, axis in ((x, a), (y, b)))
        products = jax.lax.dot_general(x, y, (((a,), (b,)), ((0,), (0,))))
        return products if products.ndim > 1 else products[:, None]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


__getattr__: Any = moved_from(__name__)
