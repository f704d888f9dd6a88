"""The graph of a functional model as a config."""

from __future__ import annotations

import importlib
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from lamina.core import tree
from lamina.core.keras_tensor import KerasTensor
from lamina.core.op import OpCall, operation_class
from lamina.core.serialization import deserialize, deserialize_nested, is_description, serialize
from lamina.errors import ConfigError
from lamina.layers.base import call_signature
from lamina.layers.input_layer import InputLayer

if TYPE_CHECKING:
    from lamina.core.typing import Config

__all__ = ["graph_config", "graph_from_config"]


def graph_config(model: Any) -> Config:
    """The config of a functional model, as Keras 3 writes it: {name, trainable, layers with their inbound nodes,
    input_layers, output_layers}.

    Args:
        model: Model with a graph.
    """
    graph = model._graph
    kept = _kept_nodes(graph)
    layers = []
    for operation in graph.operations:
        nodes = kept.get(id(operation), [])
        described = {**_describe(operation), "name": operation.name}
        described["inbound_nodes"] = [_node_config(node, kept) for node in nodes if not node.is_input]
        layers.append(described)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": layers,
        "input_layers": _places(graph.inputs, kept),
        "output_layers": _places(graph.outputs, kept),
    }


def _describe(operation):
    if not isinstance(operation, OpCall):
        return serialize(operation)
    return {
        "module": f"keras.src.ops.{_op_file(operation.op_name)}",
        "class_name": type(operation).__name__,
        "config": serialize(operation.get_config()),
        "registered_name": type(operation).__name__,
    }


def _op_file(op_name):
    """The file of Keras with the class of an op, as its configs name it: the public module of the op."""
    if op_name == "rearrange":
        return "einops"
    for file in ("numpy", "nn", "math", "core", "linalg", "image"):
        module = importlib.import_module(f"lamina.ops.{file}")
        if op_name in getattr(module, "__all__", vars(module)):  # numpy.py consists of the names of other files
            return file
    return "nn"


def _kept_nodes(graph):
    """id of an operation -> its nodes in this graph. Their places in the list are their numbers in the config."""
    in_graph = graph.depths
    return {id(op): [node for node in op._inbound_nodes if node in in_graph] for op in graph.operations}


def _place(tensor, kept):
    operation, node_index, tensor_index = tensor._keras_history
    node = operation._inbound_nodes[node_index]
    return [operation.name, kept[id(operation)].index(node), tensor_index]


def _places(structure, kept):
    if isinstance(structure, KerasTensor):
        return _place(structure, kept)
    return _map(structure, lambda tensor: _place(tensor, kept))


