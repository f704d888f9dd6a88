"""Means of the losses: each metric here is the mean of one loss function over all samples seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lamina import losses
from lamina.metrics.reduction import MeanMetricWrapper

if TYPE_CHECKING:
    from lamina.losses.loss import DTypeOrPolicy

__all__ = [
    "BinaryCrossentropy", "CategoricalCrossentropy", "CategoricalHinge", "Hinge", "KLDivergence", "LogCoshError",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError", "MeanSquaredLogarithmicError", "Poisson",
    "SparseCategoricalCrossentropy", "SquaredHinge",
]  # fmt: skip


class MeanSquaredError(MeanMetricWrapper):
    """The mean of (y_true - y_pred)^2.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.MeanSquaredError()([[0.0], [1.0]], [[1.0], [1.0]]))
    0.5
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """The mean of |y_true - y_pred|.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.MeanAbsoluteError()([[0.0], [1.0]], [[1.0], [1.0]]))
    0.5
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(losses.mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(MeanMetricWrapper):
    """The mean of 100 |(y_true - y_pred) / y_true|.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.MeanAbsolutePercentageError()([[4.0, 2.0]], [[3.0, 2.0]]))
    12.5
    """

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(losses.mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(MeanMetricWrapper):
    """The mean of (log(1 + y_true) - log(1 + y_pred))^2.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.MeanSquaredLogarithmicError()([[1.0]], [[1.0]]))
    0.0
    """

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(losses.mean_squared_logarithmic_error, name, dtype)


class LogCoshError(MeanMetricWrapper):
    """The mean of log(cosh(y_pred - y_true)).

    Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.LogCoshError()([[1.0]], [[1.0]]))
    0.0
    """

    def __init__(self, name: str | None = "logcosh", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(losses.log_cosh, name, dtype)


class BinaryCrossentropy(MeanMetricWrapper):
    """The mean of -(y log p + (1 - y) log(1 - p)), for targets y in [0, 1] and probabilities p.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        from_logits: Whether y_pred holds logits, the values before a sigmoid, instead of probabilities.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / 2.

    >>> import lamina as keras
    >>> float(keras.metrics.BinaryCrossentropy()([[1.0]], [[0.5]]))
    0.6931471824645996
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: DTypeOrPolicy = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """The mean of -sum(y log p), for one-hot targets y and probabilities p.

    Shapes: one-hot targets and outputs (batch, ..., classes).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        from_logits: Whether y_pred holds logits, the values before a softmax, instead of probabilities.
        label_smoothing: Number s in [0, 1]; targets become y (1 - s) + s / classes.
        axis: Axis of the classes.

    >>> import lamina as keras
    >>> float(keras.metrics.CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]))
    0.6931471824645996
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: DTypeOrPolicy = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.categorical_crossentropy, name, dtype,
            from_logits=from_logits, label_smoothing=label_smoothing, axis=axis,
        )  # fmt: skip


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """The mean of -log p[y], for targets y that are class numbers.

    Shapes: class numbers (batch, ...) or (batch, ..., 1), outputs (batch, ..., classes).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        from_logits: Whether y_pred holds logits, the values before a softmax, instead of probabilities.
        ignore_class: Class number whose places count as 0; None means none.
        axis: Axis of the classes.

    >>> import lamina as keras
    >>> float(keras.metrics.SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]))
    0.6931471824645996
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: DTypeOrPolicy = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(
            losses.sparse_categorical_crossentropy, name, dtype,
            from_logits=from_logits, ignore_class=ignore_class, axis=axis,
        )  # fmt: skip


class KLDivergence(MeanMetricWrapper):
    """The mean of sum(y log(y / p)), for target distributions y and predicted distributions p.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
    0.0
    """

    def __init__(self, name: str | None = "kl_divergence", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(losses.kl_divergence, name, dtype)


class Poisson(MeanMetricWrapper):
    """The mean of p - y log p, for counts y and expected counts p.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.Poisson()([[0.0]], [[1.0]]))
    1.0
    """

    def __init__(self, name: str | None = "poisson", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(losses.poisson, name, dtype)


class Hinge(MeanMetricWrapper):
    """The mean of max(1 - y_true y_pred, 0).

    Shapes: targets -1 or 1 (0 or 1 are converted) and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.Hinge()([[1.0, -1.0]], [[0.5, 0.5]]))
    1.0
    """

    def __init__(self, name: str | None = "hinge", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(losses.hinge, name, dtype)


class SquaredHinge(MeanMetricWrapper):
    """The mean of max(1 - y_true y_pred, 0)^2.

    Shapes: targets -1 or 1 (0 or 1 are converted) and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.SquaredHinge()([[1.0, -1.0]], [[0.5, 0.5]]))
    1.25
    """

    def __init__(self, name: str | None = "squared_hinge", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(losses.squared_hinge, name, dtype)


class CategoricalHinge(MeanMetricWrapper):
    """The mean of max(max((1 - y) p) - sum(y p) + 1, 0), for one-hot targets y and outputs p.

    Shapes: one-hot targets and outputs (batch, ..., classes).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.CategoricalHinge()([[0.0, 1.0]], [[0.5, 0.75]]))
    0.75
    """

    def __init__(self, name: str | None = "categorical_hinge", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(losses.categorical_hinge, name, dtype)
