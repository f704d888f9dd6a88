"""ProjectedAttention: the base of attention layers with learned projections and several heads."""

from __future__ import annotations

import functools
import math
import string
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import constraints, initializers, ops, regularizers
from lamina.core.arguments import whole
from lamina.core.keras_tensor import set_mask
from lamina.errors import CallError, ConfigError, ShapeError
from lamina.layers.activation_layers import Softmax
from lamina.layers.base.layer import Layer
from lamina.layers.einsum_dense import EinsumDense
from lamina.layers.regularization import Dropout

if TYPE_CHECKING:
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import SeedLike, Shape, Tensor
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike


class ProjectedAttention(Layer):
    """`output(sigmoid(gate) * attention(query(x), key(y), value(z)))`, where each name is a projection. The gate is
    optional.

    A subclass sets the number of heads, the sizes of their vectors, and the axes of the attention.

    Args:
        dropout: Fraction of the attention weights that are set to 0 in training.
        use_bias: Whether a bias is added.
        sliding_window: Keys less than this many positions away are visible to a query; None means all keys.
        flash_attention: Whether to use cuDNN's fused kernel (NVIDIA GPUs, half precision); None means
            `keras.config.is_flash_attention_enabled()`.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        use_gate: Whether the outputs of the heads are multiplied by `sigmoid(gate(query))`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.
    """

    _traits = frozenset(("attention", "weighted"))
    _config_skips = frozenset(("autocast", "flash_attention"))
    _config_optional = frozenset()
    query_heads: int
    key_heads: int
    query_size: int
    value_size: int
    attention_axes: Any = (1,)
    output_shape: Any = None
    dropout: Any = None
    use_bias: Any = None
    stem = "_{}_dense"  # name of the attribute of a projection, which files contain

    def __init__(
        self,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        use_gate: bool = False,
        seed: SeedLike = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.dropout = dropout
        self.use_bias = use_bias
        self.use_gate = use_gate
        self.seed = seed
        self.sliding_window: int | None = (
            None if sliding_window is None else self._size("sliding_window", sliding_window)
        )
        self.flash_attention: bool | None = flash_attention
        if self.flash_attention and dropout > 0:
            raise ConfigError(f"Flash attention does not support dropout; got dropout={dropout}.", fix="dropout=0.0")
        self.kernel_initializer: Any = initializers.get(kernel_initializer)
        self.bias_initializer: Any = initializers.get(bias_initializer)
        self.kernel_regularizer: Any = regularizers.get(kernel_regularizer)
        self.bias_regularizer: Any = regularizers.get(bias_regularizer)
        self.activity_regularizer: Any = regularizers.get(activity_regularizer)
        self.kernel_constraint: Any = constraints.get(kernel_constraint)
        self.bias_constraint: Any = constraints.get(bias_constraint)
        self.supports_masking = True

    def _size(self, name, value) -> int:
        return whole(self, name, value)

    def build(self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None) -> None:
        key_shape = key_shape or value_shape
        self.attention_axes = self._attended_axes(len(query_shape))
        self._check_shapes(query_shape, value_shape, key_shape)
        heads, size = self.query_heads, self.query_size
        self._project("query", query_shape, "...x,xnh->...nh", (heads, size))
        self._project("key", key_shape, "...x,xnh->...nh", (self.key_heads, size))
        if self.use_gate:
            self._gate_dense = self._projection("gate", "...x,xnh->...nh", (heads, self.value_size), "sigmoid")
            self._gate_dense.build(query_shape)
        self._project("value", value_shape, "...x,xnh->...nh", (self.key_heads, self.value_size))
        self._build_attention(len(query_shape) + 1)
        shape = self.output_shape or query_shape[-1:]
        letters = string.ascii_uppercase[: len(shape)]
        mixed = (*query_shape[:-1], heads, self.value_size)
        self._project("output", mixed, f"...nh,nh{letters}->...{letters}", shape, "attention_output")

    def _build_attention(self, rank):
        """What comes between the projections, for projected inputs of a rank."""
        self.attention_axes = self._attended_axes(rank - 1)
        self._dot_product_equation, self._combine_equation = equations(rank, self.attention_axes)
        over: Any = tuple(range(-len(self.attention_axes), 0))
        self._softmax = Softmax(over, dtype=self.dtype_policy)
        self._dropout_layer = Dropout(self.dropout, seed=self.seed, dtype=self.dtype_policy)

    def _attended_axes(self, rank):
        axes = range(1, rank - 1) if self.attention_axes is None else self.attention_axes
        return tuple(axis % rank for axis in axes)

    def _check_shapes(self, query_shape, value_shape, key_shape):
        if tuple(key_shape[1:-1]) != tuple(value_shape[1:-1]):
            raise ShapeError(
                f"Keys and values must have the same sequence length; got keys of shape {key_shape} and values of "
                f"shape {value_shape}.",
                fix="layer(query, value) takes the values as keys too.",
            )
        shared = [axis for axis in range(1, len(query_shape) - 1) if axis not in self.attention_axes]
        if len(value_shape) != len(query_shape) or any(_differ(query_shape[i], value_shape[i]) for i in shared):
            raise ShapeError(
                f"Queries and values must have the same sizes except for the last axis and the attention axes "
                f"{self.attention_axes}; got queries of shape {query_shape} and values of shape {value_shape}.",
                fix=f"attention_axes={tuple(range(1, len(query_shape) - 1))}"
                if len(value_shape) == len(query_shape)
                else f"Give both rank {len(query_shape)}.",
            )

    def _project(self, role, input_shape, equation, output_shape, name=None):
        layer = self._projection(name or role, equation, output_shape)
        setattr(self, self.stem.format(role), layer)
        layer.build(tuple(input_shape))

    def _projection(self, name, equation, output_shape, activation=None):
        bias_axes = equation.split("...")[-1] if self.use_bias else None
        common = self._get_common_kwargs_for_sublayer()
        layer = EinsumDense(equation, output_shape, activation, bias_axes=bias_axes, name=name, **common)
        layer.supports_masking = True  # the attention uses the masks of its inputs
        return layer

    def _get_common_kwargs_for_sublayer(self):
        same = (
            "kernel_regularizer",
            "bias_regularizer",
            "activity_regularizer",
            "kernel_constraint",
            "bias_constraint",
        )
        drawn = ("kernel_initializer", "bias_initializer")
        arguments = {**{name: _clone(getattr(self, name)) for name in drawn}, "dtype": self.dtype_policy}
        return {**arguments, **{name: getattr(self, name) for name in same}}

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """The outputs, and the attention weights with `return_attention_scores=True`.

        Args:
            query: Queries, (batch, T, dim).
            value: Values, (batch, S, value dim).
            key: Keys, (batch, S, key dim); None means the values.
            query_mask: Which queries are valid, (batch, T); None means the mask of `query`.
            value_mask: Which values are valid, (batch, S); None means the mask of `value`.
            key_mask: Which keys are valid, (batch, S); None means the mask of `key`.
            attention_mask: Which keys each query sees, (batch, T, S); None means all.
            return_attention_scores: Whether the attention weights are returned as well.
            training: Whether dropout is applied.
            use_causal_mask: Whether each query sees only keys at its own and earlier positions.
        """
        if return_attention_scores and self.flash_attention:
            raise CallError("Flash attention does not return attention scores.", fix="flash_attention=False")
        inputs = {"query": query, "key": value if key is None else key, "value": value}
        queries, keys, values = (self._dense(role)(x) for role, x in inputs.items())
        masks = {"query_mask": query_mask, "value_mask": value_mask, "key_mask": key_mask}
        masks["attention_mask"] = attention_mask
        _check_mask(attention_mask, query.shape, value.shape)
        visible = self._compute_attention_mask(query, value, use_causal_mask=use_causal_mask, **masks)
        repeats = self.query_heads // self.key_heads
        if repeats > 1:
            keys, values = (jnp.repeat(x, repeats, axis=-2) for x in (keys, values))
        scores: Any = {"return_attention_scores": True} if return_attention_scores else {}
        mixed, weights = self._compute_attention(queries, keys, values, visible, training, **scores)
        outputs = self._dense("output")(mixed * self._gate_dense(query) if self.use_gate else mixed)
        if query_mask is not None:
            set_mask(outputs, query_mask)
        return (outputs, weights) if return_attention_scores else outputs

    def _dense(self, role):
        return getattr(self, self.stem.format(role))

    # The steps have the names that they have in Keras, for subclasses in other packages call and override them

    def _compute_attention(
        self,
        query,
        key,
        value,
        attention_mask=None,
        training=None,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        """(weighted means of the values, the weights or None) for projected inputs."""
        if use_causal_mask:
            attention_mask = self._compute_attention_mask(
                query, value, attention_mask=attention_mask, use_causal_mask=True
            )
        if query.ndim == 4 and not self.dropout and not return_attention_scores:
            visible, scale = self._for_heads(attention_mask, 4), 1 / math.sqrt(self.query_size)
            flash = self.flash_attention
            return ops.dot_product_attention(query, key, value, mask=visible, scale=scale, flash_attention=flash), None
        query = query * jnp.asarray(1 / math.sqrt(self.query_size), query.dtype)
        weights = self._masked_softmax(jnp.einsum(self._dot_product_equation, key, query), attention_mask)
        return jnp.einsum(self._combine_equation, self._dropout_layer(weights, training=training), value), weights

    def _masked_softmax(self, attention_scores, attention_mask=None):
        visible = self._for_heads(attention_mask, attention_scores.ndim - len(self.attention_axes) + 1)
        return self._softmax(attention_scores, mask=visible)

    def _for_heads(self, mask, rank):
        """The mask of keys that each query sees, with an axis for the heads of queries of a rank."""
        if mask is None:
            return None
        count = len(self.attention_axes)
        return jnp.expand_dims(mask.astype(bool), tuple(range(mask.ndim - 2 * count, rank - 1 - count)))

    def _compute_attention_mask(
        self, query, value, query_mask=None, value_mask=None, key_mask=None, attention_mask=None, use_causal_mask=False
    ):
        """The keys that each query sees, or None for all."""
        count = len(self.attention_axes)
        masks = [] if attention_mask is None else [attention_mask.astype(bool)]
        if query_mask is not None:
            masks.append(query_mask.astype(bool)[(..., *[None] * count)])
        for mask in (value_mask, key_mask):
            if mask is not None:
                masks.append(jnp.expand_dims(mask.astype(bool), tuple(range(-2 * count, -count))))
        if use_causal_mask or self.sliding_window is not None:
            masks.append(self._band(query, value, use_causal_mask))
        return functools.reduce(jnp.logical_and, masks) if masks else None

    def _compute_causal_mask(self, query, value=None):
        return self._band(query, query if value is None else value, True)

    def _band(self, queries, keys, causal):
        """(1, T, S): keys that are not after a query (causal) and within the window."""
        if len(self.attention_axes) != 1:
            raise CallError(
                f"Causal masks and windows need exactly one attention axis; got attention_axes={self.attention_axes}.",
                fix="use_causal_mask=False" if self.sliding_window is None else "attention_axes=1",
            )
        (axis,) = self.attention_axes
        distance = jnp.arange(queries.shape[axis])[:, None] - jnp.arange(keys.shape[axis])
        band = distance >= 0 if causal else jnp.ones(distance.shape, bool)
        return (band if self.sliding_window is None else band & (abs(distance) < self.sliding_window))[None]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None  # `call` sets the mask of the query on the outputs


def _clone(initializer) -> Any:
    """A copy of an initializer that draws other values."""
    return initializer.clone() if isinstance(initializer, initializers.Initializer) else initializer


def _differ(size, other):
    return None not in (size, other) and size != other


def _check_mask(mask, query, value):
    """Raise an error for an attention mask that is not (batch, T, S) for queries and values of these shapes."""
    if mask is None or len(query) != 3 or len(value) != 3:
        return
    wanted, shape = (query[1], value[1]), tuple(mask.shape)
    if len(shape) < 2 or any(size not in (1, other) for size, other in zip(shape[-2:], wanted, strict=True)):
        fix = f"attention_mask=keras.ops.ones((1, {wanted[0]}, {wanted[1]}), 'bool')"
        raise ShapeError(
            f"attention_mask has one value for each query and key, (batch, {wanted[0]}, {wanted[1]}); got {shape}.",
            fix="attention_mask=mask[:, None, :]" if shape[1:] == wanted[1:] else fix,
        )


def equations(rank: int, attention_axes: Any) -> tuple[str, str]:
    """The equations of (scores of keys and queries, weighted mean of values) for tensors of this rank, whose last two
    axes are heads and channels. The keys' attention axes are capitals; axes of scores are others, heads, query, key."""
    letters = string.ascii_lowercase[:rank]
    attended = "".join(letters[axis] for axis in attention_axes)
    others = "".join(letter for letter in letters[:-1] if letter not in attended)
    keys = "".join(letter.upper() if letter in attended else letter for letter in letters)
    scores = others + attended + attended.upper()
    return f"{keys},{letters}->{scores}", f"{scores},{keys}->{letters}"
