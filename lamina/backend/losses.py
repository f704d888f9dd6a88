"""Cross-entropies and the loss of sequences (CTC), under the names of `keras.backend` in Keras 2."""

from __future__ import annotations

from typing import Any

from lamina import ops
from lamina.core.typing import TensorLike
from lamina.ops import binary_crossentropy, categorical_crossentropy
from lamina.runtime.settings import epsilon

__all__ = [
    "binary_crossentropy", "categorical_crossentropy", "ctc_batch_cost", "ctc_decode",
    "sparse_categorical_crossentropy",
]  # fmt: skip

_shape: Any = ops.shape  # with numbers for all sizes


def sparse_categorical_crossentropy(
    target: TensorLike, output: TensorLike, from_logits: bool = False, axis: int = -1, ignore_class: int | None = None
) -> Any:
    """`ops.sparse_categorical_crossentropy`; 0 where the target is `ignore_class`.

    Args:
        target: Index of the true class.
        output: Predicted probabilities, or logits if `from_logits`.
        from_logits: Whether `output` is logits instead of probabilities.
        axis: Axis of the classes.
        ignore_class: Class index whose places have the loss 0; None leaves out nothing.
    """
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(target, output, from_logits, axis)
    valid = ops.not_equal(target, ignore_class)
    losses = ops.sparse_categorical_crossentropy(ops.where(valid, target, 0), output, from_logits, axis)
    return ops.where(valid, losses, 0.0)


def ctc_batch_cost(y_true: TensorLike, y_pred: Any, input_length: Any, label_length: TensorLike) -> Any:
    """`ops.ctc_loss` of probabilities whose last class is the blank. Shapes: -> (batch, 1).

    Args:
        y_true: Labels of shape (batch, labels), padded to one length.
        y_pred: Probabilities of shape (batch, time, classes).
        input_length: Number of time steps of each sample, (batch, 1) or (batch,).
        label_length: Number of labels of each sample, (batch, 1) or (batch,).
    """
    lengths = (ops.reshape(length, (-1,)) for length in (label_length, input_length))
    losses = ops.ctc_loss(y_true, ops.log(y_pred + epsilon()), *lengths, mask_index=_shape(y_pred)[-1] - 1)
    return ops.expand_dims(losses, 1)


def ctc_decode(y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1) -> Any:
    """`ops.ctc_decode` of probabilities whose last class is the blank: (list of `top_paths` sequences, scores).

    Args:
        y_pred: Probabilities of shape (batch, time, classes).
        input_length: Number of time steps of each sample, (batch,).
        greedy: Whether to take the likeliest class at each step; otherwise beam search keeps the likeliest sequences.
        beam_width: Number of sequences that beam search keeps.
        top_paths: Number of sequences that beam search returns; greedy decoding returns one.
    """
    found, scores = ops.ctc_decode(
        ops.log(y_pred + epsilon()),
        input_length,
        strategy="greedy" if greedy else "beam_search",
        beam_width=beam_width,
        top_paths=top_paths,
        mask_index=_shape(y_pred)[-1] - 1,
    )
    return [found[path] for path in range(1 if greedy else top_paths)], scores
