"""Wrapper: a layer around a layer."""

from lamina.errors import ConfigError
from lamina.layers.layer import Layer

__all__ = ["Wrapper"]


class Wrapper(Layer):
    """The base of layers that hold another one as `layer`; it is built with them."""

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, Layer):
            raise ConfigError(f"{type(self).__name__} wraps a layer; got {layer!r}.", fix="Pass layers.Dense(32), say.")
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape=None):
        if not self.layer.built:
            self.layer.build(input_shape)
