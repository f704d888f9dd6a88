"""A traced program as a file of LiteRT: one signature, inputs and outputs by name, any batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ConfigError
from lamina.export.litert import contractions, control_flow, elementwise, reductions, shaping, wide
from lamina.export.litert.converter import Converter
from lamina.export.litert.flatbuffer import serialize
from lamina.export.litert.fusion import fuse
from lamina.export.litert.graph import Graph, Value, stored
from lamina.export.litert.schema import ELEMENT_TYPES, IDENTIFIER, OPERATORS, VERSIONS, options_of
from lamina.export.onnx.graph import is_static
from lamina.export.onnx.model import places_of

__all__ = ["SIGNATURE", "to_graph", "to_litert"]

SIGNATURE = "serving_default"
VERSION = 3  # of the schema
MAX_BYTES = 2**31 - 1
SIZES = (1, 8, 16, 64, 256)  # tried in turn for open sizes other than that of the batch, where the file declares shapes
_WRITERS = (contractions, control_flow, elementwise, reductions, shaping, wide)  # fill WRITERS and LOWERED


def to_graph(program: Any) -> Graph:
    """The program in builtin operators; `arguments` and `results` of the graph are its inputs and outputs.

    Args:
        program: Traced program, a `lamina.export.program.Program`.

    Raises:
        ConfigError: LiteRT has no operator for something that the program does.
    """
    graph = Graph(inputs=places_of(program))
    inputs = [_input(graph, name, aval) for name, aval in zip(program.input_names, program.input_avals, strict=True)]
    graph.places = {
        variable: (inputs[program.input_names.index(name)], axis, factor)
        for variable, (name, axis, factor) in graph.places.items()
    }
    for path, value in program.weights:
        graph.suggest(value, path)
    narrow = [graph.computed(x) if x.dtype == np.int64 and str(aval.dtype) == "int32" else x
              for x, aval in zip(inputs, program.jaxpr.in_avals[len(program.weights) :], strict=True)]  # fmt: skip
    operands = [*(value for _, value in program.weights), *narrow]
    results = Converter(graph, 0).run(program.jaxpr.jaxpr, program.jaxpr.consts, operands)
    graph.arguments = inputs
    for name, result, aval in zip(program.output_names, results, program.jaxpr.out_avals, strict=True):
        result = graph.use(result if isinstance(result, Value) else np.asarray(result))
        if result.dtype != stored(aval.dtype):
            result = graph.computed(result)
        if np.dtype(aval.dtype).name in ("int8", "uint8", "int16"):
            result = graph.emit("CAST", [result], result.shape, aval.dtype)
        output = graph.add("Identity", result)
        graph.nodes[-1].outputs[:] = [Value(graph.name(name), output.shape, output.dtype, graph)]
        graph.results.append(graph.nodes[-1].outputs[0])
        graph._made.clear()
    _finish(graph)
    return graph


def _finish(graph):
    """What is needed alone, with biases and activations in the operators before them."""
    graph.nodes = fuse(graph, live(graph))
    graph.sizes = []
    for node in graph.nodes:
        for body in node.bodies:
            _finish(body)


def _input(graph, name, aval):
    dtype = np.dtype(aval.dtype)
    return graph.value(name, aval.shape, dtype if dtype.name in ELEMENT_TYPES and dtype.kind != "f" else stored(dtype))


def to_litert(program: Any, graph: Graph | None = None) -> bytes:
    """The file.

    Args:
        program: Traced program.
        graph: What `to_graph` made of it; None makes it.
    """
    graph = to_graph(program) if graph is None else graph
    return _File(graph, program).data()


def live(graph: Graph) -> list[Any]:
    """The operators that the results depend on, in order."""
    wanted, kept = set(graph.results), []
    for node in reversed([*getattr(graph, "sizes", ()), *graph.nodes]):
        if wanted.intersection(node.outputs):
            kept.append(node)
            wanted.update(value for value in node.inputs if value is not None)
    return kept[::-1]


class _File:
    """Tables of the schema for a graph."""

    def __init__(self, graph, program):
        self.program, self.graphs = program, [graph]
        self.buffers, self.places, self.codes = [{}], {}, {}
        for one in self.graphs:  # grows while it is read
            self.graphs += [body for node in one.nodes for body in node.bodies]
        self.sample = _sample(program, [value for node in graph.nodes for value in node.outputs])

    def data(self):
        tables = [self.subgraph(graph, graph.nodes) for graph in self.graphs]
        main = self.graphs[0]
        signature = {
            0: self.map(self.program.input_names, main.arguments),
            1: self.map(self.program.output_names, main.results),
            2: SIGNATURE,
            4: np.uint32(0),
        }
        codes = [
            {
                0: np.int8(min(OPERATORS[kind][0], 127)),
                2: np.int32(VERSIONS.get(kind, 1)),
                3: np.int32(OPERATORS[kind][0]),
            }
            for kind in self.codes
        ]
        size = sum(len(buffer.get(0, b"")) for buffer in self.buffers)
        if size > MAX_BYTES:
            raise ConfigError(
                f"A file of LiteRT holds at most 2 GB; the weights have {size / 1e9:.1f} GB.",
                fix='model.export("model.tflite", quantize="dynamic")',
            )
        root = {
            0: np.uint32(VERSION), 1: codes, 2: tables, 3: f"Exported by lamina from {self.program.name}.",
            4: self.buffers, 7: [signature],
        }  # fmt: skip
        return serialize(root, IDENTIFIER)

    def map(self, names, values):
        places = self.places[id(self.graphs[0])]
        return [{0: name, 1: np.uint32(places[value])} for name, value in zip(names, values, strict=True)]

    def subgraph(self, graph, nodes):
        values = dict.fromkeys(graph.arguments)
        values |= dict.fromkeys(value for node in nodes for value in (*node.inputs, *node.outputs) if value is not None)
        values |= dict.fromkeys(graph.results)
        places = self.places[id(graph)] = {value: place for place, value in enumerate(values)}
        operators = []
        for node in nodes:
            ends = [[-1 if v is None else places[v] for v in side] for side in (node.inputs, node.outputs)]
            settings: dict[str, Any] = dict(node.settings)
            if node.bodies:
                places_of_bodies = [self.graphs.index(body) for body in node.bodies]
                settings |= dict(zip(("cond", "body"), places_of_bodies, strict=True))
            if node.kind == "CAST":
                kinds = [np.int8(ELEMENT_TYPES[side[0].dtype.name]) for side in (node.inputs, node.outputs)]
                settings = dict(zip(("source", "target"), kinds, strict=True))
            number = self.codes.setdefault(node.kind, len(self.codes))
            options = OPERATORS[node.kind][1]
            operators.append({
                0: np.uint32(number), 1: np.asarray(ends[0], np.int32), 2: np.asarray(ends[1], np.int32),
                3: np.uint8(options) if options else None, 4: options_of(node.kind, settings) if options else None,
            })  # fmt: skip
        return {
            0: [self.tensor(value) for value in values],
            1: np.asarray([places[value] for value in graph.arguments], np.int32),
            2: np.asarray([places[value] for value in graph.results], np.int32),
            3: operators, 4: "main" if graph is self.graphs[0] else graph.results[0],
        }  # fmt: skip

    def tensor(self, value):
        is_open = not is_static(value.shape)
        shape = [size if is_static([size]) else _evaluated(size, self.sample) for size in value.shape]
        signature = [size if is_static([size]) else -1 for size in value.shape]
        quantization = None
        if value.quantization is not None:
            scale = value.quantization.scale
            quantization = {
                2: scale, 3: np.full(scale.shape, value.quantization.zero, np.int64),
                6: np.int32(value.quantization.axis),
            }  # fmt: skip
        return {
            0: np.asarray(shape, np.int32), 1: np.int8(ELEMENT_TYPES[value.dtype.name]),
            2: np.uint32(self.buffer(value)), 3: str(value), 4: quantization,
            7: np.asarray(signature, np.int32) if is_open else None, 8: np.bool_(True),
        }  # fmt: skip

    def buffer(self, value):
        if value.data is None:
            return 0
        if value not in self.places:
            self.places[value] = len(self.buffers)
            self.buffers.append({0: np.ascontiguousarray(value.data).reshape(-1).view(np.uint8)})
        return self.places[value]


def _sample(program, values):
    """Sizes with which all values have elements: 1 for the batch, the least of a few for others."""
    names = [place for place in places_of(program)]
    sizes = {size for value in values for size in value.shape if not is_static([size])}
    for size in SIZES:
        sample = {name: 1 if name == "batch" else size for name in names}
        if all(_evaluated(one, sample) > 0 for one in sizes):
            return sample
    return {name: 1 for name in names}


def _evaluated(size, sample):
    functions = {"mod": lambda a, b: a % b, "floordiv": lambda a, b: a // b, "max": max, "min": min}
    return int(eval(str(size), {"__builtins__": {}}, {**functions, **sample}))  # what JAX prints for its own sizes
