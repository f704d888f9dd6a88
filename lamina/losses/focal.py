"""Focal cross-entropies, in which samples that are predicted well count less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.losses.alignment import aligned_floats, nan_if_not_binary
from lamina.losses.crossentropy import smooth_binary, smooth_one_hot
from lamina.losses.loss import LossFunctionWrapper
from lamina.ops import crossentropy
from lamina.runtime import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.core.typing import Tensor, TensorLike
    from lamina.losses.loss import DTypeOrPolicy, Reduction

__all__ = [
    "BinaryFocalCrossentropy", "CategoricalFocalCrossentropy", "binary_focal_crossentropy",
    "categorical_focal_crossentropy",
]  # fmt: skip


@op
def binary_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """mean of -(1 - p_t)^gamma log p_t along `axis`, with p_t = y p + (1 - y)(1 - p).

    Shapes: (batch, ..., d) twice -> (batch, ...). Lin et al., 2018, https://arxiv.org/abs/1708.02002

    Args:
        y_true: Targets in [0, 1], shape (batch, ..., d).
        y_pred: Probabilities (or logits), shape (batch, ..., d).
        apply_class_balancing: Whether class 1 is weighted by alpha and class 0 by 1 - alpha.
        alpha: Weight of class 1, in [0, 1].
        gamma: Exponent of the focus; 0 gives cross-entropy.
        from_logits: Whether y_pred holds logits, the values before a sigmoid, instead of probabilities.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / 2.
        axis: Axis of the mean.

    >>> import lamina as keras
    >>> keras.losses.binary_focal_crossentropy([[1.0]], [[0.5]])
    Array([0.1732868], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred, broadcasts=False)
    labels, y_true = y_true, smooth_binary(y_true, label_smoothing)
    p = jax.nn.sigmoid(y_pred) if from_logits else y_pred
    focus = (1 - (y_true * p + (1 - y_true) * (1 - p))) ** gamma
    if apply_class_balancing:
        focus = focus * (y_true * alpha + (1 - y_true) * (1 - alpha))
    losses = focus * crossentropy.binary_crossentropy(y_true, p)
    return jnp.mean(nan_if_not_binary(losses, labels), axis=axis)


@op
def categorical_focal_crossentropy(
    y_true: TensorLike,
    y_pred: TensorLike,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """-sum(alpha (1 - p)^gamma y log p) along `axis`, for one-hot targets.

    Shapes: (batch, ..., classes) twice -> (batch, ...). Lin et al., 2018, https://arxiv.org/abs/1708.02002

    Args:
        y_true: One-hot targets, shape (batch, ..., classes).
        y_pred: Probabilities (or logits), shape (batch, ..., classes).
        alpha: Weight of all classes, or one weight per class.
        gamma: Exponent of the focus; 0 gives weighted cross-entropy.
        from_logits: Whether y_pred holds logits, the values before a softmax, instead of probabilities.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / classes.
        axis: Axis of the classes.

    >>> import lamina as keras
    >>> keras.losses.categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])
    Array([0.0433217], dtype=float32)
    """
    y_true, y_pred = smooth_one_hot("categorical_focal_crossentropy", y_true, y_pred, label_smoothing, axis)
    p = jax.nn.softmax(y_pred, axis=axis) if from_logits else y_pred
    p = jnp.clip(p / jnp.sum(p, axis=axis, keepdims=True), settings.epsilon(), 1 - settings.epsilon())
    weights = jnp.asarray(alpha, p.dtype) * (1 - p) ** gamma
    return -jnp.sum(weights * y_true * jnp.log(p), axis=axis)


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """The mean of -(1 - p_t)^gamma log p_t, with p_t = y p + (1 - y)(1 - p), for targets y in [0, 1] and
    probabilities p.

    Shapes: targets and outputs (batch, ..., d). Lin et al., 2018, https://arxiv.org/abs/1708.02002

    Args:
        apply_class_balancing: Whether class 1 is weighted by alpha and class 0 by 1 - alpha.
        alpha: Weight of class 1, in [0, 1].
        gamma: Exponent of the focus; 0 gives cross-entropy.
        from_logits: Whether y_pred holds logits, the values before a sigmoid, instead of probabilities.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / 2.
        axis: Axis of the mean within a sample.
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> round(float(keras.losses.BinaryFocalCrossentropy()([[1.0]], [[0.5]])), 4)
    0.1733
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(
            binary_focal_crossentropy, reduction, name, dtype, apply_class_balancing=apply_class_balancing, alpha=alpha,
            gamma=gamma, from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """The mean of -sum(alpha (1 - p)^gamma y log p), for one-hot targets y and probabilities p.

    Shapes: one-hot targets and outputs (batch, ..., classes). Lin et al., 2018, https://arxiv.org/abs/1708.02002

    Args:
        alpha: Weight of all classes, or one weight per class.
        gamma: Exponent of the focus; 0 gives weighted cross-entropy.
        from_logits: Whether y_pred holds logits, the values before a softmax, instead of probabilities.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / classes.
        axis: Axis of the classes.
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> round(float(keras.losses.CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.0433
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(
            categorical_focal_crossentropy, reduction, name, dtype, alpha=alpha, gamma=gamma,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip
