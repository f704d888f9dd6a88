"""tf.Variable, tf.TensorShape, and the shapes of tensors."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from lamina.compat.attributes import UPDATES, DTypeName, give_dtypes_attributes, remembering, slice_assigns
from lamina.compat.functions import constant
from lamina.compat.host import HostTensor, TextType, is_text, on_host
from lamina.compat.lifting import VARIABLES_MADE, VariablesFirst, inside
from lamina.core import context
from lamina.core.keras_tensor import KerasTensor, get_mask, set_mask
from lamina.core.variable import Variable as LaminaVariable
from lamina.core.variable import unwrap
from lamina.errors import CallError, CallTypeError, ShapeError
from lamina.runtime.tracebacks import explain_errors_by

__all__ = ["VARIABLES", "Shape", "Variable", "also_of_texts", "patch_arrays"]


def _called(error):
    """The error for `variable.value()`, which is a method in TensorFlow and an array here."""
    if isinstance(error, TypeError) and str(error).endswith("ArrayImpl' object is not callable"):
        message = "A tensor was called as if it were a function; `value` of a variable is no method here."
        return CallTypeError(message, fix="variable.read_value()")
    return None


explain_errors_by(_called)


class Dimension(int):
    """A size that is known, which has a `value` as `tf.compat.v1.Dimension` has."""

    @property
    def value(self) -> int:
        """The size as a number of Python."""
        return int(self)


UNKNOWN = SimpleNamespace(value=None)


class Shape(tuple[Any, ...]):
    """`tf.TensorShape`: a tuple of sizes, None for unknown ones, with TensorFlow's methods."""

    def __new__(cls, dims: Any = ()) -> Any:
        """From sizes; None, an unknown rank, stays None."""
        if dims is None:
            return None
        return super().__new__(cls, (dims,) if isinstance(dims, int) else dims)

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return Shape(found) if isinstance(place, slice) else found

    def __eq__(self, other: object) -> bool:
        return super().__eq__(tuple(other) if isinstance(other, list) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = tuple.__hash__

    def __add__(self, other: Any) -> Any:
        return Shape((*self, *other))

    def __radd__(self, other: Any) -> Any:
        return [*other, *self] if isinstance(other, list) else Shape((*other, *self))

    def concatenate(self, other: Any) -> Any:
        """The sizes of both, one after the other."""
        return self + Shape(other)

    def with_rank(self, rank: int) -> Any:
        """The shape, if it has this rank."""
        return self.merge_with([None] * rank)

    def with_rank_at_least(self, rank: int) -> Any:
        """The shape, if its rank is not lower."""
        return self.merge_with([None] * max(rank, len(self)))

    def assert_has_rank(self, rank: int) -> None:
        """An error if the rank is another one."""
        self.with_rank(rank)

    def assert_is_fully_defined(self) -> None:
        """An error if a size is not known."""
        if not self.is_fully_defined():
            raise ShapeError(f"The shape {tuple(self)} has unknown sizes.", fix="x.set_shape([32, 32, 3])")

    def as_list(self) -> list[Any]:
        """The sizes as a list."""
        return list(self)

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self)

    ndims = rank

    @property
    def dims(self) -> list[Any]:
        """The sizes as a list of dimensions."""
        return [UNKNOWN if size is None else Dimension(size) if isinstance(size, int) else size for size in self]

    def num_elements(self) -> Any:
        """The product of the sizes, None where one is unknown."""
        return None if None in self else int(np.prod(self, dtype=np.int64))

    def is_fully_defined(self) -> bool:
        """Whether every size is known."""
        return None not in self

    def is_compatible_with(self, other: Any) -> bool:
        """Whether the sizes that both know are the same."""
        return other is None or (
            len(self) == len(other) and all(a == b or None in (a, b) for a, b in zip(self, other, strict=True))
        )

    def assert_is_compatible_with(self, other: Any) -> None:
        """An error where the sizes differ."""
        if not self.is_compatible_with(other):
            raise ShapeError(f"Shapes {tuple(self)} and {tuple(other)} are not compatible.",
                             fix=f"tf.TensorShape({[*self]})")  # fmt: skip

    def merge_with(self, other: Any) -> Any:
        """The sizes that either knows."""
        self.assert_is_compatible_with(other)
        return Shape(a if b is None else b for a, b in zip(self, other, strict=True))


