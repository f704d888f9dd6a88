"""DataLayer: the base of layers that preprocess data, outside of a model or inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import ops, random
from lamina.core.variable import unwrap
from lamina.layers.base.layer import Layer

if TYPE_CHECKING:
    from lamina.core.typing import Tensor


class _Backend:
    """`ops` and `random` as one namespace, with the modules of `ops`: numpy, nn, image, linalg, math, core."""

    def __getattr__(self, name):
        return random if name == "random" else getattr(ops, name)


class DataLayer(Layer):
    """Base class of layers that preprocess data: numbers, categories, images, sound."""

    @property
    def backend(self) -> Any:
        """The functions of arrays by Keras's internal names, `self.backend.numpy.full`, for subclasses of packages."""
        return _Backend()

    def convert_weight(self, weight: Any) -> Tensor:
        """The value of a weight, for use outside of a model.

        Args:
            weight: Weight of the layer.
        """
        return jnp.asarray(unwrap(weight))
