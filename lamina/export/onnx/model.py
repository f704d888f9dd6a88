"""A traced program as an ONNX model: inputs and outputs by name, weights by their paths."""

from __future__ import annotations

from typing import Any

from lamina.errors import ConfigError
from lamina.export.onnx import (
    attention,
    contractions,
    control_flow,
    elementwise,
    indexing,
    recurrent,
    reductions,
    shaping,
)
from lamina.export.onnx.control_flow import value_info
from lamina.export.onnx.converter import Converter
from lamina.export.onnx.graph import Graph, is_static
from lamina.runtime.packages import MissingPackageError

__all__ = ["OPSETS", "check_operators", "places_of", "to_onnx"]

OPSETS = range(17, 27)
DEFAULT_OPSET = 20
IR_VERSIONS = {17: 8, 18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13}
# These fill WRITERS.
_WRITERS = (attention, contractions, control_flow, elementwise, indexing, recurrent, reductions, shaping)


def to_onnx(program: Any, opset: int | None = None) -> Any:
    """An ONNX ModelProto.

    Args:
        program: Traced program, a `lamina.export.program.Program`.
        opset: Version of the operators, from 17 to 26; None means 20.

    Raises:
        ConfigError: ONNX has no operator for something that the program does, or the version is not known.
        MissingPackageError: The package onnx is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingPackageError("Writing ONNX", "onnx") from error
    opset = DEFAULT_OPSET if opset is None else opset
    if opset not in OPSETS:
        raise ConfigError(
            f"Versions {OPSETS[0]} to {OPSETS[-1]} of ONNX's operators are written; got opset_version={opset!r}.",
            fix=f"opset_version={DEFAULT_OPSET}",
        )
    graph = Graph(inputs=places_of(program))
    graph.has_int4 = opset >= 21
    for name in program.input_names:
        graph.name(name)
    avals = dict(zip(program.input_names, program.input_avals, strict=True))
    for path, value in program.weights:
        graph.suggest(value, path)
    operands = [*(value for _, value in program.weights), *program.input_names]
    for place, (operand, atom) in enumerate(zip(operands, program.jaxpr.jaxpr.invars, strict=True)):
        if isinstance(operand, str) and avals[operand].dtype != atom.aval.dtype:  # int64, which JAX makes int32
            operands[place] = graph.cast(operand, atom.aval.dtype)
    results = Converter(graph, opset).run(program.jaxpr.jaxpr, program.jaxpr.consts, operands)
    outputs = []
    for name, result, aval in zip(program.output_names, results, program.jaxpr.out_avals, strict=True):
        unique = graph.name(name)
        graph.nodes.append(
            onnx.helper.make_node("Identity", [graph.named(result)], [unique], name=graph.name("output"))
        )
        outputs.append(value_info(unique, aval))
    inputs = [value_info(name, aval) for name, aval in zip(program.input_names, program.input_avals, strict=True)]
    nodes = _needed([*graph.sizes, *graph.nodes], [output.name for output in outputs])
    check_operators(nodes, opset)
    used = {name for node in nodes for name in _reads(node)}
    tensors = [onnx.numpy_helper.from_array(value, name) for name, value in graph.initializers.items() if name in used]
    proto = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, program.name, inputs, outputs, tensors),
        producer_name="lamina", opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=IR_VERSIONS[opset],
    )  # fmt: skip
    proto.graph.doc_string = f"Exported by lamina from {program.name}."
    return proto


def places_of(program):
    """Where each symbolic size is found: its name -> (name of an input, axis, what it is multiplied by there)."""
    places: dict[str, tuple[str, int, int]] = {}
    for name, aval in zip(program.input_names, program.input_avals, strict=True):
        for axis, size in enumerate(aval.shape):
            if not is_static([size]):
                factor, _, variable = str(size).rpartition("*")
                places.setdefault(variable, (name, axis, int(factor or 1)))
    return places


def check_operators(nodes: Any, opset: int) -> None:
    """Refuse an operator that a newer version brought.

    Args:
        nodes: Nodes of a graph.
        opset: Version of the operators.

    Raises:
        ConfigError: There is one; the fix is the version that has it.
    """
    import onnx

    for node in nodes:
        if not node.domain and not onnx.defs.has(node.op_type, opset, ""):
            since = min(n for n in OPSETS if onnx.defs.has(node.op_type, n, ""))
            raise ConfigError(f"ONNX of opset {opset} has no operator {node.op_type}.", fix=f"opset_version={since}")
        for attribute in node.attribute:
            check_operators(attribute.g.node, opset)


def _needed(nodes, outputs):
    """The nodes that the outputs depend on, in order."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(_reads(node))
    return kept[::-1]


def _reads(node):
    """The names that a node reads, and those that its bodies read."""
    names = set(node.input)
    for attribute in node.attribute:
        for inner in attribute.g.node:
            names |= _reads(inner)
        names |= {output.name for output in attribute.g.output}
    return names
