"""Constraints: functions that an optimizer applies to a weight after each step, to keep it among allowed values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax.numpy as jnp

from lamina.core.configurable import Configurable
from lamina.core.family import Family
from lamina.core.typing import ArrayLike, Axes, Config, Tensor
from lamina.core.variable import to_array, unwrap
from lamina.legacy import old_names_of
from lamina.runtime import settings
from lamina.runtime.tracebacks import filters_traceback

__all__ = [
    "Constraint", "ConstraintLike", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm",
    "min_max_norm", "non_neg", "serialize", "unit_norm",
]  # fmt: skip


ConstraintLike: TypeAlias = "str | Config | Callable[..., Any] | Constraint | None"
"""A constraint by its name, its config, a function of a tensor, or an object."""


class Constraint(Configurable):
    """Base of all constraints: `constraint(w)` returns the allowed weight nearest to `w`. Subclasses write
    `__call__(self, w)`; the base class allows every weight.

    >>> import lamina as keras
    >>> class Symmetric(keras.constraints.Constraint):
    ...     def __call__(self, w):
    ...         return (w + w.T) / 2
    """

    def __call__(self, w: ArrayLike) -> Tensor:
        return unwrap(w)


def _norm(w, axis):
    return jnp.sqrt(jnp.sum(jnp.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """`w * clip(norm, 0, max_value) / norm`, the norm along `axis`: 0 for the weights into each unit of Dense,
    (0, 1, 2) for each filter of Conv2D (Srivastava et al., 2014).

    Args:
        max_value: Largest norm.
        axis: Axis or axes along which the norm is computed.

    >>> MaxNorm(1.0)(jnp.array([[3.0], [4.0]])).tolist()
    [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, max_value: float = 2, axis: Axes = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: ArrayLike) -> Tensor:
        weight = to_array(unwrap(w))
        norm = _norm(weight, self.axis)
        return weight * (jnp.clip(norm, 0, self.max_value) / (settings.epsilon() + norm))


class MinMaxNorm(Constraint):
    """`w * (rate * clip(norm, min_value, max_value) + (1 - rate) * norm) / norm`, the norm along `axis`.

    Args:
        min_value: Smallest norm.
        max_value: Largest norm.
        rate: Share of the correction that each step makes, from 0 to 1.
        axis: Axis or axes along which the norm is computed.
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axes = 0) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: ArrayLike) -> Tensor:
        weight = to_array(unwrap(w))
        norm = _norm(weight, self.axis)
        desired = self.rate * jnp.clip(norm, self.min_value, self.max_value) + (1 - self.rate) * norm
        return weight * (desired / (settings.epsilon() + norm))


class NonNeg(Constraint):
    """`max(w, 0)`."""

    def __call__(self, w: ArrayLike) -> Tensor:
        weight = to_array(unwrap(w))
        return weight * (weight >= 0).astype(weight.dtype)


class UnitNorm(Constraint):
    """`w / norm`, the norm along `axis`.

    Args:
        axis: Axis or axes along which the norm is computed.
    """

    def __init__(self, axis: Axes = 0) -> None:
        self.axis = axis

    def __call__(self, w: ArrayLike) -> Tensor:
        weight = to_array(unwrap(w))
        return weight / (settings.epsilon() + _norm(weight, self.axis))


max_norm = MaxNorm
min_max_norm = MinMaxNorm
non_neg = NonNeg
unit_norm = UnitNorm
_ALIASES = {"constraint": Constraint, "max_norm": MaxNorm, "min_max_norm": MinMaxNorm, "non_neg": NonNeg,
            "unit_norm": UnitNorm, "maxnorm": MaxNorm, "nonneg": NonNeg, "unitnorm": UnitNorm}  # fmt: skip
_FAMILY = Family("constraint", "keras.constraints", base=Constraint, aliases=_ALIASES)


@filters_traceback
def get(identifier: ConstraintLike) -> Any:
    """A constraint from a name, a config, a class or an object.

    Args:
        identifier: Name, config, class, function or object; None gives None.

    Raises:
        ConfigError: The name is unknown, or the value is of another kind.
    """
    return _FAMILY.get(identifier)


def serialize(constraint: Any) -> Config:
    """A JSON-able description of a constraint, as files hold it.

    Args:
        constraint: Object or function that is described.
    """
    return _FAMILY.serialize(constraint)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A constraint from a name or a description.

    Args:
        config: Name, or what `serialize` returned.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    return _FAMILY.deserialize(config, custom_objects)


__getattr__: Any = old_names_of(__name__)
