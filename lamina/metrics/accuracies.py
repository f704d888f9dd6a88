"""Accuracies: how often the prediction is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.variable import unwrap
from lamina.losses.alignment import (
    aligned,
    aligned_floats,
    class_numbers,
    float_array,
    nan_if_no_class,
    nan_if_not_binary,
    pick_class,
)
from lamina.metrics.reduction import _HigherIsBetter
from lamina.runtime import settings

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike
    from lamina.losses.loss import DTypeOrPolicy

__all__ = [
    "Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
]  # fmt: skip


def _largest(scores):
    """argmax over the last axis; this one is faster on CPUs than XLA's argmax, which took eight
    times as long over a thousand classes."""
    if scores.shape[-1] < 128:
        return jnp.argmax(scores, axis=-1)
    places = jax.lax.broadcasted_iota("int32", scores.shape, scores.ndim - 1)
    return jnp.min(jnp.where(scores == jnp.max(scores, axis=-1, keepdims=True), places, scores.shape[-1]), axis=-1)


def _right(condition):
    return condition.astype(settings.floatx())


@op
def accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """1 where y_true equals y_pred. Shapes: (batch, ...) twice -> (batch, ...).

    Args:
        y_true: Targets, shape (batch, ...).
        y_pred: Outputs, shape (batch, ...).

    >>> accuracy([1, 2, 3], [1, 0, 3])
    Array([1., 0., 1.], dtype=float32)
    """
    y_pred = jnp.asarray(unwrap(y_pred))
    y_true, y_pred = aligned(jnp.asarray(unwrap(y_true), y_pred.dtype), y_pred)
    return _right(y_true == y_pred)


@op
def binary_accuracy(y_true: TensorLike, y_pred: TensorLike, threshold: float = 0.5) -> Tensor:
    """1 where y_true, 0 or 1, equals y_pred > threshold. Shapes: (batch, ...) twice -> (batch, ...).

    Args:
        y_true: Targets 0 or 1, shape (batch, ...).
        y_pred: Outputs, shape (batch, ...).
        threshold: Outputs above it count as 1.

    >>> import lamina as keras
    >>> keras.metrics.binary_accuracy([1, 0, 1], [0.6, 0.5, 0.4])
    Array([1., 1., 0.], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred)
    return nan_if_not_binary(_right(y_true == (y_pred > threshold)), y_true)


@op
def categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """1 where the largest output is at the largest target. Shapes: (batch, ..., classes) twice -> (batch, ...).

    Args:
        y_true: One-hot targets, shape (batch, ..., classes).
        y_pred: Outputs, shape (batch, ..., classes).

    >>> import lamina as keras
    >>> keras.metrics.categorical_accuracy([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]])
    Array([1., 0.], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred, broadcasts=False)
    return _right(_largest(y_true) == _largest(y_pred))


@op
def sparse_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """1 where the largest output is at the class number; NaN for a number that is no class.

    Shapes: targets (batch, ...) or (batch, ..., 1), outputs (batch, ..., classes) -> (batch, ...).

    Args:
        y_true: Class numbers, shape (batch, ...) or (batch, ..., 1).
        y_pred: Outputs, shape (batch, ..., classes).

    >>> import lamina as keras
    >>> keras.metrics.sparse_categorical_accuracy([1, 0], [[0.2, 0.8], [0.4, 0.6]])
    Array([1., 0.], dtype=float32)
    """
    y_pred = float_array(y_pred)
    labels = class_numbers(y_true, y_pred, -1)
    return nan_if_no_class(_right(labels == _largest(y_pred)), labels, y_pred.shape[-1])


def _among_top(labels, y_pred, k):
    """1 where fewer than k outputs are larger than the label's."""
    chosen = pick_class(y_pred, labels, -1)
    larger = jnp.sum(y_pred > chosen[..., None], axis=-1)
    is_top = (larger < k) & (chosen == chosen)  # a NaN is never among the top
    return nan_if_no_class(_right(is_top), labels, y_pred.shape[-1])


