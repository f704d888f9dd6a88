"""Metrics between numbers: root mean squared error, angle, correlation, and the share of variance explained."""

import functools

import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.losses.alignment import aligned, aligned_floats, broadcast_to_outputs
from lamina.losses.loss import divide_no_nan
from lamina.losses.regression import l2_normalize
from lamina.metrics.metric import Metric
from lamina.metrics.reduction import Mean, MeanMetricWrapper
from lamina.runtime import settings

__all__ = [
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "PearsonCorrelation",
    "R2Score",
    "RootMeanSquaredError",
    "concordance_correlation",
    "cosine_similarity",
    "pearson_correlation",
]


class RootMeanSquaredError(Mean):
    """sqrt(mean((y_true - y_pred)^2)).

    >>> import lamina as keras
    >>> float(keras.metrics.RootMeanSquaredError()([[0.0], [2.0]], [[2.0], [4.0]]))
    2.0
    """

    _direction = "down"

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):  # pyright: ignore[reportIncompatibleMethodOverride]
        y_true, y_pred = aligned_floats(y_true, y_pred)
        super().update_state(jnp.square(y_pred - y_true), sample_weight)

    def result(self):
        return jnp.sqrt(super().result())


@op
def cosine_similarity(y_true, y_pred, axis=-1):
    """sum(y_true / |y_true| * y_pred / |y_pred|) along `axis`: 1 is the same direction (the loss is minus this)."""
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
def pearson_correlation(y_true, y_pred, axis=-1):
    """cov(y_true, y_pred) / (std(y_true) std(y_pred)) along `axis`; NaN where one is constant.

    Shapes: (batch, ..., d) twice -> (batch, ...).

    >>> import lamina as keras
    >>> float(keras.metrics.pearson_correlation([[0.0, 1.0]], [[0.0, 2.0]])[0].round(3))
    1.0
    """
    _, _, true_variance, pred_variance, covariance = _moments(y_true, y_pred, axis)
    return covariance / jnp.sqrt(true_variance * pred_variance)


@op
def concordance_correlation(y_true, y_pred, axis=-1):
    """2 cov(y, p) / (var(y) + var(p) + (mean(y) - mean(p))^2) along `axis`: 1 only where p equals y.

    Shapes: (batch, ..., d) twice -> (batch, ...). Lin, 1989.

    >>> import lamina as keras
    >>> float(keras.metrics.concordance_correlation([[0.0, 1.0]], [[0.0, 1.0]])[0].round(3))
    1.0
    """
    true_mean, pred_mean, true_variance, pred_variance, covariance = _moments(y_true, y_pred, axis)
    spread_of_means = jnp.square(true_mean - pred_mean)
    return 2 * covariance / (true_variance + pred_variance + spread_of_means + settings.epsilon())


class _MoreIsBetter(MeanMetricWrapper):
    _direction = "up"


class CosineSimilarity(_MoreIsBetter):
    """The mean cosine between targets and outputs along `axis`.

    >>> import lamina as keras
    >>> float(keras.metrics.CosineSimilarity()([[0.0, 2.0]], [[0.0, 4.0]]))
    1.0
    """

    _unwritten = {"axis": -1}

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(cosine_similarity, name, dtype, axis=axis)


class PearsonCorrelation(_MoreIsBetter):
    """The mean of Pearson's correlation between targets and outputs along `axis`."""

    def __init__(self, name="pearson_correlation", dtype=None, axis=-1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(_MoreIsBetter):
    """The mean of Lin's concordance between targets and outputs along `axis`."""

    def __init__(self, name="concordance_correlation", dtype=None, axis=-1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)


class R2Score(Metric):
    """1 - sum((y - p)^2) / sum((y - mean(y))^2): 1 is perfect, 0 is no better than the mean.

    Shapes: (batch, outputs) twice. The variables take their shape at the first update.

    Args:
        class_aggregation: 'uniform_average', 'variance_weighted_average', or None for one score an output.
        num_regressors: number of inputs of the regression, for the adjusted score; 0 for the plain one.

    >>> import lamina as keras
    >>> float(keras.metrics.R2Score()([[1.0], [4.0], [3.0]], [[2.0], [4.0], [4.0]]).round(4)) - 0.5714 < 1e-6
    True
    """

    _direction = "up"

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None):
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ConfigError(
                f"class_aggregation: None, 'uniform_average' or 'variance_weighted_average'; got {class_aggregation!r}."
            )
        if num_regressors < 0:
            raise ConfigError(f"num_regressors is 0 or more; got {num_regressors}.")
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors
        self.num_samples = self.add_variable((), "zeros", dtype=self.dtype, name="num_samples")
        self._built = False

    def _build(self, outputs):
        make = functools.partial(self.add_variable, (outputs,), "zeros", dtype=self.dtype)
        self.squared_sum = make(name="squared_sum")
        self.sum = make(name="sum")
        self.residual = make(name="residual")
        self.count = make(name="count")
        self._built = True

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = aligned(*(jnp.asarray(unwrap(y), self.dtype) for y in (y_true, y_pred)))
        if y_pred.ndim != 2:
            raise ShapeError(f"R2Score takes targets and outputs (batch, outputs); got outputs {y_pred.shape}.")
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

    def result(self):
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
            left = samples - self.num_regressors - 1  # the adjusted score exists with samples left over
            adjusted = 1 - (1 - scores) * divide_no_nan(samples - 1, left)
            scores = jnp.where(left > 0, adjusted, scores)
        return scores
