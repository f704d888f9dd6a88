"""The area under a curve that thresholds draw."""

import jax
import jax.numpy as jnp
import numpy as np

from lamina.errors import ConfigError, ShapeError
from lamina.losses.loss import divide_no_nan
from lamina.metrics.confusion import ThresholdMetric, confusion_counts, evenly
from lamina.runtime import settings

__all__ = ["AUC"]

CURVES = ("ROC", "PR", "PRGAIN")
SUMMATIONS = ("interpolation", "minoring", "majoring")


class AUC(ThresholdMetric):
    """The area under the ROC curve (recall over false positive rate), the PR curve (precision over recall) or the
    precision-recall-gain curve, drawn by thresholds and summed as a Riemann sum.

    Args:
        num_thresholds: how many, in equal steps from 0 to 1; more come nearer to the true area.
        curve: 'ROC', 'PR' or 'PRGAIN' (Flach and Kull, 2015).
        summation_method: 'interpolation' (mid-points; on PR after Davis and Goadrich, 2006), or the lower and upper
            bounds 'minoring' and 'majoring'.
        thresholds: the thresholds between 0 and 1 themselves, in place of num_thresholds.
        multi_label: one area for each column, then their mean, weighed by label_weights.
        num_labels: number of columns of multi_label; None takes it from the first update.
        label_weights: one weight a column.
        from_logits: whether outputs come before a sigmoid.

    >>> import lamina as keras
    >>> float(keras.metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    0.75
    """

    _config_optional = frozenset({"thresholds"})

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        dtype=None,
        thresholds=None,
        multi_label=False,
        num_labels=None,
        label_weights=None,
        from_logits=False,
    ):
        super().__init__(name=name, dtype=dtype)
        self.curve = _choice("curve", curve, CURVES)
        self.summation_method = _choice("summation_method", summation_method, SUMMATIONS)
        inner = _inner_thresholds(num_thresholds, thresholds)
        self.given_thresholds = None if thresholds is None else inner
        self.thresholds = [-settings.epsilon(), *inner, 1 + settings.epsilon()]
        self.num_thresholds = len(self.thresholds)
        self.multi_label, self.num_labels, self.from_logits = multi_label, num_labels, from_logits
        self.label_weights = None if label_weights is None else [float(weight) for weight in label_weights]
        self._built = False
        if not multi_label or num_labels is not None:
            self._build(num_labels)

    def _build(self, num_labels):
        self._make_counts((self.num_thresholds, num_labels) if self.multi_label else (self.num_thresholds,))
        self._built = True

    def _argument(self, name, parameter, owner):
        return self.given_thresholds if name == "thresholds" else super()._argument(name, parameter, owner)

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred, weights = self._prepare(y_true, y_pred, sample_weight)
        if self.multi_label and y_pred.ndim != 2:
            raise ShapeError(f"AUC(multi_label=True) takes outputs (batch, labels); got {y_pred.shape}.")
        if not self._built:
            self._build(y_pred.shape[1])
        if self.from_logits:
            y_pred = jax.nn.sigmoid(y_pred)
        if self.label_weights is not None and not self.multi_label:
            weights = weights * jnp.asarray(self.label_weights, weights.dtype)
        for name, count in confusion_counts(
            y_true, y_pred, weights, self.thresholds, per_label=self.multi_label
        ).items():
            getattr(self, name).assign_add(count)

    def result(self):
        if not self._built:
            return jnp.zeros((), self.dtype)
        areas = self._areas()
        if not self.multi_label:
            return areas
        if self.label_weights is None:
            return jnp.mean(areas)
        weights = jnp.asarray(self.label_weights, areas.dtype)
        return divide_no_nan(jnp.sum(areas * weights), jnp.sum(weights))

    def _areas(self):
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._interpolated_pr()
        x, y = self._curve(*self._values())
        heights = {
            "interpolation": lambda: (y[:-1] + y[1:]) / 2,
            "minoring": lambda: jnp.minimum(y[:-1], y[1:]),
            "majoring": lambda: jnp.maximum(y[:-1], y[1:]),
        }[self.summation_method]()
        return jnp.sum((x[:-1] - x[1:]) * heights, axis=0)

    def _curve(self, tp, fp, tn, fn):
        """The points of the curve, from the lowest threshold to the highest."""
        recall = divide_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            return divide_no_nan(fp, fp + tn), recall
        if self.curve == "PR":
            return recall, divide_no_nan(tp, tp + fp)
        odds = divide_no_nan(tp + fn, fp + tn)
        recall_gain = jnp.where(tp == 0, 0, 1 - odds * divide_no_nan(fn, tp))
        return jnp.maximum(recall_gain, 0), 1 - odds * divide_no_nan(fp, tp)  # a gain below 0 is worse than saying yes

    def _interpolated_pr(self):
        """The area with true positives, not precision, linear between thresholds."""
        tp, fp, _, fn = self._values()
        positives = tp + fp
        slope = divide_no_nan(tp[:-1] - tp[1:], jnp.maximum(positives[:-1] - positives[1:], 0))
        intercept = tp[1:] - slope * positives[1:]
        both = (positives[:-1] > 0) & (positives[1:] > 0)
        ratio = jnp.where(both, divide_no_nan(positives[:-1], jnp.maximum(positives[1:], 0)), 1)
        gained = slope * ((tp[:-1] - tp[1:]) + intercept * jnp.log(ratio))
        return jnp.sum(divide_no_nan(gained, jnp.maximum(tp[1:] + fn[1:], 0)), axis=0)

    def interpolate_pr_auc(self):
        """The area (or areas, one a label, averaged) under the PR curve after Davis and Goadrich, 2006."""
        return self._interpolated_pr()


def _choice(argument, value, known):
    by_name = {name.lower(): name for name in known}
    if str(value).lower() not in by_name:
        raise ConfigError(f"{argument} of AUC is one of {known}; got {value!r}.")
    return by_name[str(value).lower()]


def _inner_thresholds(num_thresholds, thresholds):
    """The thresholds between the two ends, sorted."""
    if thresholds is None:
        if num_thresholds <= 1:
            raise ConfigError(f"num_thresholds of AUC is 2 or more; got {num_thresholds}.")
        return evenly(num_thresholds)[1:-1]
    inner = sorted(float(threshold) for threshold in np.asarray(thresholds).ravel())
    if not all(0 <= threshold <= 1 for threshold in inner):
        raise ConfigError(f"Thresholds lie in [0, 1]; got {inner}.")
    return inner