@op
def top_k_categorical_accuracy(y_true: TensorLike, y_pred: TensorLike, k: int = 5) -> Tensor:
    """1 where the largest target is among the k largest outputs. Shapes: (batch, ..., classes) twice -> (batch, ...).

    Args:
        y_true: One-hot targets, shape (batch, ..., classes).
        y_pred: Outputs, shape (batch, ..., classes).
        k: Number of largest outputs.

    >>> import lamina as keras
    >>> keras.metrics.top_k_categorical_accuracy([[0, 0, 1]], [[0.5, 0.2, 0.3]], k=2)
    Array([1.], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred, broadcasts=False)
    return _among_top(_largest(y_true), y_pred, k)


@op
def sparse_top_k_categorical_accuracy(
    y_true: TensorLike, y_pred: TensorLike, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """1 where the class number is among the k largest outputs; NaN for a number that is no class.

    Shapes: targets (batch, ...) or (batch, ..., 1), outputs (batch, ..., classes) -> (batch, ...).

    Args:
        y_true: Class numbers, shape (batch, ...) or (batch, ..., 1).
        y_pred: Outputs, shape (batch, ..., classes).
        k: Number of largest outputs.
        from_sorted_ids: Whether y_pred holds class numbers, best first, instead of scores.

    >>> import lamina as keras
    >>> keras.metrics.sparse_top_k_categorical_accuracy([2], [[0.5, 0.2, 0.3]], k=2)
    Array([1.], dtype=float32)
    """
    y_pred = float_array(y_pred)
    labels = class_numbers(y_true, y_pred, -1)
    if from_sorted_ids:
        return _right(jnp.any(labels[..., None] == y_pred[..., :k], axis=-1))
    return _among_top(labels, y_pred, k)


class Accuracy(_HigherIsBetter):
    """How often y_true equals y_pred. Shapes: targets and outputs (batch, ...).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]))
    0.75
    """

    def __init__(self, name: str | None = "accuracy", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(_HigherIsBetter):
    """How often a target, 0 or 1, equals y_pred > threshold. Shapes: targets and outputs (batch, ...).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        threshold: Outputs above it count as 1.

    >>> import lamina as keras
    >>> float(keras.metrics.BinaryAccuracy()([1, 0], [0.6, 0.7]))
    0.5
    """

    def __init__(
        self, name: str | None = "binary_accuracy", dtype: DTypeOrPolicy = None, threshold: float = 0.5
    ) -> None:
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(_HigherIsBetter):
    """How often the largest output is at the class of a one-hot target.

    Shapes: one-hot targets and outputs (batch, ..., classes).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.CategoricalAccuracy()([[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]]))
    0.5
    """

    def __init__(self, name: str | None = "categorical_accuracy", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(_HigherIsBetter):
    """How often the largest output is at the class number.

    Shapes: class numbers (batch, ...) or (batch, ..., 1), outputs (batch, ..., classes).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.SparseCategoricalAccuracy()([1, 0], [[0.2, 0.8], [0.4, 0.6]]))
    0.5
    """

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(_HigherIsBetter):
    """How often the class of a one-hot target is among the k largest outputs.

    Shapes: one-hot targets and outputs (batch, ..., classes).

    Args:
        k: Number of largest outputs.
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.TopKCategoricalAccuracy(k=2)([[0, 0, 1]], [[0.5, 0.2, 0.3]]))
    1.0
    """

    def __init__(
        self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: DTypeOrPolicy = None
    ) -> None:
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(_HigherIsBetter):
    """How often the class number is among the k largest outputs.

    Shapes: class numbers (batch, ...) or (batch, ..., 1), outputs (batch, ..., classes).

    Args:
        k: Number of largest outputs.
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        from_sorted_ids: Whether outputs are class numbers, best first, instead of scores.

    >>> import lamina as keras
    >>> float(keras.metrics.SparseTopKCategoricalAccuracy(k=2)([2], [[0.5, 0.2, 0.3]]))
    1.0
    """

    _unwritten = {"from_sorted_ids": False}

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: DTypeOrPolicy = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
