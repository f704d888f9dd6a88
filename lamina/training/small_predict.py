"""Predictions of little work, without XLA: what JAX traced, as operations that lamina-native runs in one call.

A call of a compiled program took 27 us where what it computes takes one (docs/design.md). So a program of little work,
whose operations are all among those of small_operations.py, is written down as a list once, and the list is run.
"""

import math
from operator import is_

import jax
import numpy as np

from lamina.kernels.native import cpu_kernels
from lamina.training.small_operations import Translation, Unfit

__all__ = ["SmallPredict", "small_predict"]

MOST_WORK = 5e7  # operations, divided by the threads: XLA would share them out
MOST_NUMBERS = 1 << 20  # of the memory that it keeps

_CALLS = ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call")


class SmallPredict:
    """A model's prediction for inputs of one shape. The values of variables are read again where they have changed.

    Attributes:
        needs_xla: whether it was once asked while values were on loan, and gave nothing.
    """

    def __init__(self, program, cells, places):
        self._program, self._cells, self._places = program, cells, places
        self._values = [self] * len(cells)  # unlike any: nothing was read
        self.needs_xla = False

    def __call__(self, x):
        """The outputs, as a new NumPy array; None while values are on loan to training steps, which write over them: to
        copy them each time took longer than XLA."""
        values = [cell._value for cell in self._cells]
        if not all(map(is_, values, self._values)):
            if any(value is None for value in values):
                return None
            self._read(values)
        return self._program(x)

    def _read(self, values):
        rows = zip(self._places, values, self._values, strict=True)
        self._program.write([(place, new) for place, new, old in rows if place is not None and new is not old])
        self._values = values


def small_predict(trace, groups, x):
    """The SmallPredict of a program, or None where that does not fit.

    Args:
        trace: gives what `jax.jit(...).trace` of it gives: of a function of the variables' values, then others, then x.
        groups: the variables, in their order.
        x: the inputs; of one array, not of several or sparse ones.
    """
    native = cpu_kernels()
    if native is None or not native.has_small_programs() or not isinstance(x, (np.ndarray, jax.Array)):
        return None
    cells = [cell for group in groups for cell in group]
    if any(cell._value is None for cell in cells):  # on loan: XLA predicts now, and later gives the same to the bit
        return None
    if x.dtype != "float32" or 0 in x.shape or sum(math.prod(cell.shape) for cell in cells) > MOST_NUMBERS:
        return None
    traced = trace()
    outputs = jax.tree_util.tree_leaves(traced.out_info)
    if len(outputs) != 1 or outputs[0].dtype != "float32" or 0 in outputs[0].shape:
        return None
    try:
        return _translated(native, traced.jaxpr, cells, x.shape, outputs[0].shape)
    except Unfit:
        return None


def _translated(native, closed, cells, input_shape, output_shape):
    inputs, steps = [_Value(atom.aval) for atom in closed.jaxpr.invars], []
    (output,) = _flatten(closed, inputs, steps)
    _take_larger(steps)
    *variables, x = *inputs[: len(cells)], inputs[-1]  # between them are random states
    translation = Translation(native.SmallProgram(input_shape, output_shape), MOST_NUMBERS, variables, x)
    for step in _needed(steps, output, MOST_WORK / native.threads()):
        translation.take(step)
    program = translation.program
    translation.put("copy", program.output, translation.view(output))
    program.finish()
    return SmallPredict(program, cells, [translation.views.get(value) for value in variables])


# What was traced, without the functions it was written in


class _Value:
    """A result or an input; `known` where it is a constant."""

    def __init__(self, aval, known=None):
        self.shape, self.dtype, self.known = aval.shape, aval.dtype, known


class _Step:
    """One primitive, with its inputs and results."""

    def __init__(self, name, settings, inputs, results):
        self.name, self.settings, self.inputs, self.results = name, settings, inputs, results


def _flatten(closed, inputs, steps):
    """Adds the steps of a program to those; its results."""
    jaxpr = closed.jaxpr
    constants = [_Value(atom.aval, value) for atom, value in zip(jaxpr.constvars, closed.consts, strict=True)]
    values = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *inputs), strict=True))

    def read(atom):
        return _Value(atom.aval, atom.val) if hasattr(atom, "val") else values[atom]  # a literal; JAX's class is slow

    for equation in jaxpr.eqns:
        name, given = equation.primitive.name, [read(atom) for atom in equation.invars]
        if name in _CALLS:
            results = _flatten(equation.params["jaxpr" if "jaxpr" in equation.params else "call_jaxpr"], given, steps)
        else:
            results = [_Value(atom.aval) for atom in equation.outvars]
            steps.append(_Step(name, equation.params, given, results))
            if _work(steps[-1]) > MOST_WORK:  # soon, of a large network
                raise Unfit
        values.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _work(step):
    size = max(math.prod(value.shape) for value in (*step.inputs, *step.results))
    if step.name in ("product", "convolve", "convolve_input_gradient", "dot_general"):
        outputs = step.inputs[0] if step.name == "convolve_input_gradient" else step.results[0]
        kernel = step.inputs[1].shape
        return 2 * math.prod(outputs.shape) * math.prod(kernel) / max(kernel[-1], 1)
    return 4 * size


def _take_larger(steps):
    """Where the larger of two is selected, NaN before all, as max pooling does, one operation says the same."""
    makers = {result: step for step in steps for result in step.results}
    for step in steps:
        if step.name != "select_n" or len(step.inputs) != 3:
            continue
        either, a, b = makers.get(step.inputs[0]), *step.inputs[1:]
        if either is None or either.name != "or":
            continue
        asked = [(makers[value].name, *makers[value].inputs) for value in either.inputs if value in makers]
        if asked == [("gt", b, a), ("ne", b, b)]:
            step.name, step.inputs = "max", [b, a]


def _needed(steps, output, most_work):
    needed, kept = {output}, []
    for step in reversed(steps):
        if not needed.isdisjoint(step.results):
            needed.update(step.inputs)
            kept.append(step)
    if sum(map(_work, kept)) > most_work:
        raise Unfit
    return reversed(kept)
