"""Layers as configs and back."""

from lamina.core import configurable

__all__ = ["deserialize", "serialize"]


def serialize(layer):
    """The description of a layer, as files hold it."""
    return configurable.serialize(layer)


def deserialize(config, custom_objects=None):
    """The layer that `serialize` described."""
    return configurable.deserialize(config, custom_objects, namespaces=("keras.layers", "keras"))
