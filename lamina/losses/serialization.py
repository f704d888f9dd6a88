"""Losses by name, and as dicts."""

from lamina.core import configurable
from lamina.core.configurable import resolver
from lamina.core.registry import public_functions
from lamina.losses.hinges import categorical_hinge, hinge, squared_hinge
from lamina.losses.loss import Loss
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
get = resolver("loss", "keras.losses", base=Loss, aliases=_aliases)


def serialize(loss):
    """A JSON-able description of a loss object or function."""
    return configurable.serialize(loss)


def deserialize(name, custom_objects=None):
    """The loss that a name or a description stands for."""
    if isinstance(name, str):
        return get(name)
    return configurable.deserialize(name, custom_objects, namespaces=("keras.losses",))