def _map(structure, function):
    """`function` of the tensors of a structure. It may return lists, which a map over trees would not keep."""
    if isinstance(structure, dict):
        return {key: _map(value, function) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(_map(value, function) for value in structure)
    return function(structure) if isinstance(structure, KerasTensor) else structure


def _node_config(node, kept):
    def describe(tensor):
        place = _place(tensor, kept)
        config = {"shape": tensor.shape, "dtype": tensor.dtype, "keras_history": place}
        return {"class_name": "__keras_tensor__", "config": config}

    return {"args": serialize(_map(node.args, describe)), "kwargs": serialize(_map(node.kwargs, describe))}


def graph_from_config(cls: Any, config: Config) -> Any:
    """The model that a config describes: each layer is created once, then called for each node whose inputs exist.

    Args:
        cls: Class of the model.
        config: What `graph_config` returned.

    Raises:
        ConfigError: If the config describes no graph.
    """
    if any(set(tree.flatten(config[ends])) <= {None} for ends in ("input_layers", "output_layers")):
        raise ConfigError("The config describes a graph without inputs or outputs; no model is without them.")
    made = {}
    for layer in config["layers"]:
        if layer["name"] in made:
            raise ConfigError(f"The config has two layers {layer['name']!r}.")
        made[layer["name"]] = _make(layer)
    waiting = {layer["name"]: _nodes(layer) for layer in config["layers"]}
    outputs = {(name, 0): op.output for name, op in made.items() if isinstance(op, InputLayer)}
    _call_all(made, waiting, outputs)
    kwargs = {key: config[key] for key in ("name", "trainable") if key in config}
    return cls(
        inputs=_find_places(config["input_layers"], outputs),
        outputs=_find_places(config["output_layers"], outputs),
        **kwargs,
    )


def _nodes(layer):
    """(index, node, places of its input tensors) for each call of a layer."""
    nodes = deque()
    for index, node in enumerate(layer.get("inbound_nodes") or []):
        places = [(name, number) for name, number, _ in _tensor_places([node["args"], node["kwargs"]])]
        if not places:
            raise ConfigError(f"A call of {layer['name']!r} in the config takes no tensor; no model has such a call.")
        nodes.append((index, node, places))
    return nodes


def _make(described):
    """The layer or op. Legacy files name no module, but only the config of a layer has `trainable`."""
    module = described.get("module")
    if ".ops" in module if module else "trainable" not in described["config"]:
        cls = operation_class(described["class_name"])
        if cls is not None:
            return cls.from_config(described["config"])
        if module:
            raise ConfigError(f"The op {described['class_name']!r} of the config is not known.")
    return deserialize(described)


def _call_all(made, waiting, outputs):
    """Call each operation for each of its nodes, as soon as the input tensors of the node exist."""
    blocked = defaultdict(list)  # place of a missing tensor -> operations that wait for it
    ready = deque(waiting)
    while ready:
        name = ready.popleft()
        nodes = waiting[name]
        while nodes:
            index, node, places = nodes[0]
            while places and places[-1] in outputs:
                places.pop()
            if places:
                blocked[places[-1]].append(name)
                break
            nodes.popleft()
            args, kwargs = _call_arguments(made[name], node, outputs)
            outputs[name, index] = made[name](*args, **kwargs)
            ready.extend(blocked.pop((name, index), ()))
    stuck = sorted(name for name, nodes in waiting.items() if nodes)
    if stuck:
        raise ConfigError(f"The layers {stuck} of the config need tensors that no layer computes.")


def _call_arguments(operation, node, outputs):
    """(args, kwargs) of one call, with corrections for two things that a file cannot express."""
    args, kwargs = _fill(node["args"], outputs), _fill(node["kwargs"], outputs)
    if getattr(operation, "op_name", None) == "get_item":  # JSON has no tuples, but an index along several axes is one
        args = [args[0], *(tuple(key) if isinstance(key, list) else key for key in args[1:])]
    signature = call_signature.signature_of(type(operation).call)
    if signature.has_training and kwargs.get("training") is signature.default_training:
        kwargs.pop("training", None)  # Keras writes the default although nobody passed it
    return args, kwargs


def _tensor_places(structure):
    if is_description(structure) and structure["class_name"] == "__keras_tensor__":
        yield structure["config"]["keras_history"]
    elif isinstance(structure, dict):
        for value in structure.values():
            yield from _tensor_places(value)
    elif isinstance(structure, (list, tuple)):
        for value in structure:
            yield from _tensor_places(value)


def _tensor_at(place, outputs):
    name, node_index, tensor_index = place
    if (name, node_index) not in outputs or tensor_index < 0:
        raise ConfigError(f"The config refers to output {node_index} of a layer {name!r} that does not exist.")
    return tree.flatten(outputs[name, node_index])[tensor_index]


def _fill(structure, outputs) -> Any:
    if is_description(structure):
        if structure["class_name"] == "__keras_tensor__":
            return _tensor_at(structure["config"]["keras_history"], outputs)
        return deserialize(structure)
    if isinstance(structure, dict):
        return {key: _fill(value, outputs) for key, value in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(_fill(value, outputs) for value in structure)
    return deserialize_nested(structure)


def _find_places(structure, outputs):
    """Tensors for [name, node, tensor] triples in their structure."""
    if isinstance(structure, (list, tuple)) and len(structure) == 3 and isinstance(structure[0], str):
        return _tensor_at(structure, outputs)
    if isinstance(structure, dict):
        return {key: _find_places(value, outputs) for key, value in structure.items()}
    if not isinstance(structure, (list, tuple)):
        raise ConfigError(f"The config has {structure!r:.60} where a tensor is [layer, node, tensor].")
    found = (_find_places(value, outputs) for value in structure)
    return type(structure)(found) if type(structure) is tuple else list(found)
