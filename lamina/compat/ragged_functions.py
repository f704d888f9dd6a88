"""tf.ragged, and what TensorFlow's functions do to ragged and sparse tensors."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.compat import table
from lamina.compat.arrays import known
from lamina.compat.composites import with_tapes
from lamina.compat.dispatching import DISPATCHED, dispatched
from lamina.compat.host import HostTensor, InvalidArgumentError, as_text, is_text, on_host, texts
from lamina.compat.ragged import RaggedTensor, as_values, concat, flat_map, gather, stack, stack_rows
from lamina.compat.sparse import SparseTensor
from lamina.core.variable import unwrap
from lamina.errors import CallError
from lamina.training.data.elements import Composite

__all__ = ["RAGGED", "with_composites"]


def constant(
    pylist: Any, dtype: Any = None, ragged_rank: Any = None, inner_shape: Any = None, name: Any = None, **_: Any
) -> Any:
    """`tf.ragged.constant`: from nested lists."""
    pylist = pylist.tolist() if isinstance(pylist, np.ndarray) else pylist
    rank = _depth(pylist) - 1 - (len(inner_shape) if inner_shape else 0) if ragged_rank is None else ragged_rank
    if rank <= 0:
        return as_values(np.asarray(pylist, object if is_text(pylist) else dtype))
    nested = []
    for _level in range(rank):
        if not all(map(_depth, pylist)):
            raise InvalidArgumentError(
                "A ragged tensor takes lists that are nested equally deep everywhere.",
                fix="tf.ragged.constant([['A'], ['B', 'C']])",
            )
        nested.append(np.cumsum([0, *map(len, pylist)]))
        pylist = list(itertools.chain.from_iterable(pylist))
    if is_text(pylist) and not all(map(is_text, pylist)):
        raise InvalidArgumentError(
            "A ragged tensor has texts, or numbers.", fix="tf.ragged.constant([['one', 'two'], ['3', '4']])"
        )
    kind = object if is_text(pylist) else dtype or (None if pylist else "float32")
    array = np.asarray(pylist, kind)
    values = on_host(array) if kind is object else jnp.asarray(array)
    return RaggedTensor.from_nested_row_splits(values, nested)


def _depth(value) -> int:
    return 1 + max(map(_depth, value), default=0) if isinstance(value, (list, tuple, np.ndarray)) else 0


def range_(starts: Any, limits: Any = None, deltas: Any = 1, dtype: Any = None, **_: Any) -> Any:
    """`tf.ragged.range`: a range of numbers for each row."""
    starts, limits = (0, starts) if limits is None else (starts, limits)
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(part)) for part in (starts, limits, deltas)))
    rows = [np.arange(*part, dtype=dtype) for part in zip(*arrays, strict=True)]
    return RaggedTensor.from_row_lengths(jnp.concatenate(rows), list(map(len, rows)))


def boolean_mask(data: Any, mask: Any, name: Any = None) -> Any:
    """`tf.ragged.boolean_mask`: the values where the mask is true, by row."""
    if not isinstance(data, RaggedTensor):
        data = RaggedTensor.from_tensor(data, ragged_rank=np.ndim(mask) - 1)
    kept = np.asarray(mask.flat_values if isinstance(mask, RaggedTensor) else mask, bool).ravel()
    rows = np.asarray(data.value_rowids())[kept]
    return RaggedTensor.from_value_rowids(gather(data.values, np.flatnonzero(kept)), rows, data.nrows())


def _reduce(kind, input_tensor, axis=None, keepdims=False, name=None):
    ragged = input_tensor
    axis = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis
    if axis is None:
        return getattr(jnp, kind)(jnp.asarray(ragged.flat_values))
    axis = axis % ragged.ndim
    if axis > 1:
        return ragged.with_values(_reduce(kind, ragged.values, axis - 1, keepdims) if isinstance(
            ragged.values, RaggedTensor) else getattr(jnp, kind)(ragged.values, axis - 1))  # fmt: skip
    if isinstance(ragged.values, RaggedTensor):
        raise CallError(f"tf.reduce_{kind} of ragged rows over axis {axis} is not part of lamina.",
                        fix=f"tf.reduce_{kind}(ragged.to_tensor(), axis={axis})")  # fmt: skip
    rows = np.asarray(ragged.value_rowids())
    places, count = rows, ragged.nrows()
    if axis == 0:
        places, count = np.arange(len(rows)) - ragged.row_splits[rows], int(np.asarray(ragged.bounding_shape())[1])
    values = jnp.asarray(ragged.flat_values)
    if kind in ("any", "all"):
        values = values.astype("int32")
    names = {"mean": "sum", "any": "max", "all": "min"}
    found = getattr(jax.ops, f"segment_{names.get(kind, kind)}")(values, places, count)
    if kind == "mean":
        sizes = jnp.bincount(jnp.asarray(places), length=count)
        found = found / sizes.reshape(-1, *(1,) * (found.ndim - 1))
    found = found.astype(bool) if kind in ("any", "all") else found
    return found[:, None] if keepdims else found


def _expand_dims(input, axis=0, name=None):
    axis = axis % (input.ndim + 1)
    if axis == 0:
        return RaggedTensor(input, [0, len(input)])
    if axis == 1:
        return RaggedTensor(input, np.arange(len(input) + 1))
    return input.with_values(_expand_dims(input.values, axis - 1) if isinstance(input.values, RaggedTensor) else
                             jnp.expand_dims(input.values, axis - 1))  # fmt: skip


def _tile(input, multiples, name=None):
    for axis, times in enumerate(np.ravel(multiples).tolist()):
        input = concat([input] * times, axis)
    return input


def _gather_nd(params, indices, batch_dims=0, name=None, **_):
    indices = np.asarray(unwrap(indices))
    if indices.ndim > 1:
        return stack_rows([_gather_nd(params, one) for one in indices])
    for place in indices.tolist():
        params = params[place]
    return params


def _squeeze(input, axis, name=None):
    for one in sorted((place % input.ndim for place in np.ravel(axis).tolist()), reverse=True):
        inner = input if one == 0 else input.values
        input = input[0] if one == 0 else inner if one == 1 else input.with_values(
            _squeeze(inner, one - 1) if isinstance(inner, RaggedTensor) else jnp.squeeze(inner, one - 1))  # fmt: skip
    return input


def _split(value, num_or_size_splits, axis=0, num=None, name=None):
    sizes = num_or_size_splits
    if np.ndim(unwrap(sizes)) == 0:
        sizes = [value.nrows() // int(sizes)] * int(sizes)
    ends = np.cumsum([0, *np.ravel(unwrap(sizes)).tolist()]).tolist()
    return [value[(slice(None),) * axis + (slice(a, b),)] for a, b in itertools.pairwise(ends)]


def cross(inputs: Any, name: Any = None) -> Any:
    """`tf.ragged.cross`: for each row, the combinations of its texts in all inputs, joined by "_X_"."""
    rows = zip(
        *(one.to_list() if isinstance(one, RaggedTensor) else texts(one).tolist() for one in inputs), strict=True
    )
    joined = [["_X_".join(map(as_text, words)) for words in itertools.product(*row)] for row in rows]
    return constant(joined, ragged_rank=1)


def stack_dynamic_partitions(data: Any, partitions: Any, num_partitions: Any, name: Any = None) -> Any:
    """`tf.ragged.stack_dynamic_partitions`: a row of the values of each partition."""
    flat = partitions.flat_values if isinstance(partitions, RaggedTensor) else partitions
    numbers = np.asarray(unwrap(flat))
    values = data.flat_values if isinstance(data, RaggedTensor) else as_values(data)
    order = np.argsort(numbers.ravel(), kind="stable")
    values = values.reshape(-1, *values.shape[numbers.ndim :])
    return RaggedTensor.from_value_rowids(gather(values, order), numbers.ravel()[order], num_partitions)


def _reverse(tensor, axis, name=None):
    for one in np.ravel(axis).tolist():
        if one % tensor.ndim == 0:
            tensor = gather(tensor, np.arange(tensor.nrows())[::-1])
        else:
            inner = one % tensor.ndim - 1
            tensor = stack([_reverse(row, inner) if isinstance(row, RaggedTensor) else row[::-1] for row in tensor])
    return tensor


def _size(input, out_type=None, name=None):
    return jnp.asarray(len(input.flat_values))


def _sparse_sum(input_tensor, axis=None, keepdims=False, name=None):
    return jnp.sum(input_tensor.to_dense(), axis=axis, keepdims=keepdims)


_RAGGED: dict[str, Any] = {
    **{f"reduce_{kind}": functools.partial(_reduce, kind) for kind in "sum mean max min prod any all".split()},
    "concat": lambda values, axis=0, name=None: concat(values, axis), "expand_dims": _expand_dims, "gather": gather,
    "gather_nd": _gather_nd, "squeeze": _squeeze, "split": _split,
    "stack": stack, "size": _size, "rank": lambda input, name=None: input.ndim,
    "shape": lambda input, out_type=None, name=None: input.shape,
    "tile": _tile, "reverse": _reverse,
    "identity": lambda input, name=None: input, "boolean_mask": boolean_mask,
}  # fmt: skip
_FLAT = {line.partition(":")[0] for line in table.NN.splitlines() if "@features>x" in line} | set(table.ELEMENTWISE)
_FLAT |= set(
    "cast clip_by_value ones_like zeros_like where one_hot embedding_lookup squared_difference divide_no_nan dropout "
    "as_string".split()
)
_OF_SIZES = frozenset(
    "add cast ceil concat convert_to_tensor divide expand_dims floor floordiv gather maximum minimum multiply range "
    "reduce_max reduce_min reduce_prod reduce_sum reshape slice squeeze stack subtract unstack".split()
)


def _of_sizes(function, args, kwargs):
    """A function of sizes, as `tf.shape` gives them, and of constants: on the host, so that the result has numbers in
    compiled functions too. Other arguments are passed on as they are."""
    leaves, structure = jax.tree_util.tree_flatten((args, kwargs))
    if any(isinstance(leaf, HostTensor) for leaf in leaves):
        leaves = list(map(known, leaves))
        if all(map(_is_size, leaves)):
            args, kwargs = structure.unflatten(leaves)
            with jax.ensure_compile_time_eval():
                found = function(*args, **kwargs)
            return jax.tree_util.tree_map(lambda one: on_host(np.asarray(one)), found)
    return function(*args, **kwargs)


def _is_size(value):
    if not isinstance(value, (np.ndarray, np.generic, jax.Array)):
        return isinstance(value, (bool, int, float, str, type, np.dtype))
    kinds = "iuf" if isinstance(value, HostTensor) else "iu"
    return not isinstance(value, Tracer) and value.size < 64 and value.dtype.kind in kinds


def _has_composites(values):
    return any(isinstance(value, Composite) or (isinstance(value, (list, tuple)) and any(
        isinstance(part, Composite) for part in value)) for value in values)  # fmt: skip


def with_composites(names: dict[str, Any]) -> dict[str, Any]:
    """Functions that take ragged and sparse tensors too, where they can.

    Args:
        names: TensorFlow's functions by name.
    """
    return {name: _with_composites(name, value) if callable(value) and not isinstance(value, type) else value
            for name, value in names.items()}  # fmt: skip


def _with_composites(name, function):
    elementwise = 2 if name in table.BINARY else 1 if name in _FLAT else 0

    @functools.wraps(function)
    def run(*args, **kwargs):
        if not _has_composites([*args, *kwargs.values()]):
            return _of_sizes(function, args, kwargs) if name in _OF_SIZES else function(*args, **kwargs)
        if DISPATCHED and (found := dispatched(run, elementwise, function, args, kwargs)) is not NotImplemented:
            return found
        return with_tapes(of_composites)(*args, **kwargs)

    def of_composites(*args, **kwargs):
        if any(isinstance(value, SparseTensor) for value in [*args, *kwargs.values()]):
            if name == "reduce_sum":
                return _sparse_sum(*args, **kwargs)
            if name == "edit_distance":
                return function(*args, **kwargs)
            if name in _FLAT:
                return args[0].with_values(function(args[0].values, *args[1:], **kwargs))
        elif name in _RAGGED:
            return _RAGGED[name](*args, **kwargs)
        elif name in _FLAT:
            return flat_map(function, *args, **kwargs)
        elif name in (
            "is_tensor",
            "edit_distance",
            "map_fn",
            "print",
            "function",
            "convert_to_tensor",
            "py_function",
            "type_spec_from_value",
        ):
            return function(*args, **kwargs)
        dense = "tf.sparse.to_dense(x)" if any(isinstance(arg, SparseTensor) for arg in args) else "x.to_tensor()"
        raise CallError(f"tf.{name} takes no ragged or sparse tensors on lamina.", fix=f"tf.{name}({dense})")

    return run


RAGGED: dict[str, Any] = {
    "boolean_mask": boolean_mask, "constant": constant, "cross": cross,
    "stack_dynamic_partitions": stack_dynamic_partitions, "map_flat_values": flat_map, "range": range_, "stack": stack,
    "row_splits_to_segment_ids": lambda splits, **_: jnp.repeat(
        jnp.arange(len(splits) - 1), np.diff(np.asarray(splits))),
    "segment_ids_to_row_splits": lambda segment_ids, num_segments=None, **_: jnp.asarray(
        RaggedTensor.from_value_rowids(segment_ids, segment_ids, num_segments).row_splits),
}  # fmt: skip
for _kind, _names in ((RaggedTensor, "to_tensor __getitem__"), (SparseTensor, "to_dense __mul__ __getitem__")):
    for _name in _names.split():
        setattr(_kind, _name, with_tapes(getattr(_kind, _name)))
