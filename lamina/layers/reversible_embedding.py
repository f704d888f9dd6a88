"""ReversibleEmbedding: an embedding that can be called backwards, from vectors to a score for each number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.core import context
from lamina.core.dtypes import numpy_dtype, standardize_dtype
from lamina.core.keras_tensor import set_mask
from lamina.layers.embedding import Embedding
from lamina.layers.weights import Layout, einsum, matmul

if TYPE_CHECKING:
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import DTypeLike, Shape, Tensor
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["ReversibleEmbedding"]


class ReversibleEmbedding(Embedding):
    """`embeddings[inputs]`, or with reverse=True `inputs @ embeddings.T`: the logits of a language model.

    Shapes: (batch, ...) -> (batch, ..., output_dim); in reverse (batch, ..., output_dim) -> (batch, ..., input_dim).

    Args:
        input_dim: Number of different whole numbers: the rows of the table.
        output_dim: Length of a vector.
        tie_weights: Whether both directions share one table; if not, the reverse direction has a table of its own.
        embeddings_initializer: Initializer of the table.
        embeddings_regularizer: Regularizer of the table, added to the loss.
        embeddings_constraint: Constraint on the table after each update.
        mask_zero: Whether 0 is padding: the outputs get the mask `inputs != 0`.
        reverse_dtype: Type of the reverse product; None means that of the inputs.
        logit_soft_cap: Limit c of the logits, which become c * tanh(logits / c); None does not limit them.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Source: O. Press and L. Wolf, arXiv:1608.05859.

    >>> import lamina as keras
    >>> layer = keras.layers.ReversibleEmbedding(1000, 64)
    >>> layer(layer(keras.Input((10,), dtype="int32")), reverse=True).shape
    (None, 10, 1000)
    """

    tie_weights: bool
    logit_soft_cap: float | None
    reverse_embeddings: Any

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: InitializerLike = "uniform",
        embeddings_regularizer: RegularizerLike = None,
        embeddings_constraint: ConstraintLike = None,
        mask_zero: bool = False,
        reverse_dtype: DTypeLike | None = None,
        logit_soft_cap: float | None = None,
        **kwargs: Any,
    ):
        self.tie_weights = tie_weights  # `weights=` builds at once
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **kwargs,
        )
        self.logit_soft_cap = logit_soft_cap
        self.reverse_dtype: str | None = None if reverse_dtype is None else standardize_dtype(reverse_dtype)

    def build(self, input_shape: Shape | None = None) -> None:
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights:
            layout = Layout((self.output_dim, self.input_dim), packed=0, quantizes_inputs=True, stores_groups=False)
            initializer = self.embeddings_initializer
            self.reverse_embeddings = self._add_kernel(layout, "reverse_embeddings", initializer=initializer)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None  # `call` masks what it looked up; logits have no mask

    def call(self, inputs: Tensor, reverse: bool = False) -> Tensor:
        if not reverse:
            outputs = super().call(inputs)
            if self.mask_zero:
                set_mask(outputs, jnp.not_equal(inputs, 0))
            return outputs
        dtypes = (self.compute_dtype, self.reverse_dtype or self.compute_dtype)
        if self.reverse_dtype is not None:
            inputs = inputs.astype(self.reverse_dtype)
        with context.autocast(min(dtypes, key=lambda dtype: numpy_dtype(dtype).itemsize)):
            if self.tie_weights:
                logits = einsum("...o,io->...i", inputs, self.embeddings)
            else:
                logits = matmul(inputs, self.reverse_embeddings)
        cap = self.logit_soft_cap
        return logits if cap is None else cap * jnp.tanh(logits / cap)
