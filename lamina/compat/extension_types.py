"""tf.experimental.ExtensionType: classes of a program that hold tensors and go through tf.functions."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import types
import typing
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.compat.dispatching import dispatch_for_api, for_elementwise, unregister_dispatch_for
from lamina.compat.functions import Tensor, constant
from lamina.compat.variables import Shape
from lamina.core.variable import unwrap
from lamina.errors import LaminaError
from lamina.training.data.elements import Composite, TensorSpec, spec_of

__all__ = ["EXTENSION_TYPES", "ExtensionType"]

_PLAIN = {int: (int, np.integer), float: (float, int, np.floating), str: (str,), bytes: (bytes,), bool: (bool,)}


class FieldError(LaminaError, TypeError):
    """A field of an extension type has a value of another type."""


class FrozenError(LaminaError, AttributeError):
    """A field of an extension type cannot be set."""


def _as_field(name: str, value: Any, kind: Any) -> Any:
    """A value as the annotation of its field says."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any or isinstance(kind, (str, typing.TypeVar)):
        return value
    if kind in (Tensor, jax.Array):
        if value is None:
            _misfit(name, kind, value)
        return value if isinstance(value, (TensorSpec, Composite)) else constant(unwrap(value))
    if origin in (typing.Union, types.UnionType):
        return _as_one_of(name, value, parts)
    if origin is tuple:
        kinds = parts[:1] * len(value) if parts[1:] == (...,) else parts
        if len(kinds) != len(value):
            raise FieldError(f"The field {name} has {len(kinds)} parts; got {len(value)}.", fix=f"{name}: {kind}")
        return tuple(_as_field(name, one, part) for one, part in zip(value, kinds, strict=True))
    if origin in (collections.abc.Mapping, dict):
        return {key: _as_field(name, one, parts[1]) for key, one in value.items()}
    if kind is Shape:
        return Shape(value)
    if kind is np.dtype:
        return np.dtype(value)
    if kind is None or kind is type(None):
        fits = value is None
    else:
        fits = not isinstance(kind, type) or isinstance(value, (*_PLAIN.get(kind, (kind,)), ExtensionTypeSpec))
        fits = fits and not (isinstance(value, bool) and kind in (int, float))
    if not fits:
        _misfit(name, kind, value)
    return value


def _misfit(name: str, kind: Any, value: Any) -> None:
    raise FieldError(
        f"The field {name} is of type {getattr(kind, '__name__', kind)}; got {type(value).__name__}.",
        fix=f"{name}: {type(value).__name__}",
    )


def _as_one_of(name, value, kinds):
    if value is None and type(None) in kinds:
        return None
    plain = [kind for kind in kinds if kind in _PLAIN and isinstance(value, _PLAIN[kind])]
    tried = [*plain, *(kind for kind in kinds if kind not in (*plain, type(None)))]
    for kind in tried[:-1]:
        try:
            return _as_field(name, value, kind)
        except TypeError:
            continue
    return _as_field(name, value, tried[-1])


def _signature(kind: type) -> inspect.Signature:
    """The signature of the constructor: the annotated fields, those of the base classes first."""
    try:
        hints = typing.get_type_hints(kind)
    except NameError:
        hints = {name: hint for base in reversed(kind.__mro__) for name, hint in vars(base).get(
            "__annotations__", {}).items()}  # fmt: skip
    missing = inspect.Parameter.empty
    return inspect.Signature([
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=getattr(kind, name, missing),
                          annotation=hint)
        for name, hint in hints.items() if typing.get_origin(hint) is not typing.ClassVar and name not in _OWN
    ])  # fmt: skip


_OWN = {"_fields", "_ready", "spec", "stacked", "Spec"}


