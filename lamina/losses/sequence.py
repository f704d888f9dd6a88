"""Losses between sequences of different lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.variable import unwrap
from lamina.errors import ShapeError
from lamina.losses.alignment import float_array
from lamina.losses.loss import LossFunctionWrapper
from lamina.ops.ctc import ctc_loss

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike
    from lamina.losses.loss import DTypeOrPolicy, Reduction

__all__ = ["CTC", "ctc"]


@op
def ctc(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """-log of the probability that the outputs, without blanks and repeats, are the labels (connectionist temporal
    classification).

    Shapes: labels (batch, length), logits (batch, time, classes) -> (batch,). Graves et al., 2006,
    https://doi.org/10.1145/1143844.1143891

    Args:
        y_true: Class numbers, shape (batch, length), padded at the end by 0, which is the number of the blank.
        y_pred: Logits, shape (batch, time, classes).

    >>> import lamina as keras
    >>> keras.losses.ctc([[1]], [[[0.0, 0.0]]])
    Array([0.6931472], dtype=float32)
    """
    y_true, y_pred = jnp.asarray(unwrap(y_true)), float_array(y_pred)
    if y_true.ndim != 2 or y_pred.ndim != 3 or y_true.shape[0] != y_pred.shape[0]:
        raise ShapeError(
            "CTC needs labels of shape (batch, length) and logits of shape (batch, time, classes); "
            f"got {y_true.shape} and {y_pred.shape}.",
            fix="Labels: keras.utils.pad_sequences(rows, padding='post'); logits of an RNN with return_sequences=True.",
        )
    lengths = jnp.sum(y_true != 0, axis=-1)
    losses = ctc_loss(y_true, y_pred, lengths, jnp.full(y_pred.shape[:1], y_pred.shape[1]), mask_index=0)
    beyond = jnp.any((y_true < 0) | (y_true >= y_pred.shape[-1]), axis=-1)
    return jnp.where(beyond, jnp.nan, losses)  # no output is such a label


class CTC(LossFunctionWrapper):
    """The mean of -log of the probability that the outputs, without blanks and repeats, are the labels.

    Shapes: labels (batch, length), padded at the end by the blank 0; logits (batch, time, classes). Graves et al.,
    2006, https://doi.org/10.1145/1143844.1143891

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.CTC()([[1]], [[[0.0, 0.0]]]))
    0.6931471824645996
    """

    _integer_targets = True

    def __init__(
        self, reduction: Reduction = "sum_over_batch_size", name: str | None = "ctc", dtype: DTypeOrPolicy = None
    ) -> None:
        super().__init__(ctc, reduction, name, dtype)
