"""tf.GradientTape, and what makes programs for TensorFlow write themselves onto it: functions and operators."""

from __future__ import annotations

import enum
import functools
import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina import ops
from lamina.backend.gradients import graph_gradients
from lamina.compat.functions import constant
from lamina.core.context import open_tapes, recording_on
from lamina.core.keras_tensor import OPS, is_symbolic
from lamina.core.op import op
from lamina.core.recording import Record, is_real, recorded, recording, zeros_like
from lamina.core.tape import Tape, _leaves
from lamina.core.variable import Variable
from lamina.errors import LaminaError

__all__ = ["AUTODIFF", "TAPES", "record_functions", "record_operators"]

BINARY = "add sub mul truediv floordiv mod pow matmul".split()
OPERATORS = [*BINARY, *(f"r{name}" for name in BINARY), "neg", "abs", "getitem"]
_AS_OPS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
           "mod": "mod", "pow": "power", "matmul": "matmul"}  # fmt: skip
LOGICAL = "eq ne lt le gt ge and or xor rand ror rxor".split()
METHODS = "astype reshape sum mean max min std var prod flatten ravel transpose squeeze clip cumsum dot".split()
NOT_RECORDED = {"constant", "convert_to_tensor", "function", "print", "is_tensor", "executing_eagerly"}
NO_GRADIENT = {"adjust_contrast"}


class GradientTape(Tape):
    """`tf.GradientTape`: gradients of what runs in the block, by trainable variables and watched tensors."""


class UnconnectedGradients(enum.Enum):
    """What `tape.gradient` gives for a source that the target does not depend on."""

    NONE = "none"
    ZERO = "zero"


def record_functions(table: dict[str, Any]) -> dict[str, Any]:
    """A table of TensorFlow's functions, each of which is recorded as one while a tape is open."""
    return {
        name: _constant(value)
        if name == "stop_gradient"
        else value
        if name in NOT_RECORDED
        else _recorded(name, _without_gradient(value) if name in NO_GRADIENT else value)
        for name, value in table.items()
    }


def _constant(function):
    """A function whose result depends on nothing for a tape."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        if not recording():
            return function(*args, **kwargs)
        with recording_on():
            return jnp.array(function(*args, **kwargs))

    return run


def _without_gradient(function):
    @functools.wraps(function)
    def run(*args, **kwargs):
        def grad(*_, **__):
            raise LookupError(f"tf.image.{function.__name__} has no gradient, as in TensorFlow.")

        return custom_gradient(lambda *given: (function(*given, **kwargs), grad))(*args)

    return run


@functools.cache
def _as_op(name, function):
    """A function of TensorFlow as an op of models: one node, whatever it computes with."""
    free = f"tf_{name}"
    while free in OPS:
        free += "_"
    return op(lambda *args, **kwargs: function(*args, **kwargs), name=free)


def _in_model(name, function, args, kwargs):
    """A function of symbolic tensors: as the ops that it calls or, where it asks for arrays, as one op."""
    try:
        return function(*args, **kwargs)
    except (LaminaError, TypeError):
        return _as_op(name, function)(*args, **kwargs)


def _recorded(name, function):
    if not inspect.isfunction(function) or inspect.isgeneratorfunction(function):
        return function

    @functools.wraps(function)
    def run(*args, **kwargs):
        if is_symbolic(args) or (kwargs and is_symbolic(kwargs)):
            return _in_model(name, function, args, kwargs)
        if not recording() or any(map(callable, [*args, *kwargs.values()])):
            return function(*args, **kwargs)
        return recorded(function, args, kwargs)

    return run


def record_operators(kinds: tuple[Any, ...]) -> None:
    """Let the operators and methods of these classes of arrays be recorded, in this process."""
    for kind in kinds:
        for name in (*(f"__{name}__" for name in (*OPERATORS, *LOGICAL)), *METHODS):
            method = getattr(kind, name, None)
            if callable(method) and not hasattr(method, "recorded"):
                method = _of_lists(name, method) if name.startswith("__") else method
                setattr(kind, name, method if name.strip("_") in LOGICAL else _method(name, method))
        transposed = getattr(kind, "T", None)
        if isinstance(transposed, property) and not hasattr(transposed.fget, "recorded"):
            kind.T = property(_method("T", transposed.fget))


def _of_lists(name, method):
    """An operator that takes lists of numbers too, as TensorFlow's do."""
    kinds = (list,) if name == "__getitem__" else (list, tuple)

    def run(self, *others):
        if others and others[0].__class__ in kinds:
            others = (constant(list(others[0])),)
        elif others and hasattr(others[0], "iloc"):  # a table or column of pandas, which would take the operation over
            others = (np.asarray(others[0]),)
        elif name == "__getitem__" and others[0].__class__ is tuple:
            others = (tuple(np.asarray(part) if part.__class__ in (list, tuple) else part for part in others[0]),)
        try:
            return method(self, *others)
        except TypeError:
            if name.strip("_") not in _AS_OPS:
                raise
            return getattr(ops, _AS_OPS[name.strip("_")])(self, *others)  # whose error says the shapes

    functools.update_wrapper(run, method, updated=())
    run.recorded = True  # pyright: ignore[reportFunctionMemberAccess]
    return run


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


