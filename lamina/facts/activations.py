"""Activations: which one a layer or an op computes, what it does to values, and the bounds of its outputs."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from lamina.core.op import OpCall
from lamina.core.registry import is_builtin
from lamina.layers.base.traits import has_trait

__all__ = [
    "SATURATION", "Bounds", "activation_name", "activation_of", "bounds_of", "builtin_activation", "is_activation",
    "meaning_of_activation",
]  # fmt: skip

_OWN_FUNCTION = "a function of your own"
_MEANINGS = {
    "relu": "relu sets negative values to 0 and leaves the others unchanged",
    "sigmoid": "sigmoid maps each value to between 0 and 1 independently: several may be near 1 at once",
    "tanh": "tanh maps each value to between -1 and 1",
    "softmax": "softmax turns the values of the last axis into positive shares that add up to 1",
    "linear": "linear leaves the values unchanged",
    "gelu": "gelu is a smooth relu: each value times the probability that a standard normal variable is below it",
    "silu": "silu is a smooth relu: each value times its sigmoid",
    "swish": "swish is a smooth relu: each value times its sigmoid",
    "elu": "elu leaves positive values unchanged and bends negative ones towards -1",
    "selu": "selu is a scaled elu that keeps mean and variance from layer to layer",
    "softplus": "softplus is log(1 + exp(x)): a smooth relu, always positive",
    "softsign": "softsign is x / (1 + |x|): between -1 and 1",
    "leaky_relu": "leaky_relu multiplies negative values by a small factor and leaves the others unchanged",
    "relu6": "relu6 is a relu that stops at 6",
    "exponential": "exponential is exp(x): always positive",
    "hard_sigmoid": "hard_sigmoid is a sigmoid made of straight lines: between 0 and 1",
    "log_softmax": "log_softmax returns the logarithms of what softmax returns",
    "mish": "mish is a smooth relu: x * tanh(softplus(x))",
    "log_sigmoid": "log_sigmoid returns the logarithm of what sigmoid returns",
    "hard_tanh": "hard_tanh is a tanh made of straight lines: between -1 and 1",
    "hard_silu": "hard_silu is a silu made of straight lines",
    "hard_swish": "hard_swish is a swish made of straight lines",
    "celu": "celu leaves positive values unchanged and bends negative ones towards -1",
    "squareplus": "squareplus is (x + sqrt(x^2 + 4)) / 2: a smooth relu, always positive",
}


class Bounds(NamedTuple):
    """Smallest and largest output of an activation.

    Attributes:
        low: Lower bound.
        high: Upper bound, infinity where there is none.
        is_open: Whether the lower bound itself is never reached.
    """

    low: float
    high: float
    is_open: bool = False

    def __str__(self) -> str:
        if math.isfinite(self.high):
            return f"between {self.low:g} and {self.high:g}"
        return f"above {self.low:g}" if self.is_open else f"{self.low:g} or more"


_BOUNDS = {
    "sigmoid": Bounds(0, 1), "hard_sigmoid": Bounds(0, 1), "softmax": Bounds(0, 1), "tanh": Bounds(-1, 1),
    "hard_tanh": Bounds(-1, 1), "softsign": Bounds(-1, 1), "relu": Bounds(0, math.inf), "relu6": Bounds(0, 6),
    "softplus": Bounds(0, math.inf, True), "exponential": Bounds(0, math.inf, True),
}  # fmt: skip
SATURATION: dict[str, tuple[float | None, float]] = {
    "sigmoid": (0.01, 0.99), "tanh": (-0.98, 0.98), "softmax": (None, 0.99),
}  # fmt: skip
"""Outputs beyond these limits are at the flat ends of the activation; None where only the upper end is flat."""


def bounds_of(name: str | None) -> Bounds | None:
    """The Bounds of an activation's outputs; None where it has none or they are not known.

    Args:
        name: Name of the activation.

    >>> str(bounds_of("tanh")), str(bounds_of("relu")), bounds_of("linear")
    ('between -1 and 1', '0 or more', None)
    """
    return _BOUNDS.get(name) if name is not None else None


def activation_name(layer: Any) -> str | None:
    """The name of the function in a layer's `activation` attribute; None where it has none.

    Args:
        layer: Layer.
    """
    activation = getattr(layer, "activation", None)
    if activation is None or isinstance(activation, str):
        return activation
    name = getattr(activation, "__name__", None) or getattr(activation, "_activation_name", None)
    return (name or type(activation).__name__.lower()) if name != "<lambda>" else _OWN_FUNCTION


def activation_of(layer: Any) -> str | None:
    """The name of the activation that a layer or op computes, alone or after something else; None where it has none.

    Args:
        layer: Layer or op.
    """
    if isinstance(layer, OpCall):
        return layer.op_name if layer.op_name in _MEANINGS else None
    return getattr(layer, "_activation_name", None) or activation_name(layer)


def builtin_activation(layer: Any, rank: int) -> str | None:
    """The name of the activation that lamina's own layer or op ends in, "linear" for none; None where only the author
    of the layer knows, or where it is a softmax over another axis than the last.

    Args:
        layer: Layer or op; of a wrapper the layer inside counts.
        rank: How many axes its output has.
    """
    while has_trait(layer, "wrapper") and is_builtin(type(layer)) and hasattr(layer, "layer"):
        layer = layer.layer
    name = activation_of(layer) if is_builtin(type(layer)) else None
    on_last_axis = getattr(layer, "axis", -1) in (-1, None, rank - 1)
    return name if on_last_axis or name != "softmax" else None


def is_activation(layer: Any) -> bool:
    """Whether a layer or op computes an activation and nothing else.

    Args:
        layer: Layer or op.
    """
    return layer.op_name in _MEANINGS if isinstance(layer, OpCall) else has_trait(layer, "activation")


def meaning_of_activation(name: str | None) -> str | None:
    """What an activation does to values; None where this is not known.

    Args:
        name: Name of the activation.
    """
    return _MEANINGS.get(name) if name is not None else None
