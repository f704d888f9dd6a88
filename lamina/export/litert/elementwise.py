"""Operations on each element, in builtin operators of LiteRT."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from lamina.export.litert.converter import WRITERS, writes
from lamina.export.litert.graph import broadcast_shape, lowers
from lamina.export.onnx.elementwise import of_divisor
from lamina.export.onnx.graph import is_static

__all__ = ["merged", "shifted_right"]

MAX_RANK = 4  # of what operators broadcast by themselves
UNARY = {
    "Neg": "NEG", "Exp": "EXP", "Log": "LOG", "Tanh": "TANH", "Sigmoid": "LOGISTIC", "Sqrt": "SQRT", "Sign": "SIGN",
    "Floor": "FLOOR", "Ceil": "CEIL", "Sin": "SIN", "Cos": "COS", "Round": "ROUND", "Not": "LOGICAL_NOT",
}  # fmt: skip
BINARY = {
    "Add": "ADD", "Sub": "SUB", "Mul": "MUL", "Div": "DIV", "Max": "MAXIMUM", "Min": "MINIMUM", "Pow": "POW",
    "BitwiseXor": "BITWISE_XOR", "RightShift": "RIGHT_SHIFT",
}  # fmt: skip
COMPARE = {
    "Equal": "EQUAL", "Less": "LESS", "LessOrEqual": "LESS_EQUAL", "Greater": "GREATER",
    "GreaterOrEqual": "GREATER_EQUAL", "And": "LOGICAL_AND", "Or": "LOGICAL_OR", "Xor": "NOT_EQUAL",
}  # fmt: skip
ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)  # Abramowitz and Stegun 7.1.26, to 1.5e-7
ERF_SCALE = 0.3275911
F = np.float32


def merged(shape: Any, patterns: Any) -> list[Any]:
    """The sizes of neighbouring axes multiplied where their patterns are equal.

    Args:
        shape: Sizes.
        patterns: For each axis what must not be mixed.
    """
    sizes: list[Any] = []
    for axis, size in enumerate(shape):
        if axis and patterns[axis] == patterns[axis - 1]:
            sizes[-1] = sizes[-1] * size
        else:
            sizes.append(size)
    return sizes


def _joint(graph, kind, operands, dtype=None):
    """An operator that broadcasts; of many axes, those that need the same repetition are joined first."""
    values = [graph.computed(operand) for operand in operands]
    shape = broadcast_shape(*(value.shape for value in values))
    dtype = values[-1].dtype if dtype is None else dtype
    same = all(value.shape == shape or value.shape == () for value in values) and len(values) == 2
    if len(shape) <= MAX_RANK or same:
        return graph.emit(kind, values, shape, dtype)
    full = [(1,) * (len(shape) - len(value.shape)) + tuple(value.shape) for value in values]
    patterns = list(zip(*([is_static([size]) and size == 1 for size in sizes] for sizes in full), strict=True))
    joined = merged(shape, patterns)
    values = [graph.reshape(value, merged(sizes, patterns)) for value, sizes in zip(values, full, strict=True)]
    if len(joined) > MAX_RANK:
        values = [graph.add("Expand", value, graph.shape(joined)) for value in values]
        values, joined = [graph.reshape(value, [-1]) for value in values], merged(shape, [0] * len(shape))
    return graph.reshape(graph.emit(kind, values, joined, dtype), shape)


@lowers(*BINARY)
def _binary(graph, *operands, kind):
    return _joint(graph, BINARY[kind], operands)


@lowers(*COMPARE)
def _compare(graph, *operands, kind):
    return _joint(graph, COMPARE[kind], operands, bool)


@lowers("Where")
def _where(graph, which, first, second):
    return _joint(graph, "SELECT_V2", [which, first, second])


@lowers(*UNARY)
def _unary(graph, x, kind):
    x = graph.computed(x)
    if x.dtype.kind == "i" and kind in ("Floor", "Ceil", "Round"):
        return x
    return graph.emit(UNARY[kind], [x], x.shape, x.dtype)


@lowers("Abs")
def _abs(graph, x):
    x = graph.computed(x)
    return graph.emit("ABS", [x], x.shape, x.dtype) if x.dtype.kind == "f" else graph.add("Max", x, graph.add("Neg", x))


@lowers("Mod")
def _mod(graph, x, y, fmod=0):
    """Of the sign of the divisor, as in Python; with `fmod` of that of the dividend, as in C."""
    if not fmod:
        return _joint(graph, "FLOOR_MOD", [x, y])
    rest = _joint(graph, "FLOOR_MOD", [graph.add("Abs", x), graph.add("Abs", y)])
    return graph.add("Mul", graph.add("Sign", x), rest)


@lowers("Reciprocal")
def _reciprocal(graph, x):
    return graph.add("Div", F(1), x)


@lowers("IsNaN")
def _is_nan(graph, x):
    x = graph.computed(x)
    return graph.emit("NOT_EQUAL", [x, x], x.shape, bool)


@lowers("IsInf")
def _is_inf(graph, x):
    return graph.add("Equal", graph.add("Abs", x), F(np.inf))


@lowers("Tan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh")
def _of_others(graph, x, kind):
    add = graph.add
    match kind:
        case "Tan":
            return add("Div", add("Sin", x), add("Cos", x))
        case "Sinh" | "Cosh":
            both = add("Exp", x), add("Exp", add("Neg", x))
            return add("Mul", add("Sub" if kind == "Sinh" else "Add", *both), F(0.5))
        case "Acosh":
            return add("Log", add("Add", x, add("Sqrt", add("Sub", add("Mul", x, x), F(1)))))
        case "Atanh":
            return add("Mul", add("Log", add("Div", add("Add", x, F(1)), add("Sub", F(1), x))), F(0.5))
    size = add("Abs", x)
    size = add("Log", add("Add", size, add("Sqrt", add("Add", add("Mul", size, size), F(1)))))
    return add("Mul", add("Sign", x), size)


@lowers("Asin", "Acos", "Atan")
def _angle(graph, x, kind):
    """Angles from the two sides of a triangle."""
    x = graph.computed(x)
    if kind == "Atan":
        other = graph.cast(graph.emit("EQUAL", [x, x], x.shape, bool), np.float32)
    else:
        other = graph.add("Sqrt", graph.add("Sub", F(1), graph.add("Mul", x, x)))
    return graph.emit("ATAN2", [other, x] if kind == "Acos" else [x, other], x.shape, x.dtype)


@lowers("Erf")
def _erf(graph, x):
    add = graph.add
    size = add("Abs", x)
    t = add("Reciprocal", add("Add", add("Mul", size, F(ERF_SCALE)), F(1)))
    total = F(ERF[-1])
    for factor in ERF[-2::-1]:
        total = add("Add", add("Mul", total, t), F(factor))
    rest = add("Mul", add("Mul", total, t), add("Exp", add("Neg", add("Mul", x, x))))
    return add("Mul", add("Sign", x), add("Sub", F(1), rest))


@writes("rem")
def _rem(converter, equation, x, y):
    add, dtype = converter.graph.add, equation.invars[0].aval.dtype
    if dtype.kind == "f":
        return add("Mod", x, y, fmod=1)
    return of_divisor(converter, equation, [x, y], x, lambda x, y: add("Sub", x, add("Mul", add("Div", x, y), y)))


@writes("atan2")
def _atan2(converter, equation, *operands):
    graph, shape = converter.graph, equation.outvars[0].aval.shape
    operands = [graph.computed(graph.add("Expand", operand, graph.shape(shape))) for operand in operands]
    return graph.emit("ATAN2", operands, shape, np.float32)


_converted = WRITERS["convert_element_type"]


@writes("convert_element_type")
def _convert(converter, equation, x):
    """Numbers of 8 bits are those of float32 that they stand for."""
    target = equation.params["new_dtype"]
    if not target.name.startswith("float8") or equation.invars[0].aval.dtype == target:
        return _converted(converter, equation, x)
    graph, limits = converter.graph, ml_dtypes.finfo(target)
    add, x = graph.add, graph.cast(x, np.float32)
    far = add("Mul", x, F(2 ** (23 - limits.nmant) + 1))  # what is lost beside it is rounded away
    normal = add("Sub", far, add("Sub", far, x))
    lift = F(1.5 * 2.0 ** (23 + limits.minexp - limits.nmant))
    small = add("Sub", add("Add", x, lift), lift)  # a multiple of the least number
    result = add("Where", add("Less", add("Abs", x), F(limits.smallest_normal)), small, normal)
    beyond = F(np.inf) if np.isinf(np.asarray(np.inf, target)) else F(np.nan)
    outside = add("Or", add("Greater", add("Abs", result), F(limits.max)), add("Greater", add("Abs", x), F(1e30)))
    return add("Where", outside, add("Mul", add("Sign", x), beyond), result)


@writes("is_finite")
def _is_finite(converter, equation, x):
    graph = converter.graph
    return graph.add("Equal", graph.add("Sub", x, x), F(0))


@writes("rsqrt")
def _rsqrt(converter, equation, x):
    x = converter.graph.computed(x)
    return converter.graph.emit("RSQRT", [x], x.shape, x.dtype)


@writes("shift_left", "shift_right_logical", "shift_right_arithmetic")
def _shift(converter, equation, x, places):
    graph, name = converter.graph, equation.primitive.name
    if name == "shift_left":
        return graph.add("Mul", x, _power(graph, places))
    if name.endswith("arithmetic") or equation.invars[0].aval.dtype.itemsize < 4:
        return graph.add("RightShift", x, places)
    return shifted_right(graph, x, places)


def shifted_right(graph: Any, x: Any, places: Any) -> Any:
    """32 bits moved to the right; zeros come in from the left of a negative number as a sum.

    Args:
        graph: The graph.
        x: Integers of 32 bits.
        places: By how many places.
    """
    zero, power = np.zeros((), np.int32), _power(graph, graph.add("Sub", np.asarray(32), places))
    filled = graph.add("Where", graph.add("Less", x, zero), power, zero)
    return graph.add("Add", graph.add("RightShift", x, places), filled)


def _power(graph, places):
    """2 to some power, in 32 bits."""
    if isinstance(places, np.ndarray):
        return np.asarray(2, np.int64)[...] ** np.minimum(places, 32).astype(np.int64) << 32 >> 32
    half = graph.add("RightShift", places, np.int32(1))
    rest = graph.add("Sub", places, half)
    return graph.add("Mul", *(graph.add("Pow", np.int32(2), part) for part in (half, rest)))


def _bitwise(graph: Any, x: Any, y: Any) -> Any:
    """Bits that both numbers have: the sum has each of them twice, and those of one of them once."""
    halves = [graph.add("RightShift", operand, np.int32(1)) for operand in (x, y)]
    ones = [graph.add("Sub", n, graph.add("Mul", half, np.int32(2))) for n, half in zip((x, y), halves, strict=True)]
    total = graph.add("Sub", graph.add("Add", *halves), graph.add("BitwiseXor", *halves))
    upper = graph.add("RightShift", total, np.int32(1))
    return graph.add("Add", graph.add("Mul", upper, np.int32(2)), graph.add("Mul", *ones))


@lowers("BitwiseAnd")
def _bitwise_and(graph, x, y):
    return _bitwise(graph, x, y)


@lowers("BitwiseOr")
def _bitwise_or(graph, x, y):
    return graph.add("BitwiseXor", graph.add("BitwiseXor", x, y), _bitwise(graph, x, y))


@lowers("BitwiseNot")
def _bitwise_not(graph, x):
    return graph.add("Sub", np.int32(-1), x)