class _Given(Record):
    """A function whose gradient its author wrote."""

    __slots__ = ("grad", "variables")

    def __init__(self, grad: Any, variables: tuple[Any, ...], inputs: list[Any], outputs: list[Any]) -> None:
        super().__init__(None, [*inputs, *(variable.read() for variable in variables)], outputs, None)
        self.grad, self.variables = grad, variables

    def pull(self, cotangents: Any) -> Any:
        given = [zeros_like(out) if one is None else one for out, one in zip(self.outputs, cotangents, strict=True)]
        found = self.grad(*given, variables=list(self.variables)) if self.variables else self.grad(*given)
        of_inputs, of_variables = found if self.variables else (found, [])
        return [*(of_inputs if isinstance(of_inputs, (list, tuple)) else [of_inputs]), *of_variables]


def custom_gradient(f: Any = None) -> Any:
    """A function whose gradient is given: `f(*args)` returns its result and a function of the cotangents, which also
    takes `variables` if f reads any."""
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def run(*args, **kwargs):
        tapes = open_tapes.get()
        if not tapes:
            return ops.custom_gradient(f)(*args, **kwargs)
        args = [ops.convert_to_tensor(arg) if isinstance(arg, (float, Variable)) else arg for arg in args]
        with recording_on(), Tape() as seen:
            result, grad = f(*args, **kwargs)
        variables = seen.watched_variables() if "variables" in inspect.signature(grad).parameters else ()
        outputs, structure = jax.tree_util.tree_flatten(result)
        outputs = [jnp.array(output) for output in outputs]  # arrays of their own, not those of the inputs
        record = _Given(grad, variables, [arg for arg in args if isinstance(arg, jax.Array)], outputs)
        for tape in tapes:
            tape.records.append(record)
        return structure.unflatten(outputs)

    return run


class ForwardAccumulator(Tape):
    """`tf.autodiff.ForwardAccumulator`: what runs in the block, pushed forward along the tangents of the primals."""

    def __init__(self, primals: Any, tangents: Any) -> None:
        super().__init__(persistent=True)
        self._primals = _leaves(primals)
        values = [source.read() if isinstance(source, Variable) else source for source in self._primals]
        self._tangents = {id(v): jnp.asarray(t) for v, t in zip(values, _leaves(tangents), strict=True)}
        self._kept, self._done = values, 0

    def jvp(self, primals: Any, unconnected_gradients: Any = "none") -> Any:
        """The tangents of values that were computed in the block; None where they do not depend on the primals."""
        with self.stop_recording():
            for record in self.records[self._done :]:
                if any(id(array) in self._tangents for array in record.inputs):
                    self._push(record)
            self._done = len(self.records)
        zero = getattr(unconnected_gradients, "value", unconnected_gradients) == "zero"

        def of(value):
            array = value.read() if isinstance(value, Variable) else value
            found = self._tangents.get(id(array))
            return zeros_like(array) if found is None and zero else found

        return jax.tree_util.tree_map(of, primals, is_leaf=lambda leaf: isinstance(leaf, Variable))

    def _push(self, record):
        places = [place for place, array in enumerate(record.inputs) if is_real(array)]

        def of_real(*arrays):
            inputs = list(record.inputs)
            for place, array in zip(places, arrays, strict=True):
                inputs[place] = array
            return [array for array in record.function(*inputs) if is_real(array)]

        primals = [record.inputs[place] for place in places]
        tangents = [self._tangents.get(id(array), zeros_like(array)) for array in primals]
        _, found = jax.jvp(of_real, primals, tangents)
        self._tangents.update(zip((id(array) for array in record.outputs if is_real(array)), found, strict=True))


TAPES: dict[str, Any] = {
    "GradientTape": GradientTape, "UnconnectedGradients": UnconnectedGradients, "custom_gradient": custom_gradient,
    "gradients": graph_gradients,
}  # fmt: skip
AUTODIFF: dict[str, Any] = {"ForwardAccumulator": ForwardAccumulator, "GradientTape": GradientTape}
