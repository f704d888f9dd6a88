"""Metrics between numbers: root mean squared error, angle, correlation, and the share of variance explained."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.losses.alignment import aligned, aligned_floats, broadcast_to_outputs
from lamina.losses.loss import divide_no_nan
from lamina.losses.regression import l2_normalize
from lamina.metrics.metric import Metric
from lamina.metrics.reduction import Mean, _HigherIsBetter
from lamina.runtime import settings

if TYPE_CHECKING:
    from lamina.core.typing import ArrayLike, Axes, Tensor, TensorLike
    from lamina.core.variable import Variable
    from lamina.losses.loss import DTypeOrPolicy

__all__ = [
    "ConcordanceCorrelation", "CosineSimilarity", "PearsonCorrelation", "R2Score", "RootMeanSquaredError",
    "concordance_correlation", "cosine_similarity", "pearson_correlation",
]  # fmt: skip


class RootMeanSquaredError(Mean):
    """sqrt(mean((y_true - y_pred)^2)). Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.RootMeanSquaredError()([[0.0], [2.0]], [[2.0], [4.0]]))
    2.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(name, dtype)

    def update_state(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add a batch to the variables.

        Args:
            y_true: Targets, shape (batch, ..., d).
            y_pred: Outputs, shape (batch, ..., d).
            sample_weight: Weights of the samples, shape (batch,), or of the single values; None weighs all by 1.
        """
        y_true, y_pred = aligned_floats(y_true, y_pred)
        super().update_state(jnp.square(y_pred - y_true), sample_weight)

    def result(self) -> Tensor:
        """The square root of the mean so far."""
        return jnp.sqrt(super().result())


@op
def cosine_similarity(y_true: TensorLike, y_pred: TensorLike, axis: Axes = -1) -> Tensor:
    """sum(y_true / |y_true| * y_pred / |y_pred|) along `axis`: 1 is the same direction. The loss of this
    name is minus this value.

    Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Targets, shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).
        axis: Axis of the vectors.
    """
    y_true, y_pred = aligned_floats(y_true, y_pred)
    return jnp.sum(l2_normalize(y_true, axis) * l2_normalize(y_pred, axis), axis=axis)


def _moments(y_true, y_pred, axis):
    """Means, variances and covariance along `axis`."""
    axis = tuple(axis) if isinstance(axis, list) else axis
    y_true, y_pred = aligned_floats(y_true, y_pred)
    means = [jnp.mean(y, axis=axis, keepdims=True) for y in (y_true, y_pred)]
    a, b = y_true - means[0], y_pred - means[1]
    variances = [jnp.mean(jnp.square(y), axis=axis) for y in (a, b)]
    return *(jnp.squeeze(mean, axis) for mean in means), *variances, jnp.mean(a * b, axis=axis)


@op
def pearson_correlation(y_true: TensorLike, y_pred: TensorLike, axis: Axes = -1) -> Tensor:
    """cov(y_true, y_pred) / (std(y_true) std(y_pred)) along `axis`; NaN where one is constant.

    Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Targets, shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).
        axis: Axis of the vectors.

    >>> import lamina as keras
    >>> float(keras.metrics.pearson_correlation([[0.0, 1.0]], [[0.0, 2.0]])[0].round(3))
    1.0
    """
    _, _, true_variance, pred_variance, covariance = _moments(y_true, y_pred, axis)
    return covariance / jnp.sqrt(true_variance * pred_variance)


@op
def concordance_correlation(y_true: TensorLike, y_pred: TensorLike, axis: Axes = -1) -> Tensor:
    """2 cov(y, p) / (var(y) + var(p) + (mean(y) - mean(p))^2) along `axis`: 1 only where p equals y.

    Shapes: (batch, ..., d) twice -> (batch, ...). Lin, 1989, https://doi.org/10.2307/2532051

    Args:
        y_true: Targets, shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).
        axis: Axis of the vectors.

    >>> import lamina as keras
    >>> float(keras.metrics.concordance_correlation([[0.0, 1.0]], [[0.0, 1.0]])[0].round(3))
    1.0
    """
    true_mean, pred_mean, true_variance, pred_variance, covariance = _moments(y_true, y_pred, axis)
    squared_difference = jnp.square(true_mean - pred_mean)
    return 2 * covariance / (true_variance + pred_variance + squared_difference + settings.epsilon())


class CosineSimilarity(_HigherIsBetter):
    """The mean cosine between targets and outputs along `axis`.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        axis: Axis of the vectors.

    >>> import lamina as keras
    >>> round(float(keras.metrics.CosineSimilarity()([[0.0, 2.0]], [[0.0, 4.0]])), 3)
    1.0
    """

    _unwritten = {"axis": -1}

    def __init__(self, name: str | None = "cosine_similarity", dtype: DTypeOrPolicy = None, axis: int = -1) -> None:
        super().__init__(cosine_similarity, name, dtype, axis=axis)


class PearsonCorrelation(_HigherIsBetter):
    """The mean of Pearson's correlation between targets and outputs along `axis`.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        axis: Axis of the vectors.

    >>> import lamina as keras
    >>> round(float(keras.metrics.PearsonCorrelation()([[0.0, 1.0]], [[0.0, 2.0]])), 3)
    1.0
    """

    def __init__(self, name: str | None = "pearson_correlation", dtype: DTypeOrPolicy = None, axis: Axes = -1) -> None:
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(_HigherIsBetter):
    """The mean of Lin's concordance between targets and outputs along `axis`: 1 only if they are equal. Lin, 1989,
    https://doi.org/10.2307/2532051

    Shapes: targets and outputs (batch, ..., d).

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        axis: Axis of the vectors.

    >>> import lamina as keras
    >>> round(float(keras.metrics.ConcordanceCorrelation()([[0.0, 1.0]], [[0.0, 1.0]])), 3)
    1.0
    """

    def __init__(
        self, name: str | None = "concordance_correlation", dtype: DTypeOrPolicy = None, axis: Axes = -1
    ) -> None:
        super().__init__(concordance_correlation, name, dtype, axis=axis)


class R2Score(Metric):
    """1 - sum((y - p)^2) / sum((y - mean(y))^2), for targets y and outputs p: 1 is perfect, 0 is as good as the mean.

    Shapes: targets and outputs (batch, outputs). The first update creates the variables.

    Args:
        class_aggregation: "uniform_average", "variance_weighted_average", or None for one score per output.
        num_regressors: Number of independent variables, for the adjusted score; 0 gives the plain score.
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]).round(4)) - 0.5714 < 1e-6
    True
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ConfigError(
                "class_aggregation is None, 'uniform_average' or 'variance_weighted_average'; "
                f"got {class_aggregation!r}.",
                fix='class_aggregation="uniform_average"',
            )
        if num_regressors < 0:
            raise ConfigError(f"num_regressors is 0 or more; got {num_regressors}.", fix="num_regressors=0")
        self.class_aggregation: str | None = class_aggregation
        self.num_regressors: int = num_regressors
        self.num_samples: Variable = self.add_variable((), "zeros", dtype=self.dtype, name="num_samples")
        self._built = False

    def _build(self, outputs):
        make = functools.partial(self.add_variable, (outputs,), "zeros", dtype=self.dtype)
        self.squared_sum: Variable = make(name="squared_sum")
        self.sum: Variable = make(name="sum")
        self.residual: Variable = make(name="residual")
        self.count: Variable = make(name="count")
        self._built = True

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add a batch to the variables.

        Args:
            y_true: Targets, shape (batch, outputs).
            y_pred: Outputs, shape (batch, outputs).
            sample_weight: Weights of the samples, shape (batch,), or of the single values; None weighs all by 1.
        """
        y_true, y_pred = aligned(jnp.asarray(unwrap(y_true), self.dtype), jnp.asarray(unwrap(y_pred), self.dtype))
        if y_pred.ndim != 2:
            raise ShapeError(
                f"R2Score needs targets and outputs of shape (batch, outputs); got outputs of shape {y_pred.shape}.",
                fix="y[:, None] has shape (batch, 1).",
            )
        if not self._built:
            self._build(y_pred.shape[1])
        weights = jnp.ones((y_pred.shape[0], 1), self.dtype)
        if sample_weight is not None:
            weights, _ = broadcast_to_outputs(jnp.asarray(unwrap(sample_weight), self.dtype), y_pred)
        weights = jnp.broadcast_to(weights, y_pred.shape)
        self.sum.assign_add(jnp.sum(y_true * weights, axis=0))
        self.squared_sum.assign_add(jnp.sum(jnp.square(y_true) * weights, axis=0))
        self.residual.assign_add(jnp.sum(jnp.square(y_true - y_pred) * weights, axis=0))
        self.count.assign_add(jnp.sum(weights, axis=0))
        self.num_samples.assign_add(y_pred.size)

    def result(self) -> Tensor:
        """The score so far, 0 before the first batch; with `class_aggregation=None` one score per output."""
        if not self._built:
            return jnp.zeros((), self.dtype)
        total = self.squared_sum.value - jnp.square(self.sum.value) / self.count.value
        scores = 1 - self.residual.value / total
        scores = jnp.where(jnp.isinf(scores), 0, scores)
        if self.class_aggregation == "uniform_average":
            scores = jnp.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = jnp.sum(scores * total) / jnp.sum(total)
        if self.num_regressors:
            samples = self.num_samples.value
            left = samples - self.num_regressors - 1  # the adjusted score needs more samples than regressors
            adjusted = 1 - (1 - scores) * divide_no_nan(samples - 1, left)
            scores = jnp.where(left > 0, adjusted, scores)
        return scores
