"""Metric: a number gathered over batches in variables of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lamina import initializers
from lamina.core import context
from lamina.core.configurable import CompilesCalls, Configurable, compiles
from lamina.core.context import bind
from lamina.core.registry import is_builtin
from lamina.core.variable import Variable
from lamina.errors import CallError, MissingMethodError
from lamina.legacy import name_first, warn_renamed_method
from lamina.losses.loss import compute_dtype
from lamina.runtime.tracebacks import filters_traceback

if TYPE_CHECKING:
    from collections.abc import Callable

    from lamina.core.typing import ArrayLike, Config, DTypeLike, ShapeLike, Tensor
    from lamina.initializers import InitializerLike
    from lamina.losses.loss import DTypeOrPolicy

__all__ = ["Metric", "MetricLike"]

MetricLike: TypeAlias = "str | Config | type[Metric] | Metric | Callable[[Any, Any], Any]"
"""A metric as users write it: its name, its config, its class, an object, or a function of y_true and y_pred."""


class Metric(CompilesCalls, Configurable):
    """Base class of metrics. A subclass creates variables in `__init__`, adds to them in `update_state` and computes
    the number from them in `result`.

    Args:
        dtype: Type of the variables and the result, or a dtype policy; None means `keras.config.floatx()`.
        name: Name of the metric, shown in logs; None makes one from the name of the class.

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

    # "up" if more is better, "down" if less is better: what a callback in mode "auto" reads
    _direction: str | None = None
    _set_by_init = "_variables"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in ("update_state", "result"):
            if name in cls.__dict__ and is_builtin(cls):
                setattr(cls, name, compiles(cls.__dict__[name]))

    def __init__(self, dtype: DTypeOrPolicy = None, name: str | None = None) -> None:
        self.name: str = name or context.unique_name(context.snake_case(type(self).__name__))
        self._dtype = compute_dtype(dtype)
        self._variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        """The name of the type the metric is computed in."""
        return self._dtype

    @property
    def variables(self) -> list[Variable]:
        """The variables of the metric, then those of the metrics in its attributes."""
        parts = list(_parts({"_variables": self._variables, **vars(self)}))
        own = [part for part in parts if isinstance(part, Variable)]
        inner = [variable for part in parts if isinstance(part, Metric) for variable in part.variables]
        return list(dict.fromkeys(own + inner))

    def add_variable(
        self,
        shape: ShapeLike,
        initializer: InitializerLike | None,
        dtype: DTypeLike | None = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A new variable of this metric.

        Args:
            shape: Shape of the variable.
            initializer: Initializer of the variable; None means zeros.
            dtype: Type of the variable; None means `keras.config.floatx()`.
            aggregation: How values of several devices become one: "none", "sum", "mean" or "only_first_replica".
            name: Name of the variable.
        """
        with context.path_scope((self.name.replace("/", ">"),)):
            variable = Variable(
                initializer=initializers.get("zeros" if initializer is None else initializer), shape=shape, dtype=dtype,
                trainable=False, autocast=False, aggregation=aggregation, synchronization="on_read", name=name,
            )  # fmt: skip
        self._variables = [*self._variables, variable]
        return variable

    @filters_traceback
    @name_first("name", "shape")
    def add_weight(
        self,
        shape: ShapeLike = (),
        initializer: InitializerLike | None = None,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ) -> Variable:
        """A new variable of this metric.

        Args:
            shape: Shape of the variable.
            initializer: Initializer of the variable; None means zeros.
            dtype: Type of the variable; None means `keras.config.floatx()`.
            name: Name of the variable.
        """
        if isinstance(shape, str):  # Keras 1 and 2: add_weight("total", "zeros")
            shape, initializer = (), shape
        return self.add_variable(shape=shape, initializer=initializer, dtype=dtype, name=name)

    def update_state(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the variables; each metric defines it, most as `update_state(y_true, y_pred, sample_weight)`.

        Args:
            *args: Targets and outputs, or values.
            **kwargs: `sample_weight`, where the metric supports it.
        """
        raise MissingMethodError(
            f"{type(self).__name__} needs an update_state method.",
            fix="def update_state(self, y_true, y_pred, sample_weight=None):",
        )

    def result(self) -> Any:
        """The number so far: a scalar, or a dict of scalars; each metric defines it."""
        raise MissingMethodError(f"{type(self).__name__} needs a result method.", fix="def result(self):")

    def reset_state(self) -> None:
        """Set all variables to zero."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape))

    def reset_states(self) -> None:
        """Call `reset_state()`."""
        warn_renamed_method("Metric", "reset_states")
        self.reset_state()

    @filters_traceback
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch to the variables and return the number so far.

        Args:
            *args: Positional arguments of `update_state`.
            **kwargs: Keyword arguments of `update_state`.
        """
        self.update_state(*args, **kwargs)
        return self.result()

    def stateless_update_state(self, metric_variables: Sequence[ArrayLike], *args: Any, **kwargs: Any) -> list[Tensor]:
        """The values of the variables after a batch; a pure function.

        Args:
            metric_variables: Values of `variables` before the batch.
            *args: Positional arguments of `update_state`.
            **kwargs: Keyword arguments of `update_state`.
        """
        with self._bound(metric_variables) as slots:
            self.update_state(*args, **kwargs)
            return [slots[variable] for variable in self.variables]

    def stateless_result(self, metric_variables: Sequence[ArrayLike]) -> Any:
        """The result for given values of the variables; a pure function.

        Args:
            metric_variables: Values of `variables`.
        """
        with self._bound(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[Tensor]:
        """The values of the variables before the first batch."""
        with self._bound([variable.read() for variable in self.variables]) as slots:
            self.reset_state()
            return [slots[variable] for variable in self.variables]

    def _bound(self, values):
        variables = self.variables
        if len(values) != len(variables):
            raise CallError(
                f"{self.name} has {len(variables)} variables; got {len(values)} values for them.",
                fix="One value for each of metric.variables, in order.",
            )
        return bind(variables, values)


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
