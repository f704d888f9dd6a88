"""Losses between sequences of different lengths."""

import jax.numpy as jnp

from lamina.core.op import op
from lamina.core.variable import unwrap
from lamina.errors import ShapeError
from lamina.losses.alignment import float_array
from lamina.losses.loss import LossFunctionWrapper
from lamina.ops.ctc import ctc_loss

__all__ = ["CTC", "ctc"]


@op
def ctc(y_true, y_pred):
    """-log of the probability that the outputs spell the labels, blanks and repeats left out.

    Shapes: labels (batch, length), filled up with 0, which is the blank; logits (batch, time, classes) -> (batch,).
    Graves et al., 2006.

    >>> import lamina as keras
    >>> keras.losses.ctc([[1]], [[[0.0, 0.0]]])
    Array([0.6931472], dtype=float32)
    """
    y_true, y_pred = jnp.asarray(unwrap(y_true)), float_array(y_pred)
    if y_true.ndim != 2 or y_pred.ndim != 3 or y_true.shape[0] != y_pred.shape[0]:
        raise ShapeError(
            f"CTC takes labels (batch, length), logits (batch, time, classes); got {y_true.shape} and {y_pred.shape}."
        )
    lengths = jnp.sum(y_true != 0, axis=-1)
    return ctc_loss(y_true, y_pred, lengths, jnp.full(y_pred.shape[:1], y_pred.shape[1]), mask_index=0)


class CTC(LossFunctionWrapper):
    """The mean of -log of the probability that the outputs spell the labels."""

    _integer_targets = True

    def __init__(self, reduction="sum_over_batch_size", name="ctc", dtype=None):
        super().__init__(ctc, reduction, name, dtype)
