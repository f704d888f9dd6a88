"""Attention: each query's mean of the values, weighted by how well its key fits.

Attention and AdditiveAttention take their inputs as they are; `multi_head_attention` has the ones that project them.
"""

import jax
import jax.numpy as jnp

from lamina import random
from lamina.errors import CallError, ConfigError
from lamina.layers.base.layer import Layer

__all__ = ["AdditiveAttention", "Attention"]


class Attention(Layer):
    """`softmax(scores) @ value`, with the scores `query @ key.T` ("dot") or `w * sum(tanh(query + key))` ("concat").

    Shapes: [(batch, T, dim), (batch, S, value_dim)] -> (batch, T, value_dim): query, value and, as a third, key (else
    the value), of shape (batch, S, dim). With return_attention_scores=True also the weights, (batch, T, S). `mask`
    is [query mask (batch, T), value mask (batch, S)]: masked values have no weight, masked queries give 0.

    Args:
        use_scale: whether the scores are multiplied by a scalar that is trained.
        dropout: the rate at which weights are 0 in training.

    Raises:
        CallError: for inputs that are no list of two or three.

    Source: M.-T. Luong et al., arXiv:1508.04025 (dot).

    >>> import lamina as keras
    >>> query, value = keras.Input((4, 3)), keras.Input((5, 3))
    >>> keras.layers.Attention()([query, value], use_causal_mask=True).shape
    (None, 4, 3)
    """

    _traits = frozenset(("attention",))

    def __init__(self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ConfigError(f"score_mode is 'dot' or 'concat'; got {score_mode!r}.")
        self.use_scale, self.score_mode, self.dropout, self.seed = use_scale, score_mode, dropout, seed
        self.supports_masking = True
        if dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def build(self, input_shape):
        self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(shape=(), initializer="ones", name="concat_score_weight")

    def _check(self, inputs, mask=None):
        name = type(self).__name__
        if not isinstance(inputs, list) or len(inputs) not in (2, 3):
            raise CallError(f"{name} takes a list, [query, value] or [query, value, key].", fix=f"{name}()([x, x])")
        if mask is not None and (not isinstance(mask, list) or len(mask) not in (2, 3)):
            raise CallError(f"The mask of {name} is a list, [query mask, value mask]; None for one that has none.")

    def _scores(self, query, key):
        scale = self.scale.value if self.use_scale else 1
        if self.score_mode == "dot":
            return query @ jnp.swapaxes(key, -2, -1) * scale
        return self.concat_score_weight.value * jnp.sum(jnp.tanh(scale * _pairs(query, key)), axis=-1)

    def compute_mask(self, inputs, mask=None):
        self._check(inputs, mask)
        return None if mask is None else mask[0]

    def call(self, inputs, mask=None, training=False, return_attention_scores=False, use_causal_mask=False):
        self._check(inputs, mask)
        query, value, key = (*inputs, inputs[1])[:3]
        query_mask, value_mask, *_ = mask or (None, None)
        scores = self._scores(query, key)
        weights = jax.nn.softmax(_masked(scores, _visible(value_mask, use_causal_mask, scores.shape[-2:])), axis=-1)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        outputs = weights @ value
        if query_mask is not None:
            outputs = jnp.where(query_mask[..., None], outputs, 0)
        return (outputs, weights) if return_attention_scores else outputs


class AdditiveAttention(Attention):
    """`softmax(scores) @ value`, with the scores `sum(scale * tanh(query + key))`; shapes and masks as `Attention` has
    them.

    Args:
        use_scale: whether there is a scale, a vector of length dim that is trained.
        dropout: the rate at which weights are 0 in training.

    Raises:
        CallError: for inputs that are no list of two or three.

    Source: D. Bahdanau et al., arXiv:1409.0473.

    >>> import lamina as keras
    >>> keras.layers.AdditiveAttention()([keras.Input((4, 3)), keras.Input((5, 3))]).shape
    (None, 4, 3)
    """

    _config_skips = Attention._config_skips | {"score_mode"}

    def __init__(self, use_scale=True, dropout=0.0, **kwargs):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape):
        self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(shape=(input_shape[0][-1],), initializer="glorot_uniform", name="scale")

    def _scores(self, query, key):
        scale = self.scale.value if self.use_scale else 1
        return jnp.sum(scale * jnp.tanh(_pairs(query, key)), axis=-1)


def _pairs(query, key):
    """Each query plus each key: (batch, T, S, dim)."""
    return query[..., :, None, :] + key[..., None, :, :]


def _visible(value_mask, causal, shape):
    """Which of S keys each of T queries sees, (batch or 1, T or 1, S), or None for all; `shape` is (T, S)."""
    mask = value_mask
    if mask is not None and mask.ndim == 2:
        mask = mask[:, None, :]
    if not causal:
        return mask
    earlier = jnp.tril(jnp.ones(shape, bool))[None]
    return earlier if mask is None else earlier & mask


def _masked(scores, visible):
    """Finite, so that a query that sees no key has a mean of all values and no NaN."""
    if visible is None:
        return scores
    return jnp.where(visible, scores, scores - (65504.0 if scores.dtype == "float16" else 1e9))
