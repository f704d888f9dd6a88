"""SpectralNormalization: a layer whose kernel is divided by its largest singular value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from lamina import initializers
from lamina.core.arguments import whole
from lamina.core.read_limits import reserve_steps
from lamina.errors import ConfigError
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.wrapper import Wrapper
from lamina.ops.normalization import normalize

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import LayerArguments, Tensor
    from lamina.layers.base.layer import Layer

__all__ = ["SpectralNormalization"]


class SpectralNormalization(Wrapper):
    """Divides the kernel of `layer` (the table of an Embedding) by its largest singular value in each step of training,
    and so bounds how fast the layer's outputs can change (Miyato et al., 2018, arXiv:1802.05957).

    Args:
        layer: Layer with a `kernel` or `embeddings`.
        power_iterations: Number of steps of power iteration that estimate the singular value, from the vector of the
            call before.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    kernel: Any
    vector_u: Any

    _traits = frozenset(("wrapper",))

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Unpack[LayerArguments]):
        super().__init__(layer, **kwargs)
        power_iterations = whole(self, "power_iterations", power_iterations)
        self.power_iterations = power_iterations

    def build(self, input_shape: Any = None) -> None:
        super().build(input_shape)
        name = next((name for name in ("kernel", "embeddings") if getattr(self.layer, name, None) is not None), None)
        if name is None:
            raise ConfigError(
                f"SpectralNormalization needs a layer with a kernel; got {self.layer!r}.",
                fix="SpectralNormalization(layers.Dense(32))",
            )
        self.kernel = getattr(self.layer, name)
        self.vector_u = self.add_weight(
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=self.kernel.dtype,
            name="vector_u",
        )
        self.input_spec: Any = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})

    def call(self, inputs: Tensor, training: bool | None = False) -> Tensor:
        if training:
            unchanged = self.vector_u.value, self.kernel.value
            vector_u, kernel = jax.lax.cond(jnp.all(unchanged[1] == 0), lambda: unchanged, self.normalized_weights)
            self.vector_u.assign(vector_u)
            self.kernel.assign(kernel)
        return self.layer(inputs).astype(inputs.dtype)

    def normalized_weights(self) -> Any:
        """(the next vector of the power iteration, the kernel divided by its largest singular value)."""
        kernel, u = self.kernel.value, self.vector_u.value
        matrix = kernel.reshape(-1, kernel.shape[-1])
        v = u  # replaced in the first step
        reserve_steps(self.power_iterations, self.name)
        for _ in range(self.power_iterations):
            v = normalize(u @ matrix.T, axis=None)  # pyright: ignore
            u = normalize(v @ matrix, axis=None)  # pyright: ignore
        u, v = jax.lax.stop_gradient((u, v))
        largest = v @ matrix @ u.T
        return u.astype(self.vector_u.value.dtype), (kernel / largest).astype(kernel.dtype)
