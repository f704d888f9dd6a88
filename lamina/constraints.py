"""Constraints: functions that put a weight back where it may be after each step of an optimizer."""

import jax.numpy as jnp

from lamina.core import configurable, registry
from lamina.core.configurable import Configurable, resolver
from lamina.core.variable import unwrap
from lamina.legacy import old_names_of
from lamina.runtime import settings

__all__ = [
    "Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm", "min_max_norm",
    "non_neg", "serialize", "unit_norm",
]  # fmt: skip


class Constraint(Configurable):
    """`constraint(w)` is the weight nearest to w that is allowed. Subclasses write `__call__(w)`; this one allows all.

    >>> import lamina as keras
    >>> class Symmetric(keras.constraints.Constraint):
    ...     def __call__(self, w):
    ...         return (w + w.T) / 2
    """

    def __call__(self, w):
        return unwrap(w)


def _norm(w, axis):
    return jnp.sqrt(jnp.sum(jnp.square(w), axis=axis, keepdims=True))


class MaxNorm(Constraint):
    """`w * clip(norm, 0, max_value) / norm`, the norm along `axis`: 0 for the weights into each unit of Dense,
    (0, 1, 2) for each filter of Conv2D (Srivastava et al., 2014).

    >>> MaxNorm(1.0)(jnp.array([[3.0], [4.0]])).tolist()
    [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, max_value=2, axis=0):
        self.max_value, self.axis = max_value, axis

    def __call__(self, w):
        w = unwrap(w)
        norm = _norm(w, self.axis)
        return w * (jnp.clip(norm, 0, self.max_value) / (settings.epsilon() + norm))


class MinMaxNorm(Constraint):
    """`w * (rate * clip(norm, min_value, max_value) + (1 - rate) * norm) / norm`, the norm along `axis`."""

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value, self.max_value, self.rate, self.axis = min_value, max_value, rate, axis

    def __call__(self, w):
        w = unwrap(w)
        norm = _norm(w, self.axis)
        desired = self.rate * jnp.clip(norm, self.min_value, self.max_value) + (1 - self.rate) * norm
        return w * (desired / (settings.epsilon() + norm))


class NonNeg(Constraint):
    """`max(w, 0)`."""

    def __call__(self, w):
        w = unwrap(w)
        return w * (w >= 0).astype(w.dtype)


class UnitNorm(Constraint):
    """`w / norm`, the norm along `axis`."""

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        w = unwrap(w)
        return w / (settings.epsilon() + _norm(w, self.axis))


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm
_ALIASES = {"constraint": Constraint, "max_norm": MaxNorm, "min_max_norm": MinMaxNorm, "non_neg": NonNeg,
            "unit_norm": UnitNorm, "maxnorm": MaxNorm, "nonneg": NonNeg, "unitnorm": UnitNorm}  # fmt: skip
get = resolver("constraint", "keras.constraints", base=Constraint, aliases=_ALIASES)


def serialize(constraint):
    """The description of a constraint, as it stands in files."""
    return configurable.serialize(constraint)


def deserialize(config, custom_objects=None):
    """The constraint that `serialize` described."""
    with registry.CustomObjectScope(custom_objects):
        return get(config)


__getattr__ = old_names_of(__name__)
