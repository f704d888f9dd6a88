"""The pure steps: training, testing and predicting as functions from (values, batch) to (logs, values)."""

import inspect
from typing import Any

import jax

from lamina.core import context, tree
from lamina.core.keras_tensor import get_mask, set_mask
from lamina.core.variable import unwrap
from lamina.layers.base.call_signature import signature_of
from lamina.training.data import unpack_x_y_sample_weight


def train_step(model, state, data):
    """One step: (logs, new state) from state = (trainable, others, optimizer, metrics) values."""
    trainable, others, optimizer_values, metric_values = state
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    variables, gradient = model.trainable_variables, jax.value_and_grad(loss_and_updates, argnums=1, has_aux=True)
    (_, (loss, y_pred, others, metric_values)), gradients = gradient(
        model, trainable, others, metric_values, x, y, sample_weight, True, optimizer_values
    )
    optimizer = model.optimizer
    with context.bind([*variables, *optimizer.variables], [*trainable, *optimizer_values]):
        if variables:
            optimizer.apply(gradients, variables)
        trainable, optimizer_values = _read(variables), _read(optimizer.variables)
    logs, metric_values = update_metrics(model, metric_values, x, y, _unpack(y_pred), sample_weight, loss)
    return logs, (trainable, others, optimizer_values, metric_values)


def test_step(model, state, data):
    """(logs, new state) from state = (trainable, others, metrics) values."""
    trainable, others, metric_values = state
    x, y, sample_weight = unpack_x_y_sample_weight(data)
    loss, (_, y_pred, others, metric_values) = loss_and_updates(
        model, trainable, others, metric_values, x, y, sample_weight, False
    )
    logs, metric_values = update_metrics(model, metric_values, x, y, _unpack(y_pred), sample_weight, loss)
    return logs, (trainable, others, metric_values)


def predict_step(model, state, data):
    """(outputs, new values of the other variables) from state = (trainable, others) values."""
    trainable, others = state
    x, _, _ = unpack_x_y_sample_weight(data)
    with context.bind([*model.trainable_variables, *model.non_trainable_variables], [*trainable, *others]):
        outputs = _call(model, x, False)
        return outputs, _read(model.non_trainable_variables)


def loss_and_updates(
    model: Any, trainable, others, metric_values, x, y, sample_weight, training=False, optimizer_values=None
):
    """The loss to differentiate (scaled where the optimizer scales), and (loss, outputs with masks, others, metric
    values)."""
    cells = [*model.trainable_variables, *model.non_trainable_variables, *model.metrics_variables]
    values = [*trainable, *others, *metric_values]
    optimizer: Any = model.optimizer if training and optimizer_values is not None else None
    if optimizer is not None:
        cells, values = [*cells, *optimizer.variables], [*values, *(optimizer_values or ())]
    with context.bind(cells, values):
        y_pred = _call(model, x, training)
        knows = {"training": training} if "training" in signature_of(type(model).compute_loss).names else {}
        loss = unwrap(model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **knows))
        scaled = loss if optimizer is None else optimizer.scale_loss(loss)
        updated = _read(model.non_trainable_variables), _read(model.metrics_variables)
    return scaled, (loss, _pack(y_pred), *updated)


def update_metrics(model, metric_values, x, y, y_pred, sample_weight, loss):
    """(results of all metrics, their new values), the loss counted once for each sample."""
    with context.bind(model.metrics_variables, metric_values):
        leaves = [leaf for leaf in tree.flatten(x) if leaf is not None and getattr(leaf, "ndim", 0)]
        model._loss_tracker.update_state(loss, sample_weight=leaves[0].shape[0] if leaves else 1)
        logs = model.compute_metrics(x, y, y_pred, sample_weight=sample_weight)
        return logs, _read(model.metrics_variables)


def _call(model, x, training):
    if model._call_has_training:
        return model(x, training=training)
    return model(x)


def _read(variables):
    return [variable.read() for variable in variables]


def _pack(outputs):
    """Outputs with their masks, which would be lost on the way out of a differentiated function."""
    return outputs, [get_mask(leaf) for leaf in tree.flatten(outputs)]


def _unpack(packed):
    outputs, masks = packed
    for leaf, mask in zip(tree.flatten(outputs), masks, strict=True):
        if mask is not None:
            set_mask(leaf, mask)
    return outputs


def takes_state(method):
    """Whether a user's train_step, test_step or predict_step is written as (self, state, data), Keras's way on JAX."""
    parameters = inspect.signature(method).parameters.values()
    return len(parameters) >= 2 or any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters)


def bound_step(model, method, cells_of):
    """A user's step written as (self, data), on mutable variables, as the pure (state, data) -> (logs, state)."""

    def step(state, data):
        groups = cells_of()
        with context.bind([v for group in groups for v in group], [v for values in state for v in values]):
            logs = method(data)
            return logs, tuple(_read(group) for group in groups)

    return step
