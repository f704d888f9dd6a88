"""Losses between numbers: squared, absolute, relative and logarithmic errors, and the angle between vectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.losses.alignment import aligned_floats
from lamina.losses.loss import LossFunctionWrapper
from lamina.runtime import settings

if TYPE_CHECKING:
    from lamina.core.typing import Axes, Tensor, TensorLike
    from lamina.losses.loss import DTypeOrPolicy, Reduction

__all__ = [
    "CosineSimilarity", "Huber", "LogCosh", "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanSquaredError",
    "MeanSquaredLogarithmicError", "cosine_similarity", "huber", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
]  # fmt: skip


@op
def mean_squared_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """mean((y_true - y_pred)^2) over the last axis.

    Shapes: (batch, ..., d) twice -> (batch, ...). Targets (batch,) fit outputs (batch, 1); other shapes that differ
    raise ShapeError.

    Args:
        y_true: Targets, shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).

    >>> import lamina as keras
    >>> keras.losses.mean_squared_error([[0.0, 1.0]], [[1.0, 1.0]])
    Array([0.5], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred)
    return jnp.mean(jnp.square(y_true - y_pred), axis=-1)


@op
def mean_absolute_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """mean(|y_true - y_pred|) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Targets, shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).

    >>> import lamina as keras
    >>> keras.losses.mean_absolute_error([[0.0, 1.0]], [[1.0, 1.0]])
    Array([0.5], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred)
    return jnp.mean(jnp.abs(y_true - y_pred), axis=-1)


@op
def mean_absolute_percentage_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """100 mean(|(y_true - y_pred) / y_true|) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Targets, shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).

    >>> import lamina as keras
    >>> keras.losses.mean_absolute_percentage_error([[4.0, 2.0]], [[3.0, 2.0]])
    Array([12.5], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred)
    return 100 * jnp.mean(jnp.abs((y_true - y_pred) / jnp.maximum(jnp.abs(y_true), settings.epsilon())), axis=-1)


@op
def mean_squared_logarithmic_error(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """mean((log(1 + y_true) - log(1 + y_pred))^2) over the last axis; values below epsilon count as epsilon.

    Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Targets, shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).

    >>> import lamina as keras
    >>> keras.losses.mean_squared_logarithmic_error([[1.0]], [[1.0]])
    Array([0.], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred)
    log1p = lambda x: jnp.log(jnp.maximum(x, settings.epsilon()) + 1)  # noqa: E731
    return jnp.mean(jnp.square(log1p(y_true) - log1p(y_pred)), axis=-1)


@op
def huber(y_true: TensorLike, y_pred: TensorLike, delta: float = 1.0) -> Tensor:
    """mean of e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2, with e = y_pred - y_true, over the last axis.

    Shapes: (batch, ..., d) twice -> (batch, ...). Huber, 1964, https://doi.org/10.1214/aoms/1177703732

    Args:
        y_true: Targets, shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).
        delta: Size of the error above which the loss is linear.

    >>> import lamina as keras
    >>> keras.losses.huber([[0.0, 0.0]], [[1.0, 3.0]])
    Array([1.5], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred)
    error = jnp.abs(y_pred - y_true)
    return jnp.mean(jnp.where(error <= delta, 0.5 * error**2, delta * error - 0.5 * delta**2), axis=-1)


@op
def log_cosh(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """mean(log(cosh(y_pred - y_true))) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Targets, shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).

    >>> import lamina as keras
    >>> keras.losses.log_cosh([[1.0]], [[1.0]])
    Array([0.], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred)
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2 * error) - math.log(2), axis=-1)  # log(cosh), without overflow


def l2_normalize(x: Tensor, axis: Axes) -> Tensor:
    """x / |x| along `axis`; a zero vector stays zero, with gradient 0.

    Args:
        x: Vectors.
        axis: Axis of the vectors.
    """
    return x * jax.lax.rsqrt(jnp.maximum(jnp.sum(jnp.square(x), axis=axis, keepdims=True), settings.epsilon() ** 2))


@op
def cosine_similarity(y_true: TensorLike, y_pred: TensorLike, axis: Axes = -1) -> Tensor:
    """-sum(y_true / |y_true| * y_pred / |y_pred|) along `axis`: -1 is the same direction, 0 a right angle.

    Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Targets, shape (batch, ..., d).
        y_pred: Outputs, shape (batch, ..., d).
        axis: Axis of the vectors.

    >>> import lamina as keras
    >>> keras.losses.cosine_similarity([[0.0, 2.0]], [[0.0, 4.0]])
    Array([-1.], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred)
    return -jnp.sum(l2_normalize(y_true, axis) * l2_normalize(y_pred, axis), axis=axis)


class MeanSquaredError(LossFunctionWrapper):
    """The mean of (y_true - y_pred)^2.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.MeanSquaredError()([[0.0], [1.0]], [[1.0], [1.0]]))
    0.5
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(mean_squared_error, reduction, name, dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """The mean of |y_true - y_pred|.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.MeanAbsoluteError()([[0.0], [1.0]], [[1.0], [1.0]]))
    0.5
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(mean_absolute_error, reduction, name, dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """The mean of 100 |(y_true - y_pred) / y_true|.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.MeanAbsolutePercentageError()([[4.0, 2.0]], [[3.0, 2.0]]))
    12.5
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(mean_absolute_percentage_error, reduction, name, dtype)


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean of (log(1 + y_true) - log(1 + y_pred))^2.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.MeanSquaredLogarithmicError()([[1.0]], [[1.0]]))
    0.0
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(mean_squared_logarithmic_error, reduction, name, dtype)


class CosineSimilarity(LossFunctionWrapper):
    """The mean of minus the cosine between targets and outputs along `axis`.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        axis: Axis of the vectors.
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.CosineSimilarity()([[0.0, 2.0]], [[0.0, 4.0]]))
    -1.0
    """

    _unwritten = {"axis": -1}

    def __init__(
        self,
        axis: int = -1,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(cosine_similarity, reduction, name, dtype, axis=axis)


class Huber(LossFunctionWrapper):
    """The mean of e^2 / 2 where |e| <= delta, else delta |e| - delta^2 / 2, with e = y_pred - y_true.

    Shapes: targets and outputs (batch, ..., d). Huber, 1964, https://doi.org/10.1214/aoms/1177703732

    Args:
        delta: Size of the error above which the loss is linear.
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]]))
    1.5
    """

    _unwritten = {"delta": 1.0}

    def __init__(
        self,
        delta: float = 1.0,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(huber, reduction, name, dtype, delta=delta)


class LogCosh(LossFunctionWrapper):
    """The mean of log(cosh(y_pred - y_true)).

    Shapes: targets and outputs (batch, ..., d).

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.LogCosh()([[1.0]], [[1.0]]))
    0.0
    """

    def __init__(
        self, reduction: Reduction = "sum_over_batch_size", name: str | None = "log_cosh", dtype: DTypeOrPolicy = None
    ) -> None:
        super().__init__(log_cosh, reduction, name, dtype)
