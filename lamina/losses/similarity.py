"""Losses that place embeddings: near those of their own class, far from others."""

import jax
import jax.numpy as jnp

from lamina.core.keras_tensor import set_mask
from lamina.core.op import op
from lamina.core.variable import unwrap
from lamina.errors import ShapeError
from lamina.losses.alignment import float_array
from lamina.losses.loss import LossFunctionWrapper

__all__ = ["Circle", "circle"]

NEVER = -1e9  # the exponent of a pair that does not count


@op
def circle(y_true, y_pred, ref_labels=None, ref_embeddings=None, remove_diagonal=True, gamma=80, margin=0.4):
    """log(1 + sum exp(gamma a_n (s_n - m)) sum exp(-gamma a_p (s_p - 1 + m))), with s_p the cosines to embeddings of
    the same class, s_n those to others, a_p = max(1 + m - s_p, 0) and a_n = max(s_n + m, 0).
    A sample that is alone in its class is masked.

    Shapes: class numbers (batch,) or (batch, 1), embeddings of length 1 (batch, d) -> (batch,).
    Sun et al., 2020, https://arxiv.org/abs/2002.10857

    Args:
        ref_labels, ref_embeddings: what to compare with; None is the batch itself.
        remove_diagonal: leave out the pair of a sample with itself.

    >>> import lamina as keras
    >>> float(keras.losses.circle([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])[2])
    0.0
    """
    y_pred = float_array(y_pred)
    labels = _labels(y_true, y_pred)
    others = y_pred if ref_embeddings is None else jnp.asarray(unwrap(ref_embeddings), y_pred.dtype)
    other_labels = labels if ref_labels is None else _labels(ref_labels, others)
    cosines = jnp.minimum(y_pred @ others.T, 1)
    same = labels[:, None] == other_labels
    positive = same & ~jnp.eye(*same.shape, dtype=bool) if remove_diagonal else same
    pull = -gamma * jnp.maximum(1 + margin - cosines, 0) * (cosines - (1 - margin))
    push = gamma * jnp.maximum(cosines + margin, 0) * (cosines - margin)
    pulls = jax.nn.logsumexp(jnp.where(positive, pull, NEVER), axis=1)
    pushes = jax.nn.logsumexp(jnp.where(same, NEVER, push), axis=1)
    losses = jax.nn.softplus(pulls + pushes)
    set_mask(losses, jnp.any(positive, axis=1))  # a sample with no partner says nothing
    return losses


def _labels(labels, embeddings):
    labels = jnp.asarray(unwrap(labels))
    if embeddings.ndim != 2 or labels.shape not in ((embeddings.shape[0],), (embeddings.shape[0], 1)):
        raise ShapeError(
            f"circle takes labels (batch,) and embeddings (batch, d); got {labels.shape} and {embeddings.shape}.",
            fix="Class numbers, not one-hot: y.argmax(-1).",
        )
    return labels.reshape(-1).astype("int32")


class Circle(LossFunctionWrapper):
    """The mean circle loss of class numbers and embeddings of length 1.

    >>> import lamina as keras
    >>> round(float(keras.losses.Circle(gamma=1.0)([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), 3)
    0.546
    """

    _integer_targets = True

    def __init__(
        self,
        gamma=80.0,
        margin=0.4,
        remove_diagonal=True,
        reduction="sum_over_batch_size",
        name="circle",
        dtype=None,
    ):
        super().__init__(circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal)
