"""Losses between numbers: squared, absolute, relative and logarithmic errors, and the angle between vectors."""

import math

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.losses.alignment import pair
from lamina.losses.loss import LossFunctionWrapper
from lamina.runtime import settings

__all__ = [
    "CosineSimilarity",
    "Huber",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "cosine_similarity",
    "huber",
    "l2_normalize",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
]


@op
def mean_squared_error(y_true, y_pred):
    """mean((y_true - y_pred)^2) over the last axis.

    Shapes: (batch, ..., d) twice -> (batch, ...). Targets (batch,) meet outputs (batch, 1); else ShapeError.

    >>> import lamina as keras
    >>> keras.losses.mean_squared_error([[0.0, 1.0]], [[1.0, 1.0]])
    Array([0.5], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    return jnp.mean(jnp.square(y_true - y_pred), axis=-1)


@op
def mean_absolute_error(y_true, y_pred):
    """mean(|y_true - y_pred|) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    >>> import lamina as keras
    >>> keras.losses.mean_absolute_error([[0.0, 1.0]], [[1.0, 1.0]])
    Array([0.5], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    return jnp.mean(jnp.abs(y_true - y_pred), axis=-1)


@op
def mean_absolute_percentage_error(y_true, y_pred):
    """100 mean(|(y_true - y_pred) / y_true|) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    >>> import lamina as keras
    >>> keras.losses.mean_absolute_percentage_error([[4.0, 2.0]], [[3.0, 2.0]])
    Array([12.5], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    return 100 * jnp.mean(jnp.abs((y_true - y_pred) / jnp.maximum(jnp.abs(y_true), settings.epsilon())), axis=-1)


@op
def mean_squared_logarithmic_error(y_true, y_pred):
    """mean((log(1 + y_true) - log(1 + y_pred))^2) over the last axis; values below epsilon count as epsilon.

    Shapes: (batch, ..., d) twice -> (batch, ...).

    >>> import lamina as keras
    >>> keras.losses.mean_squared_logarithmic_error([[1.0]], [[1.0]])
    Array([0.], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    log1p = lambda x: jnp.log(jnp.maximum(x, settings.epsilon()) + 1)  # noqa: E731
    return jnp.mean(jnp.square(log1p(y_true) - log1p(y_pred)), axis=-1)


@op
def huber(y_true, y_pred, delta=1.0):
    """mean of e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2, with e = y_pred - y_true, over the last axis.

    Shapes: (batch, ..., d) twice -> (batch, ...). Huber, 1964.

    >>> import lamina as keras
    >>> keras.losses.huber([[0.0, 0.0]], [[1.0, 3.0]])
    Array([1.5], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    error = jnp.abs(y_pred - y_true)
    return jnp.mean(jnp.where(error <= delta, 0.5 * error**2, delta * error - 0.5 * delta**2), axis=-1)


@op
def log_cosh(y_true, y_pred):
    """mean(log(cosh(y_pred - y_true))) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    >>> import lamina as keras
    >>> keras.losses.log_cosh([[1.0]], [[1.0]])
    Array([0.], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2 * error) - math.log(2), axis=-1)  # log(cosh), without overflow


def l2_normalize(x, axis):
    """x / |x| along `axis`; a zero vector stays zero, with zero gradient."""
    return x * jax.lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis=axis, keepdims=True), settings.epsilon() ** 2))


@op
def cosine_similarity(y_true, y_pred, axis=-1):
    """-sum(y_true / |y_true| * y_pred / |y_pred|) along `axis`: -1 is the same direction, 0 a right angle.

    Shapes: (batch, ..., d) twice -> (batch, ...).

    >>> import lamina as keras
    >>> keras.losses.cosine_similarity([[0.0, 2.0]], [[0.0, 4.0]])
    Array([-1.], dtype=float32)
    """
    y_true, y_pred = pair(y_true, y_pred)
    return -jnp.sum(l2_normalize(y_true, axis) * l2_normalize(y_pred, axis), axis=axis)


class MeanSquaredError(LossFunctionWrapper):
    """The mean of (y_true - y_pred)^2.

    >>> import lamina as keras
    >>> float(keras.losses.MeanSquaredError()([[0.0], [1.0]], [[1.0], [1.0]]))
    0.5
    """

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_error", dtype=None):
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """The mean of |y_true - y_pred|."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_error", dtype=None):
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """The mean of 100 |(y_true - y_pred) / y_true|."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_absolute_percentage_error", dtype=None):
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean of (log(1 + y_true) - log(1 + y_pred))^2."""

    def __init__(self, reduction="sum_over_batch_size", name="mean_squared_logarithmic_error", dtype=None):
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """The mean of minus the cosine between targets and outputs along `axis`."""

    _unwritten = {"axis": -1}

    def __init__(self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None):
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class Huber(LossFunctionWrapper):
    """Squared error near zero and absolute error beyond `delta`."""

    _unwritten = {"delta": 1.0}

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """The mean of log(cosh(y_pred - y_true))."""

    def __init__(self, reduction="sum_over_batch_size", name="log_cosh", dtype=None):
        super().__init__(log_cosh, reduction, name, dtype)
