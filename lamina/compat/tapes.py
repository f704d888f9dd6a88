"""tf.GradientTape, and what makes programs for TensorFlow write themselves onto it: functions and operators."""

from __future__ import annotations

import enum
import functools
import inspect
from typing import Any

from lamina import ops
from lamina.core.recording import recorded, recording
from lamina.core.tape import Tape

__all__ = ["TAPES", "record_functions", "record_operators"]

BINARY = "add sub mul truediv floordiv mod pow matmul".split()
OPERATORS = [*BINARY, *(f"r{name}" for name in BINARY), "neg", "abs", "getitem"]
METHODS = "astype reshape sum mean max min std var prod flatten ravel transpose squeeze clip cumsum dot".split()
NOT_RECORDED = {"constant", "convert_to_tensor", "function", "print", "is_tensor", "executing_eagerly", "stop_gradient"}


class GradientTape(Tape):
    """`tf.GradientTape`: gradients of what runs in the block, by trainable variables and watched tensors."""


class UnconnectedGradients(enum.Enum):
    """What `tape.gradient` gives for a source that the target does not depend on."""

    NONE = "none"
    ZERO = "zero"


def record_functions(table: dict[str, Any]) -> dict[str, Any]:
    """A table of TensorFlow's functions, each of which is recorded as one while a tape is open.

    Args:
        table: Names and what they stand for.
    """
    return {name: _recorded(value) if name not in NOT_RECORDED else value for name, value in table.items()}


def _recorded(function):
    if not inspect.isfunction(function) or inspect.isgeneratorfunction(function):
        return function

    @functools.wraps(function)
    def run(*args, **kwargs):
        if not recording() or any(map(callable, [*args, *kwargs.values()])):
            return function(*args, **kwargs)
        return recorded(function, args, kwargs)

    return run


def record_operators(kinds: tuple[Any, ...]) -> None:
    """Let the operators and methods of these classes of arrays be recorded, in this process.

    Args:
        kinds: Classes of arrays.
    """
    for kind in kinds:
        for name in (*(f"__{name}__" for name in OPERATORS), *METHODS):
            method = getattr(kind, name, None)
            if callable(method) and not hasattr(method, "recorded"):
                setattr(kind, name, _method(name, method))
        transposed = getattr(kind, "T", None)
        if isinstance(transposed, property) and not hasattr(transposed.fget, "recorded"):
            kind.T = property(_method("T", transposed.fget))


def _method(name, method):
    def run(self, *args, **kwargs):
        if not recording() or any(map(callable, args)):
            return method(self, *args, **kwargs)
        return recorded(_by_name(name), (self, *args), kwargs)

    functools.update_wrapper(run, method, updated=())
    run.recorded = True  # pyright: ignore[reportFunctionMemberAccess]
    return run


@functools.cache
def _by_name(name):
    """The method of whatever class of arrays it is called on."""
    if name == "T":
        return lambda self: self.T
    return lambda self, *args, **kwargs: getattr(self, name)(*args, **kwargs)


def custom_gradient(f: Any = None) -> Any:
    """A function whose gradient is given: `f(*args)` returns its result and a function of the cotangents."""
    return ops.custom_gradient(f) if f is not None else custom_gradient


TAPES: dict[str, Any] = {
    "GradientTape": GradientTape, "UnconnectedGradients": UnconnectedGradients, "custom_gradient": custom_gradient,
}  # fmt: skip
