"""Sums and means over all values seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.core.keras_tensor import get_mask
from lamina.core.no_values import rewritten
from lamina.core.registry import is_builtin
from lamina.core.serialization import serialize
from lamina.core.variable import unwrap
from lamina.errors import CallError, ShapeError
from lamina.losses.alignment import same_rank
from lamina.losses.loss import check_takes_targets, divide_no_nan, masked_weights
from lamina.metrics.metric import Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from lamina.core.typing import ArrayLike, Config, Tensor
    from lamina.core.variable import Variable
    from lamina.losses.loss import DTypeOrPolicy

__all__ = ["Mean", "MeanMetricWrapper", "Sum"]


def _per_sample(values, sample_weight, reduce, dtype) -> tuple[Tensor, Tensor | None]:
    """Weighted values and weights, one of each per sample: further axes are reduced, by jnp.sum or jnp.mean."""
    mask = get_mask(values)
    values = jnp.asarray(unwrap(values), dtype)
    if sample_weight is None:
        return _reduced(values, reduce, 1), None
    values, weights = same_rank(values, masked_weights(sample_weight, mask, dtype))
    values = values if values.ndim else jnp.broadcast_to(values, weights.shape)  # of a function that took the mean
    values = _reduced(values, reduce, weights.ndim)
    if weights.ndim > values.ndim or any(a not in (1, b) for a, b in zip(weights.shape, values.shape, strict=False)):
        raise ShapeError(
            f"Sample weights of shape {weights.shape} do not fit values of shape {values.shape}.",
            fix=f"Pass one weight per sample, shape {values.shape[:1]}, or one per value.",
        )
    weights = jnp.broadcast_to(weights, values.shape)
    values = jnp.where(weights == 0, 0, values * weights)  # also where a value is NaN
    return _reduced(values, reduce, 1), _reduced(weights, reduce, 1)


def _reduced(values, reduce, rank):
    return reduce(values, axis=tuple(range(rank, values.ndim))) if values.ndim > rank else values


class Sum(Metric):
    """The (weighted) sum of values.

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> metric = keras.metrics.Sum()
    >>> metric.update_state([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
    >>> float(metric.result())
    4.0
    """

    def __init__(self, name: str | None = "sum", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total: Variable = self.add_variable((), "zeros", dtype=self.dtype, name="total")

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add values to the sum.

        Args:
            values: Values, shape (batch, ...).
            sample_weight: Weights that fit the first axes of `values`; None weighs all by 1.
        """
        values, _ = _per_sample(values, sample_weight, jnp.sum, self.dtype)
        self.total.assign_add(jnp.sum(values))

    def result(self) -> Tensor:
        """The sum so far."""
        return self.total.value


class Mean(Metric):
    """The (weighted) mean of values.

    Args:
        name: Name of the metric, shown in logs.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> metric = keras.metrics.Mean()
    >>> metric.update_state([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
    >>> float(metric.result())
    2.0
    """

    def __init__(self, name: str | None = "mean", dtype: DTypeOrPolicy = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total: Variable = self.add_variable((), "zeros", dtype=self.dtype, name="total")
        self.count: Variable = self.add_variable((), "zeros", dtype=self.dtype, name="count")

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Add values to the mean.

        Args:
            values: Values, shape (batch, ...).
            sample_weight: Weights that fit the first axes of `values`; None weighs all by 1.
        """
        values, weights = _per_sample(values, sample_weight, jnp.mean, self.dtype)
        self.total.assign_add(jnp.sum(values))
        self.count.assign_add(values.size if weights is None else jnp.sum(weights))

    def result(self) -> Tensor:
        """The mean so far: total / count, and 0 before the first batch."""
        return divide_no_nan(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """The mean of `fn(y_true, y_pred, **kwargs)`, which returns one value per sample. The mask of y_pred is a weight.

    Args:
        fn: Function of y_true and y_pred.
        name: Name of the metric, shown in logs; None makes one from the name of the class.
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        **kwargs: Further arguments of `fn`, which become attributes of the object.

    >>> import lamina as keras
    >>> metric = keras.metrics.MeanMetricWrapper(keras.losses.mean_squared_error, name="mse")
    >>> float(metric([[0.0], [1.0]], [[1.0], [1.0]]))
    0.5
    """

    _unwritten: dict[str, Any] = {}  # argument -> the default that is left out of the config, as in Keras's files

    def __init__(
        self, fn: Callable[..., Any], name: str | None = None, dtype: DTypeOrPolicy = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if not kwargs:
            check_takes_targets(fn, "metric")
        self.fn: Callable[..., Any] = fn
        self._settings = tuple(kwargs)
        for key, value in kwargs.items():
            setattr(self, key, value)
        if self._direction is None and is_builtin(fn):
            self._direction = {"losses": "down", "metrics": "up"}.get(fn.__module__.split(".")[1])

    def update_state(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> None:
        """Add the values of a batch to the mean.

        Args:
            y_true: Targets, shape (batch, ...).
            y_pred: Outputs, shape (batch, ...).
            sample_weight: Weights of the samples, shape (batch,), or of the single values; None weighs all by 1.
        """
        values = rewritten(self.fn)(y_true, y_pred, **{key: getattr(self, key) for key in self._settings})
        if values is None:
            raise CallError(
                f"The metric {self.name!r} returned None.", fix="return values  # at the end of the function"
            )
        if isinstance(values, tuple):
            raise CallError(
                f"{self.name} returned {len(values)} values; a function gives one metric.",
                fix="metrics=[first, second]  # a function for each",
            )
        super().update_state(values, sample_weight=masked_weights(sample_weight, get_mask(y_pred), self.dtype))

    def get_config(self) -> Config:
        """The arguments by name; for a direct wrapper also `fn` and its further arguments."""
        config = {k: v for k, v in super().get_config().items() if k not in self._unwritten or v != self._unwritten[k]}
        if "fn" in config:
            config["fn"] = serialize(self.fn)
            config.update({key: serialize(getattr(self, key)) for key in self._settings})
        return config


class _HigherIsBetter(MeanMetricWrapper):
    _direction = "up"
