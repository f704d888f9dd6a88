"""Activations of single numbers, and `glu`. `lamina.ops`, `lamina.activations` and the layers use these functions."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.typing import Tensor, TensorLike
from lamina.kernels.monotone import mark_monotone

__all__ = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
    "linear", "log_sigmoid", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink",
    "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "tanh",
    "tanh_shrink", "threshold",
]  # fmt: skip


@op(compiles=True)
def relu(x: TensorLike, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Tensor:
    """`x` where it is at least `threshold`, at most `max_value`; `negative_slope * (x - threshold)` elsewhere.

    Args:
        x: Tensor.
        negative_slope: Slope below `threshold`.
        max_value: Largest output; None means no limit.
        threshold: Smallest input that is kept as it is.

    >>> relu([-3.0, 5.0, 10.0], negative_slope=0.5, max_value=6.0).tolist()
    [-1.5, 5.0, 6.0]
    """
    x = jnp.asarray(x)
    if negative_slope == 0.0 and threshold == 0.0 and max_value is None:
        return mark_monotone(jax.nn.relu, x, jax.nn.relu(x))
    above = jnp.where(x > threshold, x, 0) if threshold != 0.0 else jax.nn.relu(x)
    if max_value is not None:
        above = jnp.clip(above, 0, max_value)
    return above - negative_slope * jax.nn.relu(threshold - x) if negative_slope else above


@op(compiles=True)
def relu6(x: TensorLike) -> Tensor:
    """`min(max(x, 0), 6)`.

    Args:
        x: Tensor.
    """
    return jax.nn.relu6(jnp.asarray(x))


@op(compiles=True)
def leaky_relu(x: TensorLike, negative_slope: float = 0.2) -> Tensor:
    """`x` where it is positive, `negative_slope * x` elsewhere.

    Args:
        x: Tensor.
        negative_slope: Slope where `x` is negative.
    """
    return jax.nn.leaky_relu(jnp.asarray(x), negative_slope)


@op(compiles=True)
def elu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`x` where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2016, arXiv:1511.07289).

    Args:
        x: Tensor.
        alpha: Limit of `-elu(x)` for very negative `x`.
    """
    return jax.nn.elu(jnp.asarray(x), alpha)


@op(compiles=True)
def selu(x: TensorLike) -> Tensor:
    """`scale * elu(x, alpha)`, scale 1.0507, alpha 1.6733 (Klambauer et al., 2017, arXiv:1706.02515).

    Args:
        x: Tensor.
    """
    return jax.nn.selu(jnp.asarray(x))


@op(compiles=True)
def celu(x: TensorLike, alpha: float = 1.0) -> Tensor:
    """`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)` (Barron, 2017, arXiv:1704.07483).

    Args:
        x: Tensor.
        alpha: Limit of `-celu(x)` for very negative `x`.
    """
    return jax.nn.celu(jnp.asarray(x), alpha)


@op(compiles=True)
def gelu(x: TensorLike, approximate: bool = True) -> Tensor:
    """`x * P(X <= x)` for a standard normal X, or its tanh approximation (Hendrycks and Gimpel, 2016,
    arXiv:1606.08415).

    Args:
        x: Tensor.
        approximate: Whether the tanh approximation is computed instead of the exact function.
    """
    return jax.nn.gelu(jnp.asarray(x), approximate)


@op(compiles=True)
def silu(x: TensorLike) -> Tensor:
    """`x * sigmoid(x)`, also called swish (Ramachandran et al., 2017, arXiv:1710.05941).

    Args:
        x: Tensor.
    """
    return jax.nn.silu(jnp.asarray(x))


@op(compiles=True)
def hard_silu(x: TensorLike) -> Tensor:
    """`x * hard_sigmoid(x)`, also called hard swish (Howard et al., 2019, arXiv:1905.02244).

    Args:
        x: Tensor.
    """
    return jax.nn.hard_silu(jnp.asarray(x))


@op(compiles=True)
def mish(x: TensorLike) -> Tensor:
    """`x * tanh(softplus(x))` (Misra, 2019, arXiv:1908.08681).

    Args:
        x: Tensor.
    """
    return jax.nn.mish(jnp.asarray(x))


@op(compiles=True)
def sigmoid(x: TensorLike) -> Tensor:
    """`1 / (1 + exp(-x))`.

    Args:
        x: Tensor.
    """
    return jax.nn.sigmoid(jnp.asarray(x))


