"""Embedding: a table of vectors, looked up by number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.core.arguments import whole
from lamina.core.dtypes import is_integer
from lamina.layers.base.settings import keep_arguments
from lamina.layers.weights import Layout, WithKernels, take

if TYPE_CHECKING:
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import Config, Shape, Tensor
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["Embedding"]


class Embedding(WithKernels):
    """`embeddings[inputs]`: whole numbers from 0 to input_dim - 1 as vectors that are trained.

    Shapes: (batch, ...) -> (batch, ..., output_dim). A number out of range gives NaN; one below 0 counts from the end.

    Args:
        input_dim: Number of different whole numbers: the rows of the table.
        output_dim: Length of a vector.
        embeddings_initializer: Initializer of the table.
        embeddings_regularizer: Regularizer of the table, added to the loss.
        embeddings_constraint: Constraint on the table after each update.
        mask_zero: Whether 0 is padding: the outputs get the mask `inputs != 0`.
        weights: Initial table, an array of shape (input_dim, output_dim); None uses the initializer.
        lora_rank: Rank of the trained LoRA update that is added to the frozen table; None trains the table itself.
        lora_alpha: Factor of the update, which is divided by the rank; None means the rank.
        quantization_config: Quantizers, block size or calibration data of a quantized kernel; see keras.quantizers.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        ConfigError: when `input_dim` or `output_dim` is no whole number above 0.

    >>> import lamina as keras
    >>> keras.layers.Embedding(1000, 64, mask_zero=True)(keras.Input((10,), dtype="int32")).shape
    (None, 10, 64)
    """

    mask_zero: bool
    embeddings_initializer: Any
    embeddings_regularizer: Any
    embeddings_constraint: Any
    _traits = frozenset(("embedding",))
    _config_skips = frozenset(("autocast", "weights"))
    quantization_modes: tuple[str, ...] = ("int8", "int4")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: InitializerLike = "uniform",
        embeddings_regularizer: RegularizerLike = None,
        embeddings_constraint: ConstraintLike = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        super().__init__(lora_rank=lora_rank, lora_alpha=lora_alpha, **kwargs)
        keep_arguments(self, locals())
        self.input_dim: int = whole(self, "input_dim", input_dim)
        self.output_dim: int = whole(self, "output_dim", output_dim)
        self.supports_masking = mask_zero
        self.autocast = False  # numbers up to input_dim do not fit into float16
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) and len(weights) == 1 else [weights])

    @property
    def input_dtype(self) -> Any:
        """The type of the Input that a Sequential puts before it."""
        return "int32"

    def build(self, input_shape: Shape | None = None) -> None:
        if self.built:
            return
        layout = Layout((self.input_dim, self.output_dim), summed=(1,), axis=-1, quantizes_inputs=True)
        self.embeddings: Any = self._add_weight_of("embeddings", layout, make=self._add_kernel)

    def get_build_config(self) -> Config | None:
        return super().get_build_config() or ({"input_shape": None} if self.built else None)

    def build_from_config(self, config: Config) -> None:
        """Build, for which no shape is needed."""
        self.build(config.get("input_shape"))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return jnp.not_equal(inputs, 0) if self.mask_zero else None

    def call(self, inputs: Tensor) -> Tensor:
        numbers = inputs if is_integer(inputs.dtype) else inputs.astype("int32")
        return take(self.embeddings, numbers).astype(self.compute_dtype)
