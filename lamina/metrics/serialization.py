"""Metrics by name, and as configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina import legacy
from lamina.core.context import snake_case
from lamina.core.family import Family
from lamina.core.registry import names_of, public_functions
from lamina.core.typing import Config
from lamina.metrics import accuracies, regression
from lamina.metrics.metric import Metric, MetricLike

__all__ = ["deserialize", "get", "serialize"]

_functions = {name: getattr(file, name) for file in (accuracies, regression) for name in file.__all__ if name.islower()}
_classes = {snake_case(name): name for name in names_of("keras.metrics") if name[0].isupper()}
_short = {short: _classes[name] for short, name in legacy.SHORT_LOSS_NAMES.items() if name in _classes}

public_functions("keras.metrics", {"accuracy": accuracies.accuracy, **_functions})
_FAMILY = Family("metric", "keras.metrics", base=Metric, aliases=_classes | _short, also_in=("keras.losses",))


def get(identifier: MetricLike | None) -> Any:
    """A metric from a name, a config, a class or an object.

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
    """A metric from a name or a description.

    Args:
        config: Name, or what `serialize` returned.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    return _FAMILY.deserialize(config, custom_objects)
