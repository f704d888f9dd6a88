"""tf.RaggedTensor: rows of different lengths, as the values of all rows and the places where rows end."""

from __future__ import annotations

import itertools
import operator
from dataclasses import dataclass
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from lamina.compat.host import HostTensor, InvalidArgumentError, is_text, on_host
from lamina.compat.variables import Shape
from lamina.core.variable import unwrap
from lamina.training.data.elements import Composite, array_of

__all__ = ["RaggedTensor", "RaggedTensorSpec", "as_values", "concat", "flat_map", "gather", "stack", "stack_rows"]


@dataclass(frozen=True)
class RaggedTensorSpec:
    """`tf.RaggedTensorSpec`."""

    shape: Any = None
    dtype: Any = "float32"
    ragged_rank: Any = None
    row_splits_dtype: Any = "int64"

    @staticmethod
    def from_value(value: Any) -> Any:
        """The spec of a ragged tensor."""
        return value.spec

    def row(self) -> Any:
        """The spec of a row."""
        rank = 0 if self.ragged_rank is None else self.ragged_rank - 1
        return RaggedTensorSpec(tuple(self.shape)[1:], self.dtype, rank)

    def batched(self, size: Any) -> Any:
        """The spec of a batch."""
        return RaggedTensorSpec((size, *self.shape), self.dtype, (self.ragged_rank or 0) + 1)

    def joined(self, items: Any) -> Any:
        """Rows as a batch."""
        return stack(list(items))


def as_values(value: Any) -> Any:
    """Values of a ragged or sparse tensor: an array of JAX or, for text and what is on the host, a tensor of it."""
    if isinstance(value, (Composite, jax.Array, HostTensor)):
        return value
    return on_host(value) if is_text(value) or isinstance(value, np.ndarray) else jnp.asarray(unwrap(value))


def _ints(value):
    return np.asarray(unwrap(value)).astype("int64")


