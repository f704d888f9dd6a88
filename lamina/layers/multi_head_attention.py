"""Attention with learned projections and several heads: MultiHeadAttention and GroupQueryAttention."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

from lamina.errors import ConfigError
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.projected_attention import ProjectedAttention

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lamina.constraints import ConstraintLike
    from lamina.core.typing import SeedLike
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["GroupQueryAttention", "MultiHeadAttention"]


def _alias(name) -> Any:
    """A property by which another name reads and sets the attribute `name`."""
    return property(operator.attrgetter(name), lambda self, value: setattr(self, name, value))


class MultiHeadAttention(ProjectedAttention):
    """`output(attention(query(x), key(y), value(z)))`, where each name is a projection and attention has several heads.

    A call takes `query`, `value` and `key` (the value by default), and masks: `query_mask` (batch, T), `value_mask` and
    `key_mask` (batch, S), by default those of the inputs, `attention_mask` (batch, T, S) and `use_causal_mask`. A query
    sees a key if all are True.

    Shapes: query (batch, T, dim), value and key (batch, S, value dim) -> (batch, T, dim); with
    return_attention_scores=True also the weights, (batch, heads, T, S).

    Args:
        num_heads: Number of heads.
        key_dim: Size of each head's queries and keys.
        value_dim: Size of each head's values; None means `key_dim`.
        dropout: Fraction of the attention weights that are set to 0 in training.
        use_bias: Whether a bias is added.
        output_shape: Sizes of the last axes of the outputs; None means the last size of the query.
        attention_axes: Axes over which attention goes; None means all between the first and the last.
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

    Raises:
        ConfigError: For sizes that are not positive integers, or dropout with flash attention.
        ShapeError: If the shapes of query, key and value do not fit.

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
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
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
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, use_gate,
            seed, **kwargs,
        )  # fmt: skip
        self.num_heads = self._size("num_heads", num_heads)
        self.query_heads: int = self.num_heads
        self.key_heads: int = self.num_heads
        self.key_dim = self._size("key_dim", key_dim)
        self.query_size: int = self.key_dim
        self.value_dim = self._size("value_dim", value_dim or key_dim)
        self.value_size: int = self.value_dim
        self.output_shape: Any = (
            (output_shape,) if isinstance(output_shape, int) else output_shape and tuple(output_shape)
        )
        self.attention_axes: Any = (attention_axes,) if isinstance(attention_axes, int) else attention_axes
        self.input_spec: Any = InputSpec(min_ndim=3)

    def _add_activity_loss(self, outputs):
        """Does nothing: `activity_regularizer` is for the projections."""

    # Names in Keras that subclasses in other packages read and set

    _num_heads, _key_dim, _value_dim, _query_dense, _key_dense, _value_dense, _output_dense = map(
        _alias, ("num_heads", "key_dim", "value_dim", "query_dense", "key_dense", "value_dense", "output_dense")
    )
    _dropout, _use_bias, _use_gate, _output_shape, _flash_attention, _attention_axes, _sliding_window = map(
        _alias,
        ("dropout", "use_bias", "use_gate", "output_shape", "flash_attention", "attention_axes", "sliding_window"),
    )
    _kernel_initializer, _kernel_regularizer, _kernel_constraint, _activity_regularizer = map(
        _alias, ("kernel_initializer", "kernel_regularizer", "kernel_constraint", "activity_regularizer")
    )
    _bias_initializer, _bias_regularizer, _bias_constraint = map(
        _alias, ("bias_initializer", "bias_regularizer", "bias_constraint")
    )
    _inverse_sqrt_key_dim = property(lambda self: 1 / math.sqrt(self.key_dim))


class GroupQueryAttention(ProjectedAttention):
    """Multi-head attention in which several heads of queries share one head of keys and values.

    A call takes `query`, `value` and `key` (the value by default), and masks: `query_mask` (batch, T), `value_mask` and
    `key_mask` (batch, S), by default those of the inputs, `attention_mask` (batch, T, S) and `use_causal_mask`. A query
    sees a key if all are True.

    Shapes: query (batch, T, dim), value and key (batch, S, value dim) -> (batch, T, dim); with
    return_attention_scores=True also the weights, (batch, num_query_heads, T, S).

    Args:
        head_dim: Size of each head's queries, keys and values.
        num_query_heads: Number of heads of queries, a multiple of `num_key_value_heads`.
        num_key_value_heads: Number of heads of keys and values.
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

    Raises:
        ConfigError: If num_query_heads is not a multiple of num_key_value_heads, or for dropout with flash attention.
        ShapeError: If the shapes of query, key and value do not fit.

    Source: J. Ainslie et al., arXiv:2305.13245.

    >>> import lamina as keras
    >>> x = keras.Input((4, 16))
    >>> keras.layers.GroupQueryAttention(head_dim=3, num_query_heads=4, num_key_value_heads=2)(x, x).shape
    (None, 4, 16)
    """

    _named_after = "GroupedQueryAttention"

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
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
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, kernel_initializer, bias_initializer,
            kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint, use_gate,
            seed, **kwargs,
        )  # fmt: skip
        self.head_dim: int = self._size("head_dim", head_dim)
        self.query_size: int = self.head_dim
        self.value_size: int = self.head_dim
        self.num_query_heads: int = self._size("num_query_heads", num_query_heads)
        self.query_heads: int = self.num_query_heads
        self.num_key_value_heads: int = self._size("num_key_value_heads", num_key_value_heads)
        self.key_heads: int = self.num_key_value_heads
        if num_query_heads % num_key_value_heads:
            numbers = f"{num_query_heads} and {num_key_value_heads}"
            raise ConfigError(
                f"num_query_heads must be a multiple of num_key_value_heads; got {numbers}.",
                fix=f"num_query_heads={-(-num_query_heads // num_key_value_heads) * num_key_value_heads}",
            )
        self.input_spec: Any = InputSpec(ndim=3)

    # Names in Keras that subclasses in other packages read

    _flash_attention = _alias("flash_attention")
    _inverse_sqrt_head_dim = property(lambda self: 1 / math.sqrt(self.head_dim))
    num_repeats = property(lambda self: self.num_query_heads // self.num_key_value_heads)
