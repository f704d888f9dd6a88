"""Run small traced programs without XLA, by translating a jaxpr into one SmallProgram.

Calling a compiled XLA program takes 27 us even if its arithmetic takes 1 us (see docs/design.md of lamina). Therefore a
program with little work, whose primitives `jaxpr_operations` supports, is translated once into a list of operations.
One native call then runs the whole list.
"""

import math
from operator import is_

import jax
import numpy as np

from lamina_native.jaxpr_operations import Translation, UnsupportedProgram
from lamina_native.library import has_small_programs, threads
from lamina_native.small_programs import SmallProgram

__all__ = ["JaxprProgram", "translate_program"]

MAX_OPERATIONS = 5e7  # divided by the number of threads, since XLA would use all of them
MAX_NUMBERS = 1 << 20  # elements in the memory of one program

_CALLS = ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call")


class JaxprProgram:
    """A function of variables and one input of fixed shape. Values of variables are copied again after they change."""

    def __init__(self, program, variables, read_value, views):
        self._program, self._variables, self._read_value, self._views = program, variables, read_value, views
        self._values = [self] * len(variables)  # differs from any value, so the first call copies all of them

    def __call__(self, x):
        """The output as a new NumPy array. None if the value of a variable is stored elsewhere at present."""
        values = list(map(self._read_value, self._variables))
        if not all(map(is_, values, self._values)):
            if any(value is None for value in values):
                return None
            self._copy(values)
        return self._program(x)

    def _copy(self, values):
        rows = zip(self._views, values, self._values, strict=True)
        self._program.write([(view, new) for view, new, old in rows if view is not None and new is not old])
        self._values = values


def translate_program(trace, variables, read_value, x):
    """The JaxprProgram for inputs like `x`, or None if an operation is not supported or the program has too much work.

    Args:
        trace: Callable without arguments that returns what `jax.jit(function).trace(...)` returns. The first arguments
            of that function are the values of the variables, the last one is `x`.
        variables: Objects with a `shape`, in the order of the arguments.
        read_value: Function from a variable to its array, or to None if its memory belongs to another program.
        x: Input. Only a single NumPy or JAX array is supported.
    """
    if not has_small_programs() or not isinstance(x, (np.ndarray, jax.Array)):
        return None
    if any(value is None for value in map(read_value, variables)):
        return None  # XLA has to run it now, so keep using XLA: the same inputs must give identical bits
    if x.dtype != "float32" or 0 in x.shape or sum(math.prod(variable.shape) for variable in variables) > MAX_NUMBERS:
        return None
    traced = trace()
    outputs = jax.tree_util.tree_leaves(traced.out_info)
    if len(outputs) != 1 or outputs[0].dtype != "float32" or 0 in outputs[0].shape:
        return None
    try:
        program, views = _translate(traced.jaxpr, len(variables), x.shape, outputs[0].shape)
    except UnsupportedProgram:
        return None
    return JaxprProgram(program, variables, read_value, views)


def _translate(closed, variable_count, input_shape, output_shape):
    """(SmallProgram, views of the variables in its memory) for a jaxpr."""
    inputs, steps = [_Value(atom.aval) for atom in closed.jaxpr.invars], []
    (output,) = _flatten(closed, inputs, steps)
    _merge_maxima(steps)
    variables, x = inputs[:variable_count], inputs[-1]  # random states lie between them
    translation = Translation(SmallProgram(input_shape, output_shape), MAX_NUMBERS, variables, x)
    for step in _needed(steps, output, MAX_OPERATIONS / threads()):
        translation.take(step)
    program = translation.program
    translation.put("copy", program.output, translation.view(output))
    program.finish()
    return program, [translation.views.get(value) for value in variables]


# Flatten the jaxpr, including the functions it calls, to one list of steps


class _Value:
    """A result or an input. `known` is its value if it is constant."""

    def __init__(self, aval, known=None):
        self.shape, self.dtype, self.known = aval.shape, aval.dtype, known


class _Step:
    """One primitive with its inputs and results."""

    def __init__(self, name, settings, inputs, results):
        self.name, self.settings, self.inputs, self.results = name, settings, inputs, results


def _flatten(closed, inputs, steps):
    """Append the steps of a jaxpr and of the functions it calls to `steps`, and return the results of the jaxpr."""
    jaxpr = closed.jaxpr
    constants = [_Value(atom.aval, value) for atom, value in zip(jaxpr.constvars, closed.consts, strict=True)]
    values = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *inputs), strict=True))

    def read(atom):
        # Only literals have `val`. Importing the Literal class from JAX for an isinstance check is slow.
        return _Value(atom.aval, atom.val) if hasattr(atom, "val") else values[atom]

    for equation in jaxpr.eqns:
        name, given = equation.primitive.name, [read(atom) for atom in equation.invars]
        if name in _CALLS:
            results = _flatten(equation.params["jaxpr" if "jaxpr" in equation.params else "call_jaxpr"], given, steps)
        else:
            results = [_Value(atom.aval) for atom in equation.outvars]
            steps.append(_Step(name, equation.params, given, results))
            if _work(steps[-1]) > MAX_OPERATIONS:  # gives up early on large networks
                raise UnsupportedProgram
        values.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _work(step):
    """The approximate number of arithmetic operations."""
    size = max(math.prod(value.shape) for value in (*step.inputs, *step.results))
    if step.name in ("product", "convolve", "convolve_input_gradient", "dot_general"):
        outputs = step.inputs[0] if step.name == "convolve_input_gradient" else step.results[0]
        kernel = step.inputs[1].shape
        return 2 * math.prod(outputs.shape) * math.prod(kernel) / max(kernel[-1], 1)
    return 4 * size


def _merge_maxima(steps):
    """Replace `select(b > a or b is NaN, b, a)`, which max pooling is traced to, by one maximum."""
    makers = {result: step for step in steps for result in step.results}
    for step in steps:
        if step.name != "select_n" or len(step.inputs) != 3:
            continue
        either, a, b = makers.get(step.inputs[0]), *step.inputs[1:]
        if either is None or either.name != "or":
            continue
        condition = [(makers[value].name, *makers[value].inputs) for value in either.inputs if value in makers]
        if condition == [("gt", b, a), ("ne", b, b)]:
            step.name, step.inputs = "max", [b, a]


def _needed(steps, output, max_operations):
    """The steps that the output depends on, in order."""
    needed, kept = {output}, []
    for step in reversed(steps):
        if not needed.isdisjoint(step.results):
            needed.update(step.inputs)
            kept.append(step)
    if sum(map(_work, kept)) > max_operations:
        raise UnsupportedProgram
    return reversed(kept)
