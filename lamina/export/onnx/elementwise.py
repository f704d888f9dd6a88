"""Operations on each element."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.export.onnx.converter import writes
from lamina.export.onnx.spectra import magnitude

__all__ = ["of_divisor"]

UNARY = {
    "neg": "Neg", "exp": "Exp", "log": "Log", "tanh": "Tanh", "logistic": "Sigmoid", "sqrt": "Sqrt", "abs": "Abs",
    "sign": "Sign", "floor": "Floor", "ceil": "Ceil", "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin",
    "acos": "Acos", "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "asinh": "Asinh",
    "acosh": "Acosh", "atanh": "Atanh",
    "erf": "Erf",
}  # fmt: skip
BINARY = {
    "add": "Add",
    "sub": "Sub",
    "mul": "Mul",
    "max": "Max",
    "min": "Min",
    "pow": "Pow",
    "add_any": "Add",
}
COMPARE = {
    "eq": "Equal",
    "lt": "Less",
    "le": "LessOrEqual",
    "gt": "Greater",
    "ge": "GreaterOrEqual",
    "lt_to": "Less",
    "le_to": "LessOrEqual",
}
LOGIC = {"and": ("And", "BitwiseAnd"), "or": ("Or", "BitwiseOr"), "xor": ("Xor", "BitwiseXor")}
CHOSEN = {"int8": "int32", "int16": "int32", "uint16": "int32", "uint32": "int64", "uint64": "int64"}  # by Where
SMALL = {"int8": "int32", "uint8": "int32", "int16": "int32", "uint16": "int32", "uint32": "int64", "bool": "int32"}


def broadcastable(converter: Any, equation: Any, operands: Any) -> Any:
    """The operands without their broadcasts where one of them has the shape of the result by itself."""
    graph, shape = converter.graph, equation.outvars[0].aval.shape
    free = [graph.unexpand(operand) for operand in operands]
    for index, atom in enumerate(equation.invars):
        if atom.aval.shape == shape and free[index] is operands[index]:
            return free
    return [operands[0], *free[1:]] if equation.invars[0].aval.shape == shape else operands


def widened(converter: Any, equation: Any, operands: Any) -> Any:
    """(operands in a dtype that runtimes compute in, function that gives the result its own dtype)."""
    graph, dtype = converter.graph, str(equation.invars[0].aval.dtype)
    if dtype not in SMALL:
        return operands, lambda result: result
    result_dtype = equation.outvars[0].aval.dtype
    return [graph.cast(operand, SMALL[dtype]) for operand in operands], lambda result: graph.cast(result, result_dtype)


@writes(*UNARY)
def _unary(converter, equation, x):
    if isinstance(x, tuple):
        return magnitude(converter.graph, x)
    (x,), narrow = widened(converter, equation, [x])
    return narrow(converter.graph.add(UNARY[equation.primitive.name], x))


@writes(*BINARY)
def _binary(converter, equation, *operands):
    bound = {"max": -np.inf, "min": np.inf}.get(equation.primitive.name)
    for known, other, atom in zip(operands, operands[::-1], equation.invars[::-1], strict=True):
        if bound and isinstance(known, np.ndarray) and (known == bound).all() and atom.aval == equation.outvars[0].aval:
            return other  # as in each softmax
    operands, narrow = widened(converter, equation, broadcastable(converter, equation, operands))
    return narrow(converter.graph.add(BINARY[equation.primitive.name], *operands))


@writes("rem")
def _rem(converter, equation, *operands):
    operands, narrow = widened(converter, equation, broadcastable(converter, equation, operands))
    return narrow(
        of_divisor(converter, equation, operands, operands[0], lambda x, y: converter.graph.add("Mod", x, y, fmod=1))
    )


@writes("div")
def _div(converter, equation, *operands):
    operands, narrow = widened(converter, equation, broadcastable(converter, equation, operands))
    least = np.asarray(-1).astype(SMALL.get(str(equation.invars[0].aval.dtype), equation.invars[0].aval.dtype))
    return narrow(of_divisor(converter, equation, operands, least, lambda x, y: converter.graph.add("Div", x, y)))


def of_divisor(converter: Any, equation: Any, operands: Any, by_zero: Any, divide: Any) -> Any:
    """`divide(x, y)`; integers, which runtimes do not divide by 0, give what XLA gives.

    Args:
        converter: The converter.
        equation: The equation.
        operands: Names or arrays of x and y.
        by_zero: The result where y is 0.
        divide: Function of names or arrays.
    """
    (x, y), graph = operands, converter.graph
    if equation.invars[0].aval.dtype.kind not in "iu" or (isinstance(y, np.ndarray) and y.all()):
        return divide(x, y)
    zero, one = (np.asarray(n, equation.invars[0].aval.dtype) for n in (0, 1))
    dtype = SMALL.get(str(zero.dtype), zero.dtype)
    is_zero = graph.add("Equal", y, zero.astype(dtype))
    return graph.add("Where", is_zero, by_zero, divide(x, graph.add("Where", is_zero, one.astype(dtype), y)))


@writes(*COMPARE, "ne")
def _compare(converter, equation, *operands):
    graph, name = converter.graph, equation.primitive.name
    operands = broadcastable(converter, equation, operands)
    if name in ("eq", "ne"):
        result = graph.add("Equal", *operands)
        return result if name == "eq" else graph.add("Not", result)
    dtype = str(equation.invars[0].aval.dtype)
    operands = [graph.cast(operand, SMALL.get(dtype, dtype)) if dtype in SMALL else operand for operand in operands]
    return graph.add(COMPARE[name], *operands)


@writes(*LOGIC)
def _logic(converter, equation, *operands):
    is_bool = equation.invars[0].aval.dtype == bool
    return converter.graph.add(
        LOGIC[equation.primitive.name][not is_bool], *broadcastable(converter, equation, operands)
    )


@writes("shift_left", "shift_right_logical", "shift_right_arithmetic")
def _shift(converter, equation, x, places):
    graph, dtype = converter.graph, equation.invars[0].aval.dtype
    name = equation.primitive.name
    if name.endswith("arithmetic") and np.issubdtype(dtype, np.signedinteger):  # the sign stays: floor of a division
        wide = graph.cast(x, np.float64)
        power = graph.add("Pow", np.asarray(2.0, np.float64), graph.cast(places, np.float64))
        return graph.cast(graph.add("Floor", graph.add("Div", wide, power)), dtype)
    unsigned = np.dtype(f"uint{8 * dtype.itemsize}")
    operands = [graph.cast(operand, unsigned) for operand in (x, places)]
    direction = "LEFT" if name == "shift_left" else "RIGHT"
    return graph.cast(graph.add("BitShift", *operands, direction=direction), dtype)


@writes("not")
def _logical_not(converter, equation, x):
    return converter.graph.add("Not" if equation.invars[0].aval.dtype == bool else "BitwiseNot", x)


@writes(*"stop_gradient copy copy_p optimization_barrier sharding_constraint name reduce_precision pvary".split())
def _identity(converter, equation, *operands):
    return list(operands)


@writes("convert_element_type")
def _convert(converter, equation, x):
    source, target = equation.invars[0].aval.dtype, equation.params["new_dtype"]
    if source == target:
        return x
    if target == np.int8 and source == np.float32 and converter.is_whole(x):
        return converter.graph.add("QuantizeLinear", x, np.asarray(1, source), np.asarray(0, target))
    if target.kind == "u" and (source.kind == "f" or str(source) == "bfloat16"):
        x = converter.graph.add("Max", x, np.asarray(0, source))
    result = converter.graph.cast(x, target)
    base = converter.graph.unexpanded.get(x) if isinstance(x, str) else None
    if base is not None:
        converter.graph.unexpanded[result] = converter.graph.cast(base, target)
    return result


@writes("bitcast_convert_type")
def _bitcast(converter, equation, x):
    source, target = equation.invars[0].aval.dtype, equation.params["new_dtype"]
    if source != target and (source.itemsize != target.itemsize or {source.kind, target.kind} != {"i", "u"}):
        return converter.decomposed(equation, [x])
    return x if source == target else converter.graph.cast(x, target)  # which wraps integers of one width


@writes("square")
def _square(converter, equation, x):
    return converter.graph.add("Mul", x, x)


@writes("integer_pow")
def _integer_pow(converter, equation, x):
    exponent = np.asarray(equation.params["y"], equation.invars[0].aval.dtype)
    return converter.graph.add("Mul", x, x) if exponent == 2 else converter.graph.add("Pow", x, exponent)


@writes("rsqrt")
def _rsqrt(converter, equation, x):
    return converter.graph.add("Reciprocal", converter.graph.add("Sqrt", x))


@writes("cbrt")
def _cbrt(converter, equation, x):
    graph = converter.graph
    third = np.asarray(1 / 3, equation.invars[0].aval.dtype)
    return graph.add("Mul", graph.add("Sign", x), graph.add("Pow", graph.add("Abs", x), third))


@writes("erfc", "log1p", "expm1", "exp2")
def _with_one(converter, equation, x):
    graph, dtype = converter.graph, equation.invars[0].aval.dtype
    one = np.asarray(1, dtype)
    match equation.primitive.name:
        case "erfc":
            return graph.add("Sub", one, graph.add("Erf", x))
        case "log1p":
            return graph.add("Log", graph.add("Add", x, one))
        case "expm1":
            return graph.add("Sub", graph.add("Exp", x), one)
    return graph.add("Pow", np.asarray(2, dtype), x)


@writes("round")
def _round_half(converter, equation, x):
    graph = converter.graph
    if int(equation.params["rounding_method"]) == 1:  # half to even
        return graph.add("Round", x)
    half = np.asarray(0.5, equation.invars[0].aval.dtype)  # away from zero
    return graph.add("Mul", graph.add("Sign", x), graph.add("Floor", graph.add("Add", graph.add("Abs", x), half)))


@writes("is_finite")
def _is_finite(converter, equation, x):
    graph = converter.graph
    return graph.add("Not", graph.add("Or", graph.add("IsNaN", x), graph.add("IsInf", x)))


@writes("atan2")
def _atan2(converter, equation, y, x):
    """atan(y / x), half a turn further where x is negative."""
    graph, dtype = converter.graph, equation.outvars[0].aval.dtype
    zero, half = np.asarray(0, dtype), np.asarray(np.pi, dtype)
    turn = graph.add("Where", graph.add("Less", y, zero), -half, half)
    turn = graph.add("Where", graph.add("Less", x, zero), turn, zero)
    both_zero = graph.add("And", graph.add("Equal", x, zero), graph.add("Equal", y, zero))
    angle = graph.add("Atan", graph.add("Div", y, x))
    return graph.add("Add", graph.add("Where", both_zero, zero, angle), turn)


@writes("select_n")
def _select_n(converter, equation, which, *cases):
    graph = converter.graph
    if equation.invars[0].aval.dtype == bool:
        which, first, second = which, *map(graph.unexpand, cases)
        shapes = [atom.aval.shape for atom in (equation.invars[0], equation.outvars[0])]
        if shapes[0] != shapes[1] or graph.unexpand(which) is not which:
            second = cases[1]
        dtype = str(equation.outvars[0].aval.dtype)
        if dtype == "bool":  # for which onnxruntime has no Where
            otherwise = graph.add("And", graph.add("Not", which), first)
            return graph.add("Or", graph.add("And", which, second), otherwise)
        if dtype not in CHOSEN:
            return graph.add("Where", which, second, first)
        return graph.cast(graph.add("Where", which, *(graph.cast(c, CHOSEN[dtype]) for c in (second, first))), dtype)
    result = cases[0]
    for number, case in enumerate(cases[1:], 1):
        result = graph.add("Where", graph.add("Equal", which, np.asarray(number, np.int32)), case, result)
    return result


@writes("clamp")
def _clamp(converter, equation, low, x, high):
    graph = converter.graph
    (low, x, high), narrow = widened(converter, equation, [low, x, high])
    return narrow(graph.add("Min", graph.add("Max", x, low), high))
