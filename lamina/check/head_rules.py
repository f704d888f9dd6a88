"""LAM1xx: the head against the loss against the labels."""

import numpy as np

from lamina.check.rule import rule

__all__ = []

_EXCLUSIVE = ("sparse_categorical_crossentropy", "categorical_crossentropy")
_REGRESSION = (
    "mean_squared_error",
    "mse",
    "mean_absolute_error",
    "mae",
    "huber",
    "log_cosh",
    "mean_squared_logarithmic_error",
)
_BOUNDS = {"sigmoid": (0, 1), "hard_sigmoid": (0, 1), "tanh": (-1, 1), "relu": (0, np.inf), "relu6": (0, 6),
           "softplus": (0, np.inf), "exponential": (0, np.inf)}  # fmt: skip


@rule(
    "LAM101", "error", "sigmoid with a loss for exclusive classes", "compiled",
    "Sigmoid scores each class for itself; a categorical crossentropy takes scores that add up to 1, and learns "
    "shares.",
)  # fmt: skip
def _sigmoid_over_exclusive_classes(subject):
    for head in subject.heads:
        if head.activation == "sigmoid" and head.loss_name in _EXCLUSIVE and (head.units or 0) > 1:
            yield (
                head.layer, head.units,
                f"{head.layer} has sigmoid over {head.units} units, and the loss is {head.loss_name}.",
                "Use activation='softmax' there; or binary_crossentropy, if several classes may be true at once.",
            )  # fmt: skip


@rule(
    "LAM102", "error", "softmax over one unit", "model",
    "The softmax of one number is always 1: the output is constant and no gradient comes back.",
)  # fmt: skip
def _softmax_over_one_unit(subject):
    for fact in subject.facts:
        name = getattr(getattr(fact.layer, "activation", None), "__name__", "softmax" if fact.kind == "Softmax" else "")
        if name == "softmax" and fact.output and fact.output[-1] == 1:
            yield (
                fact.name, 1, f"{fact.name} takes softmax over one unit.",
                "Use activation='sigmoid' for yes or no, or as many units as there are classes.",
            )  # fmt: skip


@rule(
    "LAM103", "error", "an activation and a loss that applies it again", "compiled",
    "from_logits=True makes the loss apply softmax or sigmoid itself: applied twice, gradients are small and the "
    "probabilities wrong.",
)  # fmt: skip
def _activation_twice_with_logits(subject):
    for head in subject.heads:
        if head.activation in ("softmax", "sigmoid") and head.from_logits:
            yield (
                head.layer, head.activation,
                f"{head.layer} ends in {head.activation}, and {head.loss_name} has from_logits=True.",
                f"Drop activation={head.activation!r}, or from_logits=True.",
            )  # fmt: skip


@rule(
    "LAM104", "error", "logits with a loss that takes probabilities", "compiled",
    "Without from_logits=True a crossentropy takes logarithms of what comes: numbers that are no probabilities are cut "
    "off or give a wrong loss.",
)  # fmt: skip
def _logits_taken_as_probabilities(subject):
    for head in subject.heads:
        crossentropy = "crossentropy" in head.loss_name
        if crossentropy and head.from_logits is False and head.activation in ("linear", "relu", "tanh", "gelu"):
            needed = "softmax" if head.loss_name in _EXCLUSIVE else "sigmoid"
            yield (
                head.layer, head.activation,
                f"{head.layer} has activation {head.activation}, and {head.loss_name} takes probabilities.",
                f"Use activation={needed!r} there, or {_class_of(head.loss_name)}(from_logits=True).",
            )  # fmt: skip


def _class_of(name):
    return "".join(part.capitalize() for part in name.split("_"))


@rule(
    "LAM105", "error", "targets that the output cannot reach", "batch",
    "An activation bounds what comes out; the loss cannot go to 0 for targets beyond its bounds.",
)  # fmt: skip
def _targets_out_of_reach(subject):
    for head in subject.heads:
        low, high = _BOUNDS.get(head.activation, (-np.inf, np.inf))
        if head.labels is None or head.labels.dtype.kind not in "fiu" or "crossentropy" in head.loss_name:
            continue
        least, most = float(np.min(head.labels)), float(np.max(head.labels))
        if least < low or most > high:
            yield (
                head.layer, (least, most),
                f"{head.layer} ends in {head.activation} ({low:g} to {high:g}); the targets go from {least:.4g} to "
                f"{most:.4g}.",
                "Drop the activation of the last layer, or scale the targets into its range.",
            )  # fmt: skip


@rule(
    "LAM106", "error", "class numbers beyond the units", "batch",
    "Each class needs a unit of its own; a label beyond the last one has no probability at all.",
)  # fmt: skip
def _labels_beyond_units(subject):
    for head in subject.heads:
        if head.labels is None or head.loss_name != "sparse_categorical_crossentropy" or head.units is None:
            continue
        least, most = float(np.min(head.labels)), float(np.max(head.labels))
        if most >= head.units or least < 0:
            yield (
                head.layer, (least, most),
                f"{head.layer} has {head.units} units; the labels go from {least:g} to {most:g}.",
                f"Give {head.layer} {int(most) + 1} units, or number the classes from 0.",
            )  # fmt: skip
