"""Wrapper: a layer around a layer."""

from typing import Any

from lamina.core.configurable import is_description
from lamina.core.registry import CustomObjectScope
from lamina.errors import ConfigError
from lamina.layers.layer import Layer

__all__ = ["Wrapper"]


class Holder:
    """What is made from a config with the layers inside: they are built by the layer around, and so named after it."""

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """One made from a config; `custom_objects` maps names that are not Keras's."""
        known: Any = super()
        with CustomObjectScope(custom_objects):
            return known.from_config({name: _unbuilt(value) for name, value in config.items()})


def _unbuilt(value):
    if isinstance(value, (list, tuple)):
        return [_unbuilt(item) for item in value]
    if not is_description(value):
        return value
    return {name: part for name, part in value.items() if name != "build_config"}


class Wrapper(Holder, Layer):
    """The base of layers that hold another one as `layer`; it is built with them."""

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, Layer):
            raise ConfigError(f"{type(self).__name__} wraps a layer; got {layer!r}.", fix="Pass layers.Dense(32), say.")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape=None):
        if not self.layer.built:
            self.layer.build(input_shape)
