"""TensorFlow functions of arrays that are more than an op by another name, each in a line where that is possible.

They stand beside those of `functions`; the rows of `table` are ops by other names.
"""

from __future__ import annotations

import functools
import inspect
from collections import namedtuple
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina import ops
from lamina.compat.functions import constant
from lamina.compat.host import HostTensor, TextType, as_text, check_places, is_text, on_host, texts
from lamina.compat.lifting import inside
from lamina.core.keras_tensor import in_symbolic_scope, is_symbolic
from lamina.core.recording import NEEDS_VALUES
from lamina.core.variable import unwrap
from lamina.training.data.elements import Composite

__all__ = [
    "Unique", "argsort", "array", "axes_of", "boolean_mask", "clip_by_global_norm", "concat", "cumulative", "dims",
    "dynamic_stitch", "equal", "foldl", "gather", "gather_nd", "global_norm", "histogram_bins", "known", "map_fn",
    "on_texts", "reverse_sequence", "scan", "scattered", "sequence_mask", "shape_of", "sizes_of", "slice_", "sort",
    "stack", "strided_slice", "unique_with_counts",
]  # fmt: skip

UniqueWithCounts = namedtuple("UniqueWithCounts", "y idx count")
Unique = namedtuple("Unique", "y idx")


def array(value: Any, dtype: Any = None) -> Any:
    """A value as an array of JAX."""
    value = constant(value) if isinstance(value, (list, tuple)) else unwrap(value)
    return jnp.asarray(np.asarray(value) if isinstance(value, HostTensor) else value, dtype)


def axes_of(axis):
    """Axes as a tuple."""
    return tuple(map(int, np.atleast_1d(axis))) if axis is not None and np.ndim(axis) else axis


def sizes_of(value: Any) -> tuple[Any, ...]:
    """The shape of a value of any kind, as a tuple."""
    return tuple(value.shape) if hasattr(value, "shape") else np.shape(texts(value) if is_text(value) else value)


def shape_of(value: Any) -> Any:
    """`tf.shape`: on the host, so that it has numbers in compiled functions too."""
    sizes = sizes_of(value)
    if is_symbolic(value) or not all(isinstance(size, int) for size in sizes):
        return ops.shape(value)
    return on_host(np.asarray(sizes, "int32"))


def known(value: Any) -> Any:
    """A constant of a function that is being compiled as its numbers; any other value as it is."""
    found = value.get_const() if isinstance(value, Tracer) and hasattr(value, "get_const") else None
    return value if found is None else found


def dims(shape: Any) -> tuple[Any, ...]:
    """A shape as a tuple of numbers; sizes that are symbols stay."""
    given = map(known, shape) if isinstance(shape, (list, tuple)) else np.ravel(known(unwrap(shape))).tolist()
    return tuple(int(one) if isinstance(one, (np.ndarray, np.generic, jax.Array, float)) else one for one in given)


def equal(x: Any, y: Any, name: Any = None) -> Any:
    """`x == y`, also of texts."""
    if is_text(x) or is_text(y):
        x, y = (np.asarray(np.frompyfunc(as_text, 1, 1)(texts(one)), object) for one in (x, y))
        return on_host(np.asarray(x == y, bool))
    return ops.equal(constant(x), constant(y))


def concat(values: Any, axis: Any, name: Any = None) -> Any:
    """`tf.concat`, also of texts."""
    values = values if isinstance(values, (list, tuple)) else [values]
    if any(map(is_text, values)):
        return on_host(np.concatenate([texts(one) for one in values], int(axis)))
    return ops.concatenate([constant(one) for one in values], int(axis))


def stack(values: Any, axis: Any = 0, name: Any = None) -> Any:
    """`tf.stack`, also of texts."""
    values = list(values)
    if any(map(is_text, values)):
        return on_host(np.stack([texts(one) for one in values], axis))
    return ops.stack([one if one.__class__ is int else constant(one) for one in values], axis)


