"""Attention: for each query the mean of the values, weighted by the similarity of their keys."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from lamina.core.arguments import rank
from lamina.core.op import op
from lamina.core.typing import TensorLike
from lamina.kernels.differentiable import differentiable
from lamina.kernels.native import is_portable, kernels
from lamina.ops.arrays import tensor, upcast
from lamina.ops.simplex import weights_of
from lamina.runtime import settings

__all__ = ["dot_product_attention"]


@op
def dot_product_attention(
    query: TensorLike,
    key: TensorLike,
    value: TensorLike,
    bias: TensorLike | None = None,
    mask: TensorLike | None = None,
    scale: float | None = None,
    is_causal: bool = False,
    flash_attention: bool | None = None,
    attn_logits_soft_cap: float | None = None,
) -> Any:
    """softmax(query . key * scale + bias) . value for each head, over the keys where `mask` is true.

    Shapes: query (batch, T, heads, dim), key and value (batch, S, key_heads, dim) -> (batch, T, heads, dim).

    Args:
        query: Queries of shape (batch, T, heads, dim).
        key: Keys of shape (batch, S, key_heads, dim); heads is a multiple of key_heads.
        value: Values of shape (batch, S, key_heads, dim).
        bias: Added to the logits; broadcasts to (batch, heads, T, S).
        mask: True where a query attends to a key; broadcasts to (batch, heads, T, S).
        scale: Factor of the logits; None means 1 / sqrt(dim).
        is_causal: Whether queries attend only to keys at their own position and before it.
        flash_attention: True for cuDNN's fused kernel (NVIDIA GPUs, half precision); None means
            `keras.config.is_flash_attention_enabled()`.
        attn_logits_soft_cap: c limits the logits to (-c, c) by c * tanh(logits / c).

    Source: A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017.
    """
    query, key, value = tensor(query), tensor(key), tensor(value)
    for name, x in (("query", query), ("key", key), ("value", value)):
        rank("dot_product_attention", name, x.shape, 4, 4, "(batch, time, heads, dim)")
    bias, mask = (part if part is None else tensor(part) for part in (bias, mask))
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    if flash_attention is None:  # a setting, which asks for no more than the device has
        flash_attention = bool(settings.is_flash_attention_enabled()) and _has_fused_kernel(query)
    if flash_attention and attn_logits_soft_cap is None:
        return jax.nn.dot_product_attention(
            query, key, value, bias, mask, scale=factor, is_causal=is_causal, implementation="cudnn"
        )
    repeats = query.shape[2] // key.shape[2]
    key, value = (jnp.repeat(x, repeats, axis=2) if repeats > 1 else x for x in (key, value))
    visible = _visible(mask, is_causal, (query.shape[1], key.shape[1]))
    if bias is None and attn_logits_soft_cap is None and _has_kernel(query, key, value, visible):
        if visible is not None:
            visible = jnp.expand_dims(visible, tuple(range(4 - visible.ndim)))
        return _native(float(factor), (query, key, value), visible)
    if is_portable() and bias is None and attn_logits_soft_cap is None:
        return _named(query, key, value, visible, factor)
    return _attend(query, key, value, visible, bias, factor, attn_logits_soft_cap)


def _named(query, key, value, visible, scale):
    """Attention as a function whose name and arguments `lamina.export.onnx.attention` reads."""

    def lamina_attention(query, key, value, scale, visible=None):
        return _attend(query, key, value, visible, None, scale, None)

    masks = () if visible is None else (visible,)
    return jax.jit(lamina_attention)(query, key, value, jnp.float32(scale), *masks)


def _attend(query, key, value, visible, bias, scale, cap):
    logits = upcast(jnp.einsum("btnh,bsnh->bnts", query, key, preferred_element_type=_accumulator(query))) * scale
    if cap is not None:
        logits = cap * jnp.tanh(logits / cap)
    logits = logits if bias is None else logits + bias
    if visible is not None:
        logits = jnp.where(visible, logits, jnp.asarray(-0.7 * jnp.finfo(logits.dtype).max, logits.dtype))
    weights = weights_of(logits).astype(key.dtype)
    return jnp.einsum("bnts,bsnh->btnh", weights, value)


# The kernel of lamina-native and its gradient.


def _has_fused_kernel(query):
    return jax.default_backend() == "gpu" and query.dtype in (jnp.float16, jnp.bfloat16)


def _has_kernel(query, key, value, visible):
    sizes = [size for array in (query, key, value) for size in array.shape]
    is_static = all(isinstance(size, int) and size > 0 for size in sizes)
    one_type = all(array.dtype == jnp.float32 for array in (query, key, value))
    shapes = query.shape[:1] == key.shape[:1] == value.shape[:1] and key.shape[:3] == value.shape[:3]
    fits = query.shape[3] == key.shape[3] and (visible is None or visible.ndim <= 4)
    return jax.default_backend() == "cpu" and is_static and one_type and shapes and fits and kernels(query) is not None


def _forward(scale, arrays, visible, save):
    native: Any = kernels()
    outputs, residuals = native.attention(*arrays, scale=scale, mask=visible)
    return outputs, residuals if save else None


def _gradient(scale, arrays, visible, outputs, residuals, cotangent):
    native: Any = kernels()
    return tuple(native.attention_gradient(*arrays, outputs, residuals, cotangent, scale=scale, mask=visible))


def _plain(scale, arrays, visible):
    query, key, value = arrays
    return _attend(query, key, value, visible, None, scale, None)


_native = differentiable(_forward, _gradient, _plain)


def _accumulator(x):
    return jnp.promote_types(x.dtype, jnp.float32)


def _visible(mask, is_causal, shape):
    """The keys that each query attends to, as a mask; None means all."""
    mask = None if mask is None else mask.astype(bool)
    if not is_causal:
        return mask
    earlier = jnp.tril(jnp.ones(shape[-2:], bool))
    return earlier if mask is None else mask & earlier
