"""Activations: functions of one tensor, and `get`, which finds one by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax.numpy as jnp

from lamina.core import registry
from lamina.core.family import Family
from lamina.core.typing import Config, Tensor, TensorLike
from lamina.legacy import old_names_of
from lamina.ops import activations
from lamina.ops.simplex import log_softmax, softmax, sparsemax
from lamina.runtime.tracebacks import filters_traceback

from lamina.ops.activations import (  # isort: skip
    celu, elu, exponential, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu, linear, log_sigmoid,
    mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softplus, softsign, sparse_plus, sparse_sigmoid, squareplus,
    tanh, tanh_shrink, threshold,
)  # fmt: skip

__all__ = [
    "celu", "deserialize", "elu", "exponential", "gelu", "get", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu",
    "serialize", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid",
    "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip


ActivationLike: TypeAlias = "str | Config | Callable[..., Any] | None"
"""An activation by its name, its config, or a function of a tensor. None means the identity."""


def gelu(x: TensorLike, approximate: bool = False) -> Any:
    """`x * P(X <= x)` with X standard normal, or its tanh approximation (Hendrycks and Gimpel, 2016, arXiv:1606.08415).

    Args:
        x: Tensor.
        approximate: Whether to compute the tanh approximation.
    """
    return activations.gelu(x, approximate=approximate)


def hard_sigmoid_of_keras_2(x: Tensor) -> Tensor:
    """`clip(0.2 x + 0.5, 0, 1)`: the hard_sigmoid of Keras 1 and 2, which models in their files use."""
    return jnp.clip(0.2 * x + 0.5, 0, 1)


swish = silu
hard_swish = hard_silu
_NAMES = [name for name in __all__ if name not in ("get", "serialize", "deserialize", "swish", "hard_swish")]
registry.public_functions("keras.activations", {name: globals()[name] for name in _NAMES})
registry.public_functions("keras.activations", {"hard_sigmoid_of_keras_2": hard_sigmoid_of_keras_2})
_KEEPING = frozenset(id(globals()[name]) for name in _NAMES if name != "glu")
_ALIASES = {"swish": silu, "hard_swish": hard_silu}
_FAMILY = Family("activation", "keras.activations", aliases=_ALIASES, default=linear)


@filters_traceback
def get(identifier: ActivationLike) -> Callable[..., Any]:
    """An activation from a name, a config, a class or an object.

    Args:
        identifier: Name, config, function or layer; None gives `linear`.

    Raises:
        ConfigError: The name is unknown, or the value is of another kind.
    """
    return _FAMILY.get(identifier)


def keeps_shape(activation: Any) -> bool:
    """Whether the outputs surely have the shape of the inputs: true for the activations of lamina except `glu`.

    >>> keeps_shape(relu), keeps_shape(glu), keeps_shape(lambda x: x)
    (True, False, False)
    """
    return id(activation) in _KEEPING


def serialize(activation: Any) -> str | Config:
    """The name of an activation of lamina; the description of anything else.

    Args:
        activation: Function or object that is described.

    >>> serialize(relu)
    'relu'
    """
    known = registry.function_name(activation)
    return known[1] if known else _FAMILY.serialize(activation)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """An activation from a name or a description.

    Args:
        config: Name, or what `serialize` returned.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    return _FAMILY.deserialize(config, custom_objects)


__getattr__: Any = old_names_of(__name__)