def on_texts(function, other):
    """A function that NumPy does to texts and an op to numbers."""

    first = next(iter(inspect.signature(other).parameters))

    @functools.wraps(other)
    def run(*args, **kwargs):
        kwargs.pop("name", None)
        value, *args = args or (kwargs.pop(first),)
        if not is_text(value):
            return other(value, *args, **kwargs)
        return on_host(function(texts(value), *args, **kwargs))

    return run


def gather(params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: Any = 0,
           name: Any = None) -> Any:  # fmt: skip
    """`tf.gather`: rows, or slices along an axis; with `batch_dims`, of each index of the first axes apart."""
    indices = np.asarray(unwrap(indices)) if is_text(params) else array(indices)
    batch_dims = batch_dims + indices.ndim if batch_dims < 0 else batch_dims
    axis = batch_dims if axis is None else axis
    if is_text(params):
        return on_host(np.take(texts(params), indices, axis))
    params = array(params)
    axis = axis + params.ndim if axis < 0 else axis
    check_places(indices, params.shape[axis])
    take = lambda rows, places: jnp.take(rows, places, axis=axis - batch_dims, mode="clip")  # noqa: E731
    for _ in range(batch_dims):
        take = jax.vmap(take)
    return take(params, indices)


def gather_nd(params: Any, indices: Any, batch_dims: Any = 0, name: Any = None) -> Any:
    """`params[i, j, ...]` for each row (i, j, ...) of the last axis of `indices`."""
    if is_text(params):
        return on_host(texts(params)[tuple(np.moveaxis(np.asarray(unwrap(indices)), -1, 0))])
    params, indices = array(params), array(indices)
    for place in range(indices.shape[-1]):
        check_places(indices[..., place], params.shape[batch_dims + place])
    take = lambda rows, places: rows[tuple(jnp.moveaxis(places, -1, 0))]  # noqa: E731
    for _ in range(batch_dims):
        take = jax.vmap(take)
    return take(params, indices)


def boolean_mask(tensor: Any, mask: Any, axis: Any = None, name: Any = None) -> Any:
    """The elements where the mask is true. A step that uses it runs op by op, since the size depends on values."""
    if in_symbolic_scope() and not is_text(tensor):  # as if all were kept: their number is open where a size is
        value, start, axes = array(tensor), axis or 0, np.ndim(mask)
        return value.reshape(*value.shape[:start], -1, *value.shape[start + axes :])
    place = (*(slice(None),) * (axis or 0), np.asarray(unwrap(mask), bool))
    return on_host(texts(tensor)[place]) if is_text(tensor) else array(tensor)[place]


def scattered(kind):
    """A function that changes the elements of a tensor at places."""

    def scatter(tensor, indices, updates, name=None):
        if is_text(tensor):
            found = texts(tensor).copy()
            found[tuple(np.moveaxis(np.asarray(unwrap(indices)), -1, 0))] = texts(updates)
            return on_host(found)
        target = array(tensor)
        place = target.at[tuple(jnp.moveaxis(array(indices), -1, 0))]
        sign, name = (-1, "add") if kind == "sub" else (1, kind)
        return getattr(place, name)(sign * array(updates, target.dtype) if sign < 0 else array(updates, target.dtype))

    return scatter


def sort(values: Any, axis: Any = -1, direction: Any = "ASCENDING", name: Any = None) -> Any:
    """`tf.sort`."""
    found = jnp.sort(array(values), axis)
    return jnp.flip(found, axis) if direction == "DESCENDING" else found


def argsort(values: Any, axis: Any = -1, direction: Any = "ASCENDING", stable: Any = False, name: Any = None) -> Any:
    """`tf.argsort`."""
    return jnp.argsort(array(values), axis, descending=direction == "DESCENDING").astype("int32")


def cumulative(function, neutral):
    """A cumulative function with `exclusive` and `reverse`."""

    def run(x, axis=0, exclusive=False, reverse=False, name=None):
        x = array(x)
        x = jnp.flip(x, axis) if reverse else x
        found = function(x, axis)
        if exclusive:
            first = jnp.full_like(jnp.take(x, jnp.array([0]), axis), neutral)
            found = jnp.concatenate([first, jax.lax.slice_in_dim(found, 0, x.shape[axis] - 1, axis=axis)], axis)
        return jnp.flip(found, axis) if reverse else found

    return run


