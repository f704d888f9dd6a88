"""Margin losses, for targets -1 or 1 (or 0 or 1, which are converted)."""

import jax.numpy as jnp

from lamina.core.op import op
from lamina.losses.alignment import pair
from lamina.losses.loss import LossFunctionWrapper

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge", "categorical_hinge", "hinge", "squared_hinge"]


def _margin(y_true, y_pred):
    """max(1 - y_true y_pred, 0); targets that are all 0 or 1 become -1 or 1."""
    y_true, y_pred = pair(y_true, y_pred)
    binary = jnp.all((y_true == 0) | (y_true == 1))
    return jnp.maximum(1 - jnp.where(binary, 2 * y_true - 1, y_true) * y_pred, 0)


@op
def hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    >>> import lamina as keras
    >>> keras.losses.hinge([[1.0, -1.0]], [[0.5, 0.5]])
    Array([1.], dtype=float32)
    """
    return jnp.mean(_margin(y_true, y_pred), axis=-1)


@op
def squared_hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)^2) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    >>> import lamina as keras
    >>> keras.losses.squared_hinge([[1.0, -1.0]], [[0.5, 0.5]])
    Array([1.25], dtype=float32)
    """
    return jnp.mean(jnp.square(_margin(y_true, y_pred)), axis=-1)


@op
def categorical_hinge(y_true, y_pred):
    """max(max((1 - y) p) - sum(y p) + 1, 0) over the last axis, for one-hot y.

    Shapes: (batch, ..., d) twice -> (batch, ...).

    >>> import lamina as keras
    >>> keras.losses.categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]])
    Array([0.75], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    best_wrong = jnp.max((1 - y_true) * y_pred, axis=-1)
    return jnp.maximum(best_wrong - jnp.sum(y_true * y_pred, axis=-1) + 1, 0)


class Hinge(LossFunctionWrapper):
    """The mean of max(1 - y_true y_pred, 0)."""

    def __init__(self, reduction="sum_over_batch_size", name="hinge", dtype=None):
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """The mean of max(1 - y_true y_pred, 0)^2."""

    def __init__(self, reduction="sum_over_batch_size", name="squared_hinge", dtype=None):
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """The mean of max(max((1 - y) p) - sum(y p) + 1, 0), for one-hot y."""

    def __init__(self, reduction="sum_over_batch_size", name="categorical_hinge", dtype=None):
        super().__init__(categorical_hinge, reduction, name, dtype)
