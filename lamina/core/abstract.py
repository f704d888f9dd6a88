"""How initial values of variables are made; and variables without values, for models built without memory."""

from __future__ import annotations

import weakref
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import context
from lamina.core.dtypes import numpy_dtype, standardize_dtype
from lamina.core.keras_tensor import in_symbolic_scope
from lamina.core.placement import Parts, place, placement_scope, sharding_of
from lamina.core.read_limits import reserve_array

__all__ = [
    "Origin", "abstract", "draw_missing", "fresh", "inner_shape", "is_abstract", "make_abstract", "origin_of",
    "without_value",
]  # fmt: skip

_abstract: ContextVar[bool] = ContextVar("abstract", default=False)
is_abstract = _abstract.get


def abstract() -> AbstractContextManager[Any]:
    """Variables made inside the block have a shape and a type, and no value.

    A model of any size is built, compiled and explained (`model.explain(distribution=..., batch_size=...)`) this way
    without memory for its weights. A variable gets its value when it is assigned, as by `model.load_weights(path)`, of
    which each device reads its own part; or when it is first read: then its initial value is drawn.

    >>> import lamina as keras
    >>> with keras.abstract():
    ...     model = keras.Sequential([keras.Input((100_000,)), keras.layers.Dense(1_000_000)])
    >>> model.count_params()
    100001000000
    """
    return context.set_within(_abstract, True)


class Origin:
    """The initializer of a variable and its first value.

    Files and copies by pickle do not hold it: an initializer may be a function without a name.

    Args:
        initializer: Function `(shape, dtype) -> array`.
        value: What it gave.
    """

    def __init__(self, initializer: Any, value: Any) -> None:
        self.initializers: list[Any] = [initializer]  # one for each repetition, of a variable without a value
        self._first: Any = None
        self.with_value(value)

    def __reduce__(self) -> Any:
        return type(None), ()

    def is_value(self, value: Any) -> bool:
        """Whether an array is the first value: none was assigned since."""
        return self._first() is value

    def with_value(self, value: Any) -> Origin:
        """The same for another first value."""
        self._first = weakref.ref(value) if isinstance(value, jax.Array) else lambda: value
        return self


def fresh(initializers: list[Any]) -> list[Any]:
    """The same initializers, with other seeds where they were made without one."""
    return [type(one).from_config(one.get_config()) if hasattr(one, "get_config") else one for one in initializers]


def origin_of(initializer: Any, value: Any) -> Origin | None:
    """The Origin of a variable, None where its initial value was given as an array or a number."""
    return None if not callable(initializer) or isinstance(initializer, jax.Array) else Origin(initializer, value)


class _Nothing:
    """The owner of variables without a value; see `Ref`."""

    def get(self, cell: Any) -> Any:
        """In the inference of shapes, zeros that are never computed; else the initial value, which is drawn now."""
        if in_symbolic_scope():
            return jnp.zeros(cell._value.shape, cell._value.dtype)
        with context.concrete():
            self.set(cell, _drawn(cell, sharding_of(cell.layout)))
        return cell._value

    def peek(self, cell: Any) -> Any:
        """Shape, type and sharding."""
        return cell._value

    def set(self, cell: Any, value: Any) -> None:
        """Give a variable a value."""
        cell._value, cell._owner = value, None

    put = set

    def release(self) -> None:
        """Nothing is held."""


_NOTHING = _Nothing()


def without_value(variable: Any) -> bool:
    """Whether a variable has no value yet."""
    return variable._owner is _NOTHING


def draw_missing(model: Any) -> None:
    """Draw the initial values of the variables of a model, its optimizer and metrics that have none."""
    optimizer = getattr(model, "optimizer", None)
    for variable in (*model.variables, *model.metrics_variables, *(optimizer.variables if optimizer else ())):
        if without_value(variable):
            variable.read()


def _array_of(value: Any) -> Any:
    array = value.read() if hasattr(value, "read") else value
    return array if hasattr(array, "dtype") else np.asarray(array)


def make_abstract(variable: Any, initializer: Any, shape: Any, dtype: Any) -> None:
    """Give a new variable a shape and a type, and no value.

    Args:
        variable: Variable.
        initializer, shape, dtype: As `Variable` takes them.
    """
    if not callable(initializer) or isinstance(initializer, jax.Array) or hasattr(initializer, "read"):
        array = _array_of(initializer)
        floats = dtype is None and array is not initializer and np.issubdtype(array.dtype, np.floating)
        shape, dtype = np.shape(array), standardize_dtype(None if floats else array.dtype if dtype is None else dtype)
        initializer = _Given(array)
    reserve_array(shape, numpy_dtype(standardize_dtype(dtype)).itemsize, "A variable")
    wanted = jax.dtypes.canonicalize_dtype(numpy_dtype(standardize_dtype(dtype)))
    value = jax.ShapeDtypeStruct(tuple(shape), wanted)
    variable._value, variable._owner, variable._origin = value, _NOTHING, Origin(initializer, value)
    variable.shape, variable.dtype = value.shape, standardize_dtype(dtype or value.dtype)


class _Given:
    """The initializer of a variable that was given an array: zeros of an optimizer, which take no memory as a view."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __call__(self, shape: Any, dtype: Any) -> Any:
        return np.broadcast_to(np.asarray(self.array), shape)


def inner_shape(variable: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The part of a shape that one repetition sees, where the layer is repeated; else all of it.

    Args:
        variable: Variable.
        shape: Shape of its value.
    """
    return shape[len(shape) - getattr(variable, "inner_ndim", len(shape)) :]


def _drawn(variable, sharding):
    """The initial value, of each repetition by itself where the layer is repeated. No more than that of one is on the
    host beside the parts of its devices."""
    described, initializers = variable._value, variable._origin.initializers
    inner = inner_shape(variable, described.shape)
    if len(initializers) == 1:
        with placement_scope(described.shape, sharding):
            value = initializers[0](described.shape, variable.dtype)
        is_made = isinstance(value, jax.Array) and value.dtype == described.dtype
        return place(value if is_made else np.asarray(value, described.dtype), sharding)
    parts, outer = Parts(described.shape, described.dtype, sharding), described.shape[: -len(inner) or None]
    for _ in parts.rounds():
        for place_of, initializer in zip(np.ndindex(outer), initializers, strict=True):
            box = (*((one, one + 1) for one in place_of), *((0, size) for size in inner))
            value = np.asarray(initializer(inner, variable.dtype), described.dtype)
            parts.put(box, value.reshape(*(1 for _ in outer), *inner))
    return parts.array()