class RaggedTensor(Composite):
    """`tf.RaggedTensor`. Make one with `tf.ragged.constant`, or with the class methods.

    Args:
        values: Values of all rows: an array, or another ragged tensor.
        row_splits: Where each row begins, and the end of the last.
    """

    uniform_row_length: int | None = None

    def __init__(self, values: Any, row_splits: Any) -> None:
        self.values, self.row_splits = as_values(values), on_host(_ints(row_splits))

    @classmethod
    def from_row_splits(cls, values: Any, row_splits: Any, **_: Any) -> Self:
        """From the places where rows begin, and the end of the last."""
        return cls(values, row_splits)

    @classmethod
    def from_row_lengths(cls, values: Any, row_lengths: Any, **_: Any) -> Self:
        """From the lengths of the rows."""
        return cls(values, np.concatenate([[0], np.cumsum(_ints(row_lengths))]))

    @classmethod
    def from_row_starts(cls, values: Any, row_starts: Any, **_: Any) -> Self:
        """From the places where rows begin."""
        values = as_values(values)
        return cls(values, np.append(_ints(row_starts), len(values)))

    @classmethod
    def from_row_limits(cls, values: Any, row_limits: Any, **_: Any) -> Self:
        """From the places where rows end."""
        return cls(values, np.concatenate([[0], _ints(row_limits)]))

    @classmethod
    def from_value_rowids(cls, values: Any, value_rowids: Any, nrows: Any = None, **_: Any) -> Self:
        """From the number of the row of each value."""
        count = 0 if nrows is None else int(nrows)
        return cls.from_row_lengths(values, np.bincount(_ints(value_rowids), minlength=count))

    @classmethod
    def from_uniform_row_length(cls, values: Any, uniform_row_length: Any, nrows: Any = None, **_: Any) -> Self:
        """From one length of all rows."""
        made = cls(values := as_values(values), np.arange(0, len(values) + 1, int(uniform_row_length)))
        made.uniform_row_length = int(uniform_row_length)
        return made

    @classmethod
    def from_nested_row_splits(cls, flat_values: Any, nested_row_splits: Any, **_: Any) -> Any:
        """From the splits of each ragged axis, the outermost first."""
        for splits in reversed(nested_row_splits):
            flat_values = cls(flat_values, splits)
        return flat_values

    @classmethod
    def from_tensor(cls, tensor: Any, lengths: Any = None, padding: Any = None, ragged_rank: Any = 1, **_: Any) -> Any:
        """From an array whose rows have `lengths`, or end with the value `padding`."""
        array = np.asarray(array_of(unwrap(tensor)))
        if (ragged_rank or 1) > 1:
            inner = cls.from_tensor(array.reshape(-1, *array.shape[2:]), lengths, padding, ragged_rank - 1)
            return cls.from_uniform_row_length(inner, array.shape[1])
        if lengths is None and padding is not None:
            kept = array != padding if array.dtype != object else np.frompyfunc(lambda a: a != padding, 1, 1)(array)
            lengths = [int(np.max(np.flatnonzero(row), initial=-1)) + 1 for row in kept]
        sizes = np.full(len(array), array.shape[1]) if lengths is None else _ints(lengths)
        return cls.from_row_lengths(np.concatenate([row[:size] for row, size in zip(array, sizes, strict=True)]), sizes)

    @classmethod
    def from_sparse(cls, st_input: Any, **_: Any) -> Self:
        """From a sparse tensor of rank 2 whose rows have no gaps."""
        return cls.from_value_rowids(st_input.values, np.asarray(st_input.indices)[:, 0], int(st_input.dense_shape[0]))

    @property
    def flat_values(self) -> Any:
        """The values of the innermost rows, as one array."""
        return self.values.flat_values if isinstance(self.values, RaggedTensor) else self.values

    @property
    def nested_row_splits(self) -> tuple[Any, ...]:
        """The row splits of each ragged axis."""
        return (self.row_splits, *(self.values.nested_row_splits if isinstance(self.values, RaggedTensor) else ()))

    @property
    def ragged_rank(self) -> int:
        """How many axes are ragged."""
        return len(self.nested_row_splits)

    @property
    def dtype(self) -> Any:
        """dtype of the values."""
        return "string" if is_text(np.asarray(self.flat_values)) else self.flat_values.dtype

    @property
    def shape(self) -> Any:
        """Sizes, with None for ragged axes."""
        return Shape((self.nrows(), self.uniform_row_length, *tuple(self.values.shape)[1:]))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def spec(self) -> RaggedTensorSpec:
        """Shape and dtype."""
        return RaggedTensorSpec(self.shape, self.dtype, self.ragged_rank)

    def nrows(self, out_type: Any = None) -> int:
        """The number of rows."""
        return len(self.row_splits) - 1

    def row_lengths(self, axis: Any = 1) -> Any:
        """The length of each row."""
        if axis > 1:
            return self.with_values(self.values.row_lengths(axis - 1))
        return jnp.asarray(np.diff(self.row_splits))

    def nested_row_lengths(self, name: Any = None) -> tuple[Any, ...]:
        """The lengths of the rows of each ragged axis."""
        return tuple(jnp.asarray(np.diff(splits)) for splits in self.nested_row_splits)

    def row_starts(self) -> Any:
        """The place where each row begins."""
        return jnp.asarray(self.row_splits[:-1])

    def row_limits(self) -> Any:
        """The place where each row ends."""
        return jnp.asarray(self.row_splits[1:])

    def value_rowids(self) -> Any:
        """The number of the row of each value."""
        return jnp.asarray(np.repeat(np.arange(self.nrows()), np.diff(self.row_splits)))

    def bounding_shape(self, axis: Any = None, out_type: Any = None) -> Any:
        """The smallest shape of an array that has room for all rows."""
        inner = self.values
        rest = np.asarray(inner.bounding_shape() if isinstance(inner, RaggedTensor) else inner.shape)[1:]
        shape = np.array([self.nrows(), np.diff(self.row_splits).max(initial=0), *rest])
        return jnp.asarray(shape if axis is None else shape[axis])

    def with_values(self, values: Any) -> RaggedTensor:
        """The same rows, of other values."""
        made = RaggedTensor(values, self.row_splits)
        made.uniform_row_length = self.uniform_row_length
        return made

    def with_flat_values(self, values: Any) -> RaggedTensor:
        """The same rows, of other innermost values."""
        inner = self.values
        return self.with_values(inner.with_flat_values(values) if isinstance(inner, RaggedTensor) else values)

    def to_list(self) -> list[Any]:
        """Nested lists; texts are bytes."""
        inner = self.values.to_list() if isinstance(self.values, RaggedTensor) else np.asarray(self.values).tolist()
        if self.dtype == "string" and not isinstance(self.values, RaggedTensor):
            inner = self.values.numpy().tolist()
        return [inner[start:stop] for start, stop in itertools.pairwise(self.row_splits.tolist())]

    def to_tensor(self, default_value: Any = None, shape: Any = None, name: Any = None) -> Any:
        """An array, padded with `default_value`, by default 0 or "", to the longest row or to `shape`."""
        shape = tuple(int(size) if size not in (None, -1) else None for size in shape) if shape is not None else ()
        inner = self.values
        if isinstance(inner, RaggedTensor):
            inner = inner.to_tensor(default_value, (None, *shape[2:]) if shape[2:] else None)
        lengths = np.diff(self.row_splits)
        width = shape[1] if shape[1:] and shape[1] is not None else int(lengths.max(initial=0))
        places, inside = self.row_splits[:-1, None] + np.arange(width), np.arange(width) < lengths[:, None]
        if shape and shape[0] is not None:
            more = ((0, max(shape[0] - len(places), 0)), (0, 0))
            places, inside = (np.pad(one, more)[: shape[0]] for one in (places, inside))
        xp: Any = jnp if isinstance(inner, jax.Array) else np
        fill: Any = default_value if default_value is not None else "" if is_text(inner) else np.zeros((), inner.dtype)
        inner = xp.concatenate([inner, xp.broadcast_to(xp.asarray(fill, inner.dtype), (1, *inner.shape[1:]))])
        found = inner[np.where(inside, places, len(inner) - 1)]
        return found if xp is jnp else on_host(found)

    def merge_dims(self, outer_axis: int, inner_axis: int) -> Any:
        """Several axes as one."""
        if outer_axis > 0:
            return self.with_values(self.values.merge_dims(outer_axis - 1, inner_axis - 1))
        inner = self.values
        return inner.merge_dims(0, inner_axis - 1) if inner_axis > 1 and isinstance(inner, RaggedTensor) else inner

    def numpy(self) -> Any:
        """An array of arrays; an ordinary one, if all rows have the same length."""
        rows = [row.numpy() if hasattr(row, "numpy") else np.asarray(row) for row in self]
        return np.stack(rows) if len(set(map(np.shape, rows))) == 1 else np.array([*rows, None], object)[:-1]

    def stacked(self, items: Any) -> RaggedTensor:
        """Tensors as one batch."""
        return stack(list(items))

    def __len__(self) -> int:
        return self.nrows()

    def __iter__(self) -> Any:
        return (self[row] for row in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        first, *rest = key if isinstance(key, tuple) else (key,)
        if first is Ellipsis:
            first, *rest = (*[slice(None)] * (self.ndim - sum(one is not None for one in rest)), *rest)
        if isinstance(first, slice):
            found = self if first == slice(None) else gather(self, np.arange(self.nrows())[first])
        else:
            place = range(self.nrows())[int(first)]
            row = self.values[int(self.row_splits[place]) : int(self.row_splits[place + 1])]
            return row[tuple(rest)] if rest else row
        if not rest:
            return found
        rows = [row[tuple(rest)] for row in found]
        return stack(rows) if isinstance(rest[0], slice) else stack_rows(rows)

    def __repr__(self) -> str:
        return f"<tf.RaggedTensor {self.to_list()}>"


for _name in "add sub mul truediv floordiv mod pow and or xor lt le gt ge eq ne".split():
    _run = getattr(operator, f"__{_name}__")
    setattr(RaggedTensor, f"__{_name}__", lambda self, other, run=_run: flat_map(run, self, other))
    setattr(RaggedTensor, f"__r{_name}__", lambda self, other, run=_run: flat_map(run, other, self))
for _name in ("neg", "invert", "abs"):
    _run = getattr(operator, f"__{_name}__")
    setattr(RaggedTensor, f"__{_name}__", lambda self, run=_run: flat_map(run, self))
RaggedTensor.__hash__ = object.__hash__  # pyright: ignore[reportAttributeAccessIssue]


def flat_map(op: Any, *args: Any, **kwargs: Any) -> Any:
    """`tf.ragged.map_flat_values`: a function of the values; an array (rows, 1) is repeated."""
    ragged = next(arg for arg in [*args, *kwargs.values()] if isinstance(arg, RaggedTensor))

    def of(arg):
        if isinstance(arg, RaggedTensor):
            splits = zip(arg.nested_row_splits, ragged.nested_row_splits, strict=False)
            if any(len(a) != len(b) or (a != b).any() for a, b in splits):
                raise InvalidArgumentError("The rows of the ragged tensors have different lengths.",
                                           fix="a.to_tensor() + b.to_tensor(): pad both first")  # fmt: skip
            return arg.flat_values
        shape = np.shape(unwrap(arg))
        if len(shape) < 2 or len(shape) < len(ragged.shape):
            return arg
        if shape[:2] == (ragged.nrows(), 1):
            return jnp.asarray(unwrap(arg))[:, 0][np.asarray(ragged.value_rowids())]
        return of(RaggedTensor.from_tensor(arg)) if shape[0] == ragged.nrows() else arg

    return ragged.with_flat_values(op(*map(of, args), **{key: of(value) for key, value in kwargs.items()}))


def _concatenated(parts):
    parts = list(parts)
    if any(isinstance(part, RaggedTensor) for part in parts):
        parts = [part if isinstance(part, RaggedTensor) else RaggedTensor.from_tensor(part) for part in parts]
        lengths = np.concatenate([np.diff(part.row_splits) for part in parts])
        return RaggedTensor.from_row_lengths(_concatenated(part.values for part in parts), lengths)
    if any(is_text(part) for part in parts):
        return on_host(np.concatenate([np.asarray(part, object) for part in parts]))
    return jnp.concatenate([jnp.asarray(unwrap(part)) for part in parts])


def stack(values: Any, axis: Any = 0, name: Any = None) -> Any:
    """`tf.ragged.stack` along the first axis: tensors of any lengths as rows."""
    values = [value if isinstance(value, RaggedTensor) else as_values(value) for value in values]
    if axis:
        return concat([value[:, None] if value.ndim == 1 else value for value in values], 1)
    return RaggedTensor.from_row_lengths(_concatenated(values), [len(value) for value in values])


def stack_rows(rows: Any) -> Any:
    """Rows of one shape as an array, others as a ragged tensor."""
    if any(isinstance(row, RaggedTensor) for row in rows) or len({np.shape(row) for row in rows}) > 1:
        return stack(rows)
    return on_host(np.stack(rows)) if any(map(is_text, rows)) else jnp.stack([jnp.asarray(row) for row in rows])


def concat(values: Any, axis: Any = 0, name: Any = None) -> Any:
    """`tf.concat` of ragged tensors."""
    if axis == 0:
        return _concatenated(values)
    rows = zip(*(list(value) for value in values), strict=True)
    return stack([_concatenated(parts) if axis == 1 else concat(parts, axis - 1) for parts in rows])


def gather(params: Any, indices: Any, axis: Any = 0, **_: Any) -> Any:
    """`tf.gather` of rows; ragged indices give ragged results."""
    if isinstance(indices, RaggedTensor):
        return indices.with_flat_values(gather(params, indices.flat_values))
    if isinstance(params, RaggedTensor):
        rows = [params[int(place)] for place in np.asarray(indices).ravel()]
        return rows[0] if not np.ndim(indices) else stack(rows) if rows else RaggedTensor(params.values[:0], [0])
    return as_values(params)[np.asarray(indices)]
