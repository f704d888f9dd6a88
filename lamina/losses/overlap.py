"""Losses of overlap, for segmentation."""

import jax.numpy as jnp

from lamina.core.op import op
from lamina.losses.alignment import pair
from lamina.losses.loss import LossFunctionWrapper
from lamina.runtime import settings

__all__ = ["Dice", "Tversky", "dice", "tversky"]


def _axes(axis):
    return tuple(axis) if isinstance(axis, list) else axis  # as it comes back from a file


@op
def dice(y_true, y_pred, axis=None):
    """1 - 2 sum(y p) / (sum(y) + sum(p)) over `axis`, None for all. Shapes: (batch, ...) twice -> the other axes.

    >>> import lamina as keras
    >>> float(keras.losses.dice([[1.0, 0.0]], [[1.0, 1.0]])) - 1 / 3 < 1e-6
    True
    """
    (y_true, y_pred), axis = pair(y_true, y_pred), _axes(axis)
    sizes = jnp.sum(y_true, axis=axis) + jnp.sum(y_pred, axis=axis)
    return 1 - 2 * jnp.sum(y_true * y_pred, axis=axis) / (sizes + settings.epsilon())


@op
def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """1 - tp / (tp + alpha fn + beta fp) over `axis`, None for all; tp = sum(y p), fn = sum(y (1 - p)).

    Shapes: (batch, ...) twice -> the other axes. Salehi et al., 2017, https://arxiv.org/abs/1706.05721
    Keras says that alpha weighs false positives; its numbers, and these, weigh false negatives by alpha.

    >>> import lamina as keras
    >>> float(keras.losses.tversky([[1.0, 0.0]], [[1.0, 1.0]])) - 1 / 3 < 1e-6
    True
    """
    (y_true, y_pred), axis = pair(y_true, y_pred), _axes(axis)
    hits = jnp.sum(y_true * y_pred, axis=axis)
    false_negatives = jnp.sum(y_true * (1 - y_pred), axis=axis)
    false_positives = jnp.sum((1 - y_true) * y_pred, axis=axis)
    return 1 - hits / (hits + alpha * false_negatives + beta * false_positives + settings.epsilon())


class Dice(LossFunctionWrapper):
    """1 - 2 sum(y p) / (sum(y) + sum(p)) over `axis`."""

    def __init__(self, reduction="sum_over_batch_size", name="dice", axis=None, dtype=None):
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """1 - tp / (tp + alpha fn + beta fp) over `axis`; alpha = beta = 0.5 is Dice."""

    def __init__(self, alpha=0.5, beta=0.5, reduction="sum_over_batch_size", name="tversky", axis=None, dtype=None):
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
