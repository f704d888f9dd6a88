"""tf.compat.v1.losses: functions of labels, predictions and weights, by the losses of today."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from lamina import losses
from lamina.compat.arrays import array
from lamina.compat.functions import sigmoid_cross_entropy_with_logits
from lamina.errors import ArgumentError

__all__ = ["OLD_LOSSES"]


class Reduction:
    """The reductions of TensorFlow 1, of which the default is the mean over the weights that are not 0."""

    NONE, SUM, MEAN = "none", "weighted_sum", "weighted_mean"
    SUM_OVER_BATCH_SIZE = "weighted_sum_over_batch_size"
    SUM_BY_NONZERO_WEIGHTS = SUM_OVER_NONZERO_WEIGHTS = "weighted_sum_by_nonzero_weights"

    @classmethod
    def all(cls) -> tuple[str, ...]:
        """Every reduction."""
        return cls.NONE, cls.SUM, cls.MEAN, cls.SUM_OVER_BATCH_SIZE, cls.SUM_BY_NONZERO_WEIGHTS

    @classmethod
    def validate(cls, key: str) -> None:
        """An error for what is no reduction."""
        if key not in cls.all():
            message = f"Invalid reduction: {key!r}; expected one of {cls.all()}."
            raise ArgumentError(message, fix=f"reduction={cls.SUM_BY_NONZERO_WEIGHTS!r}")


def compute_weighted_loss(
    losses: Any,
    weights: Any = 1.0,
    scope: Any = None,
    loss_collection: Any = None,
    reduction: str = Reduction.SUM_BY_NONZERO_WEIGHTS,
) -> Any:
    """Losses times weights, reduced."""
    Reduction.validate(reduction)
    values = array(losses)
    weights = jnp.broadcast_to(jnp.asarray(array(weights), values.dtype), values.shape)
    if reduction == Reduction.NONE:
        return values * weights
    counts = {
        Reduction.SUM: 1,
        Reduction.MEAN: weights.sum(),
        Reduction.SUM_OVER_BATCH_SIZE: values.size,
        Reduction.SUM_BY_NONZERO_WEIGHTS: (weights != 0).sum(),
    }
    count = jnp.asarray(counts[reduction], values.dtype)
    return jnp.where(count == 0, 0, (values * weights).sum() / jnp.where(count == 0, 1, count))


def _weighted(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of labels and predictions as one that also takes weights and a reduction."""

    def run(labels, predictions, *settings, weights=1.0, scope=None, loss_collection=None,
            reduction=Reduction.SUM_BY_NONZERO_WEIGHTS, **named):  # fmt: skip
        y, p = array(labels), array(predictions)
        y = y.astype(p.dtype) if y.dtype == bool else y
        return compute_weighted_loss(function(y, p, *settings, **named), weights, reduction=reduction)

    return run


def _log_loss(labels, predictions, epsilon=1e-7):
    return -labels * jnp.log(predictions + epsilon) - (1 - labels) * jnp.log(1 - predictions + epsilon)


def _huber(labels, predictions, delta=1.0):
    error = jnp.abs(predictions - labels)
    inside = jnp.minimum(error, delta)
    return 0.5 * inside**2 + delta * (error - inside)


def _last_weights(function):
    """A loss whose third argument by position is the weights."""
    loss = _weighted(function)
    return lambda labels, predictions, weights=1.0, *args, **named: loss(
        labels, predictions, *args, weights=weights, **named
    )


OLD_LOSSES: dict[str, Any] = {
    "Reduction": Reduction, "compute_weighted_loss": compute_weighted_loss,
    "absolute_difference": _last_weights(lambda y, p: jnp.abs(p - y)),
    "mean_squared_error": _last_weights(lambda y, p: (p - y) ** 2),
    "hinge_loss": lambda labels, logits, weights=1.0, **named: _weighted(lambda y, p: jnp.maximum(
        1 - (2 * y - 1) * p, 0))(labels, logits, weights=weights, **named),
    "cosine_distance": lambda labels, predictions, axis=-1, weights=1.0, **named: _weighted(
        lambda y, p: 1 - (y * p).sum(axis, keepdims=True))(labels, predictions, weights=weights, **named),
    "huber_loss": _last_weights(_huber), "log_loss": _last_weights(_log_loss),
    "softmax_cross_entropy": lambda onehot_labels, logits, weights=1.0, **named: _weighted(
        lambda y, p: losses.categorical_crossentropy(y, p, from_logits=True))(
            onehot_labels, logits, weights=weights, **named),
    "sparse_softmax_cross_entropy": lambda labels, logits, weights=1.0, **named: _weighted(
        lambda y, p: losses.sparse_categorical_crossentropy(y, p, from_logits=True))(
            labels, logits, weights=weights, **named),
    "sigmoid_cross_entropy": lambda multi_class_labels, logits, weights=1.0, **named: _weighted(
        sigmoid_cross_entropy_with_logits)(multi_class_labels, logits, weights=weights, **named),
}  # fmt: skip
"""Names of `tensorflow.compat.v1.losses`."""
