"""What layers, models and metrics of tf.keras had before Keras 3, in programs for TensorFlow."""

from __future__ import annotations

import functools
from typing import Any

from lamina import ops
from lamina.compat.functions import constant
from lamina.core import context, graph, tree
from lamina.core.keras_tensor import is_symbolic
from lamina.core.node import Node
from lamina.core.registry import is_builtin, register_keras_serializable
from lamina.layers import Layer, MultiHeadAttention
from lamina.layers.base import call_signature
from lamina.layers.recurrent_cell import _Cell
from lamina.layers.rnn import RNN
from lamina.layers.stacked_cells import StackedRNNCells
from lamina.metrics import Mean
from lamina.models import Model
from lamina.optimizers import Optimizer
from lamina.training.compile import CompileMetrics

__all__ = ["patch_keras"]


@register_keras_serializable(package="TensorFlow")
class Beside(Layer):
    """Passes its first input on; the second is added to the losses or, with the name of one, to a metric.

    Args:
        metric: Name of the metric, whose value is the mean over the batches; None means a loss.
        **kwargs: Arguments of every layer.
    """

    def __init__(self, metric: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.metric = metric

    def call(self, inputs: Any) -> Any:
        """The first of two tensors."""
        output, value = inputs
        if self.metric is None:
            self.add_loss(value)
        else:
            add_metric(self, value, self.metric)
        return output


def _put_beside(model, value, metric):
    """Let a functional model compute a further tensor wherever it computes its first output."""
    graph, stamp = model._graph, model._graph_stamp
    first, *rest = graph.output_tensors
    outputs = [Beside(metric)([first, value]), *rest]
    model._set_graph(graph.inputs, tree.unflatten(tree.structure_of(graph.outputs), outputs))
    model._graph_stamp = stamp


def add_metric(self: Any, value: Any, name: str | None = None, aggregation: Any = None, **_: Any) -> None:
    """`layer.add_metric(value, name)`, in `call`: a metric whose value is the mean over the batches.

    Args:
        self: Layer, or functional model.
        value: Tensor; of a functional model a symbolic one.
        name: Name in the logs.
        aggregation: "mean", or None for what a metric gave.
    """
    if is_symbolic(value) and getattr(self, "_graph", None) is not None:
        return _put_beside(self, value, name or "metric")
    key = f"_added_{name}"
    if key not in vars(self):
        with context.concrete():
            setattr(self, key, Mean(name=name))
    getattr(self, key).update_state(value)


def _also_symbolic(add_loss):
    def add(self, loss, **_):
        symbolic = [one for one in tree.flatten(loss) if is_symbolic(one)] if getattr(self, "_graph", None) else []
        for one in symbolic:
            _put_beside(self, one, None)
        if not symbolic:
            add_loss(self, loss() if callable(loss) else loss)

    return add


def add_update(self: Any, updates: Any, inputs: Any = None) -> None:
    """`layer.add_update(updates)`, in `call`: functions are called, (variable, value) is assigned, and what a variable
    was assigned already is left.

    Args:
        self: Layer.
        updates: Update, or list of them.
        inputs: No effect.
    """
    for update in updates if isinstance(updates, list) else [updates]:
        if callable(update):
            update()
        elif isinstance(update, tuple):
            update[0].assign(update[1])


def _compiled_loss(self):
    """The loss of `compile` as a function, which also updates the metric "loss"."""

    def compiled_loss(y_true, y_pred, sample_weight=None, regularization_losses=()):
        loss = functools.reduce(ops.add, regularization_losses or (), self._compile_loss(y_true, y_pred, sample_weight))
        self._loss_tracker.update_state(loss)
        return loss

    return compiled_loss


def _with_lists(without_plain_values):
    """Lists of numbers are tensors to layers, as in Keras 2, but to those of packages that ask for what is given."""

    def tensors(layer, args):
        if is_builtin(type(layer)) or not layer._allow_non_tensor_positional_args:
            args = tuple(constant(one) if one.__class__ is list and _is_number(one) else one for one in args)
        return without_plain_values(layer, args)

    return tensors


def _is_number(value):
    while value.__class__ is list and value:
        value = value[0]
    return isinstance(value, (int, float))


def _with_inputs_first(get_initial_state):
    @functools.wraps(get_initial_state)
    def get(self, inputs=None, batch_size=None, dtype=None):
        given: Any = batch_size if inputs is None else inputs
        return get_initial_state(self, given.shape[0] if getattr(given, "ndim", 0) else given)

    return get


def _without_format(save_weights):
    def save(self, filepath, overwrite=True, save_format=None, options=None, **kwargs):
        return save_weights(self, filepath, overwrite, **kwargs)  # the ending of the name says the format

    return save


def _shape(side):
    """`layer.input_shape` or `layer.output_shape`: of the tensors of its call, or what its class assigned."""
    name = f"{side}_shape"

    def read(self):
        own = self.__dict__
        return own[name] if name in own else call_signature.shape_of(getattr(self, side))

    return property(read, lambda self, value: self.__dict__.__setitem__(name, value))


def _shape_at(side):
    return lambda self, node_index: call_signature.shape_of(getattr(self, f"get_{side}_at")(node_index))


def _shape_of(value):
    return tuple(getattr(value, "shape", value))


def _nodes_by_depth(model):
    """The calls of a functional model by their distance from the outputs."""
    by_depth: dict[int, list[Node]] = {}
    for node, depth in model._graph.depths.items():
        by_depth.setdefault(depth, []).append(node)
    return by_depth


def _one_of(values):
    return values[0] if len(values) == 1 else values


_OF_NODES: dict[str, Any] = {
    "layer": property(lambda node: node.operation), "outbound_layer": property(lambda node: node.operation),
    "inbound_layers": property(lambda node: _one_of([parent.operation for parent in node.parent_nodes])),
    "node_indices": property(lambda node: _one_of([one._keras_history.node_index for one in node.tensors])),
    "tensor_indices": property(lambda node: _one_of([one._keras_history.tensor_index for one in node.tensors])),
    "input_shapes": property(lambda node: call_signature.shape_of(_one_of(node.input_tensors))),
    "output_shapes": property(lambda node: call_signature.shape_of(_one_of(node.outputs))),
    "call_args": property(lambda node: node.args), "call_kwargs": property(lambda node: node.kwargs),
}  # fmt: skip
"""What the nodes of Keras 2 had."""


def patch_keras() -> None:
    """Give the classes of lamina these methods, in this process."""
    graph.NO_NAME = graph.NO_LINE
    call_signature.without_plain_values = _with_lists(call_signature.without_plain_values)
    of_models: dict[str, Any] = {
        "save_weights": _without_format(Model.save_weights),
        "_nodes_by_depth": property(_nodes_by_depth),
        "compiled_loss": property(_compiled_loss),
        "compiled_metrics": property(lambda self: self._compile_metrics or CompileMetrics(None, None)),
    }
    of_layers: dict[str, Any] = {
        "add_metric": add_metric,
        "add_update": add_update,
        "add_loss": _also_symbolic(Layer.add_loss),
        "_name": property(lambda self: self.name, lambda self, value: setattr(self, "name", value)),
        "inbound_nodes": property(lambda self: self._inbound_nodes),
        "outbound_nodes": property(lambda self: self._outbound_nodes),
        "get_input_shape_at": _shape_at("input"),
        "get_output_shape_at": _shape_at("output"),
        "input_shape": _shape("input"),
        "output_shape": _shape("output"),
    }
    first: Any = [(kind, {"get_initial_state": _with_inputs_first(kind.get_initial_state)}) for kind in
                  (RNN, _Cell, StackedRNNCells)]  # fmt: skip
    attention: Any = {"_build_from_signature": lambda self, *inputs, **named: self.build(
        *map(_shape_of, inputs), **{f"{name}_shape": _shape_of(one) for name, one in named.items()})}  # fmt: skip
    for kind, methods in (
        (Model, of_models),
        (Layer, of_layers),
        (MultiHeadAttention, attention),
        (Node, _OF_NODES),
        (Optimizer, {"_name": of_layers["_name"]}),
        *first,
    ):
        for name, method in methods.items():
            setattr(kind, name, method)
