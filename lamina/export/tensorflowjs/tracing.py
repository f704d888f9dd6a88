"""Layers and models with a `call` of their own, as graphs of the layers and operations that they call."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import jax

import lamina.layers as layers
from lamina.export.tensorflowjs.rewriting import Make
from lamina.random import global_seed_generator

__all__ = ["calls_undone", "layers_model", "traced"]


def traced(layer: Any, node: Any, model_class: Any) -> Any:
    """A functional model of what a layer calls, or None if its call cannot run without values.

    Args:
        layer: Layer.
        node: Its call.
        model_class: The class of models with a graph.
    """
    make = Make(layer.name)
    inputs = [make.input(tensor) for tensor in node.tensors]
    args, kwargs = node.fill({id(tensor): x for tensor, x in zip(node.tensors, inputs, strict=True)})
    return _model(layer, inputs, args, kwargs, model_class)


def layers_model(model: Any, model_class: Any) -> Any:
    """A functional model of what a subclassed model calls, or None; its inputs have the names of the arguments.

    Args:
        model: Built model.
        model_class: The class of models with a graph.
    """
    structure = model._symbolic_inputs()
    names = [name for name in inspect.signature(model.call).parameters]
    inputs = [
        jax.tree_util.tree_map_with_path(lambda path, x, name=name: _input(x, [name, *path]), each)
        for name, each in zip(names, structure, strict=False)
    ]
    return _model(model, inputs[0] if len(inputs) == 1 else inputs, inputs, {}, model_class)


def _input(tensor, path):
    """An input with the name of the last key, or of the argument and its places."""
    keys = [str(getattr(part, "key", getattr(part, "idx", part))) for part in path]
    name = keys[-1] if not keys[-1].isdigit() else "_".join(keys)
    return layers.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)


def _model(layer, inputs, args, kwargs, model_class):
    parameters = inspect.signature(layer.call).parameters
    given = {name: value for name, value in kwargs.items() if name in parameters and value is not None}
    if "training" in parameters:
        given["training"] = False
    states = [*layer.variables, global_seed_generator().state]
    before = [variable.value for variable in states]
    make = Make(f"{layer.name}_end")
    try:
        outputs = layer.call(*args, **given)
        # An input, or what is returned twice, becomes an output of its own.
        ends = jax.tree_util.tree_map(lambda x: make("Activation", x, activation="linear"), outputs)
        made = model_class(inputs, ends, name=layer.name)
    except Exception:  # of the layer's own code, which may need numbers where it gets symbolic tensors
        made = None
    return None if _put_back(states, before) else made


def _put_back(variables, values):
    """Whether the call changed variables, those of random numbers for example, which have their values again."""
    changed = [pair for pair in zip(variables, values, strict=True) if pair[0].value is not pair[1]]
    for variable, value in changed:
        variable.assign(value)
    return bool(changed)


@contextlib.contextmanager
def calls_undone(model: Any) -> Iterator[None]:
    """Forget the calls of a model's layers that are made within.

    Args:
        model: Model.
    """
    before = [(layer, len(layer._inbound_nodes)) for layer in model._flatten_layers()]
    try:
        yield
    finally:
        for layer, count in before:
            del layer._inbound_nodes[count:]
