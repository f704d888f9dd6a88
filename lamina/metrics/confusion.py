"""Metrics of yes-or-no predictions: right and wrong positives and negatives at thresholds, and what is made of them."""

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.read_limits import reserve_array
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.losses.alignment import aligned, broadcast_to_outputs
from lamina.losses.loss import divide_no_nan
from lamina.metrics.metric import Metric

__all__ = [
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "ThresholdMetric",
    "TrueNegatives",
    "TruePositives",
    "confusion_counts",
]

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
OUT_OF_TOP = -1e10  # what an output that is not among the top k counts as; also the threshold then


def confusion_counts(y_true, y_pred, weights, thresholds, names=COUNTS, per_label=False):
    """The named counts at each threshold: an output above the threshold says yes. One pass puts each output into the
    interval between two thresholds; cumulative sums over the intervals are the counts.

    Shapes: values of any shape -> (thresholds,); per_label: (batch, labels) -> (thresholds, labels).
    """
    labels = y_pred.shape[-1] if per_label else 1
    y_true, y_pred, weights = (array.reshape(-1, labels) for array in (y_true != 0, y_pred, weights))
    order = np.argsort(thresholds)
    ascending = jnp.asarray(np.asarray(thresholds)[order], y_pred.dtype)
    below = jnp.where(jnp.isnan(y_pred), 0, jnp.searchsorted(ascending, y_pred))  # how many thresholds are exceeded
    sums = jnp.zeros((2, len(order) + 1, labels), weights.dtype)
    negatives, positives = sums.at[y_true.astype("int32"), below, jnp.arange(labels)].add(weights)
    counts = {
        "true_positives": lambda: _from_above(positives),
        "false_positives": lambda: _from_above(negatives),
        "true_negatives": lambda: jnp.cumsum(negatives[:-1], axis=0),
        "false_negatives": lambda: jnp.cumsum(positives[:-1], axis=0),
    }
    as_given = np.argsort(order)
    found = {name: counts[name]()[as_given] for name in names}
    return found if per_label else {name: count[:, 0] for name, count in found.items()}


def _from_above(sums):
    """At each threshold, what lies in the intervals above it."""
    return jnp.cumsum(sums[:0:-1], axis=0)[::-1]


def only_top(y_pred, k):
    """`y_pred` where it is among the k largest of its row, `OUT_OF_TOP` elsewhere."""
    _, indices = jax.lax.top_k(y_pred, k)
    among = jnp.any(jnp.arange(y_pred.shape[-1]) == indices[..., None], axis=-2)
    return jnp.where(among, y_pred, OUT_OF_TOP)


def evenly(num_thresholds):
    """0 to 1 in equal steps; 0.5 if there is only one."""
    reserve_array((num_thresholds,), 32, "A list of thresholds")
    return [0.5] if num_thresholds == 1 else [index / (num_thresholds - 1) for index in range(num_thresholds)]


class ThresholdMetric(Metric):
    """Base of metrics that gather some of the four counts at thresholds, each in a variable of its name."""

    _direction = "up"
    _counts = COUNTS
    thresholds = ()

    def _make_counts(self, shape):
        for name in self._counts:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def _values(self):
        """The counts so far, in their order."""
        return [getattr(self, name).value for name in self._counts]

    def _prepare(self, y_true, y_pred, sample_weight):
        """Targets, outputs and weights of one shape, top k and class chosen."""
        y_pred = jnp.asarray(unwrap(y_pred), self.dtype)
        y_true, y_pred = aligned(jnp.asarray(unwrap(y_true), self.dtype), y_pred)
        weights = jnp.ones((), self.dtype) if sample_weight is None else jnp.asarray(unwrap(sample_weight), self.dtype)
        weights, spread_pred = broadcast_to_outputs(weights, y_pred)
        y_true, y_pred = y_true.reshape(spread_pred.shape), spread_pred
        weights = jnp.broadcast_to(weights, y_pred.shape)
        top_k, class_id = getattr(self, "top_k", None), getattr(self, "class_id", None)
        if top_k is not None:
            y_pred = only_top(y_pred, top_k)
        if class_id is not None:
            if y_pred.ndim < 2:
                raise ShapeError(
                    f"class_id={class_id} is a column of outputs (samples, classes); got shape {y_pred.shape}.",
                    fix="Leave class_id out, or give the outputs of all classes.",
                )
            y_true, y_pred, weights = (array[..., class_id] for array in (y_true, y_pred, weights))
        return y_true, y_pred, weights

    def update_state(self, y_true, y_pred, sample_weight=None):
        prepared = self._prepare(y_true, y_pred, sample_weight)
        for name, count in confusion_counts(*prepared, self.thresholds, self._counts).items():
            getattr(self, name).assign_add(count)


def _checked(thresholds, default):
    """A list of thresholds in [0, 1] from a number, a list, or None."""
    thresholds = default if thresholds is None else thresholds
    thresholds = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    if any(t is None or (not 0 <= t <= 1 and t != OUT_OF_TOP) for t in thresholds):
        raise ConfigError(f"Thresholds lie in [0, 1]; got {thresholds}.")
    return thresholds


def _scalar_of_one(values):
    return values[0] if values.shape[0] == 1 else values


