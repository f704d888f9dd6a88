"""What happens to gradients before a rule sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from lamina.core.typing import Tensor
from lamina.core.variable import Variable
from lamina.errors import CallError, warn

__all__ = ["clipped", "with_gradient"]


def clipped(
    grads: Sequence[Tensor],
    clipnorm: float | None = None,
    clipvalue: float | None = None,
    global_clipnorm: float | None = None,
) -> Sequence[Tensor]:
    """Each gradient, or all as one vector, shortened to a norm; or their values limited (Pascanu et al. 2012, arXiv
    1211.5063)."""
    if clipnorm:
        return [gradient * _shrink(_norm([gradient]), clipnorm) for gradient in grads]
    if global_clipnorm:
        shrink = _shrink(_norm(grads), global_clipnorm)
        return [gradient * shrink for gradient in grads]
    if clipvalue:
        return [jnp.clip(gradient, -clipvalue, clipvalue) for gradient in grads]
    return grads


def with_gradient(grads: Sequence[Any], variables: Sequence[Variable]) -> tuple[list[Any], list[Variable]]:
    """The pairs that have a gradient. Warns of the others."""
    missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
    if len(missing) == len(variables):
        raise CallError("No gradient for any variable.", fix="Does the loss depend on the trainable variables?")
    if missing:
        warn(f"Gradients do not exist for variables {missing}; they stay as they are.")
    pairs = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
    return [g for g, _ in pairs], [v for _, v in pairs]


def _norm(arrays):
    """The norm of all arrays as one vector, summed in float32 at least: squares of float16 overflow early."""
    wide = [array.astype(jnp.promote_types(array.dtype, "float32")) for array in arrays]
    return jnp.sqrt(sum(jnp.sum(jnp.square(array)) for array in wide))


def _shrink(norm, limit):
    return limit / jnp.maximum(norm, limit)
