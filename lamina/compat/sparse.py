"""tf.SparseTensor and tf.sparse: the indices and values of what is not zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.compat.host import is_text, on_host
from lamina.compat.ragged import RaggedTensor, as_values
from lamina.core.variable import unwrap
from lamina.errors import CallError
from lamina.training.data.elements import Composite

__all__ = ["SPARSE", "SparseTensor", "SparseTensorSpec", "reorder", "union"]


@dataclass(frozen=True)
class SparseTensorSpec:
    """`tf.SparseTensorSpec`."""

    shape: Any = None
    dtype: Any = "float32"

    @property
    def value_type(self) -> type:
        """The class of the tensor."""
        return SparseTensor

    def row(self) -> Any:
        """The spec of a row."""
        return SparseTensorSpec(tuple(self.shape)[1:], self.dtype)

    def batched(self, size: Any) -> Any:
        """The spec of a batch."""
        return SparseTensorSpec((size, *self.shape), self.dtype)

    def joined(self, items: Any) -> Any:
        """Rows as a batch."""
        return items[0].stacked(items)


class SparseTensor(Composite):
    """`tf.SparseTensor(indices, values, dense_shape)`.

    Args:
        indices: Array (count, rank) of places.
        values: Array (count,).
        dense_shape: Sizes of the dense array.
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        shape = np.asarray(unwrap(dense_shape)).astype("int64")
        self._places = np.asarray(unwrap(indices)).astype("int64").reshape(-1, len(shape))
        self.values = as_values(values)
        self.shape: Any = tuple(shape.tolist())

    @property
    def indices(self) -> Any:
        """Array (count, rank) of places."""
        return jnp.asarray(self._places)

    @property
    def dense_shape(self) -> Any:
        """Sizes of the dense array."""
        return jnp.asarray(self.shape)

    @property
    def flat_values(self) -> Any:
        """The values."""
        return self.values

    @property
    def dtype(self) -> Any:
        """dtype of the values."""
        return "string" if is_text(self.values) else self.values.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def spec(self) -> SparseTensorSpec:
        """Shape and dtype."""
        return SparseTensorSpec(self.shape, self.dtype)

    def get_shape(self) -> Any:
        """Sizes of the dense array."""
        return self.shape

    def with_values(self, values: Any) -> SparseTensor:
        """Other values at the same places."""
        return SparseTensor(self._places, values, self.shape)

    with_flat_values = with_values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self.to_dense(), dtype)

    def to_dense(self, default_value: Any = None, name: Any = None) -> Any:
        """An array, with a default value, by default 0 or "", elsewhere."""
        places = tuple(self._places.T)
        if is_text(self.values):
            found = np.full(self.shape, "" if default_value is None else default_value, object)
            found[places] = np.asarray(self.values)
            return on_host(found)
        dense = jnp.full(self.shape, 0 if default_value is None else default_value, jnp.asarray(self.values).dtype)
        return dense.at[places].set(jnp.asarray(self.values))

    def stacked(self, items: Any) -> SparseTensor:
        """Tensors of one rank as a batch."""
        sizes = np.max([item.shape for item in items], axis=0)
        places = [np.insert(item._places, 0, row, axis=1) for row, item in enumerate(items)]
        values = [np.asarray(item.values) for item in items]
        return SparseTensor(np.concatenate(places), on_host(np.concatenate(values)), [len(items), *sizes])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, row: Any) -> SparseTensor:
        kept = self._places[:, 0] == range(len(self))[int(row)]
        return SparseTensor(self._places[kept, 1:], as_values(self.values)[np.flatnonzero(kept)], self.shape[1:])

    def __mul__(self, other: Any) -> SparseTensor:
        factor = other if not np.ndim(other) else jnp.broadcast_to(other, self.shape)[tuple(self._places.T)]
        return self.with_values(self.values * factor)

    def __repr__(self) -> str:
        return f"SparseTensor(indices={self._places.tolist()}, values={np.asarray(self.values).tolist()}, " \
               f"dense_shape={list(self.shape)})"  # fmt: skip


def from_ragged(ragged: Any, name: Any = None) -> SparseTensor:
    """`ragged.to_sparse()`."""
    if isinstance(ragged.values, RaggedTensor):
        raise CallError("to_sparse takes ragged tensors with one ragged axis.",
                        fix="tf.sparse.from_dense(ragged.to_tensor())")  # fmt: skip
    rows = np.asarray(ragged.value_rowids())
    places = np.stack([rows, np.arange(len(rows)) - ragged.row_splits[rows]], -1)
    return SparseTensor(places, ragged.values, np.asarray(ragged.bounding_shape()))


RaggedTensor.to_sparse = from_ragged  # pyright: ignore[reportAttributeAccessIssue]


def from_dense(tensor: Any, name: Any = None) -> SparseTensor:
    """`tf.sparse.from_dense`."""
    array = np.asarray(unwrap(tensor))
    places = np.argwhere(array if array.dtype != object else array != "")
    return SparseTensor(places, on_host(array[tuple(places.T)]), array.shape)


def reset_shape(sp_input: Any, new_shape: Any = None) -> Any:
    """`tf.sparse.reset_shape`: the same values in a larger shape, or in the smallest one."""
    places = np.asarray(sp_input.indices)
    return SparseTensor(places, sp_input.values, places.max(0) + 1 if new_shape is None else new_shape)


