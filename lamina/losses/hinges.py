"""Margin losses, for targets -1 or 1 (targets 0 or 1 are converted)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.losses.alignment import aligned_floats
from lamina.losses.loss import LossFunctionWrapper

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike
    from lamina.losses.loss import DTypeOrPolicy, Reduction

__all__ = ["CategoricalHinge", "Hinge", "SquaredHinge", "categorical_hinge", "hinge", "squared_hinge"]


def _margin(y_true, y_pred):
    """max(1 - y_true y_pred, 0); targets that are all 0 or 1 become -1 or 1."""
    y_true, y_pred = aligned_floats(y_true, y_pred)
    binary = jnp.all((y_true == 0) | (y_true == 1))
    return jnp.maximum(1 - jnp.where(binary, 2 * y_true - 1, y_true) * y_pred, 0)


@op
def hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """mean(max(1 - y_true y_pred, 0)) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Targets -1 or 1 (0 or 1 are converted), shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).

    >>> import lamina as keras
    >>> keras.losses.hinge([[1.0, -1.0]], [[0.5, 0.5]])
    Array([1.], dtype=float32)
    """
    return jnp.mean(_margin(y_true, y_pred), axis=-1)


@op
def squared_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """mean(max(1 - y_true y_pred, 0)^2) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Targets -1 or 1 (0 or 1 are converted), shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).

    >>> import lamina as keras
    >>> keras.losses.squared_hinge([[1.0, -1.0]], [[0.5, 0.5]])
    Array([1.25], dtype=float32)
    """
    return jnp.mean(jnp.square(_margin(y_true, y_pred)), axis=-1)


@op
def categorical_hinge(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """max(max((1 - y) p) - sum(y p) + 1, 0) over the last axis, for one-hot targets y and outputs p.

    Shapes: (batch, ..., classes) twice -> (batch, ...).

    Args:
        y_true: One-hot targets, shape (batch, ..., classes).
        y_pred: Outputs, shape (batch, ..., classes).

    >>> import lamina as keras
    >>> keras.losses.categorical_hinge([[0.0, 1.0]], [[0.5, 0.75]])
    Array([0.75], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred)
    best_wrong = jnp.max((1 - y_true) * y_pred, axis=-1)
    return jnp.maximum(best_wrong - jnp.sum(y_true * y_pred, axis=-1) + 1, 0)


class Hinge(LossFunctionWrapper):
    """The mean of max(1 - y_true y_pred, 0).

    Shapes: targets -1 or 1 (0 or 1 are converted) and outputs (batch, ..., d).

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.Hinge()([[1.0, -1.0]], [[0.5, 0.5]]))
    1.0
    """

    def __init__(
        self, reduction: Reduction = "sum_over_batch_size", name: str | None = "hinge", dtype: DTypeOrPolicy = None
    ) -> None:
        super().__init__(hinge, reduction, name, dtype)


class SquaredHinge(LossFunctionWrapper):
    """The mean of max(1 - y_true y_pred, 0)^2.

    Shapes: targets -1 or 1 (0 or 1 are converted) and outputs (batch, ..., d).

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]]))
    1.25
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(squared_hinge, reduction, name, dtype)


class CategoricalHinge(LossFunctionWrapper):
    """The mean of max(max((1 - y) p) - sum(y p) + 1, 0), for one-hot targets y and outputs p.

    Shapes: one-hot targets and outputs (batch, ..., classes).

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
    0.75
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(categorical_hinge, reduction, name, dtype)
