"""The arguments that every rule takes, written once: those of Optimizer."""

import functools
import inspect
from typing import Any

from lamina.optimizers.optimizer import Optimizer
from lamina.runtime.settings import epsilon

__all__ = ["BASE_ARGUMENTS", "with_base_arguments"]

BASE_ARGUMENTS = frozenset(list(inspect.signature(Optimizer).parameters)[:-1])


def with_base_arguments(init) -> Any:
    """Decorator of a rule's `__init__(self, own arguments, **kwargs)`: spells out, where Keras has them, the arguments
    of
    Optimizer that kwargs may hold. Own keyword-only arguments come after them, and all may be passed by position."""
    own = list(inspect.signature(init).parameters.values())[:-1]
    kwargs = inspect.signature(init).parameters["kwargs"]
    base = list(inspect.signature(Optimizer.__init__).parameters.values())[2:-1]
    names = {parameter.name for parameter in own}
    by_position = inspect.Parameter.POSITIONAL_OR_KEYWORD
    before = [parameter for parameter in own if parameter.kind is by_position]
    after = [parameter.replace(kind=by_position) for parameter in own if parameter.kind is not by_position]
    between = [parameter for parameter in base if parameter.name not in names]
    signature = inspect.Signature([*before, *between, *after, kwargs])

    @functools.wraps(init)
    def wrapper(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        given = {**bound.arguments, **bound.arguments.get("kwargs", {})}
        given.pop("kwargs", None)
        if given.get("epsilon", 0) is None:  # as programs for Keras 2 have it
            given["epsilon"] = epsilon()
        return init(**given)

    vars(wrapper)["__signature__"] = signature
    return wrapper
