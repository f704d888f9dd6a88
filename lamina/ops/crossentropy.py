"""Cross-entropies of predicted probabilities and the truth, for each sample."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.typing import TensorLike
from lamina.errors import ShapeError
from lamina.ops.arrays import floating, tensor
from lamina.runtime import settings

__all__ = ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"]


@op(compiles=True)
def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Any:
    """-(target * log(p) + (1 - target) * log(1 - p)) with p = output, or sigmoid(output) if `from_logits`.

    Args:
        target: True probabilities, of any shape.
        output: Predicted probabilities, or logits if `from_logits`, of the same shape.
        from_logits: Whether `output` is logits instead of probabilities.

    >>> import lamina as keras
    >>> keras.ops.binary_crossentropy([0.0, 1.0], [0.5, 1.0]).round(4)
    Array([0.6931, 0.    ], dtype=float32)
    """
    target, output = floating(target), floating(output)
    _same_shape(target.shape, output.shape, "binary_crossentropy")
    if from_logits:
        return _binary_from_logits(target, output)
    output = _clip(output)
    return _unfused(-(target * jnp.log(output) + (1 - target) * jnp.log(1 - output)))


@jax.custom_jvp
def _binary_from_logits(target, logits):
    return _unfused(-(target * jax.nn.log_sigmoid(logits) + (1 - target) * jax.nn.log_sigmoid(-logits)))


@_binary_from_logits.defjvp
def _binary_from_logits_jvp(primals, tangents):
    (target, logits), (d_target, d_logits) = primals, tangents
    return _binary_from_logits(target, logits), (jax.nn.sigmoid(logits) - target) * d_logits - logits * d_target


@jax.custom_jvp
def _unfused(x):
    """`x`, in a form that XLA on CPUs does not fuse into a sum that follows: fused, it is computed number by number,
    where logarithms take ten times as long and products several times."""
    return jnp.where(jnp.isnan(x), jnp.nan, x)


@_unfused.defjvp
def _unfused_jvp(primals, tangents):
    return _unfused(*primals), *tangents


@op(compiles=True)
def categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1) -> Any:
    """-sum(target * log(p)) over the classes, with p = output / sum(output), or softmax(output) if `from_logits`.

    Shapes: target and output (..., classes) -> (...).

    Args:
        target: True probabilities of the classes.
        output: Predicted probabilities, or logits if `from_logits`.
        from_logits: Whether `output` is logits instead of probabilities.
        axis: Axis of the classes.
    """
    target, output = floating(target), floating(output)
    _same_shape(target.shape, output.shape, "categorical_crossentropy")
    return -jnp.sum(target * _log_probabilities(output, from_logits, axis), axis)


@op(compiles=True)
def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1
) -> Any:
    """`categorical_crossentropy` for targets that are class indices.

    Shapes: target (...) or (..., 1), output (..., classes) -> (...).

    Args:
        target: Index of the true class.
        output: Predicted probabilities, or logits if `from_logits`.
        from_logits: Whether `output` is logits instead of probabilities.
        axis: Axis of the classes.

    >>> import lamina as keras
    >>> keras.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(4)
    Array([0.6931], dtype=float32)
    """
    target, output = tensor(target).astype("int32"), floating(output)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target[..., 0]
    classes = output.shape[axis]
    positions = list(output.shape)
    del positions[axis]
    _same_shape(target.shape, tuple(positions), "sparse_categorical_crossentropy (output without its classes)")
    one_hot = jax.nn.one_hot(target, classes, axis=axis, dtype=output.dtype)
    if from_logits:
        return -jnp.sum(one_hot * jax.nn.log_softmax(output, axis), axis)
    # One logarithm a sample instead of one a class: there is less to compute, and far less to compile.
    probability = jnp.sum(one_hot * output, axis) / jnp.sum(output, axis)
    return -jnp.sum(one_hot, axis) * jnp.log(_clip(probability))  # 0 for an index that is no class


def _log_probabilities(output, from_logits, axis):
    if from_logits:
        return jax.nn.log_softmax(output, axis)
    return jnp.log(_clip(output / jnp.sum(output, axis, keepdims=True)))


def _clip(probabilities: Any) -> jax.Array:
    """Probabilities at least epsilon away from 0 and 1, so that logarithms are finite."""
    return _clip_between(probabilities, settings.epsilon(), 1 - settings.epsilon())


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _clip_between(x: Any, low: Any, high: Any) -> Any:
    return jnp.clip(x, low, high)


@_clip_between.defjvp
def _clip_between_jvp(low, high, primals, tangents):
    """As of `jnp.clip`, 1/2 at the ends, in one expression: XLA compiles three for the derivative of `jnp.clip`."""
    (x,), (tangent,) = primals, tangents
    inside = jnp.where((x > low) & (x < high), 1.0, jnp.where((x == low) | (x == high), 0.5, 0.0))
    return _clip_between(x, low, high), tangent * inside.astype(x.dtype)


def _same_shape(target, output, name):
    if tuple(target) != tuple(output):
        fix = f"Give both the shape {tuple(output)}."
        if tuple(target) == tuple(output[:-1]):
            fix = f"keras.ops.one_hot(target, {output[-1]}) of class numbers has the shape of the output."
        elif len(target) == len(output) + 1 or len(output) == len(target) + 1:
            longer = "target" if len(target) > len(output) else "output"
            fix = f"keras.ops.squeeze({longer}, -1)" if (*target, *output)[-1] == 1 or target[-1] == 1 else fix
        message = f"{name}: target has shape {tuple(target)}, output {tuple(output)}; they must be equal."
        raise ShapeError(message, fix=fix)
