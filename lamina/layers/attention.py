"""Attention and AdditiveAttention: for each query the mean of the values, weighted by the scores of their keys.

The layers in `multi_head_attention` project their inputs first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import random
from lamina.core.arguments import choice, shown
from lamina.errors import CallError, ShapeError
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.legacy import moved_from
from lamina.ops.simplex import weights_of

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import LayerArguments, SeedLike, Shape, Tensor
    from lamina.core.variable import Variable

__all__ = ["AdditiveAttention", "Attention"]


class Attention(Layer):
    """`softmax(scores) @ value`, with the scores `query @ key.T` ("dot") or `w * sum(tanh(query + key))` ("concat").

    The inputs are [query, value] or [query, value, key]; the default key is the value. `mask` is
    [query mask (batch, T), value mask (batch, S)]: masked values get no weight, and outputs of masked queries are 0.

    Shapes: [(batch, T, dim), (batch, S, value_dim), (batch, S, dim)] -> (batch, T, value_dim); with
    return_attention_scores=True also the weights, (batch, T, S).

    Args:
        use_scale: Whether the scores are multiplied by a trainable scalar.
        score_mode: "dot" for `query @ key.T`, "concat" for `w * sum(tanh(query + key))`.
        dropout: Fraction of the attention weights that are set to 0 in training.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        CallError: For inputs that are not a list of two or three tensors.

    Source: M.-T. Luong et al., arXiv:1508.04025 (dot).

    >>> import lamina as keras
    >>> query, value = keras.Input((4, 3)), keras.Input((5, 3))
    >>> keras.layers.Attention()([query, value], use_causal_mask=True).shape
    (None, 4, 3)
    """

    _traits = frozenset(("attention",))
    _one_spec_for_all = True

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: SeedLike = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        choice(self, "score_mode", score_mode, ("dot", "concat"))
        self.input_spec: Any = InputSpec(min_ndim=3)
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self.seed = seed
        self.supports_masking = True
        if dropout > 0:
            self.seed_generator: random.SeedGenerator = random.SeedGenerator(seed)

    def build(self, input_shape: list[Shape]) -> None:
        self._check(input_shape)
        if self.use_scale:
            self.scale: Variable = self.add_weight(shape=(), initializer="ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight: Variable = self.add_weight(
                shape=(), initializer="ones", name="concat_score_weight"
            )

    def _check(self, inputs, mask=None):
        name = type(self).__name__
        if not isinstance(inputs, list) or len(inputs) not in (2, 3):
            raise CallError(f"{name} needs a list, [query, value] or [query, value, key].", fix=f"{name}()([x, x])")
        if mask is not None and (not isinstance(mask, list) or len(mask) not in (2, 3)):
            raise CallError(
                f"{name} needs a list of masks, [query mask, value mask], each a tensor or None; got {shown(mask)}.",
                fix="mask=[None, mask]",
            )

    def _scores(self, query, key):
        scale = self.scale.value if self.use_scale else 1
        if self.score_mode == "dot":
            return query @ jnp.swapaxes(key, -2, -1) * scale
        return self.concat_score_weight.value * jnp.sum(jnp.tanh(scale * _pairs(query, key)), axis=-1)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        self._check(inputs, mask)
        return None if mask is None else mask[0]

    def call(
        self,
        inputs: list[Tensor],
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The outputs, and the attention weights with `return_attention_scores=True`.

        Args:
            inputs: [query, value] or [query, value, key].
            mask: [query mask, value mask], each None or of shape (batch, length).
            training: Whether dropout is applied.
            return_attention_scores: Whether the attention weights are returned as well.
            use_causal_mask: Whether each query sees only keys at its own and earlier positions.
        """
        self._check(inputs, mask)
        query, value, key = (*inputs, inputs[1])[:3]
        if query.shape[-1] != key.shape[-1]:
            raise ShapeError(
                f"{type(self).__name__} compares queries with keys, which need one size of the last axis; got "
                f"{query.shape[-1]} and {key.shape[-1]}.",
                fix=f"key = keras.layers.Dense({query.shape[-1]})(value); {self.name}([query, value, key])",
            )
        query_mask, value_mask, *_ = mask or (None, None)
        scores = self._scores(query, key)
        weights = weights_of(_masked(scores, _visible(value_mask, use_causal_mask, scores.shape[-2:])))
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        outputs = weights @ value
        if query_mask is not None:
            outputs = jnp.where(query_mask[..., None], outputs, 0)
        return (outputs, weights) if return_attention_scores else outputs


class AdditiveAttention(Attention):
    """`softmax(scores) @ value`, with the scores `sum(scale * tanh(query + key))`.

    The inputs are [query, value] or [query, value, key]; the default key is the value. `mask` is
    [query mask (batch, T), value mask (batch, S)]: masked values get no weight, and outputs of masked queries are 0.

    Shapes: [(batch, T, dim), (batch, S, value_dim), (batch, S, dim)] -> (batch, T, value_dim); with
    return_attention_scores=True also the weights, (batch, T, S).

    Args:
        use_scale: Whether the features are weighted by a trainable vector of length dim.
        dropout: Fraction of the attention weights that are set to 0 in training.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    Raises:
        CallError: For inputs that are not a list of two or three tensors.

    Source: D. Bahdanau et al., arXiv:1409.0473.

    >>> import lamina as keras
    >>> keras.layers.AdditiveAttention()([keras.Input((4, 3)), keras.Input((5, 3))]).shape
    (None, 4, 3)
    """

    _config_skips = Attention._config_skips | {"score_mode"}

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Unpack[LayerArguments]):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: list[Shape]) -> None:
        self._check(input_shape)
        if self.use_scale:
            self.scale: Variable = self.add_weight(
                shape=(input_shape[0][-1],), initializer="glorot_uniform", name="scale"
            )

    def _scores(self, query, key):
        scale = self.scale.value if self.use_scale else 1
        return jnp.sum(scale * jnp.tanh(_pairs(query, key)), axis=-1)


def _pairs(query, key):
    """Each query plus each key: (batch, T, S, dim)."""
    return query[..., :, None, :] + key[..., None, :, :]


def _visible(value_mask, causal, shape):
    """The keys that each query sees, (batch or 1, T or 1, S), or None for all; `shape` is (T, S)."""
    mask = value_mask
    if mask is not None and mask.ndim == 2:
        mask = mask[:, None, :]
    if not causal:
        return mask
    earlier = jnp.tril(jnp.ones(shape, bool))[None]
    return earlier if mask is None else earlier & mask


def _masked(scores, visible):
    """Scores with a large negative number for hidden keys: finite, so that a query without keys gives no NaN."""
    if visible is None:
        return scores
    return jnp.where(visible, scores, scores - (65504.0 if scores.dtype == "float16" else 1e9))


__getattr__: Any = moved_from(__name__)
