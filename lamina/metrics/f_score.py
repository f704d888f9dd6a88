"""The harmonic mean of precision and recall."""

import functools

import jax.numpy as jnp

from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.losses.alignment import aligned, broadcast_to_outputs
from lamina.metrics.metric import Metric
from lamina.runtime import settings

__all__ = ["F1Score", "FBetaScore"]


class FBetaScore(Metric):
    """(1 + beta^2) precision recall / (beta^2 precision + recall).

    Shapes: (batch, classes) twice, one-hot or multi-hot targets. The variables take their shape at the first update.

    Args:
        average: None for one score a class, 'micro' over all counts, 'macro' the mean over classes, 'weighted' the mean
            weighed by the number of true instances.
        threshold: outputs above it say yes; None lets the largest output of a sample say yes.

    >>> import lamina as keras
    >>> scores = keras.metrics.FBetaScore(beta=2.0)([[1, 0], [0, 1], [0, 1]], [[0.8, 0.2], [0.6, 0.4], [0.1, 0.9]])
    >>> [round(float(score), 3) for score in scores]
    [0.833, 0.556]
    """

    _direction = "up"

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ConfigError(f"average is None, 'micro', 'macro' or 'weighted'; got {average!r}.")
        if not isinstance(beta, float) or beta <= 0:
            raise ConfigError(f"beta is a float above 0; got {beta!r}.")
        if threshold is not None and (not isinstance(threshold, float) or not 0 < threshold <= 1):
            raise ConfigError(f"threshold is None or a float in (0, 1]; got {threshold!r}.")
        self.average, self.beta, self.threshold = average, beta, threshold
        self._built = False

    def _build(self, classes):
        shape = () if self.average == "micro" else (classes,)
        make = functools.partial(self.add_variable, shape, "zeros", dtype=self.dtype)
        self.true_positives = make(name="true_positives")
        self.false_positives = make(name="false_positives")
        self.false_negatives = make(name="false_negatives")
        self.intermediate_weights = make(name="intermediate_weights")
        self._built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = aligned(*(jnp.asarray(unwrap(y), self.dtype) for y in (y_true, y_pred)))
        if y_pred.ndim != 2:
            raise ShapeError(f"{type(self).__name__} takes outputs (batch, classes); got {y_pred.shape}.")
        if not self._built:
            self._build(y_pred.shape[1])
        yes = self._yes(y_pred).astype(self.dtype)
        weights = jnp.ones((), self.dtype)
        if sample_weight is not None:
            weights, _ = broadcast_to_outputs(jnp.asarray(unwrap(sample_weight), self.dtype), y_pred)
        axis = None if self.average == "micro" else 0
        self.true_positives.assign_add(jnp.sum(yes * y_true * weights, axis=axis))
        self.false_positives.assign_add(jnp.sum(yes * (1 - y_true) * weights, axis=axis))
        self.false_negatives.assign_add(jnp.sum((1 - yes) * y_true * weights, axis=axis))
        self.intermediate_weights.assign_add(jnp.sum(y_true * weights, axis=axis))

    def _yes(self, y_pred):
        if self.threshold is not None:
            return y_pred > self.threshold
        return (y_pred >= jnp.max(y_pred, axis=-1, keepdims=True)) & (jnp.abs(y_pred) > 1e-9)

    def result(self):
        if not self._built:
            return jnp.zeros((), self.dtype)
        epsilon, tp = settings.epsilon(), self.true_positives.value
        precision = tp / (tp + self.false_positives + epsilon)
        recall = tp / (tp + self.false_negatives + epsilon)
        scores = (1 + self.beta**2) * precision * recall / (self.beta**2 * precision + recall + epsilon)
        if self.average == "weighted":
            weights = self.intermediate_weights / (jnp.sum(self.intermediate_weights.value) + epsilon)
            return jnp.sum(scores * weights)
        return scores if self.average is None else jnp.mean(scores)


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall).

    >>> import lamina as keras
    >>> round(float(keras.metrics.F1Score(average="micro")([[1, 0], [0, 1]], [[0.8, 0.2], [0.6, 0.4]])), 3)
    0.5
    """

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)
