"""tf.sparse: functions of sparse tensors, which tapes record as functions of the values."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.compat import sparse
from lamina.compat.arrays import array
from lamina.compat.composites import with_tapes
from lamina.compat.counting import bincount, segments
from lamina.compat.host import as_text, on_host, texts
from lamina.compat.sparse import SparseTensor, from_dense, reorder

__all__ = ["INNER_SPARSE", "LOOKUPS", "SPARSE", "ctc_label_dense_to_sparse"]


def fill_empty_rows(sp_input: SparseTensor, default_value: Any, name: Any = None) -> tuple[SparseTensor, Any]:
    """`tf.sparse.fill_empty_rows`: (a value in the first column of each row without one, which rows had none)."""
    empty = ~np.isin(np.arange(sp_input.shape[0]), sp_input._places[:, 0])
    rows = np.flatnonzero(empty)
    places = np.concatenate([sp_input._places, np.stack([rows, *[np.zeros_like(rows)] * (len(sp_input.shape) - 1)], 1)])
    values = jnp.concatenate([array(sp_input.values), jnp.full(len(rows), default_value, array(sp_input.values).dtype)])
    return reorder(SparseTensor(places, values, sp_input.shape)), jnp.asarray(empty)


def retain(sp_input: SparseTensor, to_retain: Any) -> SparseTensor:
    """`tf.sparse.retain`: the values for which it is true."""
    kept = np.flatnonzero(np.asarray(to_retain))
    return SparseTensor(sp_input._places[kept], sp_input.values[kept], sp_input.shape)


def softmax(sp_input: SparseTensor, name: Any = None) -> SparseTensor:
    """`tf.sparse.softmax`: along the last axis, of the values that are there."""
    _, rows = np.unique(sp_input._places[:, :-1], axis=0, return_inverse=True)
    rows, count = rows.ravel(), int(rows.max(initial=-1)) + 1
    values = array(sp_input.values)
    raised = jnp.exp(values - jax.ops.segment_max(values, rows, count)[rows])
    return sp_input.with_values(raised / jax.ops.segment_sum(raised, rows, count)[rows])


def split(sp_input: Any = None, num_split: Any = None, axis: Any = None, name: Any = None) -> list[SparseTensor]:
    """`tf.sparse.split`: parts along an axis, the first ones longer by one where it does not divide."""
    ends = np.cumsum([len(part) for part in np.array_split(np.arange(sp_input.shape[axis]), num_split)])
    parts = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        begin, size = np.zeros(len(sp_input.shape), int), np.array(sp_input.shape)
        begin[axis], size[axis] = start, end - start
        parts.append(sparse.slice_(sp_input, begin, size))
    return parts


def cross(inputs: Any, name: Any = None, separator: Any = "_X_") -> SparseTensor:
    """`tf.sparse.cross`: for each row all combinations of the values of the inputs, as texts."""
    rows: list[list[str]] = [[""]] * len(inputs[0])
    for place, one in enumerate(inputs):
        dense = one if isinstance(one, SparseTensor) else None
        parts = [np.ravel(texts(one[row].values if dense is not None else one[row])) for row in range(len(rows))]
        names = [[as_text(part) if isinstance(part, (str, bytes)) else str(part) for part in row] for row in parts]
        joint = as_text(separator) if place else ""
        rows = [[f"{a}{joint}{b}" for a in row for b in more] for row, more in zip(rows, names, strict=True)]
    places = [(row, column) for row, found in enumerate(rows) for column in range(len(found))]
    return SparseTensor(places or np.zeros((0, 2)), on_host(np.array([one for row in rows for one in row], object)),
                        (len(rows), max(map(len, rows), default=0)))  # fmt: skip


def _counts(values, axis=None, **settings):
    """`tf.sparse.bincount`: how often each number occurs, with `axis=-1` in each row, as a sparse tensor."""
    dense = array(values.values if isinstance(values, SparseTensor) else values)
    if axis is None:
        return from_dense(bincount(dense.ravel(), **settings))
    rows = (
        values._places[:, 0] if isinstance(values, SparseTensor) else np.repeat(np.arange(len(dense)), dense.shape[1])
    )
    found = np.zeros((int(np.max(rows, initial=-1)) + 1, int(np.max(dense, initial=-1)) + 1), int)
    np.add.at(found, (rows, np.ravel(dense)), 1)
    return from_dense(np.minimum(found, 1) if settings.get("binary_output") else found)


def embedding_lookup_sparse(params: Any, sp_ids: Any, sp_weights: Any, combiner: Any = None, max_norm: Any = None,
                            name: Any = None, allow_fast_lookup: Any = False) -> Any:  # fmt: skip
    """`tf.nn.embedding_lookup_sparse`: for each row the sum, mean or mean by the root of squares of weighted rows."""
    table, rows = array(params), np.asarray(sp_ids._places[:, 0])
    ids, count = np.asarray(sp_ids.values), int(rows.max(initial=-1)) + 1
    weights = jnp.ones(len(ids), table.dtype) if sp_weights is None else array(sp_weights.values, table.dtype)
    found = table[ids]
    if max_norm is not None:
        found = found * jnp.minimum(1, max_norm / jnp.linalg.norm(found, axis=-1, keepdims=True))
    total = jax.ops.segment_sum(found * weights[:, None], rows, count)
    if combiner == "sum":
        return total
    power = 2 if combiner == "sqrtn" else 1
    size = jax.ops.segment_sum(weights**power, rows, count) ** (1 / power)
    return total / size[:, None]


def safe_embedding_lookup_sparse(embedding_weights: Any, sparse_ids: Any, sparse_weights: Any = None,
                                 combiner: Any = "mean", default_id: Any = None, max_norm: Any = None, name: Any = None,
                                 allow_fast_lookup: Any = False) -> Any:  # fmt: skip
    """`tf.nn.safe_embedding_lookup_sparse`: zeros, or the row of `default_id`, for rows without valid ids."""
    valid = np.asarray(sparse_ids.values) >= 0
    if sparse_weights is not None:
        valid &= np.asarray(sparse_weights.values) > 0
        sparse_weights = retain(sparse_weights, valid)
    ids = retain(sparse_ids, valid)
    rows, count = np.unique(ids._places[:, 0]), ids.shape[0]
    found = embedding_lookup_sparse(embedding_weights, ids, sparse_weights, combiner, max_norm)
    missing = jnp.zeros(found.shape[1:]) if default_id is None else array(embedding_weights)[default_id]
    return jnp.broadcast_to(missing, (count, *found.shape[1:])).at[rows].set(found[rows])


def _segment(kind):
    """`tf.sparse.segment_*`: of rows `data[indices]`."""
    reduce = segments(kind, True)

    def run(data, indices, segment_ids, num_segments=None, name=None):
        count = int(np.max(np.asarray(segment_ids), initial=-1)) + 1 if num_segments is None else num_segments
        return reduce(array(data)[array(indices)], segment_ids, count)

    return run


_MORE: dict[str, Any] = {
    "bincount": _counts, "cross": cross, "fill_empty_rows": fill_empty_rows,
    "maximum": lambda sp_a, sp_b, name=None: sparse.union(jnp.maximum, sp_a, sp_b),
    "minimum": lambda sp_a, sp_b, name=None: sparse.union(jnp.minimum, sp_a, sp_b), "retain": retain,
    "softmax": softmax, "split": split,
    **{f"segment_{kind}": _segment(kind) for kind in ("sum", "mean", "sqrt_n")},
    "eye": lambda num_rows, num_columns=None, dtype="float32", name=None: from_dense(
        jnp.eye(num_rows, num_columns, dtype=dtype)),
}  # fmt: skip


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> SparseTensor:
    """`K.ctc_label_dense_to_sparse`: the first labels of each row, as many as its length, as a sparse tensor.

    Args:
        labels: Array (batch, largest length).
        label_lengths: Array (batch,) of lengths.
    """
    rows = np.asarray(array(labels))
    inside = np.arange(rows.shape[1]) < np.asarray(array(label_lengths)).reshape(-1, 1)
    return SparseTensor(np.argwhere(inside), rows[inside], rows.shape)


SPARSE: dict[str, Any] = {
    name: with_tapes(value) if inspect.isfunction(value) else value for name, value in (sparse.SPARSE | _MORE).items()
}
"""Names of `tensorflow.sparse`."""
LOOKUPS: dict[str, Any] = {
    one.__name__: with_tapes(one) for one in (embedding_lookup_sparse, safe_embedding_lookup_sparse)
}
"""Names of `tensorflow.nn`."""


class CSRSparseMatrix:
    """A matrix, or several in a batch, for products.

    Args:
        value: Sparse tensor or array.
    """

    def __init__(self, value: Any) -> None:
        self.dense = sparse.to_dense(value)

    def to_sparse_tensor(self) -> SparseTensor:
        """The sparse tensor of the values that are not 0."""
        return from_dense(self.dense)


def _matrix_product(a, b):
    """Of two CSRSparseMatrix another one, of one and an array an array."""
    both = [isinstance(one, CSRSparseMatrix) for one in (a, b)]
    product = jnp.matmul(*(array(one.dense if isinstance(one, CSRSparseMatrix) else one) for one in (a, b)))
    return CSRSparseMatrix(product) if all(both) else product


def _sparse_reorder(indices, values, dense_shape, name=None):
    ordered = reorder(SparseTensor(indices, values, dense_shape))
    return ordered.indices, ordered.values


INNER_SPARSE: dict[str, Any] = {
    "sparse.sparse": SimpleNamespace(CSRSparseMatrix=CSRSparseMatrix, matmul=_matrix_product),
    "sparse_reorder": _sparse_reorder,
}  # fmt: skip
"""Names of the inside of TensorFlow, those of `tensorflow.python.ops.linalg.sparse` with its last part."""
