"""Losses that place embeddings near those of the same class and far from those of other classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from lamina.core.keras_tensor import set_mask
from lamina.core.op import op
from lamina.core.variable import unwrap
from lamina.errors import ShapeError
from lamina.losses.alignment import float_array
from lamina.losses.loss import LossFunctionWrapper

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike
    from lamina.losses.loss import DTypeOrPolicy, Reduction

__all__ = ["Circle", "circle"]

_EXCLUDED = -1e9  # the exponent of a pair that does not count


@op
def circle(
    y_true: TensorLike,
    y_pred: TensorLike,
    ref_labels: TensorLike | None = None,
    ref_embeddings: TensorLike | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Tensor:
    """log(1 + sum exp(gamma a_n (s_n - m)) sum exp(-gamma a_p (s_p - 1 + m))), with s_p the cosines to embeddings of
    the same class, s_n those to embeddings of other classes, a_p = max(1 + m - s_p, 0) and a_n = max(s_n + m, 0).
    A sample without another one of its class is masked.

    Shapes: class numbers (batch,) or (batch, 1), embeddings of length 1 (batch, d) -> (batch,).
    Sun et al., 2020, https://arxiv.org/abs/2002.10857

    Args:
        y_true: Class numbers, shape (batch,) or (batch, 1).
        y_pred: Embeddings of length 1, shape (batch, d).
        ref_labels: Class numbers of `ref_embeddings`; None means y_true.
        ref_embeddings: Embeddings to compare with, shape (references, d); None means y_pred.
        remove_diagonal: Whether to leave out the pair of a sample with itself.
        gamma: Scale of the exponents.
        margin: The m of the formula, in [0, 1].

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
    pulls = jax.nn.logsumexp(jnp.where(positive, pull, _EXCLUDED), axis=1)
    pushes = jax.nn.logsumexp(jnp.where(same, _EXCLUDED, push), axis=1)
    losses = jax.nn.softplus(pulls + pushes)
    set_mask(losses, jnp.any(positive, axis=1))  # a sample without a positive pair does not count
    return losses


def _labels(labels, embeddings):
    labels = jnp.asarray(unwrap(labels))
    if embeddings.ndim != 2 or labels.shape not in ((embeddings.shape[0],), (embeddings.shape[0], 1)):
        raise ShapeError(
            "circle needs labels of shape (batch,) and embeddings of shape (batch, d); "
            f"got {labels.shape} and {embeddings.shape}.",
            fix="Pass class numbers, not one-hot vectors: y.argmax(-1).",
        )
    return labels.reshape(-1).astype("int32")


class Circle(LossFunctionWrapper):
    """The mean circle loss of class numbers and embeddings: it places embeddings near those of the same class and far
    from those of other classes.

    Shapes: class numbers (batch,) or (batch, 1), embeddings of length 1 (batch, d).
    Sun et al., 2020, https://arxiv.org/abs/2002.10857

    Args:
        gamma: Scale of the exponents.
        margin: Margin between the cosines within and between classes, in [0, 1].
        remove_diagonal: Whether to leave out the pair of a sample with itself.
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> round(float(keras.losses.Circle(gamma=1.0)([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), 3)
    0.546
    """

    _integer_targets = True

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(circle, reduction, name, dtype, gamma=gamma, margin=margin, remove_diagonal=remove_diagonal)
