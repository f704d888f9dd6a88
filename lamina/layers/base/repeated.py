"""Changes of the variables of a layer that is repeated (see `lamina.layers.repeat`), one repetition after the other."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

from lamina.core import context
from lamina.core.stacked import Stacked, stack, unstack
from lamina.core.variable import Variable
from lamina.layers.base.tracking import parts_in
from lamina.runtime.tracebacks import filters_traceback

__all__ = ["changes_each"]


def changes_each(method: Callable[..., Any]) -> Any:
    """A method that replaces variables of its layer (LoRA, quantization), for layers that may be repeated: it runs for
    each repetition.

    Args:
        method: Method of a layer that returns nothing.
    """

    @filters_traceback
    @functools.wraps(method)
    def run(layer: Any, *args: Any, **kwargs: Any) -> None:
        whole = [variable for variable in layer._parts(Variable) if isinstance(variable, Stacked)]
        if not whole:
            return method(layer, *args, **kwargs)
        with context.concrete():
            values = [variable.numpy() for variable in whole]
            twins = [_twin(layer, whole, [value[index] for value in values]) for index in range(1, len(values[0]))]
            for variable, value in zip(whole, values, strict=True):
                unstack(variable, value[0])
            layers = [layer, *twins]
            for one in layers:
                run(one, *args, **kwargs)
            for variable, *others in zip(*(one._variables_of_its_own() for one in layers), strict=True):
                stack(variable, [one.numpy() for one in (variable, *others)])

    return run


def _twin(layer, variables, values):
    """The same layer with variables of its own, which have these values."""
    memo: dict[int, Any] = {}
    for variable, value in zip(variables, values, strict=True):
        memo[id(variable)] = part = object.__new__(type(variable))
        part.__dict__.update(variable.__dict__, _owner=None)
        unstack(part, value)
    twin = object.__new__(type(layer))
    for name, value in vars(layer).items():
        holds = name != "_stamps" and any(True for _ in parts_in(value, Variable))
        twin.__dict__[name] = copy.deepcopy(value, memo) if holds else value
    return twin
