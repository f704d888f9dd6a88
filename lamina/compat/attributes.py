"""What TensorFlow's tensors, variables and dtypes have and those of JAX and NumPy lack: `ref`, slices of variables that
are assigned to, updates by indices, and `dtype.is_floating` and its like."""

from __future__ import annotations

import ctypes
import gc
import weakref
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from lamina.core.variable import unwrap

__all__ = [
    "SCATTERS",
    "UPDATES",
    "IndexedSlices",
    "Reference",
    "give_dtypes_attributes",
    "remembering",
    "slice_assigns",
]


class IndexedSlices(NamedTuple):
    """`tf.IndexedSlices`: rows of a tensor, and which ones they are."""

    values: Any
    indices: Any
    dense_shape: Any = None

    @property
    def shape(self) -> Any:
        """The shape of the tensor, where it is known."""
        return None if self.dense_shape is None else tuple(self.dense_shape)

    @property
    def dtype(self) -> Any:
        """dtype of the rows."""
        return jnp.asarray(self.values).dtype


class Reference:
    """`tensor.ref()`: stands for a tensor or a variable in sets and as a key of dicts."""

    def __init__(self, to: Any) -> None:
        self._to = to

    def deref(self) -> Any:
        """The tensor or variable."""
        return self._to

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and other._to is self._to

    def __hash__(self) -> int:
        return id(self._to)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._to!r}>"


def _places(indices):
    return tuple(jnp.moveaxis(jnp.asarray(unwrap(indices)), -1, 0))


def _update(kind: str, places: Any) -> Any:
    """A method that changes the values of a variable at some places."""

    def run(self, indices, updates=None, *_, **__):
        where, new = (indices.indices, indices.values) if updates is None else (indices, updates)
        value = self.read()
        return self.assign(getattr(value.at[places(where)], kind)(jnp.asarray(unwrap(new), value.dtype)))

    return run


_KINDS = {"update": "set", "add": "add", "sub": "subtract", "mul": "multiply", "div": "divide", "max": "max",
          "min": "min"}  # fmt: skip
UPDATES: dict[str, Any] = {
    **{f"scatter_{name}": _update(kind, lambda indices: jnp.asarray(unwrap(indices))) for name, kind in _KINDS.items()},
    **{f"scatter_nd_{name}": _update(kind, _places) for name, kind in _KINDS.items()},
    "gather_nd": lambda self, indices, name=None: self.read()[_places(indices)],
    "sparse_read": lambda self, indices, name=None: self.read()[jnp.asarray(unwrap(indices))],
    "ref": lambda self: Reference(self),
}  # fmt: skip
"""Methods of variables."""
SCATTERS: dict[str, Any] = {
    name: lambda ref, indices, updates, *_, update=update, **__: update(ref, indices, updates)
    for name, update in UPDATES.items() if name.startswith("scatter")
} | {
    name: lambda ref, value, *_, name=name, **__: getattr(ref, name)(value)
    for name in ("assign", "assign_add", "assign_sub")
}  # fmt: skip
"""Functions of `tensorflow.compat.v1` that are methods of variables today."""
_slices: dict[int, tuple[Any, Any, Any]] = {}  # id of a tensor -> (weak reference to it, variable, key)


def remembering(get: Any) -> Any:
    """`variable[key]` that remembers the variable, so that the slice can be assigned to.

    Args:
        get: Method that reads a slice.
    """

    def run(self, key):
        found = get(self, key)
        place = id(found)
        _slices[place] = (weakref.ref(found, lambda _: _slices.pop(place, None)), self, key)
        return found

    return run


def _assigner(kind):
    def method(self):
        origin = _slices.get(id(self))
        if origin is None or origin[0]() is not self:
            raise AttributeError("Tensors cannot be assigned to; variables and their slices can.")
        _, variable, key = origin

        def assign(value, *_, **__):
            whole = variable.read()
            new = getattr(whole.at[unwrap(key)], kind)(jnp.asarray(unwrap(value), whole.dtype))
            return variable.assign(new)

        return assign

    return property(method)


def slice_assigns() -> dict[str, Any]:
    """`assign` and its like of slices of variables; other tensors have none."""
    return {"assign": _assigner("set"), "assign_add": _assigner("add"), "assign_sub": _assigner("subtract")}


def _limits(dtype):
    info: Any = jnp.iinfo(dtype) if dtype.kind in "iu" else jnp.finfo(dtype)
    return info.min, info.max


_OF_DTYPES: dict[str, Any] = {
    "is_bool": lambda self: self.kind == "b", "is_integer": lambda self: self.kind in "iu",
    "is_unsigned": lambda self: self.kind == "u", "is_complex": lambda self: self.kind == "c",
    "is_floating": lambda self: jnp.issubdtype(self, jnp.floating), "is_numpy_compatible": lambda self: True,
    "as_numpy_dtype": lambda self: self.type, "base_dtype": lambda self: self,
    "real_dtype": lambda self: np.empty(0, self).real.dtype, "limits": _limits, "min": lambda self: _limits(self)[0],
    "max": lambda self: _limits(self)[1],
}  # fmt: skip


class DTypeName(str):
    """The name of a dtype, as variables have it, with the attributes of TensorFlow's dtypes."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(jnp.dtype(str(self)), name)
        return self if isinstance(found, np.dtype) and found == str(self) else found


def give_dtypes_attributes() -> None:
    """Give the dtypes of NumPy the attributes of TensorFlow's, in this process.

    `x.dtype` of an array is a dtype of NumPy, a class that can be neither changed by `setattr` nor derived from: the
    names go into its dict, and Python is told that the class has changed.
    """
    names = gc.get_referents(np.dtype.__dict__)[0]
    names.update({name: property(method) for name, method in _OF_DTYPES.items()})
    names["is_compatible_with"] = lambda self, other: self == np.dtype(other)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(np.dtype))
