"""A tensor, a class or a layer where something else is needed: errors that show the code that was meant."""

from __future__ import annotations

import inspect
from typing import Any

import jax
import numpy as np

from lamina.core import context, registry, tree
from lamina.core.arguments import example_call, shown
from lamina.core.configurable import signature_of
from lamina.core.keras_tensor import KerasTensor
from lamina.errors import ArgumentError, CallError, ConfigError, ShapeError

_OF_EVERY_LAYER = frozenset(("name", "dtype", "trainable", "autocast", "activity_regularizer"))
_TAKE_ARRAYS = frozenset("weights mean variance params state input_tensor tensor value seed mask".split())


def refuse_tensors(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise an error where a layer is made with a tensor among its settings, `Flatten(x)` for `Flatten()(x)`.

    Args:
        cls: Class of the layer.
        args, kwargs: Arguments of its `__init__`.

    Raises:
        CallError: An argument is a tensor.
        ArgumentError: A user's class does not take an argument of every layer, such as `name`.
    """
    if _OF_EVERY_LAYER & kwargs.keys() and not registry.is_builtin(cls.__init__):
        _refuse_names(cls, kwargs)
    if hasattr(cls, "fit"):  # a model is made from tensors
        return
    parameters = [*signature_of(cls)]
    given = {**dict(enumerate(args)), **kwargs}
    found = {place: value for place, value in given.items() if _is_tensor(value, _name(place, parameters), cls)}
    if not found:
        return
    tensors = [one for value in found.values() for one in tree.flatten(value)]
    names = ["x", "y", "z"][: len(tensors)] if len(tensors) <= 3 else ["x", "..."]
    called = ", ".join(names)
    if "merge" in getattr(cls, "_traits", ()) or any(isinstance(value, (list, tuple)) for value in found.values()):
        called = f"[{called}]"
    kept = [repr(value) for place, value in enumerate(args) if place not in found and _is_plain(value)]
    by_name = {key: value for key, value in kwargs.items() if key not in found and _is_plain(value)}
    inner = "keras.layers.Dense(1)" if "wrapper" in getattr(cls, "_traits", ()) else None
    code = example_call(cls, [*kept, *(f"{key}={value!r}" for key, value in by_name.items())], by_name)
    code = f"{cls.__name__}({inner})" if inner else code
    raise CallError(
        f"{cls.__name__}(...) makes a layer from its settings; got a tensor, {shown(tensors[0])}.",
        fix=f"Make the layer first, then call it: {code}({called})",
    )


def _refuse_names(cls, kwargs):
    """Raise an error where the `__init__` of a user's class does not hand arguments of every layer on."""
    own = inspect.signature(cls.__init__).parameters
    strange = [name for name in kwargs if name in _OF_EVERY_LAYER and name not in own]
    if strange and not any(one.kind is one.VAR_KEYWORD for one in own.values()):
        raise ArgumentError(
            f"{cls.__name__}.__init__ does not take {strange[0]!r}, an argument of every layer.",
            fix=f"def __init__({', '.join([*map(str, own.values()), '**kwargs'])}): super().__init__(**kwargs)",
        )


def _name(place, parameters):
    return place if isinstance(place, str) else parameters[place] if place < len(parameters) else ""


def _is_tensor(value, name, cls):
    """Whether a value is a tensor or a list of them that a layer of this class cannot have among its settings."""
    if isinstance(value, (list, tuple)):
        return len(value) > 0 and all(_is_tensor(one, name, cls) for one in value)
    if isinstance(value, KerasTensor):
        return registry.is_builtin(cls) and name not in _TAKE_ARRAYS
    if not isinstance(value, (np.ndarray, jax.Array)) or not registry.is_builtin(cls):
        return False
    rank = 0 if "merge" in getattr(cls, "_traits", ()) else 1  # settings may be arrays of one axis
    return value.ndim > rank and name not in _TAKE_ARRAYS and not name.endswith("initializer")


def _is_plain(value):
    return isinstance(value, (str, int, float, bool, tuple, type(None)))


def refuse_weight(layer: Any, shape: Any) -> None:
    """Raise an error where a weight is made in every call, or has the shape of several inputs.

    Args:
        layer: The layer that makes it.
        shape: Its shape.

    Raises:
        CallError: `call` makes it, and was called before.
        ShapeError: A size is a shape.
    """
    cls = type(layer)
    name = cls.__name__
    if layer._first_output_shape is not None and context.current_call() and context.name_path() == layer._path:
        raise CallError(
            f"{name}.call makes a weight, and was called before: each call would make another, left untrained.",
            fix=f"def build(self, input_shape): self.w = self.add_weight(shape={shape})",
        )
    if isinstance(shape, (list, tuple)) and None in shape:
        if cls.__module__.startswith("lamina."):
            given = ", ".join(map(str, (layer._build_shapes or {"": shape}).values()))
            raise ShapeError(
                f"{name} has weights for each feature of its inputs, and their number is not known: {given}.",
                fix="Give keras.Input the sizes that are None; for pictures of any size, use GlobalAveragePooling2D in "
                "place of Flatten.",
            )
        sizes = ", ".join("input_shape[-1]" if size is None else str(size) for size in shape)
        raise ShapeError(
            f"The sizes of a weight of {name} are known numbers; got shape={shape}. The batch has no fixed size.",
            fix=f"self.add_weight(shape=({sizes},))",
        )
    if isinstance(shape, (list, tuple)) and any(isinstance(size, (list, tuple)) for size in shape):
        whole = tuple((layer._build_shapes or {"": ()}).values()) in [(size,) for size in shape]
        sizes = ", ".join("input_shape[-1]" if isinstance(size, (list, tuple)) else str(size) for size in shape)
        raise ShapeError(
            f"The sizes of a weight of {name} are whole numbers; got shape={shape}. "
            + ("input_shape has all sizes of the inputs." if whole else "A layer that is called on a list of tensors "
               "has a list of shapes as input_shape."),
            fix=f"self.add_weight(shape=({sizes},))" if whole
            else "input_shape[0][-1] is the last size of the first tensor.",
        )  # fmt: skip


def refuse_class(owner: Any, value: Any) -> None:
    """Raise an error where a class of layers is given in place of a layer.

    Args:
        owner: Name of what takes the layer.
        value: What was given.

    Raises:
        ConfigError: It is a class.
    """
    if isinstance(value, type):
        raise ConfigError(f"{owner} needs a layer; got the class {value.__name__}.", fix=example_call(value))
