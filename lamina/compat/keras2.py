"""What layers, models and metrics of tf.keras had before Keras 3, in programs for TensorFlow."""

from __future__ import annotations

import functools
import inspect
import types
from typing import Any

from lamina import ops
from lamina.callbacks.logs import OLD_NAMES
from lamina.compat.functions import constant
from lamina.compat.variables import also_of_texts
from lamina.core import context, graph, tree
from lamina.core.keras_tensor import in_symbolic_scope, is_symbolic
from lamina.core.node import Node
from lamina.core.registry import is_builtin, register_keras_serializable
from lamina.core.tape import Tape
from lamina.layers import Layer, MultiHeadAttention
from lamina.layers.base import call_signature
from lamina.layers.recurrent_cell import _Cell
from lamina.layers.rnn import RNN
from lamina.layers.stacked_cells import StackedRNNCells
from lamina.legacy import warn_renamed
from lamina.metrics import Mean, Metric
from lamina.models import Model
from lamina.optimizers import Optimizer
from lamina.saving.formats.yaml_text import yaml_of
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


@register_keras_serializable(package="TensorFlow")
class Tap(Layer):
    """Passes its first input on and keeps the others for a loss that reads them.

    Args:
        **kwargs: Arguments of every layer.
    """

    def call(self, inputs: Any) -> Any:
        """The first of several tensors."""
        output, *vars(self)["kept"] = inputs
        return output


def _read_by(function):
    """The symbolic tensors that a function reads from around it, by name."""
    code = function.__code__
    cells = zip(code.co_freevars, (cell.cell_contents for cell in function.__closure__ or ()), strict=True)
    around = {**{name: function.__globals__.get(name) for name in code.co_names}, **dict(cells)}
    return {name: value for name, value in around.items() if is_symbolic(value)}


def _with_further(call):
    """`model(x, batch_size=32)`: the `call` of a functional model of Keras takes any argument, for the layers inside
    that name it."""

    @functools.wraps(call)
    def run(self, *args, **kwargs):
        if not kwargs.keys() <= _OF_CALL and type(self).call.__module__.startswith("lamina.models."):
            names = {*_OF_CALL, *inspect.signature(type(self).call).parameters}
            kwargs = {name: value for name, value in kwargs.items() if name in names}
        return call(self, *args, **kwargs)

    return run


_OF_CALL = frozenset(("training", "mask"))


def _with_metrics_third(args, kwargs):
    """compile("adam", "mse", ["mae"]): the third argument was that of the metrics before Keras 3."""
    third = tree.flatten(args[2]) if len(args) == 3 and "metrics" not in kwargs else ()
    if not any(isinstance(one, (str, Metric)) or callable(one) for one in third):
        return args, kwargs
    warn_renamed("Model.compile(optimizer, loss, metrics) is compile(optimizer, loss, metrics=metrics) since Keras 3.")
    return args[:2], {**kwargs, "metrics": args[2]}


def _compiling(compile_model):
    """`compile`, whose loss may read symbolic tensors of a functional model, as that of a variational autoencoder."""

    @functools.wraps(compile_model)
    def run(self, *args, **kwargs):
        args, kwargs = _with_metrics_third(args, kwargs)
        loss = kwargs.get("loss", args[1] if len(args) > 1 else None)
        if not inspect.isfunction(loss) or vars(self).get("_graph") is None or not (read := _read_by(loss)):
            return compile_model(self, *args, **kwargs)
        inner, tap, stamp = self._graph, Tap(), self._graph_stamp
        first, *rest = inner.output_tensors
        outputs = tree.unflatten(tree.structure_of(inner.outputs), [tap([first, *read.values()]), *rest])
        self._set_graph(inner.inputs, outputs)
        self._graph_stamp = stamp

        @functools.wraps(loss)
        def reading(y_true, y_pred):
            sizes = [[len(y_pred) if size is None else size for size in one.shape] for one in read.values()]
            found = map(ops.zeros, sizes) if in_symbolic_scope() else vars(tap)["kept"]  # there only shapes are wanted
            values = dict(zip(read, found, strict=True))
            cells = zip(loss.__code__.co_freevars, loss.__closure__ or (), strict=True)
            closure = tuple(types.CellType(values[name]) if name in values else cell for name, cell in cells)
            scope = {**loss.__globals__, **values}
            return types.FunctionType(loss.__code__, scope, loss.__name__, loss.__defaults__, closure)(y_true, y_pred)

        if len(args) > 1:
            return compile_model(self, args[0], reading, *args[2:], **kwargs)
        return compile_model(self, *args, **{**kwargs, "loss": reading})

    return run


def minimize(self: Any, loss: Any, var_list: Any, grad_loss: Any = None, name: Any = None, tape: Any = None) -> Any:
    """`optimizer.minimize(loss, variables)`: one step.

    Args:
        self: Optimizer.
        loss: Function without arguments, or what one computed while `tape` was open.
        var_list: Variables, or a function that gives them.
        grad_loss: What the gradients are multiplied by; None means 1.
        name: Not used.
        tape: The tape that recorded `loss`.
    """
    if callable(loss):
        with Tape() as tape:
            loss = loss()
    variables: Any = var_list() if callable(var_list) else var_list
    gradients: Any = tape.gradient(loss, variables, grad_loss)
    self.apply_gradients(zip(gradients, variables, strict=True))
    return self.iterations


def patch_keras() -> None:
    """Give the classes of lamina these methods, in this process."""
    graph.NO_NAME = graph.NO_LINE
    OLD_NAMES.update(acc="accuracy", val_acc="val_accuracy")
    call_signature.without_plain_values = _with_lists(call_signature.without_plain_values)
    of_models: dict[str, Any] = {
        "save_weights": _without_format(Model.save_weights),
        "compile": _compiling(Model.compile),
        "__call__": _with_further(Model.__call__),
        "_nodes_by_depth": property(_nodes_by_depth),
        "to_yaml": yaml_of,
        "compiled_loss": property(_compiled_loss),
        "compiled_metrics": property(lambda self: self._compile_metrics or CompileMetrics(None, None)),
    }
    of_layers: dict[str, Any] = {
        "add_metric": add_metric,
        "add_weight": also_of_texts(Layer.add_weight),
        "add_update": add_update,
        "add_loss": _also_symbolic(Layer.add_loss),
        "_name": property(lambda self: self.name, lambda self, value: setattr(self, "name", value)),
        "inbound_nodes": property(lambda self: self._inbound_nodes),
        "outbound_nodes": property(lambda self: self._outbound_nodes),
        "_track_trackable": lambda self, trackable, name, overwrite=False: trackable,  # attributes are found
        "_compute_dtype": property(lambda self: self.compute_dtype),
        **{f"get_{end}_shape_at": _shape_at(end) for end in ("input", "output")},
        **{f"{end}_shape": _shape(end) for end in ("input", "output")},
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
        (Optimizer, {**{name: of_layers[name] for name in ("_name", "_track_trackable")}, "minimize": minimize}),
        *first,
    ):
        for name, method in methods.items():
            setattr(kind, name, method)
