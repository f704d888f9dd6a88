"""Learning rate schedules: give one as the `learning_rate` of any optimizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.core import serialization
from lamina.core.typing import Config
from lamina.legacy import old_names_of
from lamina.optimizers.schedules.decays import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from lamina.optimizers.schedules.learning_rate_schedule import LearningRateSchedule
from lamina.optimizers.schedules.one_cycle import OneCycle

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


def serialize(learning_rate_schedule: Any) -> Config:
    """A JSON-able description of a schedule, as files hold it.

    Args:
        learning_rate_schedule: Schedule that is described.
    """
    return serialization.serialize(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A schedule from a description.

    Args:
        config: What `serialize` returned.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    return serialization.deserialize(config, custom_objects, namespaces=("keras.optimizers.schedules",))


__getattr__: Any = old_names_of(__name__)
