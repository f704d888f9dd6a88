"""True and false positives and negatives at thresholds, and precision and recall, which are ratios of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.read_limits import reserve_array
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.losses.alignment import aligned, broadcast_to_outputs, nan_if_not_binary
from lamina.losses.loss import divide_no_nan
from lamina.metrics.metric import Metric

if TYPE_CHECKING:
    from lamina.core.typing import ArrayLike, Tensor
    from lamina.core.variable import Variable
    from lamina.losses.loss import DTypeOrPolicy

__all__ = ["FalseNegatives", "FalsePositives", "Precision", "Recall", "TrueNegatives", "TruePositives"]

COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
OUT_OF_TOP = -1e10  # the value of an output that is not among the top k, and the threshold that all others exceed


def confusion_counts(
    y_true: Tensor,
    y_pred: Tensor,
    weights: Tensor,
    thresholds: Sequence[float],
    names: Sequence[str] = COUNTS,
    per_label: bool = False,
) -> dict[str, Tensor]:
    """The named counts at each threshold: an output above the threshold is a positive. One pass sorts the outputs into
    the intervals between thresholds; cumulative sums over the intervals are the counts.

    Shapes: values of any shape -> (thresholds,); with `per_label` (batch, labels) -> (thresholds, labels).

    Args:
        y_true: Targets; anything but 0 is a positive.
        y_pred: Outputs, of the shape of the targets.
        weights: Weights, of the shape of the targets.
        thresholds: Thresholds in any order.
        names: The counts to compute, a selection of `COUNTS`.
        per_label: Whether each column has counts of its own.
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


def _only_top(y_pred, k):
    """`y_pred` where it is among the k largest of its row, `OUT_OF_TOP` elsewhere."""
    _, indices = jax.lax.top_k(y_pred, k)
    among = jnp.any(jnp.arange(y_pred.shape[-1]) == indices[..., None], axis=-2)
    return jnp.where(among, y_pred, OUT_OF_TOP)


def even_thresholds(num_thresholds: int) -> list[float]:
    """Thresholds from 0 to 1 in equal steps; 0.5 if there is only one.

    Args:
        num_thresholds: Number of thresholds.
    """
    reserve_array((num_thresholds,), 32, "A list of thresholds")
    return [0.5] if num_thresholds == 1 else [index / (num_thresholds - 1) for index in range(num_thresholds)]


class ThresholdMetric(Metric):
    """Base class of metrics that gather some of the four counts at thresholds, each in a variable of its name.

    Args:
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
    """

    _direction: str | None = "up"
    _counts = COUNTS
    thresholds: list[float]

    def _add_counts(self, shape):
        for name in self._counts:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))

    def _values(self):
        """The counts so far, in their order."""
        return [getattr(self, name).value for name in self._counts]

    def _prepare(self, y_true, y_pred, sample_weight) -> tuple[Tensor, Tensor, Tensor]:
        """Targets, outputs and weights of one shape, reduced to `top_k` and `class_id` where these are set."""
        y_pred = jnp.asarray(unwrap(y_pred), self.dtype)
        y_true, y_pred = aligned(jnp.asarray(unwrap(y_true), self.dtype), y_pred)
        weights = jnp.ones((), self.dtype) if sample_weight is None else jnp.asarray(unwrap(sample_weight), self.dtype)
        weights, spread_pred = broadcast_to_outputs(weights, y_pred)
        y_true, y_pred = y_true.reshape(spread_pred.shape), spread_pred
        weights = jnp.broadcast_to(weights, y_pred.shape)
        top_k, class_id = getattr(self, "top_k", None), getattr(self, "class_id", None)
        if top_k is not None:
            y_pred = _only_top(y_pred, top_k)
        if class_id is not None:
            if y_pred.ndim < 2:
                raise ShapeError(
                    f"class_id={class_id} needs outputs of shape (samples, classes); got shape {y_pred.shape}.",
                    fix="Leave class_id out, or pass the outputs of all classes.",
                )
            y_true, y_pred, weights = (array[..., class_id] for array in (y_true, y_pred, weights))
        return y_true, y_pred, jnp.where(weights == 0, weights, nan_if_not_binary(weights, y_true))

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch to the counts.

        Args:
            y_true: Targets 0 or 1, shape (batch, ...).
            y_pred: Outputs in [0, 1], shape (batch, ...).
            sample_weight: Weights of the samples, shape (batch,), or of the single values; None weighs all by 1.
        """
        prepared = self._prepare(y_true, y_pred, sample_weight)
        for name, count in confusion_counts(*prepared, self.thresholds, self._counts).items():
            getattr(self, name).assign_add(count)


def _checked(thresholds, default) -> list[float]:
    """A list of thresholds in [0, 1] from a number, a list, or None."""
    thresholds = default if thresholds is None else thresholds
    thresholds = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    if any(t is None or (not 0 <= t <= 1 and t != OUT_OF_TOP) for t in thresholds):
        raise ConfigError(f"Thresholds lie in [0, 1]; got {thresholds}.", fix="thresholds=0.5")
    return thresholds


def _scalar_of_one(values):
    return values[0] if values.shape[0] == 1 else values


class _AtThresholds(ThresholdMetric):
    """A metric whose argument `thresholds` is a number, a list or None."""

    def _set_thresholds(self, thresholds, default=0.5):
        self.init_thresholds: Any = thresholds
        self.thresholds: list[float] = _checked(thresholds, default)

    def _argument(self, name, parameter, owner):
        return self.init_thresholds if name == "thresholds" else super()._argument(name, parameter, owner)


class _OneCount(_AtThresholds):
    _direction = None
    _count = ""

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._set_thresholds(thresholds)
        self.accumulator: Variable = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch to the counts.

        Args:
            y_true: Targets 0 or 1, shape (batch, ...).
            y_pred: Outputs in [0, 1], shape (batch, ...).
            sample_weight: Weights of the samples, shape (batch,), or of the single values; None weighs all by 1.
        """
        prepared = self._prepare(y_true, y_pred, sample_weight)
        self.accumulator.assign_add(confusion_counts(*prepared, self.thresholds, (self._count,))[self._count])

    def result(self) -> Tensor:
        """The count so far: a scalar for one threshold, else one count per threshold."""
        return _scalar_of_one(self.accumulator.value)


