"""TensorFlow functions of segments, counts, sets and matrices."""

from __future__ import annotations

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina import ops
from lamina.compat.arrays import array, axes_of
from lamina.compat.sparse import SparseTensor
from lamina.core.variable import unwrap

__all__ = ["band_part", "bincount", "edit_distance", "mean", "segments", "set_operation", "svd"]


def segments(kind, unsorted):
    """A function of the values of each segment."""

    def run(data, segment_ids, num_segments=None, name=None):
        data, places = array(data), array(segment_ids)
        count = int(num_segments or 0) if unsorted else int(places[-1]) + 1
        summed = jax.ops.segment_sum if kind in ("mean", "sqrt_n", "sum") else getattr(jax.ops, f"segment_{kind}")
        found = summed(data, places, count)
        sizes = jnp.bincount(places.ravel(), length=count).reshape(-1, *(1,) * (found.ndim - 1))
        if kind in ("mean", "sqrt_n"):
            return found / jnp.maximum(sizes if kind == "mean" else jnp.sqrt(sizes), 1)
        if unsorted or kind in ("sum", "prod"):
            return found
        return jnp.where(sizes > 0, found, jnp.zeros((), found.dtype))  # segments without values are 0

    return run


def bincount(arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, dtype: Any = "int32",
             name: Any = None, axis: Any = None, binary_output: Any = False) -> Any:  # fmt: skip
    """`tf.math.bincount`: how often each number is there, in all or by row (`axis=-1`)."""
    values = np.asarray(unwrap(arr.to_tensor(-1) if hasattr(arr, "to_tensor") else arr))
    rows = values.reshape(1, -1) if axis in (None, 0) else values
    size = max(int(values.max(initial=-1)) + 1, int(minlength or 0))
    size = min(size, int(maxlength)) if maxlength is not None else size
    found = np.zeros((len(rows), size), np.dtype(dtype) if weights is None else np.asarray(weights).dtype)
    given = np.ones(rows.shape) if weights is None else np.asarray(weights).reshape(rows.shape)
    for at, (row, heavy) in enumerate(zip(rows, given, strict=True)):
        inside = (row >= 0) & (row < size)
        np.add.at(found[at], row[inside], heavy[inside].astype(found.dtype))
    found = np.minimum(found, 1) if binary_output else found
    return jnp.asarray(found[0] if axis in (None, 0) else found)


def set_operation(operation):
    """An operation of sets, by row."""

    def run(a, b, *args, **kwargs):
        rows = [one.reshape(-1, one.shape[-1]) for one in (np.asarray(unwrap(a)), np.asarray(unwrap(b)))]
        minus = kwargs.get("aminusb", True)
        found = [sorted(operation(set(x.tolist()), set(y.tolist())) if minus else set(y.tolist()) - set(x.tolist()))
                 for x, y in zip(*rows, strict=True)]  # fmt: skip
        places = [(row, at) for row, values in enumerate(found) for at in range(len(values))]
        return SparseTensor(np.reshape(places, (-1, 2)), np.asarray([*itertools.chain.from_iterable(found)]),
                            (len(found), max(map(len, found))))  # fmt: skip

    return run


def svd(tensor, full_matrices=False, compute_uv=True, name=None):
    """`tf.linalg.svd`: (values, left, right) singular vectors."""
    if not compute_uv:
        return jnp.linalg.svd(array(tensor), compute_uv=False)
    left, values, right = jnp.linalg.svd(array(tensor), full_matrices)
    return values, left, jnp.swapaxes(right, -1, -2).conj()


def band_part(input: Any, num_lower: Any, num_upper: Any, name: Any = None) -> Any:
    """`tf.linalg.band_part`: zeros outside of a band around the diagonal."""
    values = array(input)
    rows, columns = jnp.arange(values.shape[-2])[:, None], jnp.arange(values.shape[-1])
    below = (rows - columns <= num_lower) | (num_lower < 0)
    return jnp.where(below & ((columns - rows <= num_upper) | (num_upper < 0)), values, 0)


def edit_distance(hypothesis: Any, truth: Any, normalize: Any = True, name: Any = None) -> Any:
    """`tf.edit_distance`: the Levenshtein distance of sequences in two sparse tensors."""
    rows: tuple[dict[Any, list[Any]], ...] = ({}, {})
    for found, given in zip(rows, (hypothesis, truth), strict=True):
        for place, value in zip(np.asarray(given.indices).tolist(), np.asarray(given.values).tolist(), strict=True):
            found.setdefault(tuple(place[:-1]), []).append(value)
    shape = tuple(max(a, b) for a, b in zip(hypothesis.shape[:-1], truth.shape[:-1], strict=True))
    distances = np.zeros(shape, "float32")
    for place in np.ndindex(shape):
        first, second = (found.get(place, []) for found in rows)
        costs = list(range(len(second) + 1))
        for i, one in enumerate(first, 1):
            before, costs[0] = costs[0], i
            for j, other in enumerate(second, 1):
                before, costs[j] = costs[j], min(costs[j] + 1, costs[j - 1] + 1, before + (one != other))
        scale = len(second) if normalize else 1
        distances[place] = costs[-1] / scale if scale else (np.inf if costs[-1] else 0)
    return jnp.asarray(distances)


def mean(x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """`tf.reduce_mean`; of whole numbers it is one, as in TensorFlow."""
    x, axis = array(x), axes_of(axis)
    if x.dtype.kind not in "iu":
        return ops.mean(x, axis, keepdims)
    total = jnp.sum(x, axis, keepdims=keepdims)
    return jax.lax.div(total, jnp.asarray(x.size // max(total.size, 1), total.dtype)).astype(x.dtype)
