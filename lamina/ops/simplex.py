"""Softmax and sparsemax: maps to the probability simplex."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.typing import Axes, Tensor, TensorLike

__all__ = ["log_softmax", "softmax", "sparsemax"]


@op(compiles=True)
def softmax(x: TensorLike, axis: Axes = -1) -> Tensor:
    """`exp(x) / sum(exp(x))` along `axis`.

    Args:
        x: Tensor.
        axis: Axis or axes along which the result sums to 1; None means all.

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    return weights_of(jnp.asarray(x), axis)


def weights_of(x: Any, axis: Axes = -1) -> Any:
    """`softmax` of an array. In a program that runs elsewhere it is a function by name, for which formats have an
    operator.

    Args:
        x: Array.
        axis: Axis or axes along which the result sums to 1; None means all.
    """
    from lamina.kernels.native import is_portable  # read with the first softmax, not with lamina

    if not is_portable() or not isinstance(axis, int):
        return jax.nn.softmax(x, axis)

    def lamina_softmax(x):
        return jax.nn.softmax(x, axis)

    return jax.jit(lamina_softmax)(x)


@op(compiles=True)
def log_softmax(x: TensorLike, axis: Axes = -1) -> Tensor:
    """`log(softmax(x))`, computed without overflow.

    Args:
        x: Tensor.
        axis: Axis or axes of the softmax; None means all.
    """
    return jax.nn.log_softmax(jnp.asarray(x), axis)


@op(compiles=True)
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """The point of the probability simplex that is nearest to `x`: `max(x - tau, 0)` with tau such that the result sums
    to 1 along `axis` (Martins and Astudillo, 2016, arXiv:1602.02068). Keras up to 3.15 computes another tau where
    more than one value is positive.

    Args:
        x: Tensor.
        axis: Axis along which the result sums to 1.

    >>> sparsemax([2.0, 1.5, -1.0]).tolist()
    [0.75, 0.25, 0.0]
    """
    x = jnp.asarray(x)
    values = jnp.moveaxis(x, axis, -1)
    descending = -jnp.sort(-values, axis=-1)
    sums = jnp.cumsum(descending, axis=-1)
    counts = jnp.arange(1, values.shape[-1] + 1, dtype=x.dtype)
    count = jnp.sum(1 + counts * descending > sums, axis=-1, keepdims=True)
    tau = (jnp.take_along_axis(sums, count - 1, axis=-1) - 1) / count.astype(x.dtype)
    return jnp.moveaxis(jax.nn.relu(values - tau), -1, axis)
