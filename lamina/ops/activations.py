"""The formulas of activations, each once: `lamina.ops`, `lamina.activations` and the layers use these."""

import functools

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.kernels.monotone import mark_monotone

__all__ = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
    "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink",
    "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "tanh",
    "tanh_shrink", "threshold",
]  # fmt: skip


def _activation(function=None, *, settings=()):
    """An op of one tensor, which may be a list or NumPy array."""
    if function is None:
        return functools.partial(_activation, settings=settings)

    @functools.wraps(function)
    def on_array(x, *args, **kwargs):
        return function(jnp.asarray(x), *args, **kwargs)

    return op(on_array, settings=settings)


@_activation
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """`x` from `threshold` on, cut off at `max_value`; `negative_slope * (x - threshold)` below.

    >>> relu([-3.0, 5.0, 10.0], negative_slope=0.5, max_value=6.0).tolist()
    [-1.5, 5.0, 6.0]
    """
    if negative_slope == 0.0 and threshold == 0.0 and max_value is None:
        return mark_monotone(jax.nn.relu, x, jax.nn.relu(x))
    above = jnp.where(x > threshold, x, 0) if threshold != 0.0 else jax.nn.relu(x)
    if max_value is not None:
        above = jnp.clip(above, 0, max_value)
    return above - negative_slope * jax.nn.relu(threshold - x) if negative_slope else above


@_activation
def relu6(x):
    """`min(max(x, 0), 6)`."""
    return jax.nn.relu6(x)


@_activation
def leaky_relu(x, negative_slope=0.2):
    """`x` where it is positive, `negative_slope * x` elsewhere."""
    return jax.nn.leaky_relu(x, negative_slope)


@_activation
def elu(x, alpha=1.0):
    """`x` where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2016, arXiv:1511.07289)."""
    return jax.nn.elu(x, alpha)


@_activation
def selu(x):
    """`scale * elu(x, alpha)`, scale 1.0507, alpha 1.6733 (Klambauer et al., 2017, arXiv:1706.02515)."""
    return jax.nn.selu(x)


@_activation
def celu(x, alpha=1.0):
    """`max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)` (Barron, 2017, arXiv:1704.07483)."""
    return jax.nn.celu(x, alpha)


@_activation
def gelu(x, approximate=True):
    """`x * P(X <= x)`, X standard normal, or its tanh approximation (Hendrycks and Gimpel, 2016, arXiv:1606.08415)."""
    return jax.nn.gelu(x, approximate)


@_activation
def silu(x):
    """`x * sigmoid(x)`, also called swish (Ramachandran et al., 2017, arXiv:1710.05941)."""
    return jax.nn.silu(x)


@_activation
def hard_silu(x):
    """`x * hard_sigmoid(x)`, also called hard swish (Howard et al., 2019, arXiv:1905.02244)."""
    return jax.nn.hard_silu(x)


@_activation
def mish(x):
    """`x * tanh(softplus(x))` (Misra, 2019, arXiv:1908.08681)."""
    return jax.nn.mish(x)


@_activation
def sigmoid(x):
    """`1 / (1 + exp(-x))`."""
    return jax.nn.sigmoid(x)


@_activation
def hard_sigmoid(x):
    """`min(max(x / 6 + 1/2, 0), 1)`."""
    return jax.nn.hard_sigmoid(x)


@_activation
def log_sigmoid(x):
    """`log(sigmoid(x))`, computed without overflow."""
    return jax.nn.log_sigmoid(x)


@_activation
def sparse_sigmoid(x):
    """0 below -1, `(x + 1) / 2` between, 1 above 1."""
    return jax.nn.sparse_sigmoid(x)


@_activation
def softplus(x):
    """`log(1 + exp(x))`."""
    return jax.nn.softplus(x)


@_activation
def sparse_plus(x):
    """0 below -1, `(x + 1)**2 / 4` between, `x` above 1."""
    return jax.nn.sparse_plus(x)


@_activation
def squareplus(x, b=4):
    """`(x + sqrt(x**2 + b)) / 2` (Barron, 2021, arXiv:2112.11687)."""
    return jax.nn.squareplus(x, b)


@_activation
def softsign(x):
    """`x / (1 + |x|)`."""
    return jax.nn.soft_sign(x)


@_activation
def tanh(x):
    """`(exp(x) - exp(-x)) / (exp(x) + exp(-x))`."""
    return jnp.tanh(x)


@_activation
def hard_tanh(x):
    """`min(max(x, -1), 1)`."""
    return jax.nn.hard_tanh(x)


@_activation
def tanh_shrink(x):
    """`x - tanh(x)`."""
    return x - jnp.tanh(x)


@_activation
def soft_shrink(x, threshold=0.5):
    """`x` moved towards 0 by `threshold`, and 0 where it is nearer than that."""
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, 0))


@_activation
def hard_shrink(x, threshold=0.5):
    """`x` where `|x| > threshold`, 0 elsewhere."""
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


@_activation(settings=("threshold", "default_value"))
def threshold(x, threshold, default_value):
    """`x` where `x > threshold`, `default_value` elsewhere."""
    return jnp.where(x > threshold, x, default_value)


@_activation
def exponential(x):
    """`exp(x)`."""
    return jnp.exp(x)


@_activation
def linear(x):
    """`x`."""
    return x


@_activation
def glu(x, axis=-1):
    """`a * sigmoid(b)`, a and b the halves of `x` along `axis` (Dauphin et al., 2017, arXiv:1612.08083)."""
    return jax.nn.glu(x, axis)


@_activation
def softmax(x, axis=-1):
    """`exp(x) / sum(exp(x))` along `axis`, one axis, several (a tuple) or all (None).

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    return jax.nn.softmax(x, axis)


@_activation
def log_softmax(x, axis=-1):
    """`log(softmax(x))`, computed without overflow."""
    return jax.nn.log_softmax(x, axis)


@_activation
def sparsemax(x, axis=-1):
    """The point of the simplex nearest to `x`: `max(x - tau, 0)`, tau such that it sums to 1 along `axis` (Martins and
    Astudillo, 2016, arXiv:1602.02068). Keras up to 3.15 computes another tau where more than one value stays.

    >>> sparsemax([2.0, 1.5, -1.0]).tolist()
    [0.75, 0.25, 0.0]
    """
    values = jnp.moveaxis(x, axis, -1)
    descending = -jnp.sort(-values, axis=-1)
    sums = jnp.cumsum(descending, axis=-1)
    counts = jnp.arange(1, values.shape[-1] + 1, dtype=x.dtype)
    count = jnp.sum(1 + counts * descending > sums, axis=-1, keepdims=True)
    tau = (jnp.take_along_axis(sums, count - 1, axis=-1) - 1) / count.astype(x.dtype)
    return jnp.moveaxis(jax.nn.relu(values - tau), -1, axis)
