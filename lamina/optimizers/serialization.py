"""Optimizers by name, and as dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.core import registry
from lamina.core.family import Family
from lamina.core.typing import Config
from lamina.errors import ConfigError
from lamina.optimizers.optax_optimizer import OptaxOptimizer, is_transformation
from lamina.optimizers.optimizer import Optimizer

__all__ = ["deserialize", "get", "serialize"]

_BY_LOWER_CASE = {name.lower(): name for name in registry.names_of("keras.optimizers") if name[0].isupper()}
_FAMILY = Family("optimizer", "keras.optimizers", Optimizer, aliases=_BY_LOWER_CASE)


def get(identifier: Any) -> Any:
    """An optimizer from a name, a config, a class or an object.

    Args:
        identifier: Name in any case, config, class, Optimizer or transformation of optax; None gives None.

    Raises:
        ConfigError: The name is unknown, or the value is of another kind.

    >>> import lamina as keras
    >>> type(keras.optimizers.get("rmsprop")).__name__
    'RMSprop'
    """
    if isinstance(identifier, str):
        identifier = _BY_LOWER_CASE.get(identifier.lower(), identifier)
    elif isinstance(identifier, dict):
        found = deserialize(identifier)
        if isinstance(found, dict):
            message = f"A config of an optimizer has its class_name; got {identifier!r}."
            raise ConfigError(message, fix="optimizer=keras.optimizers.Adam(learning_rate=0.001)")
        return found
    elif is_transformation(identifier):
        return OptaxOptimizer(identifier)
    found = _FAMILY.get(identifier)
    if found is None or isinstance(found, Optimizer):
        return found
    raise ConfigError(f"An optimizer is a name, a config or an Optimizer; got {identifier!r}.", fix='optimizer="adam"')


def serialize(optimizer: Any) -> Config:
    """A JSON-able description of an optimizer, as files hold it.

    Args:
        optimizer: Optimizer that is described.
    """
    return _FAMILY.serialize(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """An optimizer from a description.

    Args:
        config: What `serialize` returned. Names of lamina's own optimizers are read in any case.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    known = _BY_LOWER_CASE.get(str(config.get("class_name")).lower())
    if known is not None:
        config = {**config, "class_name": known}
    return _FAMILY.deserialize(config, custom_objects)
