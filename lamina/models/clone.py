"""clone_model: the same architecture with new weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina.core import registry, tree
from lamina.core.arguments import shown
from lamina.core.keras_tensor import KerasTensor
from lamina.errors import CallError
from lamina.layers.base.layer import Layer
from lamina.layers.input_layer import Input, InputLayer
from lamina.metrics.metric import Metric
from lamina.models.model import Functional, Model
from lamina.models.sequential import Sequential
from lamina.optimizers.optimizer import Optimizer


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A new model with the architecture and the compile settings of a model, and new weights.

    Args:
        model: Model to clone, or a layer, which is made anew from its config.
        input_tensors: Symbolic tensors as the inputs of the new model. None creates new Inputs.
        clone_function: Function from a layer to the new layer. None creates it from the config.
        call_function: Function (layer, *args, **kwargs) -> outputs that calls the new layer. None calls it directly.
        recursive: Whether `clone_function` is used inside of nested models too.
        **kwargs: Accepted for compatibility.

    Raises:
        CallError: If `input_tensors` or `clone_function` is given for a subclassed model.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> keras.models.clone_model(model).output_shape
    (None, 2)
    """
    if not isinstance(model, Model):
        return _again(model) if clone_function is None else clone_function(model)
    for tensor in [] if input_tensors is None else tree.flatten(input_tensors):
        if not isinstance(tensor, KerasTensor):
            shape = tuple(model.inputs[0].shape[1:]) if model.built else (4,)
            message = f"`input_tensors` are symbolic; got {shown(tensor)}."
            raise CallError(message, fix=f"input_tensors=keras.Input({shape})")
    clone = _cloner(clone_function, call_function, recursive)
    if isinstance(model, Sequential):
        return _compiled_as(model, _clone_sequential(model, input_tensors, clone))
    if model._is_its_graph():
        return _compiled_as(model, _clone_graph(model, input_tensors, clone, call_function))
    if input_tensors is not None or clone_function is not None:
        raise CallError(
            f"{type(model).__name__} is a subclassed model, which is cloned only from its config.",
            fix="Write get_config() in its class, and clone_model(model) without functions.",
        )
    return type(model).from_config(model.get_config())


def _compiled_as(model, clone):
    """The clone, compiled with the settings of the model and with optimizer and metrics of its own."""
    settings = model._compile_arguments
    if model.compiled and settings is not None and registry.is_builtin(type(model).compile):
        named = isinstance(settings["optimizer"], (str, Optimizer))
        optimizer = model.optimizer if named else settings["optimizer"]  # an object of optax has no state
        clone.compile(**tree.map_structure(_own, {**settings, "optimizer": optimizer}))
    return clone


def _own(value):
    return _again(value) if isinstance(value, (Metric, Optimizer)) else value


def _cloner(clone_function, call_function, recursive):
    def clone(layer):
        if recursive and isinstance(layer, (Functional, Sequential)):
            return clone_model(layer, clone_function=clone_function, call_function=call_function, recursive=True)
        if clone_function is not None:
            return clone_function(layer)
        return _again(layer)

    return clone


def _again(operation):
    return type(operation).from_config(operation.get_config())


def _clone_sequential(model, input_tensors, clone):
    start = [layer for layer in model._sequence if isinstance(layer, InputLayer)]
    if input_tensors is not None:
        start = [tensor._keras_history.operation for tensor in tree.flatten(input_tensors)]
    elif start:
        old = start[0]
        start = [InputLayer(batch_shape=old.batch_shape, dtype=old.dtype, name=old.name)]
    return type(model)([*start, *map(clone, model.layers)], name=model.name, trainable=model.trainable)


def _clone_graph(model, input_tensors, clone, call_function):
    graph = model._graph
    if input_tensors is None:
        starts = [_same_input(tensor) for tensor in graph.input_tensors]
    else:
        _check_structure(input_tensors, graph.inputs)
        starts = [t if isinstance(t, KerasTensor) else Input(batch_shape=t.shape) for t in tree.flatten(input_tensors)]
    clones = {}

    def apply(operation, args, kwargs):
        if id(operation) not in clones:
            make = clone if isinstance(operation, Layer) else _again
            clones[id(operation)] = make(operation)
        new = clones[id(operation)]
        return call_function(new, *args, **kwargs) if call_function else new(*args, **kwargs)

    outputs = graph.run(starts, apply)
    structure = tree.unflatten(tree.structure_of(graph.inputs), starts)
    return type(model)(inputs=structure, outputs=outputs, name=model.name)


def _check_structure(given, inputs):
    """`given` in place of `inputs`: alike, or a list of as many in the order of the graph for one that is no list."""
    if isinstance(inputs, dict) != isinstance(given, dict) or len(tree.flatten(given)) != len(tree.flatten(inputs)):
        got, wanted = (f"{type(one).__name__} of {len(tree.flatten(one))}" for one in (given, inputs))
        raise CallError(
            f"`input_tensors` must have the same structure as model.input, a {wanted}; got a {got}.",
            fix="clone_model(model, input_tensors=model.input)",
        )


def _same_input(tensor):
    layer = tensor._keras_history.operation
    return Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=layer.name)
