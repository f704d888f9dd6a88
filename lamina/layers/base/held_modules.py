"""Modules of Flax NNX and Equinox among the attributes of a layer: their arrays become variables of the layer.

Flax has hooks for reading and writing a variable, so its modules stay as they are. Those of Equinox cannot change, so
the attribute is made of the values of the variables whenever it is read.
"""

from __future__ import annotations

import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import context
from lamina.core.variable import Variable

__all__ = ["ReadModules", "with_variables"]


class ReadModules:
    """Modules whose arrays are variables.

    Args:
        modules: A module of Equinox, or a list, tuple or dict of them.
        name: Name of the attribute.
        made: List that the variables are appended to.
    """

    def __init__(self, modules: Any, name: str, made: list[Variable]) -> None:
        def variable(path, leaf):
            if not isinstance(leaf, jax.Array) or not jnp.issubdtype(leaf.dtype, jnp.inexact):
                return leaf
            made.append(_variable(leaf, f"{name}/{jax.tree_util.keystr(path, simple=True, separator='/')}", True))
            return made[-1]

        self._modules = jax.tree_util.tree_map_with_path(variable, modules)

    def read(self) -> Any:
        """The modules with the values of the variables; a tuple for a list, since what is put into it would be lost."""
        found = jax.tree_util.tree_map(lambda leaf: leaf.value if isinstance(leaf, Variable) else leaf, self._modules)
        return tuple(found) if isinstance(found, list) else found


def with_variables(value: Any, name: str) -> tuple[Any, list[Variable]]:
    """An attribute of a layer, and the variables made for the arrays of the modules in it.

    Args:
        value: A module, or a list, tuple or dict of modules; everything else is returned unchanged.
        name: Name of the attribute.

    Returns:
        The value, or a ReadModules, and the variables.
    """
    made: list[Variable] = []
    nnx, equinox = sys.modules.get("flax.nnx"), sys.modules.get("equinox")
    if equinox is not None and any(isinstance(part, equinox.Module) for _, part in _parts(value, name)):
        return ReadModules(value, name, made), made
    kinds = () if nnx is None else (nnx.Variable, getattr(nnx, "Pytree", nnx.Module))
    for path, part in _parts(value, name) if kinds else ():
        if isinstance(part, kinds):
            for rest, one in [((), part)] if isinstance(part, nnx.Variable) else nnx.iter_graph(part):  # pyright: ignore
                if isinstance(one, nnx.Variable):  # pyright: ignore
                    _hold(one, "/".join(map(str, (path, *rest))), isinstance(one, nnx.Param), made)  # pyright: ignore
    return value, made


def _parts(value, path, around=()):
    """(path, object) of what is in lists, tuples and dicts; `around` are those that are open: one may hold itself."""
    if any(value is container for container in around):
        return
    if type(value) in (list, tuple, dict):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _parts(one, f"{path}/{key}", (*around, value))
    else:
        yield path, value


class _Held(Variable):
    """The variable behind one of Flax."""

    def __setitem__(self, index: Any, value: Any) -> None:
        if value is not self:  # else the hook has written it
            self.assign(self.value.at[index].set(value))

    def written(self, _: Any, value: Any) -> Any:
        """What Flax keeps where a value is set: this variable, unless the value is a part of it."""
        return self.assign(value) if np.shape(value) == self.shape else value


class _Anywhere:
    """Where a variable of Flax was made, for its check of writes: a traced function may write to those of a layer."""

    def is_valid(self) -> bool:
        return True


def _hold(one, name, trainable, made):
    """Let a variable of Flax read and write one of the layer."""
    array = one.get_raw_value()
    if isinstance(array, _Held):
        made.append(array)
    elif isinstance(array, (jax.Array, np.ndarray)) and not jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
        held = _variable(array, name, trainable)
        made.append(held)
        one.set_raw_value(held)
        one.set_metadata(on_get_value=lambda _, got: got.value if got is held else got, on_set_value=held.written)
        object.__setattr__(one, "_trace_state", _Anywhere())


def _variable(array, name, trainable):
    *scopes, last = name.split("/")
    with context.path_scope((*context.name_path(), *scopes)):
        return _Held(array, trainable=trainable, dtype=str(array.dtype), name=last)


def listed_weights(layer: Any, weights: Any, trainable: bool) -> list[Variable]:
    """The weights that a layer lists, as variables. Arrays among them, which the initializers give that Keras 1 called
    with a shape, become variables, also where they are attributes.

    Args:
        layer: The layer.
        weights: Variables and arrays.
        trainable: Whether they are trained.
    """
    listed = []
    for number, weight in enumerate(weights):
        names = [name for name, value in vars(layer).items() if value is weight]
        if not isinstance(weight, Variable):
            weight = Variable(weight, trainable=trainable, name=names[0] if names else f"weight_{number}")
            for name in names:
                setattr(layer, name, weight)
        weight.trainable = trainable
        listed.append(weight)
    return listed
