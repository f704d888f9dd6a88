"""DataLayer: the base of layers that prepare data, before a model or inside one."""

import jax.numpy as jnp

from lamina.core.variable import unwrap
from lamina.layers.base.layer import Layer


class DataLayer(Layer):
    """A layer that prepares data: numbers, categories, images, sound."""

    def convert_weight(self, weight):
        """A weight as an array, for use on data outside of a model."""
        return jnp.asarray(unwrap(weight))
