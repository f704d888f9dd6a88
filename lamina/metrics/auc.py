"""The area under a curve whose points belong to thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from lamina.errors import ConfigError, ShapeError
from lamina.losses.loss import divide_no_nan
from lamina.metrics.confusion import ThresholdMetric, confusion_counts, even_thresholds
from lamina.runtime import settings

if TYPE_CHECKING:
    from lamina.core.typing import ArrayLike, Tensor
    from lamina.losses.loss import DTypeOrPolicy

__all__ = ["AUC"]

CURVES = ("ROC", "PR", "PRGAIN")
SUMMATIONS = ("interpolation", "minoring", "majoring")


class AUC(ThresholdMetric):
    """The area under the ROC curve (recall over false positive rate), the PR curve (precision over recall) or the
    precision-recall-gain curve, approximated by a Riemann sum over thresholds.

    Shapes: targets 0 or 1 and outputs (batch, ...); with `multi_label` (batch, labels).

    Args:
        num_thresholds: Number of thresholds, in equal steps from 0 to 1; more come closer to the exact area.
        curve: "ROC", "PR" or "PRGAIN" (Flach and Kull, 2015).
        summation_method: "interpolation" (mid-points; for PR the method of Davis and Goadrich, 2006,
            https://doi.org/10.1145/1143844.1143874), or the bounds "minoring" (lower) and "majoring" (upper).
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        thresholds: Thresholds in [0, 1], instead of `num_thresholds`.
        multi_label: Whether to compute one area per column and their mean, weighted by `label_weights`.
        num_labels: Number of columns with `multi_label`; None takes it from the first update.
        label_weights: One weight per column; None weighs all by 1.
        from_logits: Whether outputs are logits, the values before a sigmoid, instead of probabilities.

    >>> import lamina as keras
    >>> float(keras.metrics.AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]))
    0.75
    """

    _config_optional = frozenset({"thresholds"})

    thresholds: list[float] = []

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.curve: str = _choice("curve", curve, CURVES)
        self.summation_method: str = _choice("summation_method", summation_method, SUMMATIONS)
        inner = _inner_thresholds(num_thresholds, thresholds)
        self._given_thresholds = None if thresholds is None else inner
        self.thresholds = [-settings.epsilon(), *inner, 1 + settings.epsilon()]
        self.num_thresholds: int = len(self.thresholds)
        self.multi_label: bool = multi_label
        self.num_labels: int | None = num_labels
        self.from_logits: bool = from_logits
        self.label_weights: list[float] | None = (
            None if label_weights is None else [float(weight) for weight in label_weights]
        )
        self._built = False
        if not multi_label or num_labels is not None:
            self._build(num_labels)

    def _build(self, num_labels):
        self._add_counts((self.num_thresholds, num_labels) if self.multi_label else (self.num_thresholds,))
        self._built = True

    def _argument(self, name, parameter, owner):
        return self._given_thresholds if name == "thresholds" else super()._argument(name, parameter, owner)

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch to the counts.

        Args:
            y_true: Targets 0 or 1, shape (batch, ...).
            y_pred: Outputs, shape (batch, ...).
            sample_weight: Weights of the samples, shape (batch,), or of the single values; None weighs all by 1.
        """
        y_true, y_pred, weights = self._prepare(y_true, y_pred, sample_weight)
        if self.multi_label and y_pred.ndim != 2:
            raise ShapeError(
                f"AUC(multi_label=True) needs outputs of shape (batch, labels); got {y_pred.shape}.",
                fix="multi_label=False, or y of shape (batch, labels)",
            )
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

    def result(self) -> Tensor:
        """The area so far, with `multi_label` the mean area; 0 before the first batch."""
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
        return jnp.maximum(recall_gain, 0), 1 - odds * divide_no_nan(
            fp, tp
        )  # below 0: worse than predicting only positives

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

    def interpolate_pr_auc(self) -> Tensor:
        """The area under the PR curve by the method of Davis and Goadrich, 2006; with `multi_label` one per column."""
        return self._interpolated_pr()


def _choice(argument, value, known):
    by_name = {name.lower(): name for name in known}
    if str(value).lower() not in by_name:
        raise ConfigError(f"{argument} of AUC is one of {known}; got {value!r}.", fix=f"{argument}={known[0]!r}")
    return by_name[str(value).lower()]


def _inner_thresholds(num_thresholds, thresholds):
    """The thresholds between the two ends, sorted."""
    if thresholds is None:
        if num_thresholds <= 1:
            raise ConfigError(f"num_thresholds of AUC is 2 or more; got {num_thresholds}.", fix="num_thresholds=200")
        return even_thresholds(num_thresholds)[1:-1]
    inner = sorted(float(threshold) for threshold in np.asarray(thresholds).ravel())
    if not all(0 <= threshold <= 1 for threshold in inner):
        raise ConfigError(f"Thresholds lie in [0, 1]; got {inner}.", fix="thresholds=[0.25, 0.5, 0.75]")
    return inner
