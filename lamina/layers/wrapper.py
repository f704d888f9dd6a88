"""Wrapper: a layer around a layer."""

from typing import Any

from lamina.core import context
from lamina.core.registry import CustomObjectScope
from lamina.errors import ConfigError
from lamina.layers.base.layer import Layer

__all__ = ["Wrapper"]


class ContainerMixin:
    """What is made from a config together with the layers inside, whose paths begin with its name."""

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """One made from a config; `custom_objects` maps names that are not Keras's."""
        known: Any = super()
        with CustomObjectScope(custom_objects), context.parent_scope(config.get("name")):
            return known.from_config(config)


class Wrapper(ContainerMixin, Layer):
    """The base of layers that hold another one as `layer`; it is built with them."""

    _traits = frozenset(("wrapper", "container"))

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, Layer):
            raise ConfigError(f"{type(self).__name__} wraps a layer; got {layer!r}.", fix="Pass layers.Dense(32), say.")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape=None):
        if not self.layer.built:
            self.layer.build(input_shape)
