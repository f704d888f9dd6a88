"""Equations: the program of a model as one flat list, whatever layers, functions or classes it was written with, and
what is recognised in it: activations, softmax, reshapes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lamina.facts.programs import CALLS, programs_inside

__all__ = [
    "Equation", "Equations", "Value", "activation_of_value", "axis_before", "base_of", "maker_name", "moved_axes",
    "softmax_of", "twice_activated",
]  # fmt: skip

_SAME = frozenset("convert_element_type copy stop_gradient reduce_precision copy_p".split())
_SHAPING = frozenset("reshape squeeze expand_dims".split())
_LINEAR = frozenset("dot_general conv_general_dilated convolve product".split())
_ACTIVATIONS = {"logistic": "sigmoid", "tanh": "tanh"}


@dataclasses.dataclass(eq=False)
class Value:
    """A value of a program.

    Attributes:
        shape: Its shape.
        maker: The equation that computes it; None for inputs, weights and constants.
        varies: Whether it depends on the inputs.
        learned: Whether it depends on weights.
        constant: Its array where it is written into the program; None where it is computed.
    """

    shape: tuple[int, ...]
    maker: Equation | None = None
    varies: bool = False
    learned: bool = False
    constant: Any = None

    @property
    def made_from(self) -> list[Value]:
        """What it is computed from; nothing for inputs, weights and constants."""
        return [] if self.maker is None else self.maker.inputs

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of the operation that computes it."""
        return {} if self.maker is None else self.maker.params


@dataclasses.dataclass(eq=False)
class Equation:
    """One operation.

    Attributes:
        name: Name of the primitive.
        inputs, outputs: What it takes and computes.
        equation: The equation as JAX has it.
        scope: The named scopes that it was traced in, those of the calls around it first.
        custom: Whether it is part of a function that has a derivative of its own.
    """

    name: str
    inputs: list[Value]
    outputs: list[Value]
    equation: Any
    scope: str
    custom: bool = False

    @property
    def params(self) -> dict[str, Any]:
        """The settings of the primitive."""
        return self.equation.params


class Equations:
    """A program without calls inside.

    Args:
        jaxpr: The program as `jax.make_jaxpr` returns it.
        kinds: For each of its inputs "weight", "input", or "other".
    """

    def __init__(self, jaxpr: Any, kinds: Sequence[str]):
        self.all: list[Equation] = []
        self.inputs: list[Value] = [
            Value(tuple(var.aval.shape), varies=kind == "input", learned=kind == "weight")
            for var, kind in zip(jaxpr.jaxpr.invars, kinds, strict=True)
        ]
        self.outputs: list[Value] = self._inline(jaxpr.jaxpr, jaxpr.consts, self.inputs)

    def _inline(self, jaxpr, constants, arguments, scope="", custom=False):
        made: dict[Any, Value] = dict(zip(jaxpr.invars, arguments, strict=True))
        made.update((var, _constant(value)) for var, value in zip(jaxpr.constvars, constants, strict=True))

        def read(atom):
            return _constant(atom.val) if hasattr(atom, "val") else made[atom]

        for equation in jaxpr.eqns:
            inputs, inner = [read(atom) for atom in equation.invars], _called(equation)
            place = f"{scope}/{equation.source_info.name_stack}"
            if inner is None:
                varies, learned = any(one.varies for one in inputs), any(one.learned for one in inputs)
                outputs = [Value(tuple(var.aval.shape), None, varies, learned) for var in equation.outvars]
                self.all.append(Equation(equation.primitive.name, inputs, outputs, equation, place, custom))
                for output in outputs:
                    output.maker = self.all[-1]
            else:
                own = custom or equation.primitive.name.startswith("custom_")
                outputs = self._inline(*inner, inputs, place, own)
            made.update(zip(equation.outvars, outputs, strict=True))
        return [read(atom) for atom in jaxpr.outvars]

    def reaches(self, without: Equation) -> bool:
        """Whether an output depends on the inputs by a way that leaves out one operation.

        Args:
            without: The operation.
        """
        seen, waiting = set(), list(self.outputs)
        while waiting:
            value = waiting.pop()
            if value.maker is None and value.varies:
                return True
            if value.maker is not None and value.maker is not without and value.maker not in seen and value.varies:
                seen.add(value.maker)
                waiting.extend(value.made_from)
        return False

    def computing(self, wanted: Sequence[Value]) -> Callable[..., list[Any]]:
        """A function of the program's inputs that returns some of its values.

        Args:
            wanted: The values.
        """
        needed, waiting = set(), [value for value in wanted]
        while waiting:
            maker = waiting.pop().maker
            if maker is not None and maker not in needed:
                needed.add(maker)
                waiting.extend(maker.inputs)

        def compute(*arguments):
            known = dict(zip(self.inputs, arguments, strict=True))
            for one in self.all:
                if one in needed:
                    primitive, given = (
                        one.equation.primitive,
                        [known.get(value, value.constant) for value in one.inputs],
                    )
                    bound = primitive.get_bind_params(one.params)
                    functions, settings = bound if isinstance(bound, tuple) else ((), bound)  # a pair before JAX 0.9
                    made = primitive.bind(*functions, *given, **settings)
                    known.update(zip(one.outputs, made if primitive.multiple_results else [made], strict=True))
            return [known.get(value, value.constant) for value in wanted]

        return compute


