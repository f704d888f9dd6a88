"""Biases and activations as parts of the operators before them."""

from __future__ import annotations

import numpy as np

from lamina.export.litert.graph import Graph, Operator
from lamina.export.litert.schema import RELU, RELU6

__all__ = ["BIASED", "fuse"]

BIASED = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "CONV_3D": 2, "TRANSPOSE_CONV": 3}
"""Operators with a bias, and the place of it among their inputs."""
ACTIVATED = {*BIASED, "ADD", "SUB", "MUL", "DIV"} - {"CONV_3D", "TRANSPOSE_CONV"}
NEEDS_BIAS = {"CONV_2D", "DEPTHWISE_CONV_2D"}


def fuse(graph: Graph, nodes: list[Operator]) -> list[Operator]:
    """The operators that are left.

    Args:
        graph: The graph.
        nodes: Its operators in order, of which all are needed.
    """
    readers: dict[str, list[Operator]] = {}
    for node in nodes:
        for value in node.inputs:
            readers.setdefault(value, []).append(node)
    for result in graph.results:
        readers.setdefault(result, []).append(Operator("RESULT", [], [], {}))
    gone: set[int] = set()
    makers = {value: node for node in nodes for value in node.outputs}
    for node in nodes:
        if node.kind == "RESHAPE":
            _take_reshape(node, makers, readers, gone)
    for node in nodes:
        if id(node) not in gone and node.kind in BIASED:
            _take_bias(graph, node, readers, gone)
        if id(node) not in gone and node.kind in ACTIVATED:
            _take_activation(node, readers, gone)
        if node.kind in NEEDS_BIAS and len(node.inputs) > 2 and node.inputs[2] is None:
            node.inputs[2] = graph.constant(np.zeros(node.outputs[0].shape[-1], np.float32))
    return [node for node in nodes if id(node) not in gone]


def _take_reshape(node, makers, readers, gone):
    """A shape before another shape is left out, and one that is the same."""
    source = node.inputs[0]
    maker = makers.get(source)
    if maker is None or len(readers[source]) > 1 or maker.bodies:
        return
    if source.shape == node.outputs[0].shape:
        place = maker.outputs.index(source)
        maker.outputs[place] = node.outputs[0]
        makers[node.outputs[0]] = maker
        gone.add(id(node))
    elif maker.kind == "RESHAPE" and maker.inputs[0].data is None:
        node.inputs[0] = maker.inputs[0]
        readers[maker.inputs[0]] = [node if reader is maker else reader for reader in readers[maker.inputs[0]]]
        gone.add(id(maker))


def _only_reader(readers, node):
    found = readers.get(node.outputs[0], [])
    return found[0] if len(found) == 1 else None


def _other(node, value):
    """The constant beside a value."""
    others = [operand for operand in node.inputs if operand is not None and operand != value]
    return others[0].data if len(others) == 1 and len(node.inputs) == 2 and others[0].data is not None else None


def _take_bias(graph, node, readers, gone):
    last, place = node, BIASED[node.kind]
    adding = _only_reader(readers, last)
    units = node.outputs[0].shape[-1]
    while adding is not None and adding.kind == "RESHAPE" and adding.outputs[0].shape[-1:] == (units,):
        last, adding = adding, _only_reader(readers, adding)
    if adding is None or adding.kind != "ADD" or adding.outputs[0].shape != last.outputs[0].shape:
        return
    bias = _other(adding, last.outputs[0])
    if bias is None or bias.dtype != np.float32 or bias.size not in (1, units):
        return
    if bias.size > 1 and bias.shape[-1] != units:
        return
    if len(node.inputs) > place and node.inputs[place] is not None:
        return
    node.inputs[place:] = [graph.constant(np.broadcast_to(bias.reshape(-1), (units,)).copy())]
    _drop(last, adding, gone)


def _drop(node, following, gone):
    """`node` gives what `following` gave."""
    node.outputs[0] = following.outputs[0]
    gone.add(id(following))


def _take_activation(node, readers, gone):
    following = _only_reader(readers, node)
    if following is None or following.kind != "MAXIMUM" or node.outputs[0].dtype != np.float32:
        return
    zero = _other(following, node.outputs[0])
    if zero is None or zero.any() or following.outputs[0].shape != node.outputs[0].shape:
        return
    node.settings["activation"] = RELU
    _drop(node, following, gone)
    following = _only_reader(readers, node)
    if following is None or following.kind != "MINIMUM" or following.outputs[0].shape != node.outputs[0].shape:
        return
    six = _other(following, node.outputs[0])
    if six is not None and six.size == 1 and six.item() == 6:
        node.settings["activation"] = RELU6
        _drop(node, following, gone)
