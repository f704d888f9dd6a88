"""Metrics by name, and as dicts."""

from lamina.core import configurable
from lamina.core.configurable import resolver
from lamina.core.context import snake_case
from lamina.core.registry import names_of, public_functions
from lamina.metrics.accuracy import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from lamina.metrics.metric import Metric
from lamina.metrics.regression import (
    concordance_correlation,
    cosine_similarity,
    pearson_correlation,
)

__all__ = ["deserialize", "get", "serialize"]

_own_functions = (
    accuracy, binary_accuracy, categorical_accuracy, concordance_correlation, cosine_similarity, pearson_correlation,
    sparse_categorical_accuracy, sparse_top_k_categorical_accuracy, top_k_categorical_accuracy,
)  # fmt: skip
_short = {
    "bce": "BinaryCrossentropy",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "mse": "MeanSquaredError",
    "msle": "MeanSquaredLogarithmicError",
}
_aliases = {
    **{snake_case(name): name for name in names_of("keras.metrics") if name[0].isupper()},
    **_short,
    **{name.upper(): cls for name, cls in _short.items()},
}

public_functions("keras.metrics", {function.__name__: function for function in _own_functions})
get = resolver("metric", "keras.metrics", base=Metric, aliases=_aliases)


def serialize(metric):
    """A JSON-able description of a metric object or function."""
    return configurable.serialize(metric)


def deserialize(config, custom_objects=None):
    """The metric that a name or a description stands for."""
    if isinstance(config, str):
        return get(config)
    return configurable.deserialize(config, custom_objects, namespaces=("keras.metrics", "keras.losses"))