def _constant(value):
    return Value(tuple(getattr(value, "shape", ())), constant=value)


def _called(equation):
    """The program that an equation calls; None where it computes by itself."""
    if equation.primitive.name not in CALLS:
        return None
    inner = next(iter(programs_inside(equation)), None)
    return inner if inner and len(inner[0].invars) == len(equation.invars) else None


def maker_name(value: Value) -> str:
    """The name of the operation that computes a value; "" for none.

    Args:
        value: Value of a program.
    """
    return "" if value.maker is None else value.maker.name


def base_of(value: Value) -> Value:
    """The value before changes of shape and type.

    Args:
        value: Value of a program.
    """
    while value.maker is not None and (
        value.maker.name in _SAME
        or value.maker.name in _SHAPING
        or value.maker.name == "transpose"
        or (value.maker.name == "broadcast_in_dim" and math.prod(value.shape) == math.prod(value.made_from[0].shape))
    ):
        value = value.made_from[0]
    return value


def axis_before(value: Value, axis: int) -> tuple[Value, int] | None:
    """What a change of shape or type was made from, and where an axis was there; None where it was cut or joined.

    Args:
        value: Value of a program.
        axis: One of its axes.
    """
    maker = value.maker
    if maker is None or not maker.inputs:
        return None
    source = maker.inputs[0]
    if maker.name in _SAME:
        return source, axis
    if maker.name == "transpose":
        return source, maker.params["permutation"][axis]
    if maker.name == "broadcast_in_dim":
        places = list(maker.params["broadcast_dimensions"])
        return (source, places.index(axis)) if axis in places else None
    if maker.name in _SHAPING:
        rest = math.prod(value.shape[axis + 1 :])
        for place, size in enumerate(source.shape):
            if size == value.shape[axis] and math.prod(source.shape[place + 1 :]) == rest:
                return source, place
    return None


def softmax_of(value: Value) -> tuple[Value, tuple[int, ...]] | None:
    """(what softmax was taken of, over which axes), where a value is a softmax; else None.

    Args:
        value: Value of a program.
    """
    if maker_name(value) != "div":
        return None
    above, below = value.made_from
    total = _spread(below)
    if maker_name(total) != "reduce_sum" or base_of(total.made_from[0]) is not base_of(above):
        return None
    axes, above = tuple(total.settings["axes"]), base_of(above)
    if maker_name(above) != "exp":
        return None
    scores = above.made_from[0]
    if maker_name(scores) == "sub" and _is_maximum(scores.made_from[1]):
        scores = scores.made_from[0]
    return scores, axes


