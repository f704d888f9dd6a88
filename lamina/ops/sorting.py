"""Sorting, searching in sorted sequences, and counts of values."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

from lamina.core.op import op
from lamina.errors import ShapeError
from lamina.ops.arrays import tensor
from lamina.ops.sparse import sparse_counts

if TYPE_CHECKING:
    from lamina.core.typing import Axis, Tensor, TensorLike

__all__ = [
    "argpartition", "argsort", "bincount", "digitize", "histogram", "isin", "searchsorted", "sort", "unique",
]  # fmt: skip


@op
def sort(x: TensorLike, axis: Axis = -1) -> Tensor:
    """The elements in ascending order.

    Args:
        x: Tensor.
        axis: Axis to sort along; None means the flattened tensor.
    """
    return jnp.sort(tensor(x), axis=axis)


@op
def argsort(x: TensorLike, axis: Axis = -1) -> Tensor:
    """The indices that sort x in ascending order; equal elements keep their order.

    Args:
        x: Tensor.
        axis: Axis to sort along; None means the flattened tensor.
    """
    x = tensor(x)
    return jnp.argsort(x, axis=axis if x.ndim else None)


@op(settings=("kth",))
def argpartition(x: TensorLike, kth: int, axis: Axis = -1) -> Tensor:
    """The indices, as int32, that put the `kth` smallest elements first, element `kth` in its sorted place and the rest
    after it.

    Args:
        x: Tensor.
        kth: Index of the element that gets its sorted place.
        axis: Axis to partition along; None means the flattened tensor.
    """
    x = jnp.ravel(tensor(x)) if axis is None else tensor(x)
    return jnp.argpartition(x, kth, -1 if axis is None else axis).astype("int32")


@op
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """The indices, as int32, at which the values can be inserted so that the sequence stays sorted.

    Args:
        sorted_sequence: Vector in ascending order.
        values: Tensor of the values to insert.
        side: "left" of equal elements, or "right" of them.
    """
    return jnp.searchsorted(tensor(sorted_sequence), tensor(values), side=side)


@op
def digitize(x: TensorLike, bins: TensorLike) -> Tensor:
    """The index of the bin of each element: i for bins[i-1] <= x < bins[i].

    Args:
        x: Tensor.
        bins: Vector of the edges in ascending order.
    """
    return jnp.digitize(tensor(x), tensor(bins))


@op
def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often (or with how much weight) each of 0, 1, 2, ... occurs in the last axis.

    Shapes: (n,) -> (k,), (batch, n) -> (batch, k) with k = max(max(x) + 1, minlength); inside a compiled function k =
    minlength.

    Args:
        x: Tensor of integers of 0 or more.
        weights: Weights, of the shape of x; None weighs all by 1.
        minlength: Smallest length of the result.
        sparse: Whether the result is a `jax.experimental.sparse.BCOO`, as it is for sparse x.

    >>> import lamina as keras
    >>> keras.ops.bincount([1, 3, 1])
    Array([0, 2, 0, 1], dtype=int32)
    """
    x = tensor(x)
    weights = jnp.ones(x.shape, "int32") if weights is None else tensor(weights)
    length = _bincount_length(x, minlength)
    if sparse:
        return sparse_counts(x, length, weights, dtype=weights.dtype)
    if x.ndim == 1:
        return jnp.bincount(x, weights, length=length)
    return jax.vmap(lambda row, row_weights: jnp.bincount(row, row_weights, length=length))(x, weights)


def _bincount_length(x, minlength):
    """Known values determine the length; in a traced function only `minlength` can."""
    if isinstance(x, Tracer):
        if not minlength:
            raise ShapeError(
                "bincount inside a model or a compiled function cannot know its length.", fix="minlength=10"
            )
        return minlength
    return builtins.max(int(jnp.max(x)) + 1 if x.size else 0, minlength)


@op
def histogram(
    x: TensorLike, bins: int | TensorLike = 10, range: Sequence[float] | None = None
) -> tuple[Tensor, Tensor]:
    """(counts, edges) of bins of equal width.

    Args:
        x: Tensor.
        bins: Number of bins, or a vector of their edges.
        range: Lower edge of the first bin and upper edge of the last; None means the extremes of x.
    """
    return jnp.histogram(tensor(x), bins=bins, range=range)  # pyright: ignore[reportArgumentType]


@op
def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element of x1 is in x2, as booleans.

    Args:
        x1: Tensor of the elements to find.
        x2: Tensor of the elements to search.
        assume_unique: Whether both have only distinct elements.
        invert: Whether to return the opposite.
    """
    return jnp.isin(tensor(x1), tensor(x2), assume_unique, invert)


@op
def unique(
    x: TensorLike,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Axis = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements (or slices along `axis`), or a tuple of them and the requested arrays.

    Args:
        x: Tensor.
        sorted: Whether the elements are in ascending order.
        return_index: Whether to return the index of the first occurrence of each.
        return_inverse: Whether to return for each element of x its index in the result.
        return_counts: Whether to return how often each occurs.
        axis: Axis of the slices; None means the flattened tensor.
        size: Length of the result, necessary inside a compiled function; None means the number of distinct elements.
        fill_value: Value that fills the result up to `size`; None means the smallest element.

    >>> import lamina as keras
    >>> keras.ops.unique([3, 1, 3])
    Array([1, 3], dtype=int32)
    """
    x = tensor(x)
    if size is None and isinstance(x, Tracer):
        raise ShapeError("The number of distinct elements is known only with values.", fix="size=10")
    # Each NaN is a distinct element, as in Keras.
    return jnp.unique(
        x, return_index, return_inverse, return_counts, axis, equal_nan=False, size=size, fill_value=fill_value,
        sorted=sorted,
    )  # fmt: skip
