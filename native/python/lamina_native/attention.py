"""Multi-head attention and its gradient, computed without storing the full matrix of scores."""

import jax.numpy as jnp

from lamina_native.library import call_all

__all__ = ["attention", "attention_gradient"]


def attention(q, k, v, *, scale, mask=None):
    """(`softmax(q . k * scale) . v`, values that the gradient needs), in float32.

    Shapes: q (batch, T, heads, size), k (batch, S, heads, size), v (batch, S, heads, value_size) -> (batch, T, heads,
    value_size). mask has a shape that broadcasts to (batch, heads, T, S) and is True where a query attends to a key.
    """
    (batch, queries, heads, _), masks = _check(q, k, v, mask)
    shapes = (batch, queries, heads, v.shape[-1]), (batch, heads, queries, 2)
    return call_all("attention", shapes, q, k, v, *masks, scale=float(scale))


def attention_gradient(q, k, v, y, saved, dy, *, scale, mask=None):
    """The gradients of q, k and v, given the gradient `dy` of the output and the values that `attention` saved."""
    _, masks = _check(q, k, v, mask)
    shapes = [array.shape for array in (q, k, v)]
    return call_all("attention_gradient", shapes, q, k, v, y, saved, dy, *masks, scale=float(scale))


def _check(q, k, v, mask):
    if any(array.ndim != 4 or array.dtype != jnp.float32 for array in (q, k, v)):
        raise ValueError(
            f"attention needs q, k, v of 4 axes in float32; got {[(a.shape, str(a.dtype)) for a in (q, k, v)]}."
        )
    full = q.shape[0], q.shape[2], q.shape[1], k.shape[1]
    if k.shape != (full[0], full[3], full[1], q.shape[3]) or v.shape[:3] != k.shape[:3] or 0 in full:
        raise ValueError(f"attention: shapes {q.shape}, {k.shape} and {v.shape} do not fit.")
    if mask is None:
        return q.shape, ()
    spreads = mask.ndim == 4 and all(size in (1, whole) for size, whole in zip(mask.shape, full, strict=True))
    if mask.dtype != bool or not spreads:
        raise ValueError(f"attention needs a mask of booleans that spreads to {full}; got {mask.dtype}{mask.shape}.")
    return q.shape, (mask,)
