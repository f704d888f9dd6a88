"""Losses by name, and as dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.core.family import Family
from lamina.core.registry import public_functions
from lamina.core.typing import Config
from lamina.losses.hinges import categorical_hinge, hinge, squared_hinge
from lamina.losses.loss import Loss, LossLike
from lamina.losses.overlap import dice, tversky
from lamina.losses.probabilistic import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from lamina.losses.regression import (
    cosine_similarity,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from lamina.losses.sequence import ctc
from lamina.losses.similarity import circle

__all__ = ["deserialize", "get", "serialize"]

_functions = (
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy, categorical_focal_crossentropy,
    categorical_generalized_cross_entropy, categorical_hinge, cosine_similarity, dice, hinge, huber, kl_divergence,
    log_cosh, mean_absolute_error, mean_absolute_percentage_error, mean_squared_error, mean_squared_logarithmic_error,
    poisson, sparse_categorical_crossentropy, squared_hinge, tversky, circle, ctc,
)  # fmt: skip
_short = {
    "bce": binary_crossentropy,
    "kld": kl_divergence,
    "mae": mean_absolute_error,
    "mape": mean_absolute_percentage_error,
    "mse": mean_squared_error,
    "msle": mean_squared_logarithmic_error,
}
_aliases = {**_short, **{name.upper(): function for name, function in _short.items()}}

public_functions("keras.losses", {function.__name__: function for function in _functions})
_FAMILY = Family("loss", "keras.losses", base=Loss, aliases=_aliases)


def get(identifier: LossLike | None) -> Any:
    """The loss that a name, a config, a class or an object stands for.

    Args:
        identifier: Name, config, class, function or object; None gives None.

    Raises:
        ConfigError: The name is unknown, or the value is of another kind.
    """
    return _FAMILY.get(identifier)


def serialize(loss: Any) -> Config:
    """A JSON-able description of a loss, as files hold it.

    Args:
        loss: Object or function that is described.
    """
    return _FAMILY.serialize(loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The loss that a name or a description stands for.

    Args:
        name: Name, or what `serialize` returned.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    return _FAMILY.deserialize(name, custom_objects)
