"""How far predicted probabilities are from the truth, for each sample."""

import jax
import jax.numpy as jnp

from lamina.core.op import op
from lamina.errors import ShapeError
from lamina.ops.arrays import floating, tensor
from lamina.runtime import settings

__all__ = ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"]


@op
def binary_crossentropy(target, output, from_logits=False):
    """-(target * log(p) + (1 - target) * log(1 - p)) with p = output, or sigmoid(output) if `from_logits`. Shapes:
    all the same.

    >>> import lamina as keras
    >>> keras.ops.binary_crossentropy([0.0, 1.0], [0.5, 1.0]).round(4)
    Array([0.6931, 0.    ], dtype=float32)
    """
    target, output = floating(target), floating(output)
    _same_shape(target.shape, output.shape, "binary_crossentropy")
    if from_logits:
        return _of_logits(target, output)
    output = _inside(output)
    return _apart(-(target * jnp.log(output) + (1 - target) * jnp.log(1 - output)))


@jax.custom_jvp
def _of_logits(target, logits):
    return _apart(-(target * jax.nn.log_sigmoid(logits) + (1 - target) * jax.nn.log_sigmoid(-logits)))


@_of_logits.defjvp
def _of_logits_tangent(primals, tangents):
    (target, logits), (d_target, d_logits) = primals, tangents
    return _of_logits(target, logits), (jax.nn.sigmoid(logits) - target) * d_logits - logits * d_target


@jax.custom_jvp
def _apart(x):
    """`x`, in a way that keeps XLA on CPUs from computing it within a sum that follows, number by number, where
    logarithms take ten times as long, and products several times."""
    return jnp.where(jnp.isnan(x), jnp.nan, x)


@_apart.defjvp
def _apart_tangent(primals, tangents):
    return _apart(*primals), *tangents


@op
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-sum(target * log(p)) over the classes on `axis`, with p = output / sum(output), or softmax(output) if
    `from_logits`.

    Shapes: target and output (..., classes) -> (...).
    """
    target, output = floating(target), floating(output)
    _same_shape(target.shape, output.shape, "categorical_crossentropy")
    return -jnp.sum(target * _log_probabilities(output, from_logits, axis), axis)


@op
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """`categorical_crossentropy` for targets that are class numbers.

    Shapes: target (...) or (..., 1), output (..., classes) -> (...).

    >>> import lamina as keras
    >>> keras.ops.sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(4)
    Array([0.6931], dtype=float32)
    """
    target, output = tensor(target).astype("int32"), floating(output)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = target[..., 0]
    classes = output.shape[axis]
    places = list(output.shape)
    del places[axis]
    _same_shape(target.shape, tuple(places), "sparse_categorical_crossentropy (output without its classes)")
    chosen = jax.nn.one_hot(target, classes, axis=axis, dtype=output.dtype)
    return -jnp.sum(chosen * _log_probabilities(output, from_logits, axis), axis)


def _log_probabilities(output, from_logits, axis):
    if from_logits:
        return jax.nn.log_softmax(output, axis)
    return jnp.log(_inside(output / jnp.sum(output, axis, keepdims=True)))


def _inside(probabilities):
    """Away from 0 and 1 by epsilon, so that logarithms stay finite."""
    return jnp.clip(probabilities, settings.epsilon(), 1 - settings.epsilon())


def _same_shape(target, output, name):
    if tuple(target) != tuple(output):
        raise ShapeError(f"{name}: target has shape {tuple(target)}, output {tuple(output)}; they must be the same.")
