"""Text in front of a model: its lookups as operators for strings, and what is behind them as a function of numbers."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import jax
import numpy as np

from lamina.core import tree
from lamina.core.keras_tensor import KerasTensor
from lamina.errors import ConfigError
from lamina.export.onnx.control_flow import as_graph, value_info
from lamina.export.onnx.graph import Graph
from lamina.layers.text.lookups import StringLookup
from lamina.layers.text.vectorization import STANDARDIZE, TextVectorization

__all__ = ["Texts", "texts_of"]

TextAval = namedtuple("TextAval", "shape dtype words")  # an input of text, and texts to try it with
ML = "ai.onnx.ml"  # the part of ONNX that has LabelEncoder
_Aval = namedtuple("_Aval", "shape dtype")


class Texts:
    """A model that reads text, as a function of the numbers that its lookups give: what an `ExportArchive` tracks.

    Args:
        model: Model.
        part: Its `lamina.models.host.HostPart`.

    Raises:
        ConfigError: A layer does with text what ONNX has no operators for.
    """

    def __init__(self, model: Any, part: Any) -> None:
        self.model, self.part = model, part
        self.name, self.variables, self.built = model.name, model.variables, True
        self.output_names, self.output = model.output_names, model.output
        self.operations = [node.operation for node in part.rest]
        self.inputs = jax.tree_util.tree_leaves(model._symbolic_inputs())
        for node in [*part.mixed, *part.nodes]:
            _check(node, self.inputs)
        self.numeric = [tensor for tensor in self.inputs if tensor.dtype != "string"]
        numbers = [_numbers_of(node) for node in part.nodes]
        self.signature: list[Any] = [*self.numeric, *numbers]

    def __call__(self, *values: Any, training: bool = False) -> Any:
        """The outputs of the model for its inputs of numbers and what the lookups of the others give."""
        count = len(self.numeric)
        known = dict(zip(map(id, self.numeric), values[:count], strict=True))
        for node, numbers in zip(self.part.nodes, values[count:], strict=True):
            lookup = _lookup_of(node.operation)
            known[id(tree.flatten(node.outputs)[0])] = lookup._encode(numbers, idf_weights=lookup._padded_idf())
        return self.model(self.part.prepared([known[id(tensor)] for tensor in self.part.cut]), training=training)

    def avals(self, avals: Any) -> list[Any]:
        """Shape and dtype of each input of the model, from those of the function of numbers."""
        of = dict(zip(map(id, self.numeric), avals, strict=False))
        sizes = {id(node.tensors[0]): aval.shape for node, aval in zip(self.part.nodes, avals[len(of) :], strict=True)}
        for tensor in self.inputs:
            if id(tensor) not in of:
                known = zip(tensor.shape, (*sizes[id(tensor)], 1), strict=False)
                of[id(tensor)] = TextAval(
                    tuple(one or other for one, other in known), np.dtype(object), self._tried(tensor)
                )
        return [of[id(tensor)] for tensor in self.inputs]

    def _tried(self, tensor):
        """Texts to compare with: those of a lookup that takes no others, if there is one."""
        layers = [node.operation for node in self.part.nodes if node.tensors[0] is tensor]
        strict = [layer for layer in layers if not _lookup_of(layer).num_oov_indices]
        return [text for layer in strict[:1] or layers for text in _tried(layer)]

    def attach(self, proto: Any, avals: Any) -> Any:
        """The program of the function of numbers, with the operators for text before it.

        Args:
            proto: A ModelProto.
            avals: What `avals` gave.
        """
        import onnx

        graph = Graph()
        for node in proto.graph.node:
            list(map(graph.name, [node.name, *node.output]))
        list(map(graph.name, [value.name for value in (*proto.graph.initializer, *proto.graph.input)]))
        first = [value.name for value in proto.graph.input][len(self.numeric) :]
        sources = [graph.name(str(tensor.name)) if tensor.dtype == "string" else tensor.name for tensor in self.inputs]
        names = dict(zip(map(id, self.inputs), sources, strict=True))
        for node, name in zip(self.part.nodes, first, strict=True):
            made = _written(graph, node.operation, names[id(node.tensors[0])])
            graph.nodes.append(onnx.helper.make_node("Cast", [made], [name], to=onnx.TensorProto.INT32))
        for number, node in enumerate(graph.nodes):
            proto.graph.node.insert(number, node)
        tensors = [onnx.numpy_helper.from_array(value, name) for name, value in graph.initializers.items()]
        proto.graph.initializer.extend(tensors)
        del proto.graph.input[:]
        proto.graph.input.extend(value_info(name, aval) for name, aval in zip(sources, avals, strict=True))
        proto.opset_import.append(onnx.helper.make_opsetid(ML, 3))
        return proto


def texts_of(model: Any) -> Texts | None:
    """The model as a function behind its text; None if it reads none.

    Args:
        model: Model.
    """
    reads = getattr(model, "_host_step", lambda: None)() is not None
    return Texts(model, model._graph.host_part) if reads else None


def _lookup_of(layer):
    return layer._lookup_layer if isinstance(layer, TextVectorization) else layer


def _check(node, inputs):
    layer = node.operation
    what = None
    if not isinstance(layer, (StringLookup, TextVectorization)):
        what = f"of {type(layer).__name__}"
    elif len(node.tensors) != 1 or not any(node.tensors[0] is tensor for tensor in inputs):
        what = "behind another layer"
    elif _lookup_of(layer).invert or _lookup_of(layer).num_oov_indices > 1 or _lookup_of(layer).sparse:
        what = "with invert, sparse or several places of unknown words"
    elif isinstance(layer, TextVectorization) and (
        layer.split != "whitespace" or layer.ngrams or callable(layer.standardize)
    ):
        what = "with ngrams, or another split or standardize than by name"
    if what:
        raise ConfigError(
            f"ONNX has no operators for text {what}, which {layer.name!r} computes.",
            fix="Export the model behind it: indices = lookup(words) is called before it.",
        )


def _numbers_of(node):
    """The numbers of a lookup, as a symbolic tensor."""
    shape, layer = node.tensors[0].shape, node.operation
    if isinstance(layer, TextVectorization):
        shape = (shape[0], layer.output_sequence_length)
    return KerasTensor(shape, "int32", name=f"{layer.name}_numbers")


def _tried(layer):
    """Texts to compare with."""
    words = list(_lookup_of(layer)._vocabulary.tokens[:20])
    if not isinstance(layer, TextVectorization):
        return words + ["[unseen]"] * bool(layer.num_oov_indices)
    return [*words, f" {', '.join(words[:3])}\t{words[-1].upper()}!\nunseen\u00a0\u00c4 "]


def _written(graph, layer, text):
    """The name of the numbers of a text."""
    if not isinstance(layer, TextVectorization):
        return _looked_up(graph, layer, text)
    text = graph.add("Reshape", text, np.asarray([-1], np.int64))
    changes = {} if layer.standardize is None else STANDARDIZE[str(layer.standardize)]
    for old, new in [*changes.items(), *((ord(space), ord(" ")) for space in "\t\n\v\f\r")]:
        text = _replaced(graph, text, chr(old), "" if new is None else chr(new))
    words, _ = graph.add("StringSplit", text, outputs=2)
    numbers, length = _looked_up(graph, layer._lookup_layer, words), layer.output_sequence_length
    if length is None:
        return numbers
    none = np.asarray(layer._lookup_layer._vocabulary.table[""], np.int64)
    padded = graph.add("Pad", numbers, np.asarray([0, 0, 0, length], np.int64), none)
    return graph.add("Slice", padded, *(np.asarray([number], np.int64) for number in (0, length, 1)))


def _looked_up(graph, lookup, words):
    keys, values = zip(*lookup._vocabulary.table.items(), strict=True)
    unknown = lookup._first_unknown() if lookup.num_oov_indices else -1
    return graph.add(
        "LabelEncoder", words, domain=ML, keys_strings=keys, values_int64s=values, default_int64=unknown
    )  # fmt: skip


def _replaced(graph, text, old, new):
    """Each text without a character, or with another in its place: split by it and joined again, part by part."""
    parts, counts = graph.add("StringSplit", text, outputs=2, delimiter=old)
    width = graph.add("Gather", graph.add("Shape", parts), np.asarray(1, np.int64))
    glues = graph.add("Constant", value_strings=["", new])
    start = graph.add("Gather", glues, graph.add("Mul", counts, np.asarray(0, np.int64)))
    body = Graph(graph)
    number, goes_on, before = (body.name(hint) for hint in ("part", "goes_on", "text"))
    joined = before
    if new:
        inside = body.add("And", body.add("Less", number, counts), body.add("Greater", number, np.asarray(0, np.int64)))
        joined = body.add("StringConcat", joined, body.add("Gather", glues, body.add("Cast", inside, to=7)))  # int64
    joined = body.add("StringConcat", joined, body.add("Gather", parts, number, axis=1))
    again, texts = body.add("Identity", goes_on), _Aval(("texts",), np.dtype(object))
    flag, count = _Aval((), np.dtype(bool)), _Aval((), np.dtype("int64"))
    inputs, outputs = [(number, count), (goes_on, flag), (before, texts)], [(again, flag), (joined, texts)]
    return graph.add("Loop", width, np.asarray(True), start, body=as_graph(body, "join", inputs, outputs))
