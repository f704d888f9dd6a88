"""Loops and branches: short loops are written step by step, others as WHILE, whose bodies read what they are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.export.litert.converter import writes
from lamina.export.litert.graph import stored
from lamina.export.onnx.graph import is_static
from lamina.facts.programs import programs_inside, sizes_of_scan

__all__: list[str] = []

UNROLLED = 4000  # equations of all steps of a loop that is written step by step


@writes("scan")
def _scan(converter, equation, *operands):
    params, length = equation.params, equation.params["length"]
    if is_static([length]) and _count(params["jaxpr"].jaxpr) * int(length) <= UNROLLED:
        return _unrolled(converter, equation, operands)
    return _looped(converter, equation, operands)


def _count(jaxpr):
    """Equations of a jaxpr and of those inside."""
    return len(jaxpr.eqns) + sum(_count(inner) for equation in jaxpr.eqns for inner, _ in programs_inside(equation))


def _unrolled(converter, equation, operands):
    graph, params = converter.graph, equation.params
    closed, length = params["jaxpr"], int(params["length"])
    constants, count = sizes_of_scan(equation)
    consts = operands[:constants]
    carries, xs = operands[len(consts) : len(consts) + count], operands[len(consts) + count :]
    collected: list[Any] = [None] * length
    for step in reversed(range(length)) if params["reverse"] else range(length):
        rows = [x[step] if isinstance(x, np.ndarray) else graph.add("Gather", x, np.int32(step), axis=0) for x in xs]
        results = converter.run(closed.jaxpr, closed.consts, [*consts, *carries, *rows])
        carries, collected[step] = results[:count], results[count:]
    stacked = []
    for rows in zip(*collected, strict=True):
        rows = [graph.add("Unsqueeze", graph.use(row), [0]) for row in rows]
        stacked.append(graph.add("Concat", *rows, axis=0) if len(rows) > 1 else rows[0])
    if not length:
        stacked = [np.zeros(atom.aval.shape, stored(atom.aval.dtype)) for atom in equation.outvars[count:]]
    return [*carries, *stacked]


def _looped(converter, equation, operands):
    """The carry of the loop is (step, carries, collected outputs), and what the body reads from outside."""
    graph, params = converter.graph, equation.params
    closed, (consts, count) = params["jaxpr"], sizes_of_scan(equation)
    length = graph.reshape(graph.size(params["length"]), [])
    xs = [graph.computed(x) for x in operands[consts + count :]]
    avals = [atom.aval for atom in equation.outvars]
    empty = [graph.add("Expand", np.asarray(0, stored(aval.dtype)), graph.shape(aval.shape)) for aval in avals[count:]]

    def body(inner, step, *values):
        carries, buffers = values[:count], values[count:]
        add = inner.graph.add
        place = add("Sub", add("Sub", length, step), np.int32(1)) if params["reverse"] else step
        rows = [add("Gather", x, place, axis=0) for x in xs]
        results = inner.run(closed.jaxpr, closed.consts, [*operands[:consts], *carries, *rows])
        filled = []
        for buffer, row in zip(buffers, results[count:], strict=True):
            row = inner.graph.computed(row)
            starts = [inner.graph.reshape(place, [1]), np.zeros(len(row.shape), np.int32)]
            start = add("Concat", *starts, axis=0) if row.shape else starts[0]
            row = add("Unsqueeze", row, [0])
            filled.append(inner.graph.emit("DYNAMIC_UPDATE_SLICE", [buffer, row, start], buffer.shape, buffer.dtype))
        return [add("Add", step, np.int32(1)), *results[:count], *filled]

    def goes_on(inner, step, *values):
        return inner.graph.add("Less", step, length)

    starts = [np.int32(0), *operands[consts : consts + count], *empty]
    return _loop(converter, goes_on, body, starts, [((), np.int32), *((a.shape, a.dtype) for a in avals)])[1:]


@writes("while")
def _while_(converter, equation, *operands):
    params = equation.params
    tests, bodies = params["cond_nconsts"], params["body_nconsts"]
    of_test, of_body, carries = operands[:tests], operands[tests : tests + bodies], operands[tests + bodies :]
    test, step = params["cond_jaxpr"], params["body_jaxpr"]
    return _loop(
        converter,
        lambda inner, *values: inner.run(test.jaxpr, test.consts, [*of_test, *values])[0],
        lambda inner, *values: inner.run(step.jaxpr, step.consts, [*of_body, *values]),
        carries,
        [(atom.aval.shape, atom.aval.dtype) for atom in equation.outvars],
    )


def _loop(converter, goes_on, body, starts, types):
    """WHILE: both bodies have the same inputs, so each is made until it asks for nothing that the other has not."""
    graph = converter.graph
    starts = [graph.cast(graph.use(start), dtype) for start, (_, dtype) in zip(starts, types, strict=True)]
    inners, outputs = [], []
    for function in (goes_on, body):
        inner = converter.body()
        inputs = [inner.graph.value("carry", shape, stored(dtype)) for shape, dtype in types]
        results = function(inner, *inputs)
        results = results if isinstance(results, list) else [results]
        inners.append((inner.graph, inputs))
        outputs.append([inner.graph.add("Identity", inner.graph.computed(result)) for result in results])
    outside = list({**inners[0][0].captured, **inners[1][0].captured})
    for (inner, inputs), results in zip(inners, outputs, strict=True):
        captured = [inner.use(value) for value in outside]
        inner.arguments = [*inputs, *captured]
        inner.results = results if inner is inners[0][0] else [*results, *captured]
    shapes = [*((shape, stored(dtype)) for shape, dtype in types), *((v.shape, v.dtype) for v in outside)]
    bodies = (inners[0][0], inners[1][0])
    return graph.emit_many("WHILE", [*starts, *outside], shapes, bodies)[: len(types)]


@writes("cond")
def _cond(converter, equation, which, *operands):
    """All branches are computed, and one of them is taken."""
    graph, branches = converter.graph, equation.params["branches"]
    made = [converter.run(branch.jaxpr, branch.consts, operands) for branch in branches]
    which = graph.cast(which, np.int32)
    chosen = made[0]
    for number, results in enumerate(made[1:], 1):
        is_this = graph.add("LessOrEqual", np.int32(number), which)
        chosen = [graph.add("Where", is_this, *pair) for pair in zip(results, chosen, strict=True)]
    return chosen
