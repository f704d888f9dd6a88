"""What belongs to a layer: the variables, layers, metrics and seed generators among its attributes.

Nothing is wrapped and nothing is kept twice: the parts are read off the attributes when they are asked for, in the
order in which they were assigned (parts put into a list later count from the moment they were made).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from lamina.core import context
from lamina.core.variable import Variable
from lamina.errors import CallError
from lamina.layers.base.misuse import refuse_tensors
from lamina.metrics.metric import Metric
from lamina.random import SeedGenerator
from lamina.runtime.tracebacks import readable

_clock = itertools.count()
_CONTAINERS = (list, tuple, dict, set)
_UNTRACKED = frozenset(
    "_inbound_nodes _init_arguments _stamps _layers_with_losses _build_shapes _initial_weights _graph optimizer loss "
    "loss_weights _compile_arguments _compile_loss _compile_metrics _loss_tracker".split()
)


class Tracked:
    """An object with parts among its attributes. `_birth` orders parts that were never assigned by name."""

    _birth: int
    _stamps: dict[int, int]

    if not TYPE_CHECKING:  # for type checkers the signature is that of __init__

        def __new__(cls, *args, **kwargs):
            try:
                refuse_tensors(cls, args, kwargs)
            except CallError as error:
                with readable(error) as shown:
                    raise shown from None
            instance = super().__new__(cls, *args, **kwargs)
            object.__setattr__(instance, "_birth", next(_clock))
            object.__setattr__(instance, "_stamps", {})
            return instance

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, (Tracked, Variable, SeedGenerator, Metric, *_CONTAINERS)) and name not in _UNTRACKED:
            context.structure_changed()
            for part in parts_in(value, Tracked):
                self._stamps.setdefault(id(part), next(_clock))
        object.__setattr__(self, name, value)

    def _parts(self, kind) -> list[Any]:
        """The parts of a kind among the attributes, each once, in order."""
        parts, wanted = {}, (kind, *_CONTAINERS)
        for name, value in self.__dict__.items():  # hot: a model of 300 layers asks some thousand times
            if isinstance(value, wanted) and name not in _UNTRACKED:
                for part in (value,) if isinstance(value, kind) else parts_in(value, kind):
                    parts[id(part)] = part
        found = list(parts.values())
        if kind is Tracked:
            found.sort(key=lambda part: self._stamps.get(id(part), part._birth))  # pyright: ignore
        return found


def parts_in(value: Any, kind: type, around: tuple[Any, ...] = ()) -> Any:
    """The objects of `kind` in a value, containers searched through; `around` are those that are open, for one may hold
    itself."""
    if isinstance(value, kind):
        yield value
    elif isinstance(value, _CONTAINERS) and not any(value is container for container in around):
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, (kind, *_CONTAINERS)):
                yield from parts_in(item, kind, (*around, value))


def unique(items: Any) -> list[Any]:
    """Each object once, in order of first appearance."""
    return list({id(item): item for item in items}.values())
