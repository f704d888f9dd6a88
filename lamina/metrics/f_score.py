"""The harmonic mean of precision and recall."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.losses.alignment import aligned, broadcast_to_outputs
from lamina.metrics.metric import Metric
from lamina.runtime import settings

if TYPE_CHECKING:
    from lamina.core.typing import ArrayLike, Tensor
    from lamina.core.variable import Variable
    from lamina.losses.loss import DTypeOrPolicy

__all__ = ["F1Score", "FBetaScore"]


class FBetaScore(Metric):
    """(1 + beta^2) precision recall / (beta^2 precision + recall).

    Shapes: one-hot or multi-hot targets and outputs (batch, classes). The first update creates the variables.

    Args:
        average: None for one score per class, "micro" over the counts of all classes, "macro" for their mean,
            "weighted" for the mean weighted by the number of positive targets of each class.
        beta: Weight of recall: above 1 recall counts more than precision. A float.
        threshold: Outputs above it are positive; None makes the largest output of each sample positive.
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> scores = keras.metrics.FBetaScore(beta=2.0)([[1, 0], [0, 1], [0, 1]], [[0.8, 0.2], [0.6, 0.4], [0.1, 0.9]])
    >>> [round(float(score), 3) for score in scores]
    [0.833, 0.556]
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ConfigError(
                f"average is None, 'micro', 'macro' or 'weighted'; got {average!r}.", fix='average="macro"'
            )
        if not isinstance(beta, float) or beta <= 0:
            raise ConfigError(
                f"beta is a float above 0; got {beta!r}.",
                fix=f"beta={float(beta)}" if isinstance(beta, int) and beta > 0 else "beta=1.0",
            )
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ConfigError(f"threshold is None or a float in (0, 1]; got {threshold!r}.", fix="threshold=0.5")
        self.average: str | None = average
        self.beta: float = beta
        self.threshold: float | None = threshold
        self._built = False

    def _build(self, classes):
        shape = () if self.average == "micro" else (classes,)
        make = functools.partial(self.add_variable, shape, "zeros", dtype=self.dtype)
        self.true_positives: Variable = make(name="true_positives")
        self.false_positives: Variable = make(name="false_positives")
        self.false_negatives: Variable = make(name="false_negatives")
        self.intermediate_weights: Variable = make(name="intermediate_weights")
        self._built = True

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch to the variables.

        Args:
            y_true: Targets, shape (batch, classes).
            y_pred: Outputs, shape (batch, classes).
            sample_weight: Weights of the samples, shape (batch,), or of the single values; None weighs all by 1.
        """
        y_true, y_pred = aligned(jnp.asarray(unwrap(y_true), self.dtype), jnp.asarray(unwrap(y_pred), self.dtype))
        if y_pred.ndim != 2:
            raise ShapeError(
                f"{type(self).__name__} needs outputs of shape (batch, classes); got {y_pred.shape}.",
                fix="keras.ops.one_hot(y, classes) has shape (batch, classes); for one output y[:, None].",
            )
        if not self._built:
            self._build(y_pred.shape[1])
        positive = self._positive(y_pred).astype(self.dtype)
        weights = jnp.ones((), self.dtype)
        if sample_weight is not None:
            weights, _ = broadcast_to_outputs(jnp.asarray(unwrap(sample_weight), self.dtype), y_pred)
        axis = None if self.average == "micro" else 0
        self.true_positives.assign_add(jnp.sum(positive * y_true * weights, axis=axis))
        self.false_positives.assign_add(jnp.sum(positive * (1 - y_true) * weights, axis=axis))
        self.false_negatives.assign_add(jnp.sum((1 - positive) * y_true * weights, axis=axis))
        self.intermediate_weights.assign_add(jnp.sum(y_true * weights, axis=axis))

    def _positive(self, y_pred):
        if self.threshold is not None:
            return y_pred > self.threshold
        return (y_pred >= jnp.max(y_pred, axis=-1, keepdims=True)) & (jnp.abs(y_pred) > 1e-9)

    def result(self) -> Tensor:
        """The score so far, 0 before the first batch; with `average=None` one score per class."""
        if not self._built:
            return jnp.zeros((), self.dtype)
        epsilon, tp = settings.epsilon(), self.true_positives.value
        precision = tp / (tp + self.false_positives + epsilon)
        recall = tp / (tp + self.false_negatives + epsilon)
        scores = (1 + self.beta**2) * precision * recall / (self.beta**2 * precision + recall + epsilon)
        if self.average == "weighted":
            weights = self.intermediate_weights.value / (jnp.sum(self.intermediate_weights.value) + epsilon)
            return jnp.sum(scores * weights)
        return scores if self.average is None else jnp.mean(scores)


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall).

    Shapes: one-hot or multi-hot targets and outputs (batch, classes). The first update creates the variables.

    Args:
        average: None for one score per class, "micro" over the counts of all classes, "macro" for their mean,
            "weighted" for the mean weighted by the number of positive targets of each class.
        threshold: Outputs above it are positive; None makes the largest output of each sample positive.
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> round(float(keras.metrics.F1Score(average="micro")([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])), 3)
    0.5
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)