@op(compiles=True)
def hard_sigmoid(x: TensorLike) -> Tensor:
    """`min(max(x / 6 + 1/2, 0), 1)`.

    Args:
        x: Tensor.
    """
    return jax.nn.hard_sigmoid(jnp.asarray(x))


@op(compiles=True)
def log_sigmoid(x: TensorLike) -> Tensor:
    """`log(sigmoid(x))`, computed without overflow.

    Args:
        x: Tensor.
    """
    return jax.nn.log_sigmoid(jnp.asarray(x))


@op(compiles=True)
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """0 below -1, `(x + 1) / 2` between, 1 above 1.

    Args:
        x: Tensor.
    """
    return jax.nn.sparse_sigmoid(jnp.asarray(x))


@op(compiles=True)
def softplus(x: TensorLike) -> Tensor:
    """`log(1 + exp(x))`.

    Args:
        x: Tensor.
    """
    return jax.nn.softplus(jnp.asarray(x))


@op(compiles=True)
def sparse_plus(x: TensorLike) -> Tensor:
    """0 below -1, `(x + 1)**2 / 4` between, `x` above 1.

    Args:
        x: Tensor.
    """
    return jax.nn.sparse_plus(jnp.asarray(x))


@op(compiles=True)
def squareplus(x: TensorLike, b: float = 4) -> Tensor:
    """`(x + sqrt(x**2 + b)) / 2` (Barron, 2021, arXiv:2112.11687).

    Args:
        x: Tensor.
        b: Smoothness: the output at 0 is sqrt(b) / 2.
    """
    return jax.nn.squareplus(jnp.asarray(x), b)


@op(compiles=True)
def softsign(x: TensorLike) -> Tensor:
    """`x / (1 + |x|)`.

    Args:
        x: Tensor.
    """
    return jax.nn.soft_sign(jnp.asarray(x))


@op(compiles=True)
def tanh(x: TensorLike) -> Tensor:
    """`(exp(x) - exp(-x)) / (exp(x) + exp(-x))`.

    Args:
        x: Tensor.
    """
    return jnp.tanh(jnp.asarray(x))


@op(compiles=True)
def hard_tanh(x: TensorLike) -> Tensor:
    """`min(max(x, -1), 1)`.

    Args:
        x: Tensor.
    """
    return jax.nn.hard_tanh(jnp.asarray(x))


@op(compiles=True)
def tanh_shrink(x: TensorLike) -> Tensor:
    """`x - tanh(x)`.

    Args:
        x: Tensor.
    """
    x = jnp.asarray(x)
    return x - jnp.tanh(x)


@op(compiles=True)
def soft_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` moved towards 0 by `threshold`; 0 where `|x|` is at most `threshold`.

    Args:
        x: Tensor.
        threshold: How far `x` is moved towards 0.
    """
    x = jnp.asarray(x)
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, 0))


@op(compiles=True)
def hard_shrink(x: TensorLike, threshold: float = 0.5) -> Tensor:
    """`x` where `|x| > threshold`, 0 elsewhere.

    Args:
        x: Tensor.
        threshold: Largest `|x|` that becomes 0.
    """
    x = jnp.asarray(x)
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


@op(compiles=True, settings=("threshold", "default_value"))
def threshold(x: TensorLike, threshold: float, default_value: float) -> Tensor:
    """`x` where `x > threshold`, `default_value` elsewhere.

    Args:
        x: Tensor.
        threshold: Largest input that is replaced.
        default_value: Value in its place.
    """
    x = jnp.asarray(x)
    return jnp.where(x > threshold, x, default_value)


@op(compiles=True)
def exponential(x: TensorLike) -> Tensor:
    """`exp(x)`.

    Args:
        x: Tensor.
    """
    return jnp.exp(jnp.asarray(x))


@op(compiles=True)
def linear(x: TensorLike) -> Tensor:
    """`x`, unchanged.

    Args:
        x: Tensor.
    """
    return jnp.asarray(x)


@op(compiles=True)
def glu(x: TensorLike, axis: int = -1) -> Tensor:
    """`a * sigmoid(b)` where a and b are the halves of `x` along `axis` (Dauphin et al., 2017, arXiv:1612.08083).

    Args:
        x: Tensor.
        axis: Axis that is split; its size is even.
    """
    return jax.nn.glu(jnp.asarray(x), axis)
