"""keras.ops.nn: activations, convolutions, pooling, normalization, losses and what else networks are made of."""

# ruff: noqa: F403  (each module lists its public names in __all__)

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.errors import ConfigError
from lamina.ops import attention, convolution, crossentropy, ctc, folding, normalization, pooling
from lamina.ops.activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh_shrink,
    threshold,
)  # fmt: skip
from lamina.ops.arrays import canonical, floating, tensor
from lamina.ops.attention import *
from lamina.ops.convolution import *
from lamina.ops.crossentropy import *
from lamina.ops.ctc import *
from lamina.ops.folding import *
from lamina.ops.normalization import *
from lamina.ops.pooling import *
from lamina.runtime.settings import floatx

__all__ = [
    "celu", "elu", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu",
    "log_sigmoid", "log_softmax", "multi_hot", "one_hot", "polar", "psnr", "relu", "relu6", "selu", "sigmoid", "silu",
    "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "swish", "tanh_shrink", "threshold",
]  # fmt: skip
__all__ += attention.__all__
__all__ += convolution.__all__
__all__ += crossentropy.__all__
__all__ += ctc.__all__
__all__ += normalization.__all__
__all__ += folding.__all__
__all__ += pooling.__all__

hard_swish, swish = hard_silu, silu


@op(settings=("num_classes",))
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """1 at the place of each class number, 0 elsewhere, along a new axis; all 0 for numbers that are no class.

    >>> import lamina as keras
    >>> keras.ops.one_hot([0, 2], 3, dtype="int32")
    Array([[1, 0, 0],
           [0, 0, 1]], dtype=int32)
    """
    _not_sparse(sparse, "one_hot")
    return jax.nn.one_hot(tensor(x), num_classes, axis=axis, dtype=canonical(dtype or floatx()))


@op
def multi_hot(inputs, num_classes=None, axis=-1, dtype=None, sparse=False, **kwargs):
    """1 for each class that occurs in a sample, 0 for the others. Shapes: (batch, n) -> (batch, num_classes), (n,) ->
    (num_classes,)."""
    _not_sparse(sparse, "multi_hot")
    num_classes = kwargs.pop("num_tokens", num_classes)
    if num_classes is None or kwargs:
        raise ConfigError(
            f"multi_hot needs num_classes and takes no {sorted(kwargs)}.", fix="multi_hot(x, num_classes=10)"
        )
    inputs = tensor(inputs)
    return jnp.max(one_hot(inputs, num_classes, axis, dtype), axis=1 if inputs.ndim > 1 else 0)


def _not_sparse(sparse, name):
    if sparse:
        raise ConfigError(f"{name}: lamina's arrays are dense.", fix="Leave out sparse=True.")


@op
def polar(abs_, angle):
    """The complex number of length `abs_` and `angle` radians: abs_ * (cos(angle) + i sin(angle))."""
    abs_, angle = floating(abs_), floating(angle)
    return jax.lax.complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


@op(settings=("max_val",))
def psnr(x1, x2, max_val):
    """The peak signal-to-noise ratio in decibels: 20 log10(max_val) - 10 log10(mean((x1 - x2)**2))."""
    x1, x2 = floating(x1), floating(x2)
    return 20 * jnp.log10(floating(max_val)) - 10 * jnp.log10(jnp.mean(jnp.square(x1 - x2)))
