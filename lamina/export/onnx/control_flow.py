"""Loops and branches: bodies are graphs that read the values around them."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from lamina.export.onnx.converter import Converter, writes
from lamina.export.onnx.graph import element_type, is_static
from lamina.facts.programs import sizes_of_scan

__all__: list[str] = []

_Aval = namedtuple("_Aval", "shape dtype")  # a ShapeDtypeStruct of int64 warns in JAX 0.12


def value_info(name: str, aval: Any) -> Any:
    """The declaration of a value of a graph.

    Args:
        name: Its name.
        aval: Its shape and dtype.
    """
    import onnx

    shape = [int(size) if is_static([size]) else str(size) for size in aval.shape]
    return onnx.helper.make_tensor_value_info(name, element_type(aval.dtype), shape)


def body_of(converter: Converter, closed: Any, operands: list[Any], name: str) -> Any:
    """(names of results, converter of the body) of a closed jaxpr in a graph of its own.

    Args:
        converter: Converter of the graph around it.
        closed: The jaxpr with its constants.
        operands: Names or arrays that the body reads from around it, then None for each input of its own.
        name: Hint for the names of the inputs.
    """
    inner = converter.body()
    names = [operand if operand is not None else inner.graph.name(name) for operand in operands]
    results = inner.run(closed.jaxpr, closed.consts, names)
    return inner, names, [own(inner.graph, result) for result in results]


def own(graph: Any, result: Any) -> Any:
    """A result under a name of its own: outputs of a body may not be its inputs or values from around it."""
    return graph.add("Identity", result)


def as_graph(graph: Any, name: Any, inputs: Any, outputs: Any) -> Any:
    """The body as a GraphProto; inputs and outputs are pairs (name, aval)."""
    import onnx

    return onnx.helper.make_graph(
        graph.nodes, graph.name(name), [value_info(*pair) for pair in inputs], [value_info(*pair) for pair in outputs]
    )


@writes("scan")
def _scan(converter, equation, *operands):
    graph, params = converter.graph, equation.params
    consts, carries = sizes_of_scan(equation)
    closed, length = params["jaxpr"], params["length"]
    outer = [graph.named(operand) for operand in operands[:consts]]
    xs = [graph.named(operand) for operand in operands[consts:]]
    inner, names, results = body_of(converter, closed, [*outer, *[None] * len(xs)], "step")
    avals_in, avals_out = closed.in_avals[consts:], closed.out_avals
    inputs = list(zip(names[consts:], avals_in, strict=True))
    if len(xs) == carries:  # a loop over nothing but its length
        scalar = graph.reshape(graph.size(length), [])
        xs.append(graph.add("Range", np.asarray(0, np.int64), scalar, np.asarray(1, np.int64)))
        inputs.append((inner.graph.name("step"), _Aval((), np.dtype("int64"))))
    body = as_graph(inner.graph, "body", inputs, list(zip(results, avals_out, strict=True)))
    count = len(xs) - carries
    directions = {}
    if params["reverse"]:
        directions["scan_input_directions"] = [1] * count
        if len(results) > carries:
            directions["scan_output_directions"] = [1] * (len(results) - carries)
    made = graph.add("Scan", *xs, outputs=len(results), body=body, num_scan_inputs=count, **directions)
    return [made] if isinstance(made, str) else made


@writes("while")
def _while_(converter, equation, *operands):
    graph, params = converter.graph, equation.params
    tests, bodies = params["cond_nconsts"], params["body_nconsts"]
    operands = [graph.named(operand) for operand in operands]
    of_test, of_body, carries = operands[:tests], operands[tests : tests + bodies], operands[tests + bodies :]
    test, step = params["cond_jaxpr"], params["body_jaxpr"]
    (first,) = converter.run(test.jaxpr, test.consts, [*of_test, *carries])
    inner, names, results = body_of(converter, step, [*of_body, *[None] * len(carries)], "carry")
    (again,) = inner.run(test.jaxpr, test.consts, [*of_test, *results])
    again = own(inner.graph, again)
    avals = step.in_avals[bodies:]
    flag = _Aval((), np.dtype(bool))
    inputs = [
        (inner.graph.name("round"), _Aval((), np.dtype("int64"))),
        (inner.graph.name("goes_on"), flag),
    ]
    inputs += list(zip(names[bodies:], avals, strict=True))
    body = as_graph(inner.graph, "body", inputs, [(again, flag), *zip(results, step.out_avals, strict=True)])
    made = graph.add("Loop", None, first, *carries, outputs=len(results), body=body)
    return [made] if isinstance(made, str) else made


@writes("cond")
def _cond(converter, equation, which, *operands):
    graph, branches = converter.graph, equation.params["branches"]
    operands = [graph.named(operand) for operand in operands]
    return _choose(converter, equation, which, branches, 0, operands)


def _choose(converter, equation, which, branches, number, operands):
    """If on the first branch, and on the others inside its else."""
    if number == len(branches) - 1:
        return converter.run(branches[number].jaxpr, branches[number].consts, operands)
    graph, avals = converter.graph, branches[0].out_avals
    dtype = equation.invars[0].aval.dtype
    known = which if dtype.kind != "b" else graph.cast(which, np.int32)
    is_this = graph.add("LessOrEqual", graph.cast(known, np.int32), np.asarray(number, np.int32))
    sides = []
    for chosen in (number, None):
        inner = converter.body()
        if chosen is None:
            results = _choose(inner, equation, which, branches, number + 1, operands)
        else:
            results = inner.run(branches[chosen].jaxpr, branches[chosen].consts, operands)
        outputs = [(own(inner.graph, result), aval) for result, aval in zip(results, avals, strict=True)]
        sides.append(as_graph(inner.graph, "branch", [], outputs))
    made = graph.add("If", is_this, outputs=len(avals), then_branch=sides[0], else_branch=sides[1])
    return [made] if isinstance(made, str) else made
