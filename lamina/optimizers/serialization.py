"""Optimizers by name, and as dicts."""

from lamina.core import configurable, registry
from lamina.errors import ConfigError
from lamina.optimizers.optax_optimizer import OptaxOptimizer, is_transformation
from lamina.optimizers.optimizer import Optimizer

__all__ = ["deserialize", "get", "serialize"]

_BY_LOWER_CASE = {name.lower(): name for name in registry.names_of("keras.optimizers") if name[0].isupper()}
_get = configurable.resolver("optimizer", "keras.optimizers", Optimizer)


def get(identifier):
    """The optimizer meant by a name in any case, a config, a class or an object; None gives None.

    >>> import lamina as keras
    >>> type(keras.optimizers.get("rmsprop")).__name__
    'RMSprop'
    """
    if isinstance(identifier, str):
        identifier = _BY_LOWER_CASE.get(identifier.lower(), identifier)
    elif isinstance(identifier, dict):
        return deserialize(identifier)
    elif is_transformation(identifier):
        return OptaxOptimizer(identifier)
    found = _get(identifier)
    if found is None or isinstance(found, Optimizer):
        return found
    raise ConfigError(f"An optimizer is a name, a config or an Optimizer; got {identifier!r}.")


def serialize(optimizer):
    """The optimizer as a JSON-able dict."""
    return configurable.serialize(optimizer)


def deserialize(config, custom_objects=None):
    """The optimizer that `serialize` described; the names of lamina's own are read in any case."""
    known = _BY_LOWER_CASE.get(str(config.get("class_name")).lower())
    if known is not None:
        config = {**config, "class_name": known}
    return configurable.deserialize(config, custom_objects, namespaces=("keras.optimizers",))
