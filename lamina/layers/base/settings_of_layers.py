"""What the computation of a layer depends on besides its inputs and the values of its variables."""

from __future__ import annotations

import functools
import types
from typing import Any

import jax
import numpy as np

from lamina.core.context import Ref
from lamina.core.graph import Function
from lamina.core.registry import is_builtin
from lamina.random import SeedGenerator

__all__ = ["Unshared", "has_own_code", "settings_of"]

MAX_CONSTANT = 64  # elements of an array among the settings
_PLAIN = (type(None), bool, int, float, complex, str, bytes, np.dtype, np.generic)
_ARRAYS = (np.ndarray, jax.Array, Ref)
_CODE = (types.FunctionType, types.BuiltinFunctionType, type, np.ufunc)
# Attributes that no call reads: names and places, the past, what makes initial values, how a model is trained.
_NEVER_READ = frozenset(
    "name path _path _birth _stamps _variables_in_order _variables_of_its_own _inbound_nodes _init_arguments _own_variables _losses_ref "
    "_layers_with_losses _build_shapes _first_output_shape _initial_weights _input_shape_argument _plan _text_graph optimizer loss "
    "loss_weights _compile_arguments _compile_loss _compile_metrics _loss_tracker _runner history stop_training".split()
)
_MADE_BEFORE = "_initializer", "_regularizer", "_constraint"


class Unshared(Exception):
    """A layer has a setting that cannot be compared."""


def _settings(owner: Any) -> Any:
    """(name, value) of the attributes that a call may read."""
    for name, value in vars(owner).items():
        if name not in _NEVER_READ and not name.endswith(_MADE_BEFORE):
            yield name, value


def has_own_code(layer: Any) -> bool:
    """Whether a call of a layer, without the layers inside, may run code that is not lamina's, may add losses, or is to run operation by
    operation.

    Args:
        layer: Layer.
    """
    if not is_builtin(type(layer)) or not layer._compiles_calls or layer.activity_regularizer is not None:
        return True
    if getattr(layer, "run_eagerly", False):
        return True
    return not all(_is_ours(value) for _, value in _settings(layer))


def _is_ours(value: Any) -> bool:
    if isinstance(value, (*_PLAIN, *_ARRAYS)):
        return True
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_ours, value))
    if isinstance(value, dict):
        return all(map(_is_ours, value.values()))
    if isinstance(value, Function):
        return all(map(_is_ours_in_graph, value.operations))
    if isinstance(value, functools.partial):
        return all(map(_is_ours, (value.func, *value.args, *value.keywords.values())))
    kind = value if isinstance(value, _CODE) else type(value)
    return (getattr(kind, "__module__", None) or "").partition(".")[0] in ("lamina", "jax", "numpy", "weakref")


def _is_ours_in_graph(operation: Any) -> bool:
    return is_builtin(type(operation)) and _is_ours(getattr(operation, "settings", None))


def settings_of(layer: Any, refs: list[Ref]) -> Any:
    """All settings of a layer and of those inside, as one value that is equal for layers that compute the same function.

    Args:
        layer: Layer whose code is lamina's.
        refs: Its variables, in the order in which a program takes their values.

    Raises:
        Unshared: A setting has no such value.
    """
    places = {id(ref): place for place, ref in enumerate(refs)}
    met: dict[int, int] = {}

    def value_of(value: Any) -> Any:
        if isinstance(value, _PLAIN):
            return type(value), value
        if isinstance(value, Ref):
            return "ref", places.get(id(value)), getattr(value, "autocast", None), getattr(value, "trainable", None)
        if isinstance(value, np.ndarray) and value.size <= MAX_CONSTANT and value.dtype.kind in "biuf":
            return value.dtype.str, value.shape, value.tobytes()
        if isinstance(value, (list, tuple)):
            return type(value), *map(value_of, value)
        if isinstance(value, dict):
            return dict, *((key, value_of(item)) for key, item in value.items())
        if isinstance(value, SeedGenerator):
            return SeedGenerator, value_of(value.state)
        if isinstance(value, _CODE):
            return value
        if id(value) in met:
            return "met", met[id(value)]
        if not is_builtin(type(value)) or not hasattr(value, "__dict__") or isinstance(value, Function):
            raise Unshared
        met[id(value)] = len(met)
        return type(value), *((name, value_of(item)) for name, item in _settings(value))

    found = value_of(layer)
    try:
        hash(found)
    except TypeError:
        raise Unshared from None
    return found
