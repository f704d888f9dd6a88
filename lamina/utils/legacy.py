"""keras.utils.legacy and keras.legacy.saving: configs as Keras 2 wrote them, `{"class_name", "config"}`."""

from lamina.core.registry import get_registered_name, get_registered_object
from lamina.errors import ConfigError

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def serialize_keras_object(instance):
    """The old description of an object with `get_config`; of a function its name; of None, None.

    >>> import lamina as keras
    >>> serialize_keras_object(keras.regularizers.L2(0.5))
    {'class_name': 'L2', 'config': {'l2': 0.5}}
    """
    if instance is None:
        return None
    if hasattr(instance, "get_config"):
        return {"class_name": get_registered_name(type(instance)), "config": _plain(instance.get_config())}
    if hasattr(instance, "__name__"):
        return get_registered_name(instance)
    raise ConfigError(f"{instance!r} has neither get_config() nor a name to be written by.")


def _plain(config):
    """The config with the objects inside described in the old way too."""
    if isinstance(config, dict):
        return {key: _plain(value) for key, value in config.items()}
    if hasattr(config, "get_config"):
        return serialize_keras_object(config)
    return config.__name__ if callable(config) and hasattr(config, "__name__") else config


def deserialize_keras_object(identifier, module_objects=None, custom_objects=None, printable_module_name="object"):
    """What an old description means; a name is looked up in the register, `custom_objects` and `module_objects`.

    A name of a class gives an object made without arguments, a name of a function the function.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        found = _known(identifier, module_objects, custom_objects, printable_module_name)
        return found() if isinstance(found, type) else found
    if not isinstance(identifier, dict):
        if callable(identifier):
            return identifier
        raise ConfigError(f"A {printable_module_name} is described by a name or a dict; got {identifier!r}.")
    if "class_name" not in identifier or "config" not in identifier:
        raise ConfigError(f"A description has 'class_name' and 'config'; got {sorted(identifier)}.")
    found = _known(identifier["class_name"], module_objects, custom_objects, printable_module_name)
    if not hasattr(found, "from_config"):
        return found(**identifier["config"])
    return found.from_config(dict(identifier["config"]))


def _known(name, module_objects, custom_objects, what):
    found = get_registered_object(name, custom_objects, module_objects)
    if found is None:
        raise ConfigError(f"Unknown {what}: {name!r}.", fix=f"custom_objects={{{name!r}: ...}}")
    return found
