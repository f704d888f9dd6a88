"""RandomFourierFeatures: a layer of Keras 2 that approximates a kernel of a support vector machine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import constraints, initializers
from lamina.layers.base.layer import Layer
from lamina.random import uniform

if TYPE_CHECKING:
    from lamina.core.typing import Shape, Tensor

__all__ = ["RandomFourierFeatures"]


class RandomFourierFeatures(Layer):
    """`cos(inputs @ kernel / scale + bias)` with random `kernel` and `bias`: products of two outputs approximate
    a kernel of their difference (Rahimi and Recht, 2007, Random Features for Large-Scale Kernel Machines).

    Shapes: (batch, size) -> (batch, output_dim).

    Args:
        output_dim: Number of outputs.
        kernel_initializer: "gaussian", "laplacian", or an initializer of the random kernel.
        scale: Width of the kernel; None means sqrt(size / 2) for "gaussian" and 1 for the others.
        trainable: Whether the scale is trained.
        name: Name of the layer, unique in a model.
        **kwargs: Arguments of every layer: `dtype`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> RandomFourierFeatures(8)(keras.ops.ones((2, 3))).shape
    (2, 8)
    """

    def __init__(
        self,
        output_dim: int,
        kernel_initializer: Any = "gaussian",
        scale: float | None = None,
        trainable: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, trainable=trainable, **kwargs)
        self.output_dim, self.scale = output_dim, scale
        named = isinstance(kernel_initializer, str) and kernel_initializer.lower() in ("gaussian", "laplacian")
        self.kernel_initializer = kernel_initializer.lower() if named else initializers.get(kernel_initializer)

    def build(self, input_shape: Shape) -> None:
        size, kind = input_shape[-1] or 1, self.kernel_initializer
        draws = {"gaussian": initializers.RandomNormal(stddev=1.0), "laplacian": _cauchy}
        draw = draws[kind] if isinstance(kind, str) else kind
        width = self.scale or (math.sqrt(size / 2) if kind == "gaussian" else 1.0)
        self.unscaled_kernel = self.add_weight((size, self.output_dim), draw, trainable=False, name="unscaled_kernel")
        phases = initializers.RandomUniform(0.0, 2 * math.pi)
        self.bias = self.add_weight((self.output_dim,), phases, trainable=False, name="bias")
        self.kernel_scale = self.add_weight(
            (1,), initializers.Constant(width), constraint=constraints.NonNeg(), name="kernel_scale"
        )

    def call(self, inputs: Tensor) -> Tensor:
        return jnp.cos(inputs @ (self.unscaled_kernel.value / self.kernel_scale.value) + self.bias.value)


def _cauchy(shape, dtype=None):
    return jnp.tan(math.pi * (uniform(shape, dtype=dtype) - 0.5))
