"""ReversibleEmbedding: an embedding that can be called backwards, from vectors to a score for each number."""

import jax.numpy as jnp

from lamina.core.dtypes import standardize_dtype
from lamina.core.symbolic import set_mask
from lamina.layers.embedding import Embedding

__all__ = ["ReversibleEmbedding"]


class ReversibleEmbedding(Embedding):
    """`embeddings[inputs]`, or with reverse=True `inputs @ embeddings.T`: the logits of a language model.

    Shapes: (batch, ...) -> (batch, ..., output_dim); in reverse (batch, ..., output_dim) -> (batch, ..., input_dim).

    Args:
        tie_weights: whether both directions share a table; else the reverse has one of its own.
        reverse_dtype: the type of the reverse product; the inputs' if None.
        logit_soft_cap: c limits the logits to (-c, c) by c * tanh(logits / c).

    Source: O. Press and L. Wolf, arXiv:1608.05859.

    >>> import lamina as keras
    >>> layer = keras.layers.ReversibleEmbedding(1000, 64)
    >>> layer(layer(keras.Input((10,), dtype="int32")), reverse=True).shape
    (None, 10, 1000)
    """

    def __init__(
        self,
        input_dim,
        output_dim,
        tie_weights=True,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        reverse_dtype=None,
        logit_soft_cap=None,
        **kwargs,
    ):
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **kwargs,
        )
        self.tie_weights, self.logit_soft_cap = tie_weights, logit_soft_cap
        self.reverse_dtype = None if reverse_dtype is None else standardize_dtype(reverse_dtype)

    def build(self, input_shape=None):
        if self.built:
            return
        super().build(input_shape)
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
                name="reverse_embeddings",
            )

    def compute_mask(self, inputs, mask=None):
        return None  # `call` masks what it looked up; logits have no mask

    def call(self, inputs, reverse=False):
        if not reverse:
            outputs = super().call(inputs)
            if self.mask_zero:
                set_mask(outputs, jnp.not_equal(inputs, 0))
            return outputs
        kernel = self.embeddings.value.T if self.tie_weights else self.reverse_embeddings.value
        kernel = kernel.astype(self.compute_dtype)
        if self.reverse_dtype is not None:
            inputs, kernel = inputs.astype(self.reverse_dtype), kernel.astype(self.reverse_dtype)
        logits = inputs @ kernel
        cap = self.logit_soft_cap
        return logits if cap is None else cap * jnp.tanh(logits / cap)
