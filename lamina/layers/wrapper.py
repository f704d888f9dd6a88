"""Wrapper: a layer around a layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.core import context
from lamina.core.arguments import shown
from lamina.core.registry import CustomObjectScope
from lamina.errors import ConfigError
from lamina.layers.base.layer import Layer
from lamina.layers.base.misuse import refuse_class

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import Config, LayerArguments

__all__ = ["Wrapper"]


class ContainerMixin:
    """What is made from a config together with the layers inside, whose paths begin with its name."""

    @classmethod
    def from_config(cls, config: Config, custom_objects: Any = None) -> Any:
        """One made from a config; `custom_objects` maps names that are not Keras's."""
        known: Any = super()
        with CustomObjectScope(custom_objects), context.parent_scope(config.get("name")):
            return known.from_config(config)


class Wrapper(ContainerMixin, Layer):
    """The base of layers that hold another one as `layer`; it is built with them.

    Args:
        layer: Layer that is wrapped.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    _traits = frozenset(("wrapper", "container"))

    def __init__(self, layer: Layer, **kwargs: Unpack[LayerArguments]):
        refuse_class(type(self).__name__, layer)
        if not isinstance(layer, Layer):
            name = type(self).__name__
            raise ConfigError(f"{name} wraps a layer; got {shown(layer)}.", fix=f"{name}(layers.Dense(32))")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        if not self.layer.built:
            self.layer.build(input_shape)