class TruePositives(_OneCount):
    """The (weighted) number of outputs above the threshold whose target is 1, for each threshold.

    Shapes: targets 0 or 1 and outputs in [0, 1] (batch, ...).

    Args:
        thresholds: Number or list of numbers in [0, 1]; None means 0.5.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.TruePositives()([0, 1, 1, 1], [0.0, 1.0, 0.2, 0.9]))
    2.0
    """

    _count = "true_positives"


class FalsePositives(_OneCount):
    """The (weighted) number of outputs above the threshold whose target is 0, for each threshold.

    Shapes: targets 0 or 1 and outputs in [0, 1] (batch, ...).

    Args:
        thresholds: Number or list of numbers in [0, 1]; None means 0.5.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.FalsePositives()([0, 1, 1, 1], [0.0, 1.0, 0.2, 0.9]))
    0.0
    """

    _count = "false_positives"


class TrueNegatives(_OneCount):
    """The (weighted) number of outputs not above the threshold whose target is 0, for each threshold.

    Shapes: targets 0 or 1 and outputs in [0, 1] (batch, ...).

    Args:
        thresholds: Number or list of numbers in [0, 1]; None means 0.5.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.TrueNegatives()([0, 1, 1, 1], [0.0, 1.0, 0.2, 0.9]))
    1.0
    """

    _count = "true_negatives"


class FalseNegatives(_OneCount):
    """The (weighted) number of outputs not above the threshold whose target is 1, for each threshold.

    Shapes: targets 0 or 1 and outputs in [0, 1] (batch, ...).

    Args:
        thresholds: Number or list of numbers in [0, 1]; None means 0.5.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.FalseNegatives()([0, 1, 1, 1], [0.0, 1.0, 0.2, 0.9]))
    1.0
    """

    _count = "false_negatives"


class _Ratio(_AtThresholds):
    """true_positives / (true_positives + the other count)."""

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.top_k: int | None = top_k
        self.class_id: int | None = class_id
        self._set_thresholds(thresholds, 0.5 if top_k is None else OUT_OF_TOP)
        self._add_counts((len(self.thresholds),))

    def result(self) -> Tensor:
        """The ratio so far: a scalar for one threshold, else one per threshold."""
        hits, misses = self._values()
        return _scalar_of_one(divide_no_nan(hits, hits + misses))


class Precision(_Ratio):
    """true positives / (true positives + false positives): the share of the predicted positives that are positive.

    Shapes: targets 0 or 1 and outputs in [0, 1] (batch, ...).

    Args:
        thresholds: Number or list of numbers in [0, 1], above which an output is a positive; None means 0.5, or with
            `top_k` that each of the k largest outputs is a positive.
        top_k: Number of largest outputs of a sample that can be positives; None means all.
        class_id: Column of the outputs and targets to count; None counts all.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.Precision()([0, 1, 1, 1], [1.0, 0.0, 1.0, 0.0]))
    0.5
    """

    _counts = ("true_positives", "false_positives")


class Recall(_Ratio):
    """true positives / (true positives + false negatives): the share of the positives that are found.

    Shapes: targets 0 or 1 and outputs in [0, 1] (batch, ...).

    Args:
        thresholds: Number or list of numbers in [0, 1], above which an output is a positive; None means 0.5, or with
            `top_k` that each of the k largest outputs is a positive.
        top_k: Number of largest outputs of a sample that can be positives; None means all.
        class_id: Column of the outputs and targets to count; None counts all.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.Recall()([0, 1, 1, 1, 1], [1.0, 0.0, 1.0, 0.0, 0.0]))
    0.25
    """

    _counts = ("true_positives", "false_negatives")