def to_dense(sp_input: Any, default_value: Any = None, validate_indices: Any = True, name: Any = None) -> Any:
    """`tf.sparse.to_dense`."""
    return sp_input.to_dense(default_value) if isinstance(sp_input, SparseTensor) else sp_input


def reorder(sp_input: SparseTensor, name: Any = None) -> SparseTensor:
    """`tf.sparse.reorder`: in the order of the rows."""
    order = np.lexsort(sp_input._places.T[::-1])
    return SparseTensor(sp_input._places[order], sp_input.values[order], sp_input.shape)


def sparse_dense_matmul(sp_a: Any, b: Any, adjoint_a: Any = False, adjoint_b: Any = False, name: Any = None) -> Any:
    """`tf.sparse.sparse_dense_matmul`; either of the two may be the sparse one."""
    if not isinstance(sp_a, SparseTensor):
        return sparse_dense_matmul(b, sp_a, not adjoint_b, not adjoint_a).T
    rows, columns = sp_a._places.T[::-1] if adjoint_a else sp_a._places.T
    dense = jnp.asarray(unwrap(to_dense(b)))
    taken = jnp.take(dense, columns, axis=1 if adjoint_b else 0)
    found = sp_a.values[:, None] * (taken.T if adjoint_b else taken)
    return jax.ops.segment_sum(found, rows, sp_a.shape[1 if adjoint_a else 0])


def union(function: Any, sp_a: SparseTensor, sp_b: SparseTensor) -> SparseTensor:
    """A function of two sparse tensors of one shape, which are zero where one has no value."""
    places = np.unique(np.concatenate([sp_a._places, sp_b._places]), axis=0)
    at = tuple(places.T)
    return SparseTensor(places, function(sp_a.to_dense()[at], sp_b.to_dense()[at]), sp_a.shape)


def add(a: Any, b: Any, threshold: Any = 0) -> Any:
    """`tf.sparse.add`."""
    if isinstance(a, SparseTensor) and isinstance(b, SparseTensor):
        return union(jnp.add, a, b)
    return jnp.asarray(unwrap(to_dense(a))) + jnp.asarray(unwrap(to_dense(b)))


def transpose(sp_input: SparseTensor, perm: Any = None, name: Any = None) -> SparseTensor:
    """`tf.sparse.transpose`."""
    order = np.arange(len(sp_input.shape))[::-1] if perm is None else np.asarray(unwrap(perm))
    return reorder(SparseTensor(sp_input._places[:, order], sp_input.values, np.asarray(sp_input.shape)[order]))


def concat(axis: int, sp_inputs: Any, **_: Any) -> SparseTensor:
    """`tf.sparse.concat`."""
    before, places = 0, []
    for one in sp_inputs:
        moved = one._places.copy()
        moved[:, axis] += before
        before += one.shape[axis]
        places.append(moved)
    shape = list(sp_inputs[0].shape)
    shape[axis] = before
    given = [one.values for one in sp_inputs]
    values = on_host(np.concatenate(given)) if is_text(given[0]) else jnp.concatenate(list(map(jnp.asarray, given)))
    return reorder(SparseTensor(np.concatenate(places), values, shape))


def reshape(sp_input: SparseTensor, shape: Any, name: Any = None) -> SparseTensor:
    """`tf.sparse.reshape`."""
    flat = np.ravel_multi_index(tuple(sp_input._places.T), sp_input.shape)
    shape = np.empty(sp_input.shape, np.int8).reshape(tuple(map(int, shape))).shape
    return SparseTensor(np.stack(np.unravel_index(flat, shape), -1), sp_input.values, shape)


def slice_(sp_input: SparseTensor, start: Any, size: Any, name: Any = None) -> SparseTensor:
    """`tf.sparse.slice`."""
    start, shape = np.asarray(start), np.asarray(sp_input.shape)
    sizes = np.clip(shape - start, 0, np.asarray(size))
    inside = ((sp_input._places >= start) & (sp_input._places < start + sizes)).all(1)
    return SparseTensor(sp_input._places[inside] - start, sp_input.values[np.flatnonzero(inside)], sizes)


def to_indicator(sp_input: SparseTensor, vocab_size: int, name: Any = None) -> Any:
    """`tf.sparse.to_indicator`: whether each value is there, by row."""
    found = np.zeros((*sp_input.shape[:-1], int(vocab_size)), bool)
    found[(*sp_input._places[:, :-1].T, np.asarray(sp_input.values))] = True
    return jnp.asarray(found)


def _reduced(kind):
    return lambda sp_input, axis=None, keepdims=None, **_: getattr(jnp, kind)(
        sp_input.to_dense(), axis=tuple(axis) if isinstance(axis, list) else axis, keepdims=bool(keepdims))  # fmt: skip


SPARSE: dict[str, Any] = {
    "SparseTensor": SparseTensor, "add": add, "concat": concat, "from_dense": from_dense, "reorder": reorder,
    "reset_shape": reset_shape, "reshape": reshape, "slice": slice_, "to_dense": to_dense, "to_indicator": to_indicator,
    "sparse_dense_matmul": sparse_dense_matmul, "reduce_sum": _reduced("sum"), "reduce_max": _reduced("max"),
    "expand_dims": lambda sp_input, axis=0, **_: reshape(
        sp_input, np.expand_dims(np.empty(sp_input.shape, np.int8), axis).shape),
    "transpose": transpose,
    "map_values": lambda op, *args, **kwargs: args[0].with_values(
        op(*(arg.values if isinstance(arg, SparseTensor) else arg for arg in args), **kwargs)),
}  # fmt: skip