class _AtThresholds(ThresholdMetric):
    """A metric whose `thresholds` may be given as a number, a list or None."""

    def _set_thresholds(self, thresholds, default=0.5):
        self.init_thresholds = thresholds
        self.thresholds = _checked(thresholds, default)

    def _argument(self, name, parameter, owner):
        return self.init_thresholds if name == "thresholds" else super()._argument(name, parameter, owner)


class _OneCount(_AtThresholds):
    _direction = None
    _count = ""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self._set_thresholds(thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true, y_pred, sample_weight=None):
        prepared = self._prepare(y_true, y_pred, sample_weight)
        self.accumulator.assign_add(confusion_counts(*prepared, self.thresholds, (self._count,))[self._count])

    def result(self):
        return _scalar_of_one(self.accumulator.value)


class TruePositives(_OneCount):
    """The (weighted) number of outputs above the threshold whose target is 1, for each threshold (None is 0.5).

    >>> import lamina as keras
    >>> float(keras.metrics.TruePositives()([0, 1, 1, 1], [0.0, 1.0, 0.2, 0.9]))
    2.0
    """

    _count = "true_positives"


class FalsePositives(_OneCount):
    """The (weighted) number of outputs above the threshold whose target is 0, for each threshold (None is 0.5)."""

    _count = "false_positives"


class TrueNegatives(_OneCount):
    """The (weighted) number of outputs not above the threshold whose target is 0, for each threshold (None is 0.5)."""

    _count = "true_negatives"


class FalseNegatives(_OneCount):
    """The (weighted) number of outputs not above the threshold whose target is 1, for each threshold (None is 0.5)."""

    _count = "false_negatives"


class _Ratio(_AtThresholds):
    """true_positives / (true_positives + the other count)."""

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.top_k, self.class_id = top_k, class_id
        self._set_thresholds(thresholds, 0.5 if top_k is None else OUT_OF_TOP)
        self._make_counts((len(self.thresholds),))

    def result(self):
        hits, misses = self._values()
        return _scalar_of_one(divide_no_nan(hits, hits + misses))


class Precision(_Ratio):
    """true positives / (true + false positives): how many of those said to be positive are.

    Args:
        thresholds: a number or a list in [0, 1]; None is 0.5, or every output of the top k.
        top_k: only the k largest outputs of a sample say yes.
        class_id: look at this column only.

    >>> import lamina as keras
    >>> float(keras.metrics.Precision()([0, 1, 1, 1], [1.0, 0.0, 1.0, 0.0]))
    0.5
    """

    _counts = ("true_positives", "false_positives")


class Recall(_Ratio):
    """true positives / (true positives + false negatives): how many of the positives were found.

    >>> import lamina as keras
    >>> float(keras.metrics.Recall()([0, 1, 1, 1, 1], [1.0, 0.0, 1.0, 0.0, 0.0]))
    0.25
    """

    _counts = ("true_positives", "false_negatives")


class _BestAt(ThresholdMetric):
    """The best of one rate over the thresholds where another is at least a given value; 0 where none is."""

    _value = ""  # the argument that holds that value

    def _start(self, num_thresholds, class_id):
        value = getattr(self, self._value)
        if not 0 <= value <= 1:
            raise ConfigError(f"{self._value} lies in [0, 1]; got {value}.")
        if num_thresholds <= 0:
            raise ConfigError(f"num_thresholds is 1 or more; got {num_thresholds}.")
        self.num_thresholds, self.class_id = num_thresholds, class_id
        self.thresholds = evenly(num_thresholds)
        self._make_counts((num_thresholds,))

    def result(self):
        constrained, wanted = self._rates(*self._values())
        return jnp.max(jnp.where(constrained >= getattr(self, self._value), wanted, 0), initial=0)

    def _rates(self, tp, fp, tn, fn):
        raise NotImplementedError


class SensitivityAtSpecificity(_BestAt):
    """The best sensitivity, tp / (tp + fn), where specificity, tn / (tn + fp), is at least the given one.

    >>> import lamina as keras
    >>> float(keras.metrics.SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    _value = "specificity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.specificity = specificity
        self._start(num_thresholds, class_id)

    def _rates(self, tp, fp, tn, fn):
        return divide_no_nan(tn, tn + fp), divide_no_nan(tp, tp + fn)


class SpecificityAtSensitivity(_BestAt):
    """The best specificity, tn / (tn + fp), where sensitivity, tp / (tp + fn), is at least the given one."""

    _value = "sensitivity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.sensitivity = sensitivity
        self._start(num_thresholds, class_id)

    def _rates(self, tp, fp, tn, fn):
        return divide_no_nan(tp, tp + fn), divide_no_nan(tn, tn + fp)


class PrecisionAtRecall(_BestAt):
    """The best precision, tp / (tp + fp), where recall, tp / (tp + fn), is at least the given one."""

    _value = "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.recall = recall
        self._start(num_thresholds, class_id)

    def _rates(self, tp, fp, tn, fn):
        return divide_no_nan(tp, tp + fn), divide_no_nan(tp, tp + fp)


class RecallAtPrecision(_BestAt):
    """The best recall, tp / (tp + fn), where precision, tp / (tp + fp), is at least the given one."""

    _value = "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.precision = precision
        self._start(num_thresholds, class_id)

    def _rates(self, tp, fp, tn, fn):
        return divide_no_nan(tp, tp + fp), divide_no_nan(tp, tp + fn)
