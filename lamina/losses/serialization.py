"""Losses by name, and as configs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina import legacy
from lamina.core.family import Family
from lamina.core.registry import public_functions
from lamina.core.typing import Config
from lamina.losses import crossentropy, divergence, focal, hinges, overlap, regression, sequence, similarity
from lamina.losses.loss import Loss, LossLike

__all__ = ["deserialize", "get", "serialize"]

_files = (crossentropy, divergence, focal, hinges, overlap, regression, sequence, similarity)
_functions = {name: getattr(file, name) for file in _files for name in file.__all__ if name.islower()}

public_functions("keras.losses", _functions)
_FAMILY = Family("loss", "keras.losses", base=Loss, aliases=legacy.SHORT_LOSS_NAMES)


def get(identifier: LossLike | None) -> Any:
    """A loss from a name, a config, a class or an object.

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
    """A loss from a name or a description.

    Args:
        name: Name, or what `serialize` returned.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    return _FAMILY.deserialize(name, custom_objects)
