"""Smaller numbers in a graph of LiteRT: weights of 16 or 8 bits, and whole operators of 8 bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina.export.litert.fusion import BIASED
from lamina.export.litert.graph import Graph, Operator, Quantization, Value

__all__ = ["INTEGERS", "to_float16", "to_int8", "to_int8_weights"]

LEAST = 256  # elements of what is worth storing in fewer bits
FAR = 1e6  # numbers beyond it, which hide places from attention, are not beside others in 8 bits
CHANNELS = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "DEPTHWISE_CONV_2D": 3, "TRANSPOSE_CONV": 0}
"""Operators whose weights have a scale for each output channel, and the axis of it."""
HYBRID = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}  # compute on float32 and weights of int8
SAME_SCALE = {"RESHAPE", "TRANSPOSE", "PAD", "STRIDED_SLICE", "MAX_POOL_2D", "AVERAGE_POOL_2D", "GATHER"}
RESCALED = {"ADD", "SUB", "MUL", "DIV", "SUM", "MEAN", "BATCH_MATMUL", "CONCATENATION", "MAXIMUM", "MINIMUM"}
HEAVY = {*CHANNELS, "BATCH_MATMUL"}  # which are worth rounding for
INTEGERS = ("int8", "uint8")  # that inputs and outputs may have
FIXED = {"LOGISTIC": (1 / 256, -128), "SOFTMAX": (1 / 256, -128), "TANH": (1 / 128, 0)}


def _is_real(value):
    return value is not None and value.dtype == np.float32


def _is_weight(value):
    return value is not None and value.data is not None and value.dtype == np.float32 and value.data.size >= LEAST


def _constant(graph, value, data, quantization):
    made = Value(f"{value}/{data.dtype.name}", data.shape, data.dtype, None, data)
    made.quantization = quantization
    return made


def _graphs(graph):
    """A graph and the bodies of its loops."""
    for node in graph.nodes:
        for body in node.bodies:
            yield from _graphs(body)
    yield graph


def to_float16(graph: Graph) -> None:
    """Store float32 weights in 16 bits; the runtime widens them."""
    for one in _graphs(graph):
        wide: dict[Value, Value] = {}
        widening = []
        for node in one.nodes:
            for place, value in enumerate(node.inputs):
                if not _is_weight(value):
                    continue
                if value not in wide:
                    half = _constant(one, value, value.data.astype(np.float16), None)
                    wide[value] = one.value(f"{value}/wide", value.shape, np.float32)
                    widening.append(Operator("DEQUANTIZE", [half], [wide[value]], {}))
                node.inputs[place] = wide[value]
        one.nodes[:0] = widening


def symmetric(data: np.ndarray, axis: int | None) -> tuple[np.ndarray, Quantization]:
    """(integers from -127 to 127, what they stand for), with a scale for each place along an axis or one for all."""
    others = tuple(other for other in range(data.ndim) if axis is not None and other != axis)
    largest = np.abs(data).max(axis=others or None, keepdims=True)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.clip(np.round(data / scale), -127, 127).astype(np.int8), Quantization(scale.reshape(-1), 0, axis or 0)


def to_int8_weights(graph: Graph) -> None:
    """Store weights in 8 bits; operators that cannot compute on them get them widened."""
    for one in _graphs(graph):
        widened: dict[Value, Value] = {}
        nodes: list[Operator] = []
        for node in one.nodes:
            for place, value in enumerate(node.inputs):
                if not _is_weight(value) or len(value.shape) < 2:
                    continue
                if node.kind in HYBRID and place == 1:
                    node.inputs[1] = _constant(one, value, *symmetric(value.data, CHANNELS[node.kind]))
                    if node.kind == "FULLY_CONNECTED":
                        node.settings["asymmetric_quantize_inputs"] = True
                    continue
                if node.kind == "GATHER":
                    table = _constant(one, value, *symmetric(value.data, None))
                    rows = one.value(f"{node.outputs[0]}/int8", node.outputs[0].shape, np.int8)
                    rows.quantization = table.quantization
                    nodes.append(Operator("GATHER", [table, *node.inputs[1:]], [rows], node.settings))
                    node = Operator("DEQUANTIZE", [rows], node.outputs, {})
                    break
                if value not in widened:
                    small = _constant(one, value, *symmetric(value.data, None))
                    widened[value] = one.value(f"{value}/wide", value.shape, np.float32)
                    nodes.append(Operator("DEQUANTIZE", [small], [widened[value]], {}))
                node.inputs[place] = widened[value]
            nodes.append(node)
        one.nodes = nodes


def to_int8(
    graph: Graph, ranges: Mapping[str, tuple[float, float]], inputs: str | None = None, outputs: str | None = None
) -> list[str]:
    """Compute in 8 bits what has an operator for it. Sums, products and the like beside operators without one stay
    float32 with them: rounding between the steps of a normalization or a gelu costs accuracy and saves nothing.

    Args:
        graph: The graph; loops in it stay float32.
        ranges: The smallest and largest element of each value, see `ranges_of`.
        inputs: Type of the inputs that were float32, one of `INTEGERS`; None leaves them.
        outputs: The same of the outputs.

    Returns:
        The kinds of the operators that stay float32, one for each.
    """
    rewriting = _Rewriting(graph, ranges)
    graph.nodes = rewriting.run()
    kept = [node.kind for node in graph.nodes if node in rewriting.real]
    to_int8_weights(graph)  # of operators that stay float32
    for place, value in enumerate(graph.arguments if inputs else ()):
        if value.dtype == np.float32:
            graph.arguments[place] = _integer_input(graph, value, np.dtype(inputs), rewriting.scale_of(value))
    for place, value in enumerate(graph.results if outputs else ()):
        if value.dtype == np.float32:
            graph.results[place] = _integer_output(graph, value, np.dtype(outputs), rewriting.scale_of(value))
    return kept


def _integer_input(graph, value, dtype, quantization):
    """The input in integers: the operator that made them goes, and what needs real numbers gets them from it."""
    made = _of_type(Value(str(value), value.shape, dtype, graph), quantization)
    real = graph.value(f"{value}/float32", value.shape, np.float32)
    nodes = [Operator("DEQUANTIZE", [made], [real], {})]
    small = {}
    for node in graph.nodes:
        if node.kind == "QUANTIZE" and node.inputs == [value]:
            if _is_same(made, node.outputs[0]):
                small[node.outputs[0]] = made
                continue
            node.inputs = [made]
        else:
            node.inputs = [real if each == value else small.get(each, each) for each in node.inputs]
        nodes.append(node)
    graph.nodes = nodes if any(real in node.inputs for node in nodes) else nodes[1:]
    return made


def _integer_output(graph, value, dtype, quantization):
    """The output in integers: those that were made real at the end, or made here."""
    real = graph.value(f"{value}/float32", value.shape, np.float32)
    source = real
    for node in graph.nodes:
        node.inputs = [real if each == value else each for each in node.inputs]
        if value in node.outputs:
            node.outputs = [real if each == value else each for each in node.outputs]
            if node.kind == "DEQUANTIZE":
                source = node.inputs[0]
                quantization = source.quantization
    made = _of_type(Value(str(value), value.shape, dtype, graph), quantization)
    graph.nodes.append(Operator("QUANTIZE", [source], [made], {}))
    if not any(real in node.inputs for node in graph.nodes):
        graph.nodes = [node for node in graph.nodes if node.outputs != [real]]
    producer = next((node for node in graph.nodes if source in node.outputs), None)
    others = sum(source in node.inputs for node in graph.nodes) - 1
    if producer is not None and not others and source is not real and _is_same(made, source):
        graph.nodes.pop()
        producer.outputs = [made]
    return made


def _of_type(value, quantization):
    """The value with the quantization of int8, moved for uint8."""
    value.quantization = Quantization(quantization.scale, quantization.zero + 128 * (value.dtype == np.uint8))
    return value


def _is_same(value, other):
    one, two = value.quantization, other.quantization
    return value.dtype == other.dtype and np.array_equal(one.scale, two.scale) and one.zero == two.zero


class _Rewriting:
    """Operators of 8 bits, with QUANTIZE and DEQUANTIZE between them and the others."""

    def __init__(self, graph, ranges):
        self.graph, self.ranges = graph, ranges
        self.nodes: list[Operator] = []
        self.small: dict[Any, Value] = {}  # (value, its scale or None) -> the same in int8
        self.wide: dict[Value, Value] = {}  # value that has only its int8 form -> the int8 form
        self.real: set[Operator] = self.staying_real()

    def staying_real(self):
        """The operators on real numbers that have no form in 8 bits, and what is light beside them."""
        nodes = self.graph.nodes
        light = {node for node in nodes if self.has_form(node) and node.kind not in HEAVY}
        real = {
            node for node in nodes
            if node.kind not in HEAVY and node not in light and any(_is_real(value) for value in node.outputs)
            and any(_is_real(value) and value.data is None for value in node.inputs)
        }  # fmt: skip
        makers = {value: node for node in nodes for value in node.outputs}
        readers: dict[Value, list[Operator]] = {}
        for node in nodes:
            for value in node.inputs:
                readers.setdefault(value, []).append(node)
        size = -1
        while size != len(real):
            size = len(real)
            for node in light - real:
                after = [reader for value in node.outputs for reader in readers.get(value, ())]
                is_last = any(value in self.graph.results for value in node.outputs)
                if any(makers.get(value) in real for value in self.operands(node)) or (
                    after and real.issuperset(after) and not is_last
                ):
                    real.add(node)
        return real

    def run(self):
        for node in self.graph.nodes:
            if node not in self.real and self.fits(node):
                self.rewrite(node)
                continue
            node.inputs = [self.as_float(value) for value in node.inputs]
            self.nodes.append(node)
        for result in self.graph.results:
            self.as_float(result)
        return self.nodes

    def as_float(self, value):
        if value in self.wide:
            self.nodes.append(Operator("DEQUANTIZE", [self.wide.pop(value)], [value], {}))
        return value

    def has_form(self, node):
        """Whether there is an operator of 8 bits, and what it takes is known."""
        if not (node.kind in CHANNELS or node.kind in SAME_SCALE or node.kind in RESCALED or node.kind in FIXED):
            return False
        floats = [value for value in self.operands(node) if value is not None]
        if any(value.dtype != np.float32 for value in (*floats, *node.outputs)):
            return False
        if node.kind in CHANNELS and node.inputs[1].data is None:
            return False
        if node.kind == "DIV" and node.inputs[1].data is None:
            return False
        if node.kind in ("MAXIMUM", "MINIMUM"):  # whose bounds may be infinite
            floats = [value for value in floats if value.data is None]
        return all(self.is_near(value) for value in (*floats, *node.outputs))

    def is_near(self, value):
        """Whether the range is known and 8 bits can say it: those of a mask of attention cannot say the scores."""
        ends = self.ranges.get(value, (np.inf,)) if value.data is None else value.data
        return bool((np.abs(ends) < FAR).all())

    def fits(self, node):
        moves = node.kind in SAME_SCALE  # which alone is not worth it
        has_small = any(value in self.small or value in self.wide for value in self.operands(node))
        return self.has_form(node) and (not moves or has_small)

    def operands(self, node):
        """The inputs that hold numbers of the model, without sizes and axes."""
        if node.kind in SAME_SCALE or node.kind in ("SUM", "MEAN"):
            return node.inputs[:1]
        if node.kind == "TRANSPOSE_CONV":
            return node.inputs[1:]
        return node.inputs

    def scale_of(self, value, least=0.0):
        low, high = self.ranges[value]
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max((high - low) / 255, least)
        scale = scale if scale > 1e-9 else 1.0  # of units that are never active
        return Quantization(np.float32(scale), int(np.clip(round(-128 - low / scale), -128, 127)))

    def as_int8(self, value: Any, quantization: Quantization | None = None) -> Any:
        """The value in 8 bits; a constant by its own range."""
        if value.data is not None:
            if quantization is None:
                return _constant(self.graph, value, *symmetric(value.data, None))
            data = np.clip(np.round(value.data / quantization.scale) + quantization.zero, -128, 127).astype(np.int8)
            return _constant(self.graph, value, data, quantization)
        if value in self.small and quantization is None:
            return self.small[value]
        source = self.small.get(value) or value
        wanted = quantization or self.scale_of(value)
        own = source.quantization
        if own is not None and own.scale == wanted.scale and own.zero == wanted.zero:
            return source
        made = self.graph.value(f"{value}/int8", value.shape, np.int8)
        made.quantization = wanted
        self.nodes.append(Operator("QUANTIZE", [source], [made], {}))
        if quantization is None:
            self.small[value] = made
        return made

    def rewrite(self, node):
        (output,) = node.outputs
        made = self.graph.value(f"{output}/int8", output.shape, np.int8)
        made.quantization = self.scale_of(output)
        inputs = list(node.inputs)
        if node.kind in SAME_SCALE:
            inputs[0] = self.as_int8(inputs[0])
            made.quantization = inputs[0].quantization
        elif node.kind in FIXED:
            inputs[0] = self.as_int8(inputs[0])
            made.quantization = Quantization(np.float32(FIXED[node.kind][0]), FIXED[node.kind][1])
        elif node.kind in CHANNELS:
            inputs = self.with_weights(node)
            real = [value.quantization.scale for value in inputs if value is not None and value.dtype == np.int8]
            made.quantization = self.scale_of(
                output, max(real[0]) * max(real[1]) / 255
            )  # the runtime takes no finer one
        elif node.kind in ("CONCATENATION", "MAXIMUM", "MINIMUM"):
            inputs = [self.as_int8(value, made.quantization) for value in inputs]
        elif node.kind in ("SUM", "MEAN"):
            inputs[0] = self.as_int8(inputs[0])
        elif node.kind == "DIV":
            node.kind = "MUL"
            inverse = np.float32(1) / inputs[1].data
            inverse = Value(f"{inputs[1]}/inverse", inverse.shape, inverse.dtype, None, inverse)
            inputs = [self.as_int8(inputs[0]), self.as_int8(inverse)]
        else:
            inputs = [self.as_int8(value) for value in inputs]
        self.nodes.append(Operator(node.kind, inputs, [made], node.settings))
        self.small[output] = self.wide[output] = made

    def with_weights(self, node):
        place, inputs = BIASED[node.kind], list(node.inputs)
        at = 2 if node.kind == "TRANSPOSE_CONV" else 0  # of the input
        x = inputs[at] = self.as_int8(inputs[at])
        data, quantization = symmetric(inputs[1].data, CHANNELS[node.kind])
        inputs[1] = _constant(self.graph, inputs[1], data, quantization)
        bias = inputs[place] if len(inputs) > place else None
        if bias is not None:
            scale = x.quantization.scale * quantization.scale
            whole = np.clip(np.round(bias.data / scale), -(2.0**31), 2.0**31 - 1).astype(np.int32)
            name = Value(f"{node.outputs[0]}/bias", bias.shape, np.float32)
            inputs[place] = _constant(self.graph, name, whole, Quantization(scale))
        return inputs
