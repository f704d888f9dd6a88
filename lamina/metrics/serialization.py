"""Metrics by name, and as dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.core.context import snake_case
from lamina.core.family import Family
from lamina.core.registry import names_of, public_functions
from lamina.core.typing import Config
from lamina.legacy import SHORT_LOSS_NAMES
from lamina.metrics.accuracy import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from lamina.metrics.metric import Metric, MetricLike
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
_classes = {snake_case(name): name for name in names_of("keras.metrics") if name[0].isupper()}
_aliases = {**_classes, **{short: _classes[name] for short, name in SHORT_LOSS_NAMES.items() if name in _classes}}

public_functions("keras.metrics", {function.__name__: function for function in _own_functions})
_FAMILY = Family("metric", "keras.metrics", base=Metric, aliases=_aliases, also_in=("keras.losses",))


def get(identifier: MetricLike | None) -> Any:
    """The metric that a name, a config, a class or an object stands for.

    Args:
        identifier: Name, config, class, function or object; None gives None.

    Raises:
        ConfigError: The name is unknown, or the value is of another kind.
    """
    return _FAMILY.get(identifier)


def serialize(metric: Any) -> Config:
    """A JSON-able description of a metric, as files hold it.

    Args:
        metric: Object or function that is described.
    """
    return _FAMILY.serialize(metric)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The metric that a name or a description stands for.

    Args:
        config: Name, or what `serialize` returned.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    return _FAMILY.deserialize(config, custom_objects)
