"""Losses of overlap, for segmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.losses.alignment import aligned_floats
from lamina.losses.loss import LossFunctionWrapper
from lamina.runtime import settings

if TYPE_CHECKING:
    from lamina.core.typing import Axes, Tensor, TensorLike
    from lamina.losses.loss import DTypeOrPolicy, Reduction

__all__ = ["Dice", "Tversky", "dice", "tversky"]


def _axes(axis):
    return tuple(axis) if isinstance(axis, list) else axis  # files hold lists


@op
def dice(y_true: TensorLike, y_pred: TensorLike, axis: Axes = None) -> Tensor:
    """1 - 2 sum(y p) / (sum(y) + sum(p)), for targets y and outputs p.

    Shapes: (batch, ...) twice -> the axes that are not in `axis`.

    Args:
        y_true: Targets, shape (batch, ...).
        y_pred: Outputs, shape (batch, ...).
        axis: Axes of the sums; None means all.

    >>> import lamina as keras
    >>> float(keras.losses.dice([[1.0, 0.0]], [[1.0, 1.0]])) - 1 / 3 < 1e-6
    True
    """
    (y_true, y_pred), axis = aligned_floats(y_true, y_pred), _axes(axis)
    sizes = jnp.sum(y_true, axis=axis) + jnp.sum(y_pred, axis=axis)
    return 1 - 2 * jnp.sum(y_true * y_pred, axis=axis) / (sizes + settings.epsilon())


@op
def tversky(y_true: TensorLike, y_pred: TensorLike, alpha: float = 0.5, beta: float = 0.5, axis: Axes = None) -> Tensor:
    """1 - tp / (tp + alpha fn + beta fp), for targets y and outputs p: tp = sum(y p), fn = sum(y (1 - p)) and
    fp = sum((1 - y) p).

    Shapes: (batch, ...) twice -> the axes that are not in `axis`. Salehi et al., 2017, https://arxiv.org/abs/1706.05721
    Keras's documentation has alpha and beta the other way round; the values are the same.

    Args:
        y_true: Targets, shape (batch, ...).
        y_pred: Outputs, shape (batch, ...).
        alpha: Weight of the false negatives.
        beta: Weight of the false positives.
        axis: Axes of the sums; None means all.

    >>> import lamina as keras
    >>> float(keras.losses.tversky([[1.0, 0.0]], [[1.0, 1.0]])) - 1 / 3 < 1e-6
    True
    """
    (y_true, y_pred), axis = aligned_floats(y_true, y_pred), _axes(axis)
    hits = jnp.sum(y_true * y_pred, axis=axis)
    false_negatives = jnp.sum(y_true * (1 - y_pred), axis=axis)
    false_positives = jnp.sum((1 - y_true) * y_pred, axis=axis)
    return 1 - hits / (hits + alpha * false_negatives + beta * false_positives + settings.epsilon())


class Dice(LossFunctionWrapper):
    """1 - 2 sum(y p) / (sum(y) + sum(p)), for targets y and outputs p.

    Shapes: targets and outputs (batch, ...).

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        axis: Axes of the sums; None means all.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.Dice()([[1.0, 0.0]], [[1.0, 0.0]])) < 1e-6
    True
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "dice",
        axis: Axes = None,
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(dice, reduction, name, dtype, axis=axis)


class Tversky(LossFunctionWrapper):
    """1 - tp / (tp + alpha fn + beta fp), for targets y and outputs p: tp = sum(y p), fn = sum(y (1 - p)) and
    fp = sum((1 - y) p). With alpha = beta = 0.5 it is `Dice`.

    Shapes: targets and outputs (batch, ...). Salehi et al., 2017, https://arxiv.org/abs/1706.05721

    Args:
        alpha: Weight of the false negatives.
        beta: Weight of the false positives.
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        axis: Axes of the sums; None means all.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.Tversky()([[1.0, 0.0]], [[1.0, 0.0]])) < 1e-6
    True
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: Axes = None,
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(tversky, reduction, name, dtype, alpha=alpha, beta=beta, axis=axis)
