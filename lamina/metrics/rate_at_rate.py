"""The best rate of correct predictions at thresholds where another rate is high enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.errors import ConfigError
from lamina.losses.loss import divide_no_nan
from lamina.metrics.confusion import ThresholdMetric, even_thresholds

if TYPE_CHECKING:
    from lamina.core.typing import Tensor
    from lamina.losses.loss import DTypeOrPolicy

__all__ = ["PrecisionAtRecall", "RecallAtPrecision", "SensitivityAtSpecificity", "SpecificityAtSensitivity"]


class _BestAt(ThresholdMetric):
    """The best of one rate over the thresholds where another is at least a given value; 0 if it is nowhere."""

    _value = ""  # the name of the argument with that value

    def _start(self, num_thresholds, class_id):
        value = getattr(self, self._value)
        if not 0 <= value <= 1:
            raise ConfigError(f"{self._value} lies in [0, 1]; got {value}.", fix=f"{self._value}=0.5")
        if num_thresholds <= 0:
            raise ConfigError(f"num_thresholds is 1 or more; got {num_thresholds}.", fix="num_thresholds=200")
        self.num_thresholds: int = num_thresholds
        self.class_id: int | None = class_id
        self.thresholds: list[float] = even_thresholds(num_thresholds)
        self._add_counts((num_thresholds,))

    def result(self) -> Tensor:
        """The best rate so far."""
        constrained, wanted = self._rates(*self._values())
        return jnp.max(jnp.where(constrained >= getattr(self, self._value), wanted, 0), initial=0)

    def _rates(self, tp, fp, tn, fn):
        raise NotImplementedError


class SensitivityAtSpecificity(_BestAt):
    """The best sensitivity, tp / (tp + fn), over the thresholds with at least the given specificity,
    tn / (tn + fp).

    Shapes: targets 0 or 1 and outputs in [0, 1] (batch, ...).

    Args:
        specificity: Lower bound of specificity, in [0, 1].
        num_thresholds: Number of thresholds, in equal steps from 0 to 1.
        class_id: Column of the outputs and targets to count; None counts all.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    _value = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.specificity: float = specificity
        self._start(num_thresholds, class_id)

    def _rates(self, tp, fp, tn, fn):
        return divide_no_nan(tn, tn + fp), divide_no_nan(tp, tp + fn)


class SpecificityAtSensitivity(_BestAt):
    """The best specificity, tn / (tn + fp), over the thresholds with at least the given sensitivity,
    tp / (tp + fn).

    Shapes: targets 0 or 1 and outputs in [0, 1] (batch, ...).

    Args:
        sensitivity: Lower bound of sensitivity, in [0, 1].
        num_thresholds: Number of thresholds, in equal steps from 0 to 1.
        class_id: Column of the outputs and targets to count; None counts all.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.6666666865348816
    """

    _value = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.sensitivity: float = sensitivity
        self._start(num_thresholds, class_id)

    def _rates(self, tp, fp, tn, fn):
        return divide_no_nan(tp, tp + fn), divide_no_nan(tn, tn + fp)


class PrecisionAtRecall(_BestAt):
    """The best precision, tp / (tp + fp), over the thresholds with at least the given recall, tp / (tp + fn).

    Shapes: targets 0 or 1 and outputs in [0, 1] (batch, ...).

    Args:
        recall: Lower bound of recall, in [0, 1].
        num_thresholds: Number of thresholds, in equal steps from 0 to 1.
        class_id: Column of the outputs and targets to count; None counts all.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    0.5
    """

    _value = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.recall: float = recall
        self._start(num_thresholds, class_id)

    def _rates(self, tp, fp, tn, fn):
        return divide_no_nan(tp, tp + fn), divide_no_nan(tp, tp + fp)


class RecallAtPrecision(_BestAt):
    """The best recall, tp / (tp + fn), over the thresholds with at least the given precision, tp / (tp + fp).

    Shapes: targets 0 or 1 and outputs in [0, 1] (batch, ...).

    Args:
        precision: Lower bound of precision, in [0, 1].
        num_thresholds: Number of thresholds, in equal steps from 0 to 1.
        class_id: Column of the outputs and targets to count; None counts all.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.RecallAtPrecision(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]))
    1.0
    """

    _value = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.precision: float = precision
        self._start(num_thresholds, class_id)

    def _rates(self, tp, fp, tn, fn):
        return divide_no_nan(tp, tp + fp), divide_no_nan(tp, tp + fn)