# JAX flattens shapes as tuples, jnp.nonzero of JAX 0.12 for example.
jax.tree_util.register_pytree_node(Shape, lambda shape: (tuple(shape), None), lambda _, sizes: Shape(sizes))


class _AnyVariable(type):
    """Makes `isinstance(v, tf.Variable)` true for every variable of lamina."""

    def __instancecheck__(cls, instance):
        return isinstance(instance, (LaminaVariable, TextVariable))

    def __call__(cls, initial_value: Any = None, *args: Any, **kwargs: Any) -> Any:
        made = TextVariable if cls is Variable and is_text(initial_value) else super().__call__
        return made(initial_value, *args, **kwargs)


class TextVariable(HostTensor):
    """`tf.Variable` of texts: a tensor of the host whose texts are replaced in place."""

    name: str
    trainable = False

    def __new__(cls, initial_value: Any, *_: Any, name: Any = None, **settings: Any) -> Any:
        """From texts; of the settings of a variable of numbers only the name has a meaning."""
        self = np.array(constant(initial_value), object).view(cls)
        self.name = f"{name or 'Variable'}:0"
        return self

    def assign(self, value: Any, *_: Any, **__: Any) -> Any:
        """Replace the texts."""
        new = np.asarray(constant(value), object)
        if new.shape != np.shape(np.asarray(self)):
            raise ShapeError(f"A tf.Variable of shape {tuple(self.shape)} cannot take texts of shape {new.shape}.",
                             fix="tf.Variable(texts)")  # fmt: skip
        np.asarray(self)[...] = new
        return self

    def value(self) -> Any:
        """The texts as they are now."""
        return on_host(np.array(self, object))

    read_value = value


def also_of_texts(add_weight: Any) -> Any:
    """`add_weight` that makes a variable of texts for their dtype, by keyword.

    Args:
        add_weight: That of layers.
    """

    @functools.wraps(add_weight)
    def run(self, *args, **kwargs):
        if kwargs.get("dtype") is None or TextType("string") != kwargs["dtype"]:
            return add_weight(self, *args, **kwargs)
        return TextVariable(np.full(kwargs.get("shape", ()), "", object), name=kwargs.get("name"))

    return run


class Variable(LaminaVariable, metaclass=_AnyVariable):
    """`tf.Variable(initial_value)`: a `lamina.Variable` with TensorFlow's arguments."""

    def __init__(
        self, initial_value: Any = None, trainable: Any = None, validate_shape: Any = True, caching_device: Any = None,
        name: Any = None, variable_def: Any = None, dtype: Any = None, import_scope: Any = None, constraint: Any = None,
        synchronization: Any = None, aggregation: Any = None, shape: Any = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        unknown = set(kwargs) - {"experimental_enable_variable_lifting"}
        if unknown:
            raise CallError(f"tf.Variable has no argument {', '.join(sorted(unknown))} on lamina.",
                            fix="tf.Variable(initial_value, trainable=True, name=None, dtype=None)")  # fmt: skip
        with context.concrete():
            value = initial_value() if callable(initial_value) else initial_value
            value = unwrap(value)
            if isinstance(value, Tracer):
                raise VariablesFirst("The initial value of a tf.Variable is computed in a function that is compiled.")
            value = constant(value, dtype)
        self._free = not validate_shape or (shape is not None and None in tuple(shape))
        name = name and name.removesuffix(":0")
        scope, _, last = (name or "Variable").rpartition("/")
        with context.name_scope(scope) if scope else context.path_scope(context.name_path()):
            super().__init__(value, dtype=str(value.dtype), trainable=trainable is not False, name=last)
        self.constraint = constraint
        if inside():
            VARIABLES_MADE.append(self.path)

    @property
    def name(self) -> str:
        """As in TensorFlow: the scopes before it, and the number of the output."""
        return f"{self.path}:0" if "path" in vars(self) else self._name

    @name.setter
    def name(self, name: str) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]  # an attribute of Keras's
        self._name = name

    def assign(self, value: Any, use_locking: Any = False, name: Any = None, read_value: Any = True) -> Any:
        """Replace the value."""
        value = unwrap(value)
        value = value if isinstance(value, jax.Array) else constant(value, self.dtype)
        if self._free and value.shape != self.shape:
            self.shape = Shape(value.shape)
        return super().assign(value)

    def assign_add(  # pyright: ignore[reportIncompatibleMethodOverride]  # TensorFlow's name of the argument
        self, delta: Any, use_locking: Any = False, name: Any = None, read_value: Any = True
    ) -> Any:
        """Add to the value."""
        return super().assign_add(delta)

    def assign_sub(  # pyright: ignore[reportIncompatibleMethodOverride]  # TensorFlow's name of the argument
        self, delta: Any, use_locking: Any = False, name: Any = None, read_value: Any = True
    ) -> Any:
        """Subtract from the value."""
        return super().assign_sub(delta)


