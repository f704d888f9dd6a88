"""keras.ops.nn: activations, convolutions, pooling, normalization, cross-entropies and encodings."""

# ruff: noqa: F403, F405  (each file lists its public names in __all__)

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.sparse import with_values
from lamina.core.typing import DTypeLike, Tensor, TensorLike
from lamina.errors import ConfigError
from lamina.ops.activations import *
from lamina.ops.activations import hard_silu as hard_swish
from lamina.ops.activations import silu as swish
from lamina.ops.arrays import canonical, floating, tensor
from lamina.ops.attention import *
from lamina.ops.convolution import *
from lamina.ops.crossentropy import *
from lamina.ops.ctc import *
from lamina.ops.folding import *
from lamina.ops.normalization import *
from lamina.ops.pooling import *
from lamina.ops.simplex import *
from lamina.ops.sparse import sparse_counts, sparse_one_hot
from lamina.runtime.settings import floatx

__all__ = [
    "adaptive_average_pool", "adaptive_max_pool", "average_pool", "batch_normalization", "binary_crossentropy",
    "categorical_crossentropy", "celu", "conv", "conv_transpose", "ctc_decode", "ctc_loss", "depth_to_space",
    "depthwise_conv", "dot_product_attention", "elu", "fold", "gelu", "glu", "hard_shrink", "hard_sigmoid",
    "hard_silu", "hard_swish", "hard_tanh", "layer_normalization", "leaky_relu", "log_sigmoid", "log_softmax",
    "max_pool", "moments", "multi_hot", "normalize", "one_hot", "polar", "psnr", "relu", "relu6",
    "rms_normalization", "selu", "separable_conv", "sigmoid", "silu", "soft_shrink", "softmax", "softplus",
    "softsign", "space_to_depth", "sparse_categorical_crossentropy", "sparse_plus", "sparse_sigmoid", "sparsemax",
    "squareplus", "swish", "tanh_shrink", "threshold", "unfold",
]  # fmt: skip


@op(compiles=True, settings=("num_classes",))
def one_hot(
    x: TensorLike, num_classes: int, axis: int = -1, dtype: DTypeLike | None = None, sparse: bool = False
) -> Tensor:
    """1 at each class index, 0 elsewhere, along a new axis; all 0 for an index that is no class.

    Args:
        x: Class indices.
        num_classes: Number of classes, the size of the new axis.
        axis: Position of the new axis in the result.
        dtype: Type of the result; None means floatx.
        sparse: Whether the result is a `jax.experimental.sparse.BCOO`.

    >>> import lamina as keras
    >>> keras.ops.one_hot([0, 2], 3, dtype="int32")
    Array([[1, 0, 0],
           [0, 0, 1]], dtype=int32)
    """
    if sparse:
        return sparse_one_hot(x, num_classes, axis, dtype)
    return jax.nn.one_hot(tensor(x), num_classes, axis=axis, dtype=canonical(dtype or floatx()))


@op(compiles=True)
def multi_hot(
    inputs: TensorLike,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: DTypeLike | None = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """1 for each class that occurs in a sample, 0 for the others.

    Shapes: (batch, n) -> (batch, num_classes), (n,) -> (num_classes,).

    Args:
        inputs: Class indices of shape (batch, n) or (n,).
        num_classes: Number of classes; must be given.
        axis: Axis of the classes.
        dtype: Type of the result; None means floatx.
        sparse: Whether the result is a `jax.experimental.sparse.BCOO`.
        **kwargs: The old name `num_tokens` of `num_classes`.
    """
    num_classes = kwargs.pop("num_tokens", num_classes)
    if num_classes is None or kwargs:
        raise ConfigError(
            f"multi_hot needs num_classes and takes no {sorted(kwargs)}.", fix="multi_hot(x, num_classes=10)"
        )
    inputs = tensor(inputs)
    if sparse:
        counts = sparse_counts(inputs, num_classes, axis=axis, dtype="int32")
        return with_values(counts, (counts.data > 0).astype(canonical(dtype or floatx())))
    return jnp.max(one_hot(inputs, num_classes, axis, dtype), axis=1 if inputs.ndim > 1 else 0)


@op
def polar(abs_: TensorLike, angle: TensorLike) -> Any:
    """Complex numbers from absolute values and angles: abs_ * (cos(angle) + i sin(angle)).

    Args:
        abs_: Absolute values.
        angle: Angles in radians.
    """
    abs_, angle = floating(abs_), floating(angle)
    return jax.lax.complex(abs_ * jnp.cos(angle), abs_ * jnp.sin(angle))


@op(settings=("max_val",))
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Any:
    """The peak signal-to-noise ratio in decibels: 20 log10(max_val) - 10 log10(mean((x1 - x2)**2)).

    Args:
        x1: First image.
        x2: Second image, of the same shape.
        max_val: Largest possible value.
    """
    x1, x2 = floating(x1), floating(x2)
    return 20 * jnp.log10(floating(max_val)) - 10 * jnp.log10(jnp.mean(jnp.square(x1 - x2)))
