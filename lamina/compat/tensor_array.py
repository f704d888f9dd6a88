"""tf.TensorArray."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina import ops
from lamina.compat import control
from lamina.compat.host import InvalidArgumentError
from lamina.compat.lifting import NeedsEager, inside
from lamina.core.variable import unwrap

__all__ = ["InvalidArgumentError", "TensorArray"]


@jax.tree_util.register_pytree_node_class
class TensorArray:
    """`tf.TensorArray`: tensors by index. In a loop of a tf.function it has a fixed size and one shape."""

    def __init__(
        self, dtype: Any, size: Any = None, dynamic_size: Any = None, clear_after_read: Any = None,
        tensor_array_name: Any = None, handle: Any = None, flow: Any = None, infer_shape: bool = True,
        element_shape: Any = None, **_: Any,
    ) -> None:  # fmt: skip
        self.dtype = dtype if str(dtype) == "string" else jax.dtypes.canonicalize_dtype(dtype)
        self.dynamic_size = bool(dynamic_size)
        if control.is_traced(size):
            raise NeedsEager("the size of a tf.TensorArray is a tensor")
        self._rows: Any = [None] * int(0 if size is None else size)
        if element_shape is not None and None not in tuple(element_shape) and inside() and self._rows:
            self._rows = jnp.zeros((len(self._rows), *element_shape), dtype)

    def tree_flatten(self) -> Any:
        """For JAX."""
        rows = self._rows
        is_packed = not isinstance(rows, list)
        return (rows,), (self.dtype, self.dynamic_size, is_packed)

    @classmethod
    def tree_unflatten(cls, auxiliary: Any, children: Any) -> Any:
        """For JAX."""
        made = object.__new__(cls)
        (made._rows,), (made.dtype, made.dynamic_size, _) = children, auxiliary
        return made

    def _with(self, rows):
        return self.tree_unflatten((self.dtype, self.dynamic_size, False), (rows,))

    def size(self, name: Any = None) -> Any:
        """The number of tensors."""
        return jnp.asarray(len(self._rows), "int32")

    def write(self, index: Any, value: Any, name: Any = None) -> Any:
        """An array of tensors with this one at an index."""
        value = jnp.asarray(unwrap(value), None if str(self.dtype) == "string" else self.dtype)
        if control.is_traced(index):
            if self.dynamic_size:
                raise NeedsEager("a tf.TensorArray of dynamic size is written in a loop")
            return self._with(self._packed(value).at[unwrap(index)].set(value))
        rows, index = self._rows, int(unwrap(index))
        if not isinstance(rows, list):
            return self._with(rows.at[index].set(value))
        if index >= len(rows) and not self.dynamic_size:
            raise InvalidArgumentError(
                f"A tf.TensorArray of size {len(rows)} has no index {index}.",
                fix=f"tf.TensorArray(tf.{self.dtype}, size={len(rows)}, dynamic_size=True)",
            )
        rows += [None] * (index + 1 - len(rows))
        rows[index] = value
        return self

    @property
    def is_unpacked(self) -> bool:
        """Whether it is a list, as it is outside of loops of a tf.function."""
        return isinstance(self._rows, list)

    def packed_as(self, after: Any) -> Any:
        """The same tensors as one array."""
        rows = after._rows
        row = next(row for row in rows if row is not None) if isinstance(rows, list) else rows
        shape = row.shape if isinstance(rows, list) else row.shape[1:]
        return self._with(self._packed(jax.ShapeDtypeStruct(shape, row.dtype)))

    def _packed(self, like):
        rows = self._rows
        if not isinstance(rows, list):
            return rows
        return jnp.stack([jnp.zeros(like.shape, like.dtype) if row is None else row for row in rows])

    def read(self, index: Any, name: Any = None) -> Any:
        """The tensor at an index."""
        if control.is_traced(index):
            return self.stack()[unwrap(index)]
        found = self._rows[int(unwrap(index))]
        if found is None:
            message = f"Nothing was written at index {int(index)}."
            raise InvalidArgumentError(message, fix=f"array = array.write({int(index)}, value)")
        return found

    def stack(self, name: Any = None) -> Any:
        """The tensors along a new first axis."""
        rows = self._rows
        if not isinstance(rows, list):
            return rows
        known = next((row for row in rows if row is not None), None)
        if known is None:
            return jnp.zeros((len(rows),), self.dtype)
        return ops.stack([jnp.zeros_like(known) if row is None else row for row in rows])

    def concat(self, name: Any = None) -> Any:
        """The tensors along their first axis."""
        return ops.concatenate(list(self._rows), 0)

    def gather(self, indices: Any, name: Any = None) -> Any:
        """The tensors at several indices."""
        return self.stack()[unwrap(indices)]

    def unstack(self, value: Any, name: Any = None) -> Any:
        """An array of the rows of a tensor."""
        value = jnp.asarray(unwrap(value))
        return self._with(value if inside() else list(value))

    def scatter(self, indices: Any, value: Any, name: Any = None) -> Any:
        """Write rows of a tensor at several indices."""
        found = self
        for index, row in zip(np.asarray(indices), unwrap(value), strict=True):
            found = found.write(int(index), row)
        return found

    def identity(self) -> Any:
        """The array itself."""
        return self

    grad = close = identity