_METHODS: dict[str, Any] = {
    "read_value": lambda self, *_: self.value, "initialized_value": lambda self: self.value,
    "get_shape": lambda self: Shape(self.shape), "initial_value": property(lambda self: self.value),
    "device": property(lambda self: _device_of(self.read())),
    **UPDATES,
}  # fmt: skip


def _device_of(array):
    return "" if isinstance(array, Tracer) else _device_name(next(iter(array.devices())))


def _device_name(one):
    kind = {"cuda": "GPU", "rocm": "GPU"}.get(one.platform, one.platform.upper())
    return f"/job:localhost/replica:0/task:0/device:{kind}:{one.id}"


def _set_shape(self, shape):
    if not Shape(self.shape).is_compatible_with(shape):
        raise ShapeError(f"A tensor of shape {tuple(self.shape)} cannot have the shape {tuple(shape)}.",
                         fix=f"x = tf.reshape(x, {[-1 if size is None else size for size in shape]})")  # fmt: skip


def patch_arrays() -> tuple[Any, ...]:
    """Give the arrays of JAX, symbolic tensors and variables the attributes of TensorFlow's, in this process. Returns
    the classes of arrays."""
    from jax._src.array import ArrayImpl  # pyright: ignore[reportPrivateImportUsage]

    array_class: Any = ArrayImpl  # an array would start JAX's devices, which a program may still configure
    kinds: tuple[Any, ...] = (array_class, Tracer, KerasTensor)
    if hasattr(array_class, "get_shape"):
        return kinds[:2]
    array_class.numpy = lambda self: _scalar(np.array(self))  # programs write to it
    for kind in kinds:
        kind.get_shape = lambda self: Shape(self.shape)
        kind.set_shape, kind.ref = _set_shape, UPDATES["ref"]
    mask = property(get_mask, set_mask, lambda self: set_mask(self, None))
    setattr(Tracer, "_keras_mask", mask)  # noqa: B010  # arrays have an attribute
    for kind in kinds[:2]:
        shape = kind.shape
        kind.shape = property(lambda self, shape=shape: Shape(shape.fget(self)))
    device: Any = jax.Device
    device.endswith = lambda self, end: _device_name(self).endswith(end)
    device.__getitem__ = lambda self, key: _device_name(self)[key]
    device.__contains__ = lambda self, part: part in _device_name(self)
    for name, value in _METHODS.items():
        setattr(LaminaVariable, name, value)
    setattr(LaminaVariable, "__getitem__", remembering(LaminaVariable.__getitem__))  # noqa: B010
    for kind in kinds[:2]:
        for name, value in slice_assigns().items():
            setattr(kind, name, value)
    give_dtypes_attributes()
    for name in ("assign", "assign_add", "assign_sub"):
        setattr(LaminaVariable, name, _at_once(getattr(LaminaVariable, name)))
    setattr(LaminaVariable, "__init__", _counted(LaminaVariable.__init__))  # noqa: B010
    return kinds[:2]


def _at_once(assign):
    """`assign` with the arguments of TensorFlow that say how: the value is there at once, and nothing else writes."""

    @functools.wraps(assign)
    def assign_now(self, value, use_locking=False, name=None, read_value=True):
        return assign(self, value)

    return assign_now


def _counted(make):
    """`Variable.__init__` that counts what is made while a function is traced, with TensorFlow's shape and dtype."""

    @functools.wraps(make)
    def init(self, *args, **kwargs):
        make(self, *args, **kwargs)
        self.shape = Shape(self.shape)
        self.dtype = DTypeName(self.dtype)
        if inside():
            VARIABLES_MADE.append(self.path)

    return init


def _scalar(array):
    return array[()] if array.ndim == 0 else array


VARIABLES: dict[str, Any] = {"TensorShape": Shape, "Variable": Variable}
