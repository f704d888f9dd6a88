"""Ops whose result may be asked for as a sparse array: `jax.experimental.sparse.BCOO`."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.sparse import SPARSE, to_dense
from lamina.core.typing import DTypeLike, Tensor, TensorLike
from lamina.ops.arrays import canonical, tensor
from lamina.runtime.settings import floatx

__all__ = ["densified", "sparse_counts", "sparse_one_hot"]


@op
def densified(x: TensorLike) -> Tensor:
    """`x` as a dense array.

    Args:
        x: Array, dense or sparse.
    """
    return tensor(x)


SPARSE["densified"] = lambda on, arrays, places, others: to_dense(arrays[0])


def sparse_one_hot(x: Any, num_classes: int, axis: int = -1, dtype: DTypeLike | None = None) -> Any:
    """1 at each class index along a new axis, as a BCOO; a stored 0 for an index that is no class.

    Args:
        x: Class indices.
        num_classes: Size of the new axis.
        axis: Position of the new axis.
        dtype: Type of the result; None means floatx.
    """
    from jax.experimental import sparse

    x = tensor(x)
    axis = axis + x.ndim + 1 if axis < 0 else axis
    known = (x >= 0) & (x < num_classes)
    places = list(jnp.indices(x.shape, "int32"))
    places.insert(axis, jnp.where(known, x, 0).astype("int32"))
    values = known.ravel().astype(canonical(dtype or floatx()))
    shape = (*x.shape[:axis], num_classes, *x.shape[axis:])
    stored = jnp.stack([place.ravel() for place in places], axis=-1)
    is_sorted = axis == x.ndim
    return sparse.BCOO((values, stored), shape=shape, indices_sorted=is_sorted, unique_indices=True)


def sparse_counts(x: Any, num_classes: int, weights: Any = None, axis: int = -1, dtype: DTypeLike | None = None) -> Any:
    """How often, or with how much weight, each class occurs along axis 1 (axis 0 of a vector), as a BCOO.

    Args:
        x: Class indices.
        num_classes: Number of classes.
        weights: Weights, of the shape of x.
        axis: Axis of the classes in the one-hot codes that are summed.
        dtype: Type of the result.
    """
    from jax.experimental import sparse

    codes = sparse_one_hot(x, num_classes, axis, dtype)
    if weights is not None:
        codes = sparse.BCOO((codes.data * tensor(weights).ravel(), codes.indices), shape=codes.shape)
    summed = sparse.bcoo_reduce_sum(codes, axes=(1 if tensor(x).ndim > 1 else 0,))
    return sparse.bcoo_sum_duplicates(summed, nse=summed.nse)
