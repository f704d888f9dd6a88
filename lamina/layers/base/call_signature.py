"""How a layer's call takes its arguments: which are tensors, which get masks, and whether it knows `training`."""

from __future__ import annotations

import inspect
import weakref
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import tree
from lamina.core.arguments import shown
from lamina.core.graph import Operation
from lamina.core.keras_tensor import KerasTensor, get_mask
from lamina.core.probes import without_probe_sizes
from lamina.core.sparse import as_sparse, has_sparse, is_sparse, to_dense
from lamina.core.variable import Variable, to_array
from lamina.errors import CallError
from lamina.layers.base import shapes
from lamina.runtime.process import configure_process

Parameter = inspect.Parameter


class CallSignature:
    """The parameters of a layer class's `call`."""

    def __init__(self, call: Any) -> None:
        self.signature: Any = inspect.signature(call)
        parameters = list(self.signature.parameters.values())[1:]
        self.names: list[str] = [p.name for p in parameters if p.kind is not Parameter.VAR_KEYWORD]
        self.required: list[str] = [
            p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
        ]
        self.has_any_keyword: bool = any(p.kind is Parameter.VAR_KEYWORD for p in parameters)
        self.has_training: bool = "training" in self.names
        self.default_training: Any | None = self.signature.parameters["training"].default if self.has_training else None
        self.masks: dict[str, str | None] = {
            name: self._mask_name(index, name) for index, name in enumerate(self.names)
        }

    def _mask_name(self, index, name):
        if f"{name}_mask" in self.names:
            return f"{name}_mask"
        return "mask" if index == 0 and "mask" in self.names else None

    def named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """(name, value) of each argument passed."""
        return [*zip(self.names, args, strict=False), *kwargs.items()]


def first_of(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The value of the first parameter of `call` that was passed, by position or by name; None if there is none."""
    if args or not kwargs:
        return args[0] if args else None
    names = signature_of(type(layer).call).names
    return kwargs[next((name for name in names if name in kwargs), next(iter(kwargs)))]


_signatures = weakref.WeakKeyDictionary()  # a class made in a function goes when its user is done with it


def signature_of(method: Any) -> Any:
    """The CallSignature of a method of a layer class, read once."""
    found = _signatures.get(method)
    if found is None:
        found = _signatures[method] = CallSignature(method)
    return found


def is_tensor(value: Any) -> bool:
    """Whether a value is an array of numbers: JAX, NumPy, symbolic or variable."""
    return isinstance(value, (jax.Array, np.ndarray, KerasTensor, Variable)) or is_sparse(value)


def tensors_of(signature: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """name -> value of the arguments that are tensors or structures of tensors only."""
    found = {}
    for name, value in signature.named(args, kwargs):
        leaves = tree.flatten(value)
        if leaves and any(map(is_tensor, leaves)) and all(leaf is None or is_tensor(leaf) for leaf in leaves):
            found[name] = value
    return found


def shape_of(structure: Any) -> Any:
    """The structure with shapes in place of tensors, as `build` and `compute_output_shape` take it."""
    if isinstance(structure, dict):
        return {key: shape_of(value) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(map(shape_of, structure))
    return None if structure is None else shapes.shape_class(structure.shape)


def masks_of(structure: Any) -> Any:
    """The structure with masks in place of tensors; None if there is no mask at all."""
    if isinstance(structure, (list, tuple, dict)):
        masks = tree.map_structure(get_mask, structure)
        return masks if any(mask is not None for mask in tree.flatten(masks)) else None
    return get_mask(structure)


def convert(value: Any, dtype: Any) -> Any:
    """NumPy arrays, variables and other array-likes to JAX arrays; floats to `dtype` unless it is None."""
    kind = type(value)
    if kind is list:
        return [convert(item, dtype) for item in value]
    if kind is tuple:
        return tuple(convert(item, dtype) for item in value)
    if kind is dict:
        return {key: convert(item, dtype) for key, item in value.items()}
    if isinstance(value, Variable):
        value = value.value
    elif isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.kind in "OUS":
            return value  # strings stay on the host
        value = to_array(value)
    elif is_sparse(value):
        value = as_sparse(value)
    elif not isinstance(value, jax.Array):
        if not hasattr(value, "__array__") or isinstance(value, KerasTensor):
            return value
        value = to_array(value)
    if dtype is not None and jnp.issubdtype(value.dtype, jnp.floating) and value.dtype != dtype:
        return value.astype(dtype)
    return value


def converted(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call as JAX arrays, unless the layer takes them as they are. Sparse ones are made dense for
    layers of lamina that do not compute with them."""
    configure_process()  # refuses a forked process
    if not layer._convert_input_args:
        return args, kwargs
    dtype = layer.input_dtype if layer.autocast else None
    args = tuple(convert(value, dtype) for value in args)
    if has_sparse(args) and not getattr(
        layer, "_takes_sparse", not type(layer).__module__.startswith("lamina.layers.")
    ):
        args = to_dense(args)
    return args, {name: convert(kwargs[name], dtype) for name in kwargs}


def without_plain_values(layer: Any, args: tuple[Any, ...]) -> Any:
    """Positional arguments are tensors; a list of numbers is a common mistake, and the error names its fix. A list of
    strings becomes an array of text. A layer may say that it takes plain values, as tokenizers do."""
    if layer._allow_non_tensor_positional_args:
        return args
    args = tuple(np.asarray(value, object) if _is_text(value) else value for value in args)
    for value in args:
        for leaf in tree.flatten(value):
            if (isinstance(leaf, (int, float, str)) and not isinstance(leaf, bool)) or isinstance(leaf, Operation):
                name = type(layer).__name__
                is_sample = isinstance(value, list) and not any(isinstance(one, (list, tuple)) for one in value)
                made = "np.array([x])" if is_sample else "np.array(x)" if _is_even(value) else ""
                made = "np.array([[x]])" if value is leaf else made or "keras.utils.pad_sequences(x)"
                fix = f"{layer.name}({made})"
                if isinstance(leaf, Operation):
                    fix = f"Call {leaf.name} first: {layer.name}({leaf.name}(x))"
                    if type(leaf).__name__ == "InputLayer":
                        fix = f"{layer.name}({leaf.name}.output); keras.Input(shape) makes such a tensor at once."
                elif isinstance(value, tuple) and value[0] is None:  # a shape
                    fix = f"{layer.name}(keras.Input({tuple(value)[1:]}))"
                elif isinstance(leaf, str):
                    fix = "Turn text into numbers first: layers.TextVectorization()"
                raise CallError(f"{name} takes tensors; got {shown(value)}.", fix=fix)
    return args


def _is_even(value):
    try:
        return np.asarray(value).dtype != object
    except ValueError:
        return False


def _is_text(value):
    while isinstance(value, list) and value:
        value = value[0]
        if isinstance(value, (str, bytes)):
            return True
    return False


def brief(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`float32(None, 784)` for each argument of a call, for errors."""

    def one(value):
        if is_tensor(value):
            return f"{value.dtype}{without_probe_sizes(value.shape)}"
        if isinstance(value, (list, tuple)):
            return f"[{', '.join(map(one, value))}]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key}: {one(item)}" for key, item in value.items()) + "}"
        return repr(value)[:60]

    return ", ".join(
        [*map(one, args), *(f"{name}={one(value)}" for name, value in kwargs.items() if value is not None)]
    )
