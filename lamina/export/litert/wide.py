"""Integers of 64 bits, in which hashes are computed: sums and products as they are, bits in halves of 32."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.export.litert.converter import WIDE, writes
from lamina.export.litert.elementwise import shifted_right
from lamina.export.litert.graph import Graph, Value
from lamina.export.onnx.graph import Graph as BaseGraph

__all__: list[str] = []

SUMS = {"add": "ADD", "sub": "SUB", "mul": "MUL"}
BITS = {"xor": "BitwiseXor", "and": "BitwiseAnd", "or": "BitwiseOr"}
COMPARE = {"eq": "EQUAL", "ne": "NOT_EQUAL", "lt": "LESS", "le": "LESS_EQUAL", "gt": "GREATER", "ge": "GREATER_EQUAL"}
MOVED = {"broadcast_in_dim", "concatenate", "copy", "expand_dims", "reshape", "squeeze", "slice", "transpose"}
LEAST = np.iinfo(np.int64).min


@writes("of 64 bits")
def _of_64_bits(converter, equation, *operands):
    """The result of an equation; None if no operator has it."""
    name, graph = equation.primitive.name, converter.graph
    known = operands[1] if len(operands) > 1 and isinstance(operands[1], np.ndarray) else None
    atoms = zip(operands, equation.invars, strict=True)
    given = [_wide(graph, x) if str(atom.aval.dtype) in WIDE else x for x, atom in atoms]
    aval = equation.outvars[0].aval
    if name in MOVED:
        return converter.writers[name](converter, equation, *given)
    if name in SUMS:
        return graph.emit(SUMS[name], given, aval.shape, np.int64)
    if name in COMPARE:
        if equation.invars[0].aval.dtype == np.uint64 and name not in ("eq", "ne"):
            given = [graph.emit("ADD", [x, _wide(graph, np.asarray(LEAST))], x.shape, np.int64) for x in given]
        return graph.emit(COMPARE[name], given, aval.shape, bool)
    if name in BITS:
        return _joined(graph, graph.add(BITS[name], *(_halves(graph, x) for x in given)))
    if name == "select_n" and len(given) == 3:
        return graph.emit("SELECT_V2", [given[0], given[2], given[1]], aval.shape, np.int64)
    if name == "convert_element_type":
        return _converted(graph, given[0], equation.invars[0].aval.dtype, aval)
    if known is None or len(set(known.ravel().tolist())) != 1:
        return None
    number = int(known.ravel()[0])
    if name == "shift_left":
        power = np.asarray(2**number, np.uint64) if number < 64 else np.uint64(0)
        return graph.emit("MUL", [given[0], _wide(graph, power)], aval.shape, np.int64)
    if name == "shift_right_logical":
        return _shifted(graph, given[0], number)
    return _rest(graph, given[0], number) if name == "rem" and 0 < number < 2**31 and aval.dtype == np.uint64 else None


def _wide(graph: Graph, operand: Any) -> Value:
    if isinstance(operand, Value):
        return graph.use(operand)
    array = np.asarray(operand).astype(np.int64)
    return Value(BaseGraph.constant(graph, array), array.shape, np.int64, None, array)


def _halves(graph, x):
    """The lower and the upper 32 bits, along a new last axis."""
    if x.data is not None:
        return x.data[..., None].view(np.int32)
    return graph.emit("BITCAST", [x], [*x.shape, 2], np.int32)


def _joined(graph, halves):
    return graph.emit("BITCAST", [halves], halves.shape[:-1], np.int64)


def _shifted(graph, x, places):
    low, high = (graph.add("Gather", _halves(graph, x), np.int32(half), axis=-1) for half in (0, 1))
    zero = graph.add("Sub", high, high)
    if places >= 32:
        low, high = shifted_right(graph, high, np.int32(places - 32)) if places < 64 else zero, zero
    elif places:
        moved = graph.add("Mul", high, np.asarray(2 ** (32 - places), np.uint32).astype(np.int32))
        low, high = (
            graph.add("Add", shifted_right(graph, low, np.int32(places)), moved),
            shifted_right(graph, high, np.int32(places)),
        )
    return _joined(graph, graph.add("Concat", *(graph.add("Unsqueeze", x, [-1]) for x in (low, high)), axis=-1))


def _rest(graph, x, divisor):
    """Of an unsigned number, by those of its halves."""
    n = _wide(graph, np.asarray(divisor))
    high = _shifted(graph, x, 32)
    moved = graph.emit("MUL", [high, _wide(graph, np.asarray(2**32))], x.shape, np.int64)
    low = graph.emit("SUB", [x, moved], x.shape, np.int64)
    high, low = (graph.emit("FLOOR_MOD", [half, n], x.shape, np.int64) for half in (high, low))
    high = graph.emit("MUL", [high, _wide(graph, np.asarray(2**32 % divisor))], x.shape, np.int64)
    return graph.emit("FLOOR_MOD", [graph.emit("ADD", [high, low], x.shape, np.int64), n], x.shape, np.int64)


def _converted(graph, x, source, aval):
    target = str(aval.dtype)
    if source == np.uint32 or target.startswith(("float", "bfloat")):
        return None
    if target == "bool":
        return graph.emit("NOT_EQUAL", [x, _wide(graph, np.asarray(0))], aval.shape, bool)
    if target in WIDE:
        return x if str(source) in WIDE else graph.emit("CAST", [graph.computed(x)], aval.shape, np.int64)
    return graph.emit("CAST", [x], aval.shape, np.int32)
