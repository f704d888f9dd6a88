"""Sums and means over all values seen."""

import jax.numpy as jnp

from lamina.core.keras_tensor import get_mask
from lamina.core.registry import is_builtin
from lamina.core.serialization import serialize
from lamina.core.variable import unwrap
from lamina.errors import ShapeError
from lamina.losses.alignment import same_rank
from lamina.losses.loss import divide_no_nan, masked_weights
from lamina.metrics.metric import Metric

__all__ = ["Mean", "MeanMetricWrapper", "Sum", "per_sample"]


def per_sample(values, sample_weight, reduce, dtype):
    """Weighted values and weights, one each a sample: further axes are reduced, by jnp.sum or jnp.mean."""
    mask = get_mask(values)
    values = jnp.asarray(unwrap(values), dtype)
    if sample_weight is None:
        return _reduced(values, reduce, 1), None
    values, weights = same_rank(values, masked_weights(sample_weight, mask, dtype))
    values = _reduced(values, reduce, weights.ndim)
    if weights.ndim > values.ndim or any(a not in (1, b) for a, b in zip(weights.shape, values.shape, strict=False)):
        raise ShapeError(
            f"Sample weights of shape {weights.shape} do not fit values of shape {values.shape}.",
            fix=f"Give one weight a sample, shape {values.shape[:1]}, or one a value.",
        )
    weights = jnp.broadcast_to(weights, values.shape)
    return _reduced(values * weights, reduce, 1), _reduced(weights, reduce, 1)


def _reduced(values, reduce, rank):
    return reduce(values, axis=tuple(range(rank, values.ndim))) if values.ndim > rank else values


class Sum(Metric):
    """The (weighted) sum of values.

    >>> import lamina as keras
    >>> metric = keras.metrics.Sum()
    >>> metric.update_state([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
    >>> float(metric.result())
    4.0
    """

    def __init__(self, name="sum", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")

    def update_state(self, values, sample_weight=None):
        values, _ = per_sample(values, sample_weight, jnp.sum, self.dtype)
        self.total.assign_add(jnp.sum(values))

    def result(self):
        return self.total.value


class Mean(Metric):
    """The (weighted) mean of values: total / count.

    >>> import lamina as keras
    >>> metric = keras.metrics.Mean()
    >>> metric.update_state([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
    >>> float(metric.result())
    2.0
    """

    def __init__(self, name: str | None = "mean", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable((), "zeros", dtype=self.dtype, name="count")

    def update_state(self, values, sample_weight=None):
        values, weights = per_sample(values, sample_weight, jnp.mean, self.dtype)
        self.total.assign_add(jnp.sum(values))
        self.count.assign_add(values.size if weights is None else jnp.sum(weights))

    def result(self):
        return divide_no_nan(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """The mean of `fn(y_true, y_pred, **kwargs)`, which gives one value a sample. A mask on y_pred weighs it.

    >>> import lamina as keras
    >>> metric = keras.metrics.MeanMetricWrapper(keras.losses.mean_squared_error, name="mse")
    >>> float(metric([[0.0], [1.0]], [[1.0], [1.0]]))
    0.5
    """

    _unwritten = {}  # argument -> the default that its config leaves out, as Keras does

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name=name, dtype=dtype)
        self.fn = fn
        self._settings = tuple(kwargs)
        for key, value in kwargs.items():
            setattr(self, key, value)
        if self._direction is None and is_builtin(fn) and fn.__module__.startswith("lamina.losses"):
            self._direction = "down"

    def update_state(self, y_true, y_pred, sample_weight=None):  # pyright: ignore[reportIncompatibleMethodOverride]
        values = self.fn(y_true, y_pred, **{key: getattr(self, key) for key in self._settings})
        super().update_state(values, sample_weight=masked_weights(sample_weight, get_mask(y_pred), self.dtype))

    def get_config(self):
        config = {k: v for k, v in super().get_config().items() if k not in self._unwritten or v != self._unwritten[k]}
        if "fn" in config:
            config["fn"] = serialize(self.fn)
            config.update({key: serialize(getattr(self, key)) for key in self._settings})
        return config
