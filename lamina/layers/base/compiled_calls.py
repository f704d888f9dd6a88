"""Calls of lamina's layers on arrays, outside of a training step: each is one compiled program.

JAX runs every operation on arrays by itself, which costs far more than the arithmetic of a small layer. A layer all of whose parts are
lamina's computes the same function in each call, so its first call on arrays compiles that function, of the values of its variables
and of the inputs, and every call runs it. Layers of equal settings share a program.

What decides otherwise, and is computed operation by operation: code of users among the parts, losses that a call adds, open tapes,
functions that watch layers, distributions, and arguments that are no arrays of numbers.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from contextvars import ContextVar
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from lamina.core import context, tree
from lamina.core.context import Ref
from lamina.core.keras_tensor import get_mask, set_mask
from lamina.core.registry import is_builtin
from lamina.core.variable import Variable, to_array
from lamina.kernels import native
from lamina.layers.base import call_context, call_signature
from lamina.layers.base.input_spec import check_inputs
from lamina.layers.base.settings_of_layers import Unshared, has_own_code, settings_of
from lamina.runtime import settings

__all__ = ["Plan", "call"]

MAX_SHARED = 256  # programs that layers of equal settings share
SHARED_PARTS = 12  # layers of more parts, as models, have a program of their own

_shared: OrderedDict[Any, Any] = OrderedDict()
_owner: ContextVar[Any] = ContextVar("owner")  # (layer, its refs): whose call is compiled here, if one is


class Plan:
    """How the calls of one layer run until its structure changes.

    Args:
        layer: Layer that is built.

    Attributes:
        version: Version of the structure at which it was made.
        refs: The variables and the state of the process, whose values a call takes and may change.
        program: The compiled function; None computes operation by operation.
        refused: What was called, of calls that could not be compiled.
    """

    version: int
    refs: list[Ref]
    program: Any
    refused: set[Any]

    __slots__ = ("program", "refs", "refused", "version")

    def __init__(self, layer: Any) -> None:
        parts = layer._flatten_layers()
        self.refs = [*layer.variables, *context.global_refs()]
        self.program = None if any(map(has_own_code, parts)) else _program_of(layer, parts, self.refs)
        self.refused = set()
        for part in parts:
            vars(part).setdefault("_plan", None)  # from now on, a new value of a setting changes the structure
        self.version = context.structure_version()

    def __deepcopy__(self, memo: Any) -> None:
        return None

    def __reduce__(self) -> Any:
        return type(None), ()

    def run(self, layer: Any, args: Any, kwargs: Any) -> Any:
        """The outputs of a call, or NotImplemented.

        Args:
            layer: The layer.
            args, kwargs: Arguments of the call.
        """
        given = _arrays_of(args, kwargs) if self.program is not None and _is_plain() else None
        if given is None:
            return NotImplemented
        arrays, structure, rest = given
        masks = [*map(get_mask, arrays)]
        outer = context.current_call()
        training = None if outer is None else (outer.training,)
        static = training, context.autocast_dtype(), structure, rest, settings.held_by_programs(), native.switches()
        if self.refused and self._signature(arrays, static) in self.refused:
            return NotImplemented
        token = _owner.set((layer, self.refs))
        try:
            outputs, changed, masks = self.program([ref.read() for ref in self.refs], arrays, masks, static)
        except Exception:  # computed operation by operation, it works or raises the error that says more
            self.refused.add(self._signature(arrays, static))
            return NotImplemented
        finally:
            _owner.reset(token)
        for index, value in changed.items():
            self.refs[index].write(value)
        if masks:
            for output, mask in zip(tree.flatten(outputs), masks, strict=True):
                if mask is not None:
                    set_mask(output, mask)
        return outputs

    @staticmethod
    def _signature(arrays, static):
        return tuple((array.shape, array.dtype) for array in arrays), static


def call(layer: Any, args: Any, kwargs: Any) -> Any:
    """The outputs of a call of a layer, which is built if it is not yet; NotImplemented where it is not compiled.

    Args:
        layer: Layer.
        args, kwargs: Arguments of the call.
    """
    if not is_builtin(type(layer)) or not _is_plain() or _arrays_of(args, kwargs) is None:
        return NotImplemented
    if not layer.built or layer._path is None:
        if layer.input_spec is not None:
            check_inputs(layer.input_spec, call_signature.first_of(layer, args, kwargs), layer)
        with layer._scope():
            layer._ensure_built(args, kwargs)
    plan = Plan(layer)
    object.__setattr__(layer, "_plan", plan)
    return plan.run(layer, args, kwargs)


def _is_plain():
    """Whether nothing around asks what happens inside of a call."""
    return not (
        context.is_bound() or context.open_tapes.get() or context.layer_watcher() is not None
        or context.distribution() is not None or call_context.is_around() or jax.config.jax_disable_jit
    )  # fmt: skip


def _arrays_of(args, kwargs):
    """(arrays, structure, other values) of the arguments, or None if there are others than arrays and switches."""
    leaves, structure = jax.tree_util.tree_flatten((args, kwargs), is_leaf=_is_leaf)
    arrays, rest = [], []
    for leaf in leaves:
        if isinstance(leaf, jax.Array):
            if isinstance(leaf, Tracer):
                return None
        elif isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biuf":
            leaf = to_array(leaf)
        elif isinstance(leaf, Variable):
            leaf = leaf.value
        elif isinstance(leaf, bool) or (isinstance(leaf, str) and not args):
            rest.append(leaf)
            continue
        else:
            return None
        rest.append(None)
        arrays.append(leaf)
    return (arrays, structure, tuple(rest)) if arrays else None


def _is_leaf(value):
    return type(value) not in (tuple, list, dict) and value is not None


def _program_of(layer, parts, refs):
    """The compiled function of a layer, shared with others of equal settings."""
    key = None
    if len(parts) <= SHARED_PARTS:
        with contextlib.suppress(Unshared):
            key = settings_of(layer, refs)
    if key is None:
        return jax.jit(_of_values(), static_argnums=3)
    if key not in _shared:
        _shared[key] = jax.jit(_of_values(), static_argnums=3)
        if len(_shared) > MAX_SHARED:
            _shared.popitem(last=False)
    _shared.move_to_end(key)
    return _shared[key]


def _of_values():
    """A new function (values, arrays, masks, the rest) -> (outputs, changed values by index, masks of the outputs). It refers to no layer,
    so that it does not keep one."""

    def lamina_layer(values, arrays, masks, static):
        layer, refs = _owner.get()
        training, autocast, structure, rest, *_ = static
        given = iter(arrays)
        leaves = [next(given) if leaf is None else leaf for leaf in rest]
        for array, mask in zip(arrays, masks, strict=True):
            if mask is not None:
                set_mask(array, mask)
        args, kwargs = jax.tree_util.tree_unflatten(structure, leaves)
        outer = None if training is None else context.Call(layer, *training)
        with context.bind(refs, values) as slots, context.call_scope(outer), context.autocast(autocast):
            outputs = type(layer)._run(layer, *args, **kwargs)
            changed = {index: slots[ref] for index, ref in enumerate(refs) if slots[ref] is not values[index]}
        made = [get_mask(output) for output in tree.flatten(outputs)]
        return outputs, changed, made if any(mask is not None for mask in made) else None

    return lamina_layer
