"""Models of layers in the form of Keras 2, which TensorFlow.js reads."""

from __future__ import annotations

from typing import Any

from lamina.export.tensorflowjs.layers import layer_config, rank_of_input, refused
from lamina.layers.base.layer import Layer

__all__ = ["topology"]

MODELS = ("Sequential", "Functional", "Model")
_MAKE_MASKS = ("Embedding", "Masking")
_USE_MASKS = frozenset(
    "Bidirectional TimeDistributed GlobalAveragePooling1D Softmax Dot Add Multiply Average Maximum Minimum "
    "Concatenate".split()
)
_OPERATIONS = ("Add", "Multiply", "Maximum", "Minimum")  # of keras.ops, which are layers there


def topology(model: Any) -> dict[str, Any]:
    """The class and config of a model.

    Args:
        model: Sequential or functional model.

    Raises:
        ConfigError: It is of another kind, or has a layer that TensorFlow.js cannot compute.
    """
    kind = type(model).__name__
    if kind not in MODELS or not type(model).__module__.startswith("lamina.") or not hasattr(model, "input"):
        raise refused(model, f"A layers model of TensorFlow.js is Sequential or functional; {kind} has its own call")
    _check_masks(model)
    return {"class_name": kind, "config": (_sequential if kind == "Sequential" else _functional)(model)}


def _check_masks(model):
    """Refuse layers that use masks in another way there, in a model that makes masks."""
    layers = list(model._flatten_layers())
    if not any(type(layer).__name__ in _MAKE_MASKS and getattr(layer, "mask_zero", True) for layer in layers):
        return
    for layer in layers:
        if type(layer).__name__ in _USE_MASKS and rank_of_input(layer) > 2:
            reason = f"TensorFlow.js uses masks in another way in {type(layer).__name__}"
            raise refused(layer, reason, "mask_zero=False, and no Masking layer, in a model trained so")


def _described(layer, config):
    """{class_name, config} of a layer, with those within it."""
    kind = type(layer).__name__
    if kind in MODELS:
        return topology(layer)
    if kind == "InputLayer":
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        kept = {"batch_input_shape": shape, "dtype": _dtype(config["dtype"]), "sparse": False, "name": layer.name}
        return {"class_name": kind, "config": kept}
    if kind in ("TimeDistributed", "Bidirectional"):
        inner = layer.layer if kind == "TimeDistributed" else layer.forward_layer
        within = _described(inner, inner.get_config())
        kept = {"name": layer.name, "trainable": layer.trainable, "layer": within}
        if kind == "Bidirectional":
            _check_directions(layer)
            within["config"]["name"] = inner.name.removeprefix("forward_")  # which is added there
            kept["merge_mode"] = layer.merge_mode
        return {"class_name": kind, "config": kept}
    kind, kept = layer_config(layer, config)
    return {"class_name": kind, "config": kept}


def _check_directions(layer):
    there, back = layer.forward_layer.get_config(), layer.backward_layer.get_config()
    if {**back, "name": 0, "go_backwards": not back["go_backwards"]} != {**there, "name": 0}:
        raise refused(layer, "TensorFlow.js makes the backward layer from the forward one; this one differs")


def _sequential(model):
    layers = [_described(layer, layer.get_config()) for layer in model._layers if not _is_input(layer)]
    first = {"batch_input_shape": list(model.input_shape), "dtype": _dtype(model.input.dtype)}
    if layers and "layers" not in layers[0]["config"]:
        layers[0]["config"] |= first
    else:
        name = f"{model.name}_input"
        layers.insert(0, {"class_name": "InputLayer", "config": {**first, "sparse": False, "name": name}})
    return {"name": model.name, "layers": layers}


def _dtype(dtype):
    """The type of an input; TensorFlow.js has one for all integers."""
    return "int32" if "int" in dtype else dtype


def _is_input(layer):
    return type(layer).__name__ == "InputLayer"


def _functional(model):
    config = model.get_config()
    names = {operation.name for operation in model.operations if type(operation).__name__ in MODELS}
    layers = []
    for entry, operation in zip(config["layers"], model.operations, strict=True):
        described = _of_operation(operation, entry)
        nodes = [_node(operation, node, names) for node in entry["inbound_nodes"]]
        layers.append({**described, "name": entry["name"], "inbound_nodes": nodes})
    ends = {key: [_end(end, names) for end in _ends(config[key])] for key in ("input_layers", "output_layers")}
    return {"name": model.name, "layers": layers, **ends}


def _of_operation(operation, entry):
    if isinstance(operation, Layer):
        return _described(operation, entry["config"])
    if type(operation).__name__ not in _OPERATIONS:
        raise refused(operation, f"TensorFlow.js has layers only, none for keras.ops.{type(operation).__name__}")
    return {
        "class_name": type(operation).__name__,
        "config": {"name": operation.name, "trainable": True, "dtype": "float32"},
    }


def _node(operation, node, models):
    """The inputs of one call: [[name, node, tensor, arguments], ...]."""
    args, kwargs = node["args"], {k: v for k, v in node["kwargs"].items() if v is not None and k != "training"}
    of_operation = not isinstance(operation, Layer)
    first = args if of_operation else args[0] if args and isinstance(args[0], list) else args[:1]
    rest = [] if of_operation else [value for value in args[1:] if value is not None]
    if kwargs or rest or not all(isinstance(value, dict) and "keras_history" in value["config"] for value in first):
        raise refused(operation, "TensorFlow.js calls a layer with its inputs alone; here are further arguments")
    if of_operation and len({tuple(value["config"]["shape"]) for value in first}) != 1:
        raise refused(operation, "TensorFlow.js has this operation for inputs of one shape")
    return [[*_end(value["config"]["keras_history"], models), {}] for value in first]


def _ends(ends):
    """[name, node, tensor] of each end, in the order of the leaves of the structure."""
    if isinstance(ends, dict):
        return [end for name in sorted(ends) for end in _ends(ends[name])]
    return [ends] if ends and isinstance(ends[0], str) else [end for each in ends for end in _ends(each)]


def _end(history, models):
    """(name, node, tensor): the first node of a model within a model is that of its own inputs."""
    name, node, tensor = history
    return [name, node + (name in models), tensor]
