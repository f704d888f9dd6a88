"""Whether an activation and a loss go together: the one place for this knowledge, for `explain` and `check`."""

from __future__ import annotations

import enum

from lamina.facts.activations import bounds_of, meaning_of_activation
from lamina.facts.loss_names import BINARY, EXCLUSIVE, HINGE, REGRESSION

__all__ = ["Fit", "fit_of", "scores_of"]


class Fit(enum.Enum):
    """How the outputs of a model and its loss go together."""

    YES = "they fit"
    LOGITS = "the loss applies the activation itself, to outputs without one"
    SIGNS = "the labels are -1 and 1"
    APPLIED_TWICE = "the loss applies the activation that the model has applied already"
    NOT_EXCLUSIVE = "each output is a probability by itself, but the loss takes those of exclusive classes"
    NO_PROBABILITIES = "the loss takes probabilities, and the outputs are none"
    CONSTANT = "the softmax of one unit is always 1"
    SHARED = "softmax shares one probability among classes that the loss scores one by one"
    BOUNDED = "the outputs have bounds, and the targets must lie between them"
    UNKNOWN = "nothing is known of this pair"


def scores_of(loss: str) -> str:
    """The activation that gives what a crossentropy takes: softmax for exclusive classes, else sigmoid.

    Args:
        loss: Snake-case name of the loss.
    """
    return "softmax" if loss in EXCLUSIVE else "sigmoid"


def fit_of(activation: str | None, units: int | None, loss: str, from_logits: bool | None = None) -> Fit:
    """The Fit of an output and its loss.

    Args:
        activation: Name of the activation of the output, "linear" for none; None where it is not known.
        units: Size of the last axis of the output.
        loss: Snake-case name of the loss.
        from_logits: Whether the loss takes logits; None where it has no such setting.

    >>> fit_of("softmax", 3, "sparse_categorical_crossentropy"), fit_of("linear", 1, "binary_crossentropy", True)
    (<Fit.YES: 'they fit'>, <Fit.LOGITS: 'the loss applies the activation itself, to outputs without one'>)
    """
    if activation is None:
        return Fit.UNKNOWN
    if from_logits and activation in ("softmax", "sigmoid"):
        return Fit.APPLIED_TWICE
    if loss in EXCLUSIVE or loss in BINARY:
        return _fit_of_crossentropy(activation, units, loss, from_logits)
    if loss in REGRESSION:
        return Fit.YES if activation == "linear" else Fit.BOUNDED if bounds_of(activation) else Fit.UNKNOWN
    return Fit.SIGNS if loss in HINGE else Fit.UNKNOWN


def _fit_of_crossentropy(activation, units, loss, from_logits):
    if from_logits:
        return Fit.LOGITS if activation == "linear" else Fit.UNKNOWN
    if activation == "softmax":
        return Fit.CONSTANT if units == 1 else Fit.YES if loss in EXCLUSIVE else Fit.SHARED
    if activation in ("sigmoid", "hard_sigmoid"):
        return Fit.YES if loss in BINARY else Fit.NOT_EXCLUSIVE
    return Fit.NO_PROBABILITIES if meaning_of_activation(activation) else Fit.UNKNOWN
