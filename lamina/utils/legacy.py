"""keras.utils.legacy and keras.legacy.saving: configs as Keras 2 wrote them, `{"class_name", "config"}`."""

from __future__ import annotations

from typing import Any

from lamina.core.registry import get_registered_name, get_registered_object
from lamina.errors import ConfigError

__all__ = ["deserialize_keras_object", "serialize_keras_object"]


def serialize_keras_object(instance: Any) -> Any:
    """The description of an object in the form of Keras 2.

    Args:
        instance: Object with `get_config`, a function, or None.

    Returns:
        A dict with "class_name" and "config"; for a function its name; for None, None.

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
    raise ConfigError(f"An object to serialize needs get_config() or a __name__; got {instance!r}.",
                      fix="def get_config(self): return {}  # its arguments, by name")  # fmt: skip


def _plain(config):
    """The config, with the objects in it in the form of Keras 2 as well."""
    if isinstance(config, dict):
        return {key: _plain(value) for key, value in config.items()}
    if hasattr(config, "get_config"):
        return serialize_keras_object(config)
    return config.__name__ if callable(config) and hasattr(config, "__name__") else config


def deserialize_keras_object(
    identifier: Any,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
) -> Any:
    """The object for a description in the form of Keras 2.

    Args:
        identifier: A dict with "class_name" and "config", a name, a function, or None. The name of a class gives an
            object made without arguments; the name of a function gives the function.
        module_objects: Further names: name -> class or function.
        custom_objects: Names that come before all others: name -> class or function.
        printable_module_name: Kind of the object, for error messages.

    Raises:
        ConfigError: The name is not known, or the description has another form.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        found = _known(identifier, module_objects, custom_objects, printable_module_name)
        return found() if isinstance(found, type) else found
    if not isinstance(identifier, dict):
        if callable(identifier):
            return identifier
        raise ConfigError(f"A {printable_module_name} must be described by a name or a dict; got {identifier!r}.",
                          fix='{"class_name": "Dense", "config": {"units": 1}}')  # fmt: skip
    if "class_name" not in identifier or "config" not in identifier:
        raise ConfigError(
            f"A description needs 'class_name' and 'config'; got {sorted(identifier)}.",
            fix="{'class_name': 'Dense', 'config': {'units': 2}}",
        )
    found = _known(identifier["class_name"], module_objects, custom_objects, printable_module_name)
    if not hasattr(found, "from_config"):
        return found(**identifier["config"])
    return found.from_config(dict(identifier["config"]))


def _known(name, module_objects, custom_objects, what):
    found = get_registered_object(name, custom_objects, module_objects)
    if found is None:
        raise ConfigError(f"Unknown {what}: {name!r}.", fix=f"custom_objects={{{name!r}: ...}}")
    return found
