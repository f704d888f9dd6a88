"""Models of layers in the form of Keras 2, which TensorFlow.js reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lamina.core.node import readers_of
from lamina.errors import ConfigError
from lamina.export.tensorflowjs import of_layers, of_operations, of_sequences, of_shapes
from lamina.export.tensorflowjs.layers import layer_config, rank_of_input, refused
from lamina.export.tensorflowjs.rewriting import rewritten
from lamina.export.tensorflowjs.tracing import layers_model, traced
from lamina.layers.base.layer import Layer

__all__ = ["Replaced", "as_graph", "topology"]

MODELS = ("Sequential", "Functional", "Model")
_MAKE_MASKS = ("Embedding", "Masking")
_USE_MASKS = frozenset(
    "Bidirectional GlobalAveragePooling1D Softmax Dot Add Multiply Average Maximum Minimum Concatenate".split()
)
_OPERATIONS = ("Add", "Multiply", "Maximum", "Minimum")  # of keras.ops, which are layers there
_STATEFUL = ("LSTM", "GRU", "SimpleRNN")
_REWRITERS = (of_layers, of_operations, of_sequences, of_shapes)  # fill REWRITERS


@dataclass
class Replaced:
    """What is written in place of operations that TensorFlow.js lacks.

    Attributes:
        has_masks: Whether a layer makes masks.
        model_class: The class of models with a graph.
        models: id of an operation -> the operation, and the model that is written.
    """

    has_masks: bool
    model_class: Any
    models: dict[int, tuple[Any, Any]] = field(default_factory=dict)

    def of(self, operation: Any) -> Any:
        """What is written of an operation: itself, or the model that replaces it."""
        return self.models.get(id(operation), (None, operation))[1]


def as_graph(model: Any) -> Any:
    """A model as a graph of layers, which a subclassed model becomes by a call.

    Args:
        model: Model.

    Raises:
        ConfigError: Its `call` needs values, and not symbolic tensors alone.
    """
    made = model if _is_graph(model) else layers_model(model, _class_of(model))
    if made is None:
        kind = type(model).__name__
        raise refused(model, f"TensorFlow.js has models of layers, and the call of {kind} is not of layers alone")
    return made


def _class_of(model):
    return next(base for base in type(model).__mro__ if base.__name__ == "Model")


def topology(model: Any, replaced: Replaced | None = None) -> tuple[dict[str, Any], Replaced]:
    """The class and config of a model, and what replaces operations in it.

    Args:
        model: Sequential or functional model.
        replaced: What was replaced so far, for a model inside another one.

    Raises:
        ConfigError: It is of another kind, or has a layer that TensorFlow.js cannot compute.
    """
    kind = type(model).__name__
    if not _is_graph(model):
        raise refused(model, f"A layers model of TensorFlow.js is Sequential or functional; {kind} has its own call")
    if replaced is None:
        replaced = Replaced(_makes_masks(model), _class_of(model))
        _check_masks(model, replaced)
    if kind == "Sequential" and any(isinstance(node.result, (list, tuple)) for node in model._graph.depths):
        kind, model = "Functional", replaced.model_class(model.inputs, model.outputs, name=model.name)
    make = _sequential if kind == "Sequential" else _functional
    return {"class_name": kind, "config": make(model, replaced)}, replaced


def _is_graph(model):
    return type(model).__name__ in MODELS and type(model).__module__.startswith("lamina.") and hasattr(model, "input")


def _makes_masks(model):
    layers = model._flatten_layers()
    return any(type(layer).__name__ in _MAKE_MASKS and getattr(layer, "mask_zero", True) for layer in layers)


def _check_masks(model, replaced):
    """Refuse layers that use masks in another way there, in a model that makes masks."""
    for layer in model._flatten_layers() if replaced.has_masks else ():
        if type(layer).__name__ in _USE_MASKS and rank_of_input(layer) > 2 and not _is_masked_again(layer, model):
            reason = f"TensorFlow.js uses masks in another way in {type(layer).__name__}"
            raise refused(layer, reason, "mask_zero=False, and no Masking layer, in a model trained so")


def _is_masked_again(layer, model):
    """Whether nothing sees the masked steps of a Bidirectional layer, which have other values there."""
    if type(layer).__name__ != "Bidirectional":
        return False
    readers = [node.operation for node in readers_of(layer) if node in model._graph.depths]
    return not layer.return_sequences or (
        bool(readers) and all(type(reader).__name__ in (*_STATEFUL, "Bidirectional") for reader in readers)
    )


def _described(layer, config, replaced):
    """{class_name, config} of a layer, with those within it."""
    kind = type(layer).__name__
    if kind in MODELS:
        return topology(layer, replaced)[0]
    if kind == "InputLayer":
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        kept = {"batch_input_shape": shape, "dtype": _dtype(config["dtype"]), "sparse": False, "name": layer.name}
        return {"class_name": kind, "config": kept}
    if kind in ("TimeDistributed", "Bidirectional"):
        inner = layer.layer if kind == "TimeDistributed" else layer.forward_layer
        within = _described(inner, inner.get_config(), replaced)
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


def _sequential(model, replaced):
    kept = _kept_nodes(model._graph)
    inner = [layer for layer in model._layers if not _is_input(layer)]
    layers = _entries(inner, [layer.get_config() for layer in inner], kept, replaced)
    for layer in layers:
        del layer["name"], layer["inbound_nodes"]
    first = {"batch_input_shape": list(model.input_shape), "dtype": _dtype(model.input.dtype)}
    if layers and "layers" not in layers[0]["config"] and first["dtype"] == "float32":
        layers[0]["config"] |= first
    else:
        name = f"{model.name}_input"
        layers.insert(0, {"class_name": "InputLayer", "config": {**first, "sparse": False, "name": name}})
    return {"name": model.name, "layers": layers}


def _dtype(dtype):
    """The type of an input; TensorFlow.js has one for all integers."""
    return "int32" if "int" in dtype else "float32" if "float" in dtype else dtype


def _is_input(layer):
    return type(layer).__name__ == "InputLayer"


def _functional(model, replaced):
    config, kept = model.get_config(), _kept_nodes(model._graph)
    layers = _entries(model.operations, [entry["config"] for entry in config["layers"]], kept, replaced)
    graph = model._graph
    ends = {
        "input_layers": [_place(tensor, kept, replaced) for tensor in _leaves(graph.inputs)],
        "output_layers": [_place(tensor, kept, replaced) for tensor in _leaves(graph.outputs)],
    }
    return {"name": model.name, "layers": layers, **ends}


def _kept_nodes(graph):
    """id of an operation -> its calls in a graph."""
    return {id(op): [node for node in op._inbound_nodes if node in graph.depths] for op in graph.operations}


def _leaves(structure):
    """The tensors of a structure, dicts in the order of their keys."""
    if isinstance(structure, dict):
        return [tensor for name in sorted(structure) for tensor in _leaves(structure[name])]
    if isinstance(structure, (list, tuple)):
        return [tensor for each in structure for tensor in _leaves(each)]
    return [structure]


def _entries(operations, configs, kept, replaced):
    """Layers, or the models that replace them, and their calls, which tell what was replaced."""
    made = [_entry(*pair, kept, replaced) for pair in zip(operations, configs, strict=True)]
    written = []
    for described, calls in made:
        nodes: list[Any] = []
        for tensors in calls:
            nodes.append([])
            for place in ([*_place(tensor, kept, replaced), {}] for tensor in tensors):
                if place in nodes[-1]:
                    written.append(_copy(f"{described['name']}_copy{len(written)}", place))
                    place = [written[-1]["name"], 0, 0, {}]
                nodes[-1].append(place)
        written.append({**described, "inbound_nodes": nodes})
    return written


def _copy(name, place):
    """A layer that copies its input: TensorFlow.js frees what a call takes twice while others still need it."""
    config = {"name": name, "trainable": True, "dtype": "float32", "activation": "linear"}
    return {"class_name": "Activation", "config": config, "name": name, "inbound_nodes": [[place]]}


def _entry(operation, config, kept, replaced):
    calls = [node for node in kept[id(operation)] if not node.is_input]
    try:
        described = _of_operation(operation, config, replaced)
        tensors = [_inputs(operation, node) for node in calls]
    except ConfigError as error:
        described = _replaced(operation, calls, replaced, error)
        tensors = [node.tensors for node in calls]
    return {**described, "name": operation.name}, tensors


def _replaced(operation, calls, replaced, error):
    alike = len({tuple(str(leaf) if hasattr(leaf, "shape") else repr(leaf) for leaf in node.leaves) for node in calls})
    shapes = {tuple(tuple(tensor.shape) for tensor in node.tensors) for node in calls}
    masked = replaced.has_masks and any(len(shape) > 2 for each in shapes for shape in each)
    trains = any(node.kwargs.get("training") for node in calls)
    if masked or len(shapes) != 1 or not alike or trains:
        raise error
    made = rewritten(operation, calls[0], replaced.model_class)
    is_own = type(operation).__name__ == "Lambda" or not type(operation).__module__.startswith("lamina.")
    # Those of lamina that hold others do more than call them: Repeat has the weights of several.
    can_be_called = is_own or _is_graph(operation) or (isinstance(operation, Layer) and not operation._layers)
    if made is None and isinstance(operation, Layer) and can_be_called:
        made = traced(operation, calls[0], replaced.model_class)
    if made is None:
        raise error
    try:
        described = topology(made, replaced)[0]
    except ConfigError as inner:
        raise inner if is_own else error from None
    replaced.models[id(operation)] = operation, made
    return described


def _of_operation(operation, config, replaced):
    if isinstance(operation, Layer):
        return _described(operation, config, replaced)
    if type(operation).__name__ not in _OPERATIONS:
        raise refused(operation, f"TensorFlow.js has layers only, none for keras.ops.{type(operation).__name__}")
    return {
        "class_name": type(operation).__name__,
        "config": {"name": operation.name, "trainable": True, "dtype": "float32"},
    }


def _inputs(operation, node):
    """The tensors of a call that has no further arguments: the inputs, and the first states of a recurrent layer."""
    args, kwargs = list(node.args), {k: v for k, v in node.kwargs.items() if v is not None and (k != "training" or v)}
    states = kwargs.pop("initial_state", None) if type(operation).__name__ in _STATEFUL else None
    of_operation = not isinstance(operation, Layer)
    first = args if of_operation else args[0] if args and isinstance(args[0], (list, tuple)) else args[:1]
    rest = [] if of_operation else [value for value in args[1:] if value is not None]
    tensors = [*first, *([] if states is None else _leaves(states))]
    if kwargs or rest or not all(map(_is_of_graph, tensors)):
        raise refused(operation, "TensorFlow.js calls a layer with its inputs alone; here are further arguments")
    if of_operation and len({tuple(tensor.shape) for tensor in first}) != 1:
        raise refused(operation, "TensorFlow.js has this operation for inputs of one shape")
    return tensors


def _is_of_graph(value):
    return getattr(value, "_keras_history", None) is not None


def _place(tensor, kept, replaced):
    """[name, call, output] of a tensor: the first call of a model within a model is that of its own inputs."""
    operation, number, output = tensor._keras_history
    call = kept[id(operation)].index(operation._inbound_nodes[number])
    return [operation.name, call + (type(replaced.of(operation)).__name__ in MODELS), output]
