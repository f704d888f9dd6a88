"""What checkpoints hold: the variables of objects, and what objects without variables keep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.compat import modules
from lamina.compat.random_numbers import Generator
from lamina.core.variable import Variable
from lamina.layers import RNN, Layer
from lamina.optimizers import Optimizer
from lamina.training.data.iterator import DatasetIterator

__all__ = ["VARIABLES", "is_graph", "is_trackable", "trackables", "walk"]


class _State:
    """What an object that has no variables keeps, as a variable of a checkpoint."""

    def __init__(self, owner, name):
        self.name = self.path = name
        self._owner, (_, self._read, self._write) = owner, _STATES[type(owner)]

    def numpy(self):
        found = self._read(self._owner)
        return found if isinstance(found, bytes) else np.asarray(found)

    def assign(self, value):
        self._write(self._owner, value)

    @property
    def shape(self):
        return np.shape(self.numpy())

    @property
    def dtype(self):
        return "string" if isinstance(self.numpy(), bytes) else np.asarray(self.numpy()).dtype


_STATES: dict[type, Any] = {
    Generator: ("_state_var", lambda one: one.state, Generator.reset),
    DatasetIterator: ("_state", lambda one: json.dumps(one.get_state()).encode(),
                      lambda one, value: one.set_state(json.loads(value.item()))),
}  # fmt: skip
VARIABLES = (Variable, _State)


def trackables(one: Any) -> dict[str, Any]:
    """What an object holds that has variables, by name."""
    if type(one) in _STATES:
        name = _STATES[type(one)][0]
        return {name: vars(one).setdefault("_in_checkpoints", _State(one, name))}
    if hasattr(one, "tracked"):
        return one.tracked
    if isinstance(one, Optimizer):
        return {"_variables": list(one.variables)}
    found = {name: value for name, value in modules.children_of(one) if is_trackable(value)}
    if isinstance(one, Layer):
        found = {name: v for name, v in found.items() if not name.startswith("_") or isinstance(v, Variable)}
        if isinstance(one, RNN):
            found.pop("states", None)  # they are in no file
        if is_graph(one):
            layers = [layer for layer in getattr(one, "layers") if layer.variables]  # noqa: B009
            found = {f"layer_with_weights-{place}": layer for place, layer in enumerate(layers)}
    elif hasattr(one, "reset_state"):
        found.pop("_variables", None)
    return found


def is_trackable(value: Any) -> bool:
    """Whether a checkpoint holds it, or something in it."""
    if isinstance(value, (list, tuple, dict)):
        return any(is_trackable(part) for _, part in modules.children_of(value))
    known = type(value) in _STATES or isinstance(value, (*VARIABLES, Layer, modules.Module, Optimizer))
    return known or hasattr(value, "tracked") or (not isinstance(value, type) and hasattr(type(value), "variables"))


def is_graph(layer: Any) -> bool:
    """Whether it is a Functional or Sequential model."""
    return hasattr(layer, "layers") and (hasattr(layer, "_sequence") or getattr(layer, "_graph", None) is not None)


def walk(root: Any) -> Iterator[tuple[int, str, Any, dict[str, int]]]:
    """(number, path, object, numbers of its parts by name), breadth first, each object once."""
    numbers, queue = {id(root): 0}, [("", root)]
    kept = [root]
    for path, one in queue:
        parts = {}
        for name, value in trackables(one).items() if not isinstance(one, VARIABLES) else ():
            if id(value) not in numbers:
                numbers[id(value)] = len(queue)
                queue.append((f"{path}/{name.replace('/', '.S')}".lstrip("/"), value))
                kept.append(value)
            parts[name] = numbers[id(value)]
        yield numbers[id(one)], path, one, parts