def slice_(input_: Any, begin: Any, size: Any, name: Any = None) -> Any:
    """`tf.slice`; a size of -1 means the rest."""
    if any(isinstance(one, Tracer) for one in np.ravel(begin)) or isinstance(begin, Tracer):
        return jax.lax.dynamic_slice(array(input_), list(begin), tuple(map(int, size)))
    pairs = zip(np.ravel(begin).tolist(), np.ravel(size).tolist(), strict=True)
    place = tuple(slice(start, None if count == -1 else start + count) for start, count in pairs)
    return on_host(texts(input_)[place]) if is_text(input_) else array(input_)[place]


def strided_slice(input_: Any, begin: Any, end: Any, strides: Any = None, begin_mask: Any = 0, end_mask: Any = 0,
                  ellipsis_mask: Any = 0, new_axis_mask: Any = 0, shrink_axis_mask: Any = 0,
                  **_: Any) -> Any:  # fmt: skip
    """`tf.strided_slice`."""
    strides = [1] * len(begin) if strides is None else strides
    place: list[Any] = []
    for at, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
        bit = 1 << at
        place.append(Ellipsis if ellipsis_mask & bit else None if new_axis_mask & bit else int(first) if
                     shrink_axis_mask & bit else slice(None if begin_mask & bit else int(first),
                                                       None if end_mask & bit else int(last), int(step)))  # fmt: skip
    return array(input_)[tuple(place)]


def unique_with_counts(x: Any, out_idx: Any = None, name: Any = None) -> Any:
    """(unique values in order of first occurrence, for each element the index of its value, the counts)."""
    values = np.asarray(texts(x) if is_text(x) else unwrap(x))
    keys = np.asarray(np.frompyfunc(as_text, 1, 1)(values)).astype(str) if is_text(x) else values
    _, first, inverse, counts = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    found = values[first[order]]
    return UniqueWithCounts(on_host(found) if is_text(x) else jnp.asarray(found), jnp.asarray(
        np.argsort(order)[inverse], "int32"), jnp.asarray(counts[order], "int32"))  # fmt: skip


def histogram_bins(values: Any, value_range: Any, nbins: Any = 100, dtype: Any = "int32", name: Any = None) -> Any:
    """`tf.histogram_fixed_width_bins`: the number of the bin of each value."""
    low, high = (float(one) for one in np.asarray(value_range))
    places = jnp.floor(nbins * (array(values) - low) / (high - low))
    return jnp.clip(places, 0, nbins - 1).astype(dtype)


def clip_by_global_norm(t_list: Any, clip_norm: Any, use_norm: Any = None, name: Any = None) -> Any:
    """(the tensors, scaled down together to a norm, their norm)."""
    total = global_norm(t_list) if use_norm is None else use_norm
    scale = clip_norm * jnp.minimum(1.0 / total, 1.0 / clip_norm)
    return [None if one is None else array(one) * scale for one in t_list], total


def global_norm(t_list: Any, name: Any = None) -> Any:
    """The square root of the sum of the squares of all numbers in a list of tensors."""
    return jnp.sqrt(sum(jnp.sum(jnp.square(array(one))) for one in t_list if one is not None))


def foldl(fn: Any, elems: Any, initializer: Any = None, reverse: bool = False, **_: Any) -> Any:
    """`tf.foldl`: a function of the state and each slice, from the first (or last) on."""
    rows = jax.tree_util.tree_map(array, elems)
    order = range(len(jax.tree_util.tree_leaves(rows)[0]))
    order = list(reversed(order) if reverse else order)
    row = lambda at: jax.tree_util.tree_map(lambda leaf: leaf[at], rows)  # noqa: E731
    state = row(order.pop(0)) if initializer is None else jax.tree_util.tree_map(array, initializer)
    for at in order:
        state = fn(state, row(at))
    return state


