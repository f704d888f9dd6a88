"""How targets meet outputs, and weights meet losses: by a trailing axis of size 1, and never by silent broadcasting."""

import jax.numpy as jnp

from lamina.core.variable import unwrap
from lamina.errors import ShapeError
from lamina.runtime import settings

__all__ = ["aligned", "float_array", "pair", "same_rank", "spread"]


def float_array(values, dtype=None):
    """`values` as an array of floats: of `dtype`, else of their own type, else (integers, booleans) of floatx."""
    values = jnp.asarray(unwrap(values), dtype)
    return values if jnp.issubdtype(values.dtype, jnp.floating) else values.astype(settings.floatx())


def same_rank(a, b):
    """`a` and `b` with a last axis of size 1 added to a vector, or dropped, where their ranks differ by one.

    >>> import numpy as np
    >>> [x.shape for x in same_rank(np.ones(3), np.ones((3, 1)))]
    [(3, 1), (3, 1)]
    >>> [x.shape for x in same_rank(np.ones((3, 4, 1)), np.ones((3, 4)))]
    [(3, 4), (3, 4)]
    """
    if a.ndim == b.ndim + 1 and a.shape[-1] == 1:
        return (a, b[..., None]) if b.ndim == 1 else (a[..., 0], b)
    if b.ndim == a.ndim + 1 and b.shape[-1] == 1:
        return same_rank(b, a)[::-1]
    return a, b


def pair(y_true, y_pred):
    """Targets and outputs as floats of the outputs' type and of one shape. Raises ShapeError where they do not fit."""
    y_pred = float_array(y_pred)
    return aligned(jnp.asarray(unwrap(y_true), y_pred.dtype), y_pred)


def aligned(y_true, y_pred):
    """Targets and outputs of one shape. Raises ShapeError where they do not fit."""
    targets, outputs = same_rank(y_true, y_pred)
    if targets.shape != outputs.shape:
        raise ShapeError(
            f"Targets and outputs must have the same shape; got targets {y_true.shape} and outputs {y_pred.shape}.",
            fix=_fix(y_true.shape, y_pred.shape),
        )
    return targets, outputs


def _fix(targets, outputs):
    if len(outputs) > 1 and targets in (outputs[:-1], (*outputs[:-1], 1)) and outputs[-1] != 1:
        return f"Class numbers take a sparse_categorical loss or metric; one_hot(y, {outputs[-1]}) has shape {outputs}."
    if len(targets) == len(outputs) > 1 and targets[:-1] == outputs[:-1]:
        return f"Give the last layer {targets[-1]} units, or targets with {outputs[-1]} columns."
    if outputs and targets[:1] == outputs[:1] and len(targets) < len(outputs):
        return (
            "Bring the outputs to the targets' rank (Flatten, pooling, return_sequences=False), or give more targets."
        )
    return f"Targets are never broadcast: give y_true the shape {outputs}."


def spread(weights, values):
    """Weights in a shape that multiplies `values`: one a sample, (batch,), meets (batch, time) as (batch, 1)."""
    values, weights = same_rank(values, weights)
    if weights.ndim < values.ndim and weights.shape == values.shape[: weights.ndim]:
        weights = weights.reshape(weights.shape + (1,) * (values.ndim - weights.ndim))
    fits = weights.ndim in (0, values.ndim) and all(
        size in (1, other) for size, other in zip(weights.shape, values.shape[: weights.ndim], strict=True)
    )
    if not fits:
        raise ShapeError(
            f"Sample weights (or a mask) of shape {weights.shape} do not fit values of shape {values.shape}.",
            fix=f"Give one weight a sample, shape {values.shape[:1]}, or one a value, shape {values.shape}.",
        )
    return weights, values
