"""What an object computes with besides its arguments and the values of its variables."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from lamina.core.context import Ref
from lamina.core.registry import is_builtin

__all__ = ["Unshared", "has_own_code", "settings_of"]

MAX_CONSTANT = 64  # elements of an array among the settings
_PLAIN = (type(None), bool, int, float, complex, str, bytes, np.dtype, np.generic)
_CODE = (types.FunctionType, types.BuiltinFunctionType, type, np.ufunc)
# Attributes that no call reads: names and places, the past, what makes initial values, how a model is trained.
_NEVER_READ = frozenset(
    "name path _path _birth _stamps _variables_in_order _inbound_nodes _init_arguments _own_variables _losses_ref "
    "_layers_with_losses _build_shapes _first_output_shape _initial_weights _input_shape_argument _compiled_call "
    "_compiled_calls _known_lists _text_graph optimizer loss loss_weights _compile_arguments _compile_loss "
    "_compile_metrics _loss_tracker _runner history stop_training".split()
)
_MADE_BEFORE = "_initializer", "_regularizer", "_constraint"
_LIBRARIES = "lamina", "jax", "numpy", "weakref"


class Unshared(Exception):
    """An object has a setting that cannot be compared."""


def _settings(owner: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) of the attributes that a call may read."""
    names = getattr(owner, "_read_by_calls", None) or list(vars(owner))
    for name in names:
        if name not in _NEVER_READ and not name.endswith(_MADE_BEFORE):
            yield name, vars(owner)[name]


def has_own_code(part: Any) -> bool:
    """Whether a call of an object, without the layers inside, may run code that is not lamina's, may add losses, or is
    to run operation by operation.

    Args:
        part: Layer, loss or metric.
    """
    if not is_builtin(type(part)) or not getattr(part, "_compiles_calls", True):
        return True
    if getattr(part, "run_eagerly", False) or getattr(part, "activity_regularizer", None) is not None:
        return True
    return not all(_is_ours(value) for _, value in _settings(part))


def _is_ours(value: Any) -> bool:
    if isinstance(value, (*_PLAIN, np.ndarray, jax.Array, Ref)):
        return True
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_ours, value))
    if isinstance(value, dict):
        return all(map(_is_ours, value.values()))
    if getattr(value, "_has_operations", False):
        return all(is_builtin(type(one)) and _is_ours(getattr(one, "settings", None)) for one in value.operations)
    if isinstance(value, functools.partial):
        return all(map(_is_ours, (value.func, *value.args, *value.keywords.values())))
    if hasattr(type(value), "update_state"):  # a metric among those of a group
        return not has_own_code(value)
    kind = value if isinstance(value, _CODE) else type(value)
    return (getattr(kind, "__module__", None) or "").partition(".")[0] in _LIBRARIES


def settings_of(owner: Any, refs: list[Ref]) -> Any:
    """All settings of an object and of those inside, as one value: equal for objects that compute the same function.

    Args:
        owner: Object whose code is lamina's.
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
            return Ref, places.get(id(value)), getattr(value, "autocast", None), getattr(value, "trainable", None)
        if isinstance(value, np.ndarray) and value.size <= MAX_CONSTANT and value.dtype.kind in "biuf":
            return np.ndarray, value.dtype.str, value.shape, value.tobytes()
        if isinstance(value, (list, tuple)):
            return type(value), *map(value_of, value)
        if isinstance(value, dict):
            return dict, *((key, value_of(item)) for key, item in value.items())
        if isinstance(value, _CODE):
            return value
        if id(value) in met:
            return "met", met[id(value)]
        if getattr(value, "_has_operations", False) or not is_builtin(type(value)) or not hasattr(value, "__dict__"):
            raise Unshared
        met[id(value)] = len(met)
        return type(value), *((name, value_of(item)) for name, item in _settings(value))

    found = value_of(owner)
    try:
        hash(found)
    except TypeError:
        raise Unshared from None
    return found
