"""Metric: a figure gathered over batches in variables of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lamina import initializers
from lamina.core import context
from lamina.core.configurable import Configurable
from lamina.core.context import bind
from lamina.core.variable import Variable
from lamina.errors import CallError
from lamina.losses.loss import compute_dtype

if TYPE_CHECKING:
    from collections.abc import Callable

    from lamina.core.typing import Config

__all__ = ["Metric", "MetricLike"]

MetricLike: TypeAlias = "str | Config | type[Metric] | Metric | Callable[[Any, Any], Any]"
"""A metric as users write it: its name, its config, its class, an object, or a function of y_true and y_pred."""


class Metric(Configurable):
    """Base of metrics: make variables in `__init__`, add to them in `update_state`, give the figure in `result`.

    Args:
        dtype: type of the variables and the result, or a policy; None means floatx.

    >>> import lamina as keras
    >>> class Largest(keras.metrics.Metric):
    ...     def __init__(self, name="largest", **kwargs):
    ...         super().__init__(name=name, **kwargs)
    ...         self.value = self.add_weight(name="value")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.value.assign(max(self.value.value, y_pred.max()))
    ...     def result(self):
    ...         return self.value.value
    >>> metric = Largest()
    >>> metric.update_state(None, np.array([1.0, 3.0]))
    >>> float(metric.result())
    3.0
    """

    _direction = None  # "up" where more is better, "down" where less is: what a callback in mode "auto" goes by

    def __init__(self, dtype=None, name=None):
        self.name = name or context.unique_name(context.snake_case(type(self).__name__))
        self._dtype = compute_dtype(dtype)
        self._variables = []

    @property
    def dtype(self):
        """The type the metric is computed in."""
        return self._dtype

    @property
    def variables(self):
        """Its variables, then those of the metrics it holds."""
        self._check_made()
        parts = list(_parts(vars(self)))
        own = [part for part in parts if isinstance(part, Variable)]
        inner = [variable for part in parts if isinstance(part, Metric) for variable in part.variables]
        return list(dict.fromkeys(own + inner))

    def add_variable(self, shape, initializer, dtype=None, aggregation="sum", name=None):
        """A new variable of this metric. `initializer` None gives zeros."""
        self._check_made()
        with context.path_scope((self.name.replace("/", ">"),)):
            variable = Variable(
                initializer=initializers.get("zeros" if initializer is None else initializer), shape=shape, dtype=dtype,
                trainable=False, autocast=False, aggregation=aggregation, synchronization="on_read", name=name,
            )  # fmt: skip
        self._variables.append(variable)
        return variable

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None):
        """A new variable of this metric, zeros unless an initializer is given."""
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    def update_state(self, *args, **kwargs):
        """Take a batch into account. To be written by each metric."""
        raise NotImplementedError(f"{type(self).__name__} needs an update_state method.")

    def result(self):
        """The figure so far: a scalar, or a dict of scalars. To be written by each metric."""
        raise NotImplementedError(f"{type(self).__name__} needs a result method.")

    def reset_state(self):
        """Start anew."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape))

    def __call__(self, *args, **kwargs):
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables, *args, **kwargs):
        """The values of the variables after a batch, from those before it: a pure function."""
        with self._bound(metric_variables) as slots:
            self.update_state(*args, **kwargs)
            return [slots[variable] for variable in self.variables]

    def stateless_result(self, metric_variables):
        """The figure that values of the variables stand for: a pure function."""
        with self._bound(metric_variables):
            return self.result()

    def stateless_reset_state(self):
        """The values to start from."""
        with self._bound([variable.read() for variable in self.variables]) as slots:
            self.reset_state()
            return [slots[variable] for variable in self.variables]

    def _bound(self, values):
        variables = self.variables
        if len(values) != len(variables):
            raise CallError(f"{self.name} has {len(variables)} variables; got {len(values)} values for them.")
        return bind(variables, values)

    def _check_made(self):
        if "_variables" not in vars(self):
            raise CallError(
                f"{type(self).__name__}.__init__ did not call super().__init__().",
                fix="Make super().__init__(name=name) its first line.",
            )


def _parts(value):
    """The variables and metrics in an object's attributes, in lists, tuples and dicts too."""
    if isinstance(value, (Variable, Metric)):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _parts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _parts(item)