def scan(fn: Any, elems: Any, initializer: Any = None, reverse: bool = False, **_: Any) -> Any:
    """`tf.scan`: all states of `foldl`."""
    states: list[Any] = []

    def kept(state, row):
        states.append(fn(state, row))
        return states[-1]

    foldl(kept, elems, initializer, reverse)
    if initializer is None:
        first = -1 if reverse else 0
        states.insert(0, jax.tree_util.tree_map(lambda leaf: array(leaf)[first], elems))
    states = states[::-1] if reverse else states
    return jax.tree_util.tree_map(lambda *parts: jnp.stack([array(part) for part in parts]), *states)


def map_fn(fn: Any, elems: Any, dtype: Any = None, *_: Any, fn_output_signature: Any = None, **__: Any) -> Any:
    """`tf.map_fn`: a function of each slice along the first axis; rows of different lengths become ragged."""
    from lamina.compat.ragged import stack as ragged_stack

    leaves = elems if isinstance(elems, (tuple, list)) and not isinstance(elems[0], (int, float)) else [elems]
    if any(isinstance(leaf, Composite) or is_text(leaf) for leaf in leaves) or type(
            fn_output_signature).__name__ == "RaggedTensorSpec":  # fmt: skip
        rows = [fn(row) for row in (elems if leaves[0] is elems else zip(*elems, strict=True))]
        if isinstance(rows[0], Composite):
            return rows[0].stacked(rows)
        return ragged_stack(rows) if len({np.shape(unwrap(row)) for row in rows}) > 1 else stack(rows)
    is_list = leaves[0] is elems and isinstance(elems, (list, tuple))
    elems = array(elems) if is_list else jax.tree_util.tree_map(array, elems)
    try:
        return ops.map(fn, elems)
    except NEEDS_VALUES:  # it decides by values, which are known where no function is compiled
        if inside():
            raise
        leaves, tree = jax.tree_util.tree_flatten(elems)
        rows = [fn(tree.unflatten(row)) for row in zip(*leaves, strict=True)]
        return jax.tree_util.tree_map(lambda *parts: jnp.stack([array(part) for part in parts]), *rows)


def zeros(shape: Any, dtype: Any = "float32") -> Any:
    """`tf.zeros`; of texts they are empty."""
    return on_host(np.full(dims(shape), "", object)) if TextType("string") == dtype else ops.zeros(shape, dtype)


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = "bool", name: Any = None) -> Any:
    """`tf.sequence_mask`."""
    lengths = array(lengths)
    width = int(lengths.max()) if maxlen is None else int(maxlen)
    return (jnp.arange(width) < lengths[..., None]).astype(dtype)


def reverse_sequence(input: Any, seq_lengths: Any, seq_axis: Any = None, batch_axis: Any = 0, name: Any = None) -> Any:
    """`tf.reverse_sequence`: the first `seq_lengths` steps, turned."""
    moved = jnp.moveaxis(array(input), (batch_axis, seq_axis), (0, 1))
    steps, lengths = jnp.arange(moved.shape[1]), array(seq_lengths)[:, None]
    places = jnp.where(steps < lengths, lengths - 1 - steps, steps)
    found = jax.vmap(lambda rows, order: rows[order])(moved, places)
    return jnp.moveaxis(found, (0, 1), (batch_axis, seq_axis))


def dynamic_stitch(indices: Any, data: Any, name: Any = None) -> Any:
    """`tf.dynamic_stitch`."""
    pairs = [(np.ravel(unwrap(at)), np.asarray(unwrap(part))) for at, part in zip(indices, data, strict=True)]
    rest = pairs[0][1].shape[np.ndim(unwrap(indices[0])) :]
    found = np.zeros((max(int(at.max()) for at, _ in pairs if at.size) + 1, *rest), pairs[0][1].dtype)
    for at, part in pairs:
        found[at] = part.reshape(-1, *rest)
    return jnp.asarray(found)