class ExtensionType(Composite):
    """`tf.experimental.ExtensionType`: a frozen class of annotated fields, whose tensors tf.function passes as such."""

    _fields: inspect.Signature
    _ready = False
    Spec: Any

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        cls._fields = _signature(cls)
        if "__init__" in vars(cls):
            setattr(cls, "__init__", _then_frozen(cls.__init__))  # noqa: B010
        own = vars(cls).get("Spec")
        bases = (ExtensionTypeSpec,) if own is None else (own, ExtensionTypeSpec)
        cls.Spec = type("Spec", bases, {"value_type": cls, "__qualname__": f"{cls.__qualname__}.Spec"})
        jax.tree_util.register_pytree_node(cls, _flat, functools.partial(_unflat, cls))
        jax.tree_util.register_pytree_node(cls.Spec, _flat, functools.partial(_unflat, cls))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = self._fields.bind(*args, **kwargs)
        given.apply_defaults()
        vars(self).update(given.arguments)
        self._freeze()

    def _freeze(self):
        for name, field in self._fields.parameters.items():
            if name not in vars(self):
                vars(self)[name] = field.default
            vars(self)[name] = _as_field(name, vars(self)[name], field.annotation)
        vars(self)["_ready"] = True
        self.__validate__()

    def __validate__(self) -> None:
        """Checks of the fields; a class may define it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if self._ready:
            raise FrozenError(f"{type(self).__name__} cannot be changed; {name} was to be set.",
                              fix=f"new = {type(self).__name__}({name}=value, ...)")  # fmt: skip
        vars(self)[name] = value

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name, None)

    @property
    def spec(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]  # computed here
        """The spec of each field."""
        made = object.__new__(self.Spec)  # a constructor of the program's own takes other arguments
        vars(made).update({name: _spec_of(vars(self)[name]) for name in self._fields.parameters})
        return made

    def __eq__(self, other: Any) -> Any:
        if type(other) is not type(self):
            return False
        (mine, kind), (theirs, other_kind) = (jax.tree_util.tree_flatten(one) for one in (self, other))
        if kind != other_kind or any(np.shape(a) != np.shape(b) for a, b in zip(mine, theirs, strict=True)):
            return jnp.asarray(False)
        return jnp.asarray([jnp.all(jnp.asarray(a == b)) for a, b in zip(mine, theirs, strict=True)] or [True]).all()

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={vars(self)[name]!r}' for name in self._fields.parameters)})"


def _then_frozen(init):
    @functools.wraps(init)
    def run(self, *args, **kwargs):
        outermost = "_making" not in vars(self)
        vars(self)["_making"] = True
        init(self, *args, **kwargs)
        if outermost:
            del vars(self)["_making"]
            if not self._ready:
                self._freeze()

    return run


def _spec_of(value):
    if isinstance(value, (jax.Array, np.ndarray)):
        return spec_of(value)
    if isinstance(value, ExtensionType):
        return value.spec
    if isinstance(value, tuple):
        return tuple(map(_spec_of, value))
    return {key: _spec_of(one) for key, one in value.items()} if isinstance(value, dict) else value


def _holds_tensors(value):
    kinds = (jax.Array, np.ndarray, TensorSpec, ExtensionType)
    return any(isinstance(leaf, kinds) or not isinstance(leaf, (int, float, str, bytes, np.dtype, Shape))
               for leaf in jax.tree_util.tree_leaves(value))  # fmt: skip


def _flat(self):
    values = {name: vars(self)[name] for name in _fields_of(self)}
    children = tuple(name for name, value in values.items() if isinstance(value, dict) or _holds_tensors(value))
    rest = tuple((name, value) for name, value in values.items() if name not in children)
    return tuple(values[name] for name in children), (children, rest)


def _fields_of(self):
    return (self.value_type if isinstance(self, ExtensionTypeSpec) else type(self))._fields.parameters


def _unflat(kind, names, children):
    leaves = jax.tree_util.tree_leaves(children)
    of_specs = any(isinstance(leaf, TensorSpec) for leaf in leaves)
    made = object.__new__(kind.Spec if of_specs else kind)
    vars(made).update(zip(names[0], children, strict=True))
    vars(made).update(names[1], _ready=True)
    return made


class ExtensionTypeSpec:
    """`MyType.Spec`: the spec of each field of an extension type."""

    value_type: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        vars(self).update(self.value_type._fields.bind_partial(*args, **kwargs).arguments)
        for name, field in _fields_of(self).items():
            vars(self).setdefault(name, None if field.default is inspect.Parameter.empty else field.default)

    @classmethod
    def from_value(cls, value: Any) -> Any:
        """The spec of a value."""
        return value.spec

    def row(self) -> Any:
        """The spec of a row."""
        return jax.tree_util.tree_map(lambda spec: TensorSpec(spec.shape[1:], spec.dtype), self)

    def batched(self, size: Any) -> Any:
        """The spec of a batch."""
        return jax.tree_util.tree_map(lambda spec: TensorSpec((size, *spec.shape), spec.dtype), self)

    def joined(self, items: Any) -> Any:
        """Rows as a batch."""
        return items[0].stacked(items)

    def __eq__(self, other: Any) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={vars(self)[name]!r}" for name in _fields_of(self))
        return f"{self.value_type.__name__}.Spec({fields})"


class BatchableExtensionType(ExtensionType):
    """`tf.experimental.BatchableExtensionType`: one whose tensors all have a first axis of rows, as in a data set."""

    def stacked(self, items: Any) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]  # a method here
        """Rows as a batch."""
        made = jax.tree_util.tree_map(lambda *leaves: jnp.stack(leaves), *items)
        return _of_shapes(made, lambda shape: (len(items), *shape))

    @property
    def ndim(self) -> int:
        """The number of axes of the tensors, those of the fewest."""
        return min(map(np.ndim, jax.tree_util.tree_leaves(self)))

    def __len__(self) -> int:
        return len(jax.tree_util.tree_leaves(self)[0])

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, int) and row >= len(self):  # what ends an iteration; arrays of JAX give their last row
            raise IndexError(row)
        found = jax.tree_util.tree_map(lambda leaf: leaf[row], self)
        return _of_shapes(found, lambda shape: shape[1:]) if np.ndim(row) == 0 and not isinstance(row, slice) else found


def _of_shapes(made, function):
    """A new value whose fields that are shapes follow those of its tensors."""
    vars(made).update({name: Shape(function(one)) for name, one in vars(made).items() if isinstance(one, Shape)})
    return made


EXTENSION_TYPES: dict[str, Any] = {
    "ExtensionType": ExtensionType, "BatchableExtensionType": BatchableExtensionType,
    "ExtensionTypeSpec": ExtensionTypeSpec, "dispatch_for_api": dispatch_for_api,
    "dispatch_for_unary_elementwise_apis": for_elementwise(1),
    "dispatch_for_binary_elementwise_apis": for_elementwise(2), "unregister_dispatch_for": unregister_dispatch_for,
}  # fmt: skip
"""Names of `tensorflow.experimental`."""
