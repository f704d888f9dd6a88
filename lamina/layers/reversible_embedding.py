"""ReversibleEmbedding: an embedding that can be called backwards, from vectors to a score for each number."""

import jax.numpy as jnp

from lamina.core import context
from lamina.core.dtypes import numpy_dtype, standardize_dtype
from lamina.core.keras_tensor import set_mask
from lamina.layers.embedding import Embedding
from lamina.layers.weights import Layout, einsum, matmul

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
            layout = Layout((self.output_dim, self.input_dim), packed=0, quantizes_inputs=True, tells_groups=False)
            initializer = self.embeddings_initializer
            self.reverse_embeddings = self.add_kernel(layout, "reverse_embeddings", initializer=initializer)

    def compute_mask(self, inputs, mask=None):
        return None  # `call` masks what it looked up; logits have no mask

    def call(self, inputs, reverse=False):
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