def _spread(value):
    """The value before it was repeated along axes."""
    while maker_name(value) in _SAME | _SHAPING | {"broadcast_in_dim", "transpose"}:
        value = value.made_from[0]
    return value


def _is_maximum(value):
    value = _spread(value)
    while maker_name(value) == "max":
        value = _spread(next((one for one in value.made_from if one.varies), value.made_from[0]))
    return maker_name(value) == "reduce_max"


def activation_of_value(value: Value) -> str | None:
    """The name of the activation that a value ends in, "linear" for none; None where it is another function.

    Args:
        value: Value of a program.
    """
    last, value = value.shape[-1:], base_of(value)
    found, name = softmax_of(value), maker_name(value)
    if found is not None:
        return "softmax" if found[1] == (len(value.shape) - 1,) and value.shape[-1:] == last else None
    if name in _ACTIVATIONS:
        return _ACTIVATIONS[name]
    if name in _LINEAR:
        return "linear"
    if name in ("slice", "neg"):
        inner = activation_of_value(value.made_from[0])
        return inner if name == "slice" or inner == "linear" else None
    if name == "max" and any(_is_number(one, 0.0) for one in value.made_from):
        return "relu"
    if name in ("add", "sub", "mul", "div", "add_any"):
        varying = [one for one in value.made_from if one.varies]
        inner = {activation_of_value(one) for one in varying}
        if name == "sub" and len(varying) == 2 and maker_name(_spread(varying[1])) == "log":
            return "log_softmax"
        alone = len(varying) == 1 and (name != "div" or varying[0] is value.made_from[0])
        return "linear" if inner == {"linear"} and (alone or name in ("add", "sub", "add_any")) else None
    return None


def _is_number(value, number):
    value = _spread(value)
    return value.constant is not None and not value.shape and float(value.constant) == number


def moved_axes(equations: Equations) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], int]]:
    """(shape before, shape after, size) of each reshape of varying values after which an axis of the same size has
    another number of values behind it: one that cannot be written as splitting and joining neighbours.

    Args:
        equations: The program.
    """
    for one in equations.all:
        if one.name == "reshape" and one.inputs[0].varies:
            before, after = (
                [size for size in shape if size > 1] for shape in (one.inputs[0].shape, one.outputs[0].shape)
            )
            shared = [size for size in before if size > 2 and before.count(size) == after.count(size) == 1]
            for size in shared:
                behind = [math.prod(shape[shape.index(size) + 1 :]) for shape in (before, after)]
                if behind[0] != behind[1]:
                    yield one.inputs[0].shape, one.outputs[0].shape, size


def _without_factor(value: Value) -> Value:
    """The value before changes of shape and type, and before numbers that it is multiplied with or divided by."""
    value = base_of(value)
    while maker_name(value) in ("mul", "div") and len(given := [one for one in value.made_from if one.varies]) == 1:
        if maker_name(value) == "div" and given[0] is not value.made_from[0]:
            break
        value = base_of(given[0])
    return value


def twice_activated(equations: Equations) -> tuple[str, str] | None:
    """(first, second) where softmax or its logarithm is taken of a softmax over the same axis, or sigmoid of a sigmoid;
    None for nowhere.

    Args:
        equations: The program.
    """
    for one in equations.all:
        value = one.outputs[0] if one.outputs else None
        if value is None or not value.varies:
            continue
        if one.name == "exp":
            inner = one.inputs[0]
            if maker_name(inner) == "sub" and _is_maximum(inner.made_from[1]):
                found = softmax_of(_without_factor(inner.made_from[0]))
                if found is not None and found[1] == (len(value.shape) - 1,):
                    return "softmax", "softmax"
        elif one.name == "logistic" and maker_name(base_of(one.inputs[0])) == "logistic":
            return "sigmoid", "sigmoid"
    return None
