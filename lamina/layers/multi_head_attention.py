"""Attention with learned projections and several heads: MultiHeadAttention and GroupQueryAttention."""

import functools
import math
import operator
import string
from typing import Any

import jax.numpy as jnp

from lamina import constraints, initializers, ops, regularizers
from lamina.core.keras_tensor import set_mask
from lamina.errors import CallError, ConfigError, ShapeError
from lamina.layers.activation_layers import Softmax
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.base.validation import positive_integer
from lamina.layers.einsum_dense import EinsumDense
from lamina.layers.regularization import Dropout
from lamina.runtime import settings

__all__ = ["GroupQueryAttention", "MultiHeadAttention"]


class _ProjectedAttention(Layer):
    """`output(sigmoid(gate) * attention(query(x), key(y), value(z)))`, each name a projection; a gate only if asked
    for.

    A subclass says how many heads there are, how long their vectors are, and over which axes attention goes.
    """

    _traits = frozenset(("attention", "weighted"))
    _config_skips = frozenset(("autocast", "flash_attention"))
    _config_optional = frozenset()
    query_heads: Any
    key_heads: Any
    query_size: Any
    value_size: Any
    attention_axes: Any = (1,)
    output_shape: Any = None
    dropout: Any = None
    use_bias: Any = None
    stem = "_{}_dense"  # the attribute of a projection, which files name it by

    def __init__(
        self,
        dropout=0.0,
        use_bias=True,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.dropout, self.use_bias, self.use_gate, self.seed = dropout, use_bias, use_gate, seed
        self.sliding_window = None if sliding_window is None else self._size("sliding_window", sliding_window)
        self.flash_attention = bool(flash_attention or settings.is_flash_attention_enabled())
        if self.flash_attention and dropout > 0:
            raise ConfigError(f"Flash attention has no dropout; got dropout={dropout}.", fix="dropout=0.0")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.supports_masking = True

    def _size(self, name, value):
        return positive_integer(type(self).__name__, name, value)

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = key_shape or value_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        heads, size = self.query_heads, self.query_size
        self._project("query", query_shape, "...x,xnh->...nh", (heads, size))
        self._project("key", key_shape, "...x,xnh->...nh", (self.key_heads, size))
        if self.use_gate:
            self._gate_dense = self._projection("gate", "...x,xnh->...nh", (heads, self.value_size), "sigmoid")
            self._gate_dense.build(query_shape)
        self._project("value", value_shape, "...x,xnh->...nh", (self.key_heads, self.value_size))
        axes: Any = tuple(range(-len(self.attention_axes), 0))
        self._softmax = Softmax(axes, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)
        shape = self.output_shape or query_shape[-1:]
        letters = string.ascii_uppercase[: len(shape)]
        mixed = (*query_shape[:-1], heads, self.value_size)
        self._project("output", mixed, f"...nh,nh{letters}->...{letters}", shape, "attention_output")

    def _check_shapes(self, query_shape, value_shape, key_shape):
        if tuple(key_shape[1:-1]) != tuple(value_shape[1:-1]):
            raise ShapeError(f"Each key has a value; got keys of shape {key_shape} and values of shape {value_shape}.")
        shared = [axis for axis in range(1, len(query_shape) - 1) if axis not in self.attention_axes]
        if len(value_shape) != len(query_shape) or any(_differ(query_shape[i], value_shape[i]) for i in shared):
            raise ShapeError(
                f"Queries and values have the same axes, all but the last and the attention axes {self.attention_axes} "
                f"of the same sizes; got queries of shape {query_shape} and values of shape {value_shape}."
            )

    def _project(self, role, input_shape, equation, output_shape, name=None):
        layer = self._projection(name or role, equation, output_shape)
        setattr(self, self.stem.format(role), layer)
        layer.build(tuple(input_shape))

    def _projection(self, name, equation, output_shape, activation=None):
        layer = EinsumDense(
            equation,
            output_shape,
            activation,
            bias_axes=equation.split("...")[-1] if self.use_bias else None,
            kernel_initializer=_anew(self.kernel_initializer),
            bias_initializer=_anew(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self.activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )
        layer.supports_masking = True  # the masks of its inputs are for the attention
        return layer

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        if return_attention_scores and self.flash_attention:
            raise CallError("Flash attention gives no attention scores.", fix="flash_attention=False")
        inputs = {"query": query, "key": value if key is None else key, "value": value}
        queries, keys, values = (self._dense(role)(x) for role, x in inputs.items())
        visible = self._visible(queries, keys, query_mask, (value_mask, key_mask), attention_mask, use_causal_mask)
        repeats = self.query_heads // self.key_heads
        if repeats > 1:
            keys, values = (jnp.repeat(x, repeats, axis=-2) for x in (keys, values))
        if queries.ndim == 4 and not self.dropout and not return_attention_scores:
            mixed, weights = self._fused(queries, keys, values, visible), None
        else:
            mixed, weights = self._mix(queries, keys, values, visible, training)
        outputs = self._dense("output")(mixed * self._gate_dense(query) if self.use_gate else mixed)
        if query_mask is not None:
            set_mask(outputs, query_mask)
        return (outputs, weights) if return_attention_scores else outputs

    def _dense(self, role):
        return getattr(self, self.stem.format(role))

    def _fused(self, queries, keys, values, visible):
        scale, flash = 1 / math.sqrt(self.query_size), self.flash_attention
        return ops.dot_product_attention(queries, keys, values, mask=visible, scale=scale, flash_attention=flash)

    def _mix(self, queries, keys, values, visible, training):
        """(weighted means of the values, the weights) for any axes."""
        score, mix = _equations(queries.ndim, self.attention_axes)
        scores = jnp.einsum(score, queries * jnp.asarray(1 / math.sqrt(self.query_size), queries.dtype), keys)
        weights = self._softmax(scores, mask=visible)
        return jnp.einsum(mix, self._dropout_layer(weights, training=training), values), weights

    def _visible(self, queries, keys, query_mask, key_masks, attention_mask, causal):
        """Which keys each query sees, with an axis for the heads, or None for all."""
        count = len(self.attention_axes)
        masks = [] if attention_mask is None else [attention_mask.astype(bool)]
        if query_mask is not None:
            masks.append(query_mask.astype(bool)[(..., *[None] * count)])
        for key_mask in key_masks:
            if key_mask is not None:
                masks.append(jnp.expand_dims(key_mask.astype(bool), tuple(range(-2 * count, -count))))
        if causal or self.sliding_window is not None:
            masks.append(self._band(queries, keys, causal))
        if not masks:
            return None
        mask = functools.reduce(jnp.logical_and, masks)
        return jnp.expand_dims(mask, tuple(range(mask.ndim - 2 * count, queries.ndim - 1 - count)))

    def _band(self, queries, keys, causal):
        """The keys not after a query (causal) and not further from it than the window, (1, T, S)."""
        if len(self.attention_axes) != 1:
            raise CallError(f"Causal masks and windows need one attention axis; got {self.attention_axes}.")
        (axis,) = self.attention_axes
        distance = jnp.arange(queries.shape[axis])[:, None] - jnp.arange(keys.shape[axis])
        band = distance >= 0 if causal else jnp.ones(distance.shape, bool)
        return (band if self.sliding_window is None else band & (abs(distance) < self.sliding_window))[None]

    def compute_mask(self, inputs, previous_mask=None):
        return None  # `call` gives the outputs the mask of the query


class MultiHeadAttention(_ProjectedAttention):
    """`output(attention(query(x), key(y), value(z)))`, where each name is a projection and attention has several heads.

    Shapes: query (batch, T, dim), value (batch, S, dim) and key, the value if not given -> (batch, T, dim of the
    query).
    With return_attention_scores=True also the weights, (batch, heads, T, S). Attention goes over all axes between the
    first and the last, or over `attention_axes`.

    Args:
        key_dim, value_dim: the lengths of a head's queries and keys, and of its values.
        output_shape: the sizes of the output after the query's axes but the last; the query's last if None.
        sliding_window: how near a key has to be for a query to see it; 1 is its own place alone.
        flash_attention: whether to use cuDNN's fused kernel (NVIDIA GPUs, half precision).
        use_gate: whether the heads' outputs are multiplied by `sigmoid(gate(query))`.

    Masks of a call: query_mask (batch, T), value_mask and key_mask (batch, S), filled in from the inputs,
    attention_mask
    (batch, T, S) and use_causal_mask. A query sees a key where all are True.

    Raises:
        ConfigError: for sizes that are no whole numbers above 0, or dropout with flash attention.
        ShapeError: where keys and values are not as many, or those and the queries have other axes.

    Source: A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017.

    >>> import lamina as keras
    >>> query, value = keras.Input((4, 16)), keras.Input((6, 8))
    >>> output, scores = keras.layers.MultiHeadAttention(2, 3)(query, value, return_attention_scores=True)
    >>> output.shape, scores.shape
    ((None, 4, 16), (None, 2, 4, 6))
    """

    stem = "{}_dense"
    num_heads: Any = None
    key_dim: Any = None
    value_dim: Any = None
    query_dense: Any = None
    key_dense: Any = None
    value_dense: Any = None
    output_dense: Any = None

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        attention_axes=None,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer,
            bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, use_gate, seed, **kwargs,
        )  # fmt: skip
        self.num_heads = self.query_heads = self.key_heads = self._size("num_heads", num_heads)
        self.key_dim = self.query_size = self._size("key_dim", key_dim)
        self.value_dim = self.value_size = self._size("value_dim", value_dim or key_dim)
        self.output_shape = (output_shape,) if isinstance(output_shape, int) else output_shape and tuple(output_shape)
        self.attention_axes = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self.input_spec = InputSpec(min_ndim=3)

    def build(self, query_shape, value_shape, key_shape=None):
        rank = len(query_shape)
        axes = range(1, rank - 1) if self.attention_axes is None else self.attention_axes
        self.attention_axes = tuple(axis % rank for axis in axes)
        super().build(query_shape, value_shape, key_shape)

    def _add_activity_loss(self, outputs):
        """Nothing: `activity_regularizer` is for the projections."""

    # What classes of packages that are built on this one use, by the names they have in Keras

    _num_heads, _key_dim, _value_dim, _query_dense, _key_dense, _value_dense, _output_dense = (
        property(operator.attrgetter(name))
        for name in ("num_heads", "key_dim", "value_dim", "query_dense", "key_dense", "value_dense", "output_dense")
    )

    def _compute_attention(self, query, key, value, attention_mask=None, training=None, return_attention_scores=False):
        """(weighted means of the values, the weights), from what the projections gave."""
        visible = self._visible(query, key, None, (None, None), attention_mask, False)
        return self._mix(query, key, value, visible, training)


class GroupQueryAttention(_ProjectedAttention):
    """MultiHeadAttention in which several heads of queries share one of keys and values, over one axis.

    Shapes: query (batch, T, dim), value (batch, S, dim) and key, the value if not given -> (batch, T, dim of the
    query).
    With return_attention_scores=True also the weights, (batch, num_query_heads, T, S).

    Args:
        num_query_heads: a multiple of num_key_value_heads.
        sliding_window, flash_attention, use_gate, and masks of a call: those of MultiHeadAttention.

    Raises:
        ConfigError: for numbers of heads that do not fit, or dropout with flash attention.

    Source: J. Ainslie et al., arXiv:2305.13245.

    >>> import lamina as keras
    >>> x = keras.Input((4, 16))
    >>> keras.layers.GroupQueryAttention(head_dim=3, num_query_heads=4, num_key_value_heads=2)(x, x).shape
    (None, 4, 16)
    """

    _named_after = "GroupedQueryAttention"

    def __init__(
        self,
        head_dim,
        num_query_heads,
        num_key_value_heads,
        dropout=0.0,
        use_bias=True,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer,
            bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, use_gate, seed, **kwargs,
        )  # fmt: skip
        self.head_dim = self.query_size = self.value_size = self._size("head_dim", head_dim)
        self.num_query_heads = self.query_heads = self._size("num_query_heads", num_query_heads)
        self.num_key_value_heads = self.key_heads = self._size("num_key_value_heads", num_key_value_heads)
        if num_query_heads % num_key_value_heads:
            numbers = f"{num_query_heads} and {num_key_value_heads}"
            raise ConfigError(f"num_query_heads is a multiple of num_key_value_heads; got {numbers}.")
        self.input_spec = InputSpec(ndim=3)


def _anew(initializer) -> Any:
    """An initializer of the same config that draws other values."""
    return initializer.clone() if isinstance(initializer, initializers.Initializer) else initializer


def _differ(size, other):
    return None not in (size, other) and size != other


def _equations(rank, attention_axes):
    """(scores of queries and keys, mean of values by scores) for tensors of this rank, the last two axes heads and
    channels: the keys' attention axes are capitals, those of scores are other axes, heads, queries, keys."""
    letters = string.ascii_lowercase[:rank]
    attended = "".join(letters[axis] for axis in attention_axes)
    others = "".join(letter for letter in letters[:-1] if letter not in attended)
    keys = "".join(letter.upper() if letter in attended else letter for letter in letters)
    scores = others + attended + attended.upper()
    return f"{letters},{keys}->{scores}", f"{scores},{keys}->{letters}"
