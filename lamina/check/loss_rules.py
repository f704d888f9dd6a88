"""LAM1xx, first part: activations against losses and metrics."""

import numpy as np

from lamina.check.rule import rule
from lamina.check.targets import Kind, kind_of, metrics_of
from lamina.core.registry import is_builtin
from lamina.facts.activations import bounds_of
from lamina.facts.fits import Fit, scores_of
from lamina.facts.loss_names import BINARY, EXCLUSIVE, REGRESSION, name_of
from lamina.metrics import Accuracy

__all__ = []

_SCORES = ("sigmoid", "softmax")

_GOODFELLOW = "Goodfellow, Bengio, Courville: Deep Learning (2016), 6.2.2, output units"


@rule(
    "LAM101", "error", "sigmoid with a loss for exclusive classes", "compiled",
    "Sigmoid scores each class independently; a categorical crossentropy expects probabilities that add up to 1.",
    _GOODFELLOW,
)  # fmt: skip
def _sigmoid_over_exclusive_classes(subject):
    for head in subject.heads:
        if head.fit is Fit.NOT_EXCLUSIVE and (head.units or 0) > 1:
            yield (
                head.layer, head.units,
                f"{head.layer} has {head.activation} over {head.units} units, and the loss is {head.loss_name}.",
                "Use activation='softmax' there; or loss='binary_crossentropy', if several classes may be true at "
                "once.",
            )  # fmt: skip


@rule(
    "LAM102", "error", "softmax over one unit", "model",
    "The softmax of one number is always 1: the output is constant and its gradient is 0.",
    _GOODFELLOW,
)  # fmt: skip
def _softmax_over_one_unit(subject):
    for fact in subject.facts:
        if fact.activation == "softmax" and len(fact.output) > 1 and fact.output[-1] == 1:
            yield (
                fact.name, 1, f"{fact.name} takes softmax over one unit.",
                "Use activation='sigmoid' for yes or no, or as many units as there are classes.",
            )  # fmt: skip


@rule(
    "LAM103", "error", "an activation and a loss that applies it again", "compiled",
    "from_logits=True makes the loss apply softmax or sigmoid itself: applied twice, gradients are small and the "
    "probabilities wrong.",
    _GOODFELLOW,
)  # fmt: skip
def _activation_twice_with_logits(subject):
    for head in subject.heads:
        if head.fit is Fit.APPLIED_TWICE:
            yield (
                head.layer, head.activation,
                f"{head.layer} ends in {head.activation}, and {head.loss_name} has from_logits=True.",
                f"Remove either activation={head.activation!r} or from_logits=True.",
            )  # fmt: skip


@rule(
    "LAM104", "error", "logits with a loss that takes probabilities", "compiled",
    "Without from_logits=True a crossentropy takes logarithms of its inputs: values that are not probabilities are "
    "clipped or give a wrong loss.",
    _GOODFELLOW,
)  # fmt: skip
def _logits_taken_as_probabilities(subject):
    yield from _softmax_over_another_axis(subject)
    yield from _few_digits(subject)
    for head in subject.heads:
        crossentropy = head.loss_name in BINARY | EXCLUSIVE and head.from_logits is False
        normalized = crossentropy and head.fact.has("normalization")
        if normalized or (crossentropy and head.fit is Fit.NO_PROBABILITIES):
            needed = scores_of(head.loss_name)
            logits = f"loss=keras.losses.{_class_of(head.loss_name)}(from_logits=True)"
            yield (
                head.layer, head.activation,
                f"{head.layer} {'normalizes' if normalized else f'has activation {head.activation}'}, and "
                f"{head.loss_name} takes probabilities.",
                f"Use layers.Activation({needed!r}) after {head.layer}, or {logits}." if normalized
                else f"Use activation={needed!r} there, or {logits}.",
            )  # fmt: skip


def _few_digits(subject):
    """Probabilities of 16 bits, whose logarithm has few digits near 1 and none near 0."""
    for head in subject.heads:
        dtype = getattr(head.fact.layer, "compute_dtype", "float32")
        crossentropy = head.loss_name in BINARY | EXCLUSIVE and head.from_logits is False
        if crossentropy and head.activation in _SCORES and dtype in ("float16", "bfloat16"):
            yield (
                head.layer, dtype, f"{head.layer} ends in {head.activation} in {dtype}, and {head.loss_name} takes the "
                "logarithm: near 0 and 1 nothing is left of it.",
                f"Give {head.layer} dtype='float32'.", "warning",
            )  # fmt: skip


def _class_of(name):
    return "".join(part.capitalize() for part in name.split("_"))


def _softmax_over_another_axis(subject):
    for head in subject.heads:
        layer, rank = head.fact.layer, len(head.shape)
        axis = getattr(layer, "axis", -1) if head.fact.is_a("Softmax") else -1
        axis = axis if isinstance(axis, int) else -1
        loss = head.known or head.loss
        if axis % rank == rank - 1 or head.units == 1 or "categorical_crossentropy" not in head.loss_name:
            continue
        if getattr(loss, "axis", -1) in (-1, rank - 1):
            shape = str(("batch", *head.shape[1:])).replace("'", "")
            yield (
                head.layer, axis, f"{head.layer} takes softmax over the axis {axis} of {shape}, and {head.loss_name} "
                "takes probabilities along the last.",
                "Use layers.Softmax(), over the last axis.",
            )  # fmt: skip


@rule(
    "LAM113", "warning", "a metric that does not fit", "compiled",
    "The metric returns a number, but not the one that its name suggests.",
    "Keras: metrics",
)  # fmt: skip
def _metric_that_does_not_fit(subject):
    for head, metric in metrics_of(subject):
        name = name_of(metric)
        given = getattr(metric, "thresholds", getattr(metric, "threshold", 0.5))
        thresholds = given if isinstance(given, (list, tuple)) else [given]
        halves = name in ("accuracy", "binary_accuracy", "precision", "recall") and set(thresholds) <= {0.5, None}
        problem = _hits_of_numbers(head) if name in ("accuracy", "binary_accuracy") else None
        if isinstance(metric, Accuracy) and (head.activation in _SCORES or head.from_logits):
            problem = "counts outputs that equal the label to the last bit, and these are no class numbers", "accuracy"
        elif "top_k" in name and head.exclusive and 1 < (head.units or 0) <= getattr(metric, "k", 5):
            problem = (
                f"asks whether the class is among {getattr(metric, 'k', 5)} of {head.units}: it is always 1",
                "accuracy",
            )
        elif name == "sparse_categorical_accuracy" and head.loss_name == "categorical_crossentropy":
            problem = "takes class numbers, but the loss takes one-hot rows", "accuracy"
        elif name == "categorical_accuracy" and head.loss_name == "sparse_categorical_crossentropy":
            problem = "takes one-hot rows, but the loss takes class numbers", "accuracy"
        elif name == "categorical_accuracy" and head.units == 1:
            problem = (
                "compares the place of the largest of several numbers, and there is one: it is always 1",
                "accuracy",
            )
        elif name == "categorical_accuracy" and head.loss_name in BINARY and kind_of(head) is Kind.OTHER:
            problem = "compares the place of the largest number, and several labels may be true", "binary_accuracy"
        elif name == "mean_io_u" and getattr(metric, "sparse_y_pred", False) and head.activation in _SCORES:
            binary = head.units == 1
            problem = (
                "counts class numbers, and the outputs are probabilities",
                "keras.metrics.BinaryIoU(target_class_ids=[0, 1])" if binary
                else f"keras.metrics.MeanIoU({head.units}, sparse_y_pred=False)",
            )  # fmt: skip
        elif name == "binary_accuracy" and head.exclusive and (head.units or 0) > 2:
            problem = "scores each class separately: it is high even for guesses", "accuracy"
        elif name in ("precision", "recall", "auc", "f1_score", "fbeta_score") and _are_numbers(head):
            problem = f"compares {head.units} units with as many columns, and the labels are class numbers", "accuracy"
        elif (halves or name == "auc") and _binary_logits(head):
            problem = _of_logits(name, metric)
        if problem:
            fix = problem[1] if "(" in problem[1] else repr(problem[1])
            yield head.layer, name, f"The metric {name} of {head.layer} {problem[0]}.", f"Use metrics=[{fix}]."


def _are_numbers(head):
    return head.loss_name == "sparse_categorical_crossentropy" and (head.units or 0) > 2


def _of_logits(name, metric):
    """What is wrong with a metric of one probability for logits; None where it is told of them."""
    if name == "auc":
        told = getattr(metric, "from_logits", False)
        return (
            None if told else ("takes probabilities, and the outputs are logits", "keras.metrics.AUC(from_logits=True)")
        )
    kind = {"precision": "Precision(thresholds", "recall": "Recall(thresholds"}.get(name, "BinaryAccuracy(threshold")
    return "has the threshold 0.5, but the outputs are logits, whose threshold is 0", f"keras.metrics.{kind}=0.0)"


def _hits_of_numbers(head):
    """What is wrong with counting outputs that equal their targets; None for classes."""
    quantity = head.loss_name in REGRESSION and head.activation == "linear"
    if quantity and head.units == 1 and kind_of(head) not in (Kind.YES_NO, Kind.CLASSES):
        return "counts outputs that equal the target, and these are quantities", "mae"
    bounded = bounds_of(head.activation) is not None and head.activation != "softmax" and len(head.shape) == 2
    bent = head.loss_name in REGRESSION and bounded
    if (quantity or bent) and head.units != 1 and _are_quantities(head):
        return "compares the place of the largest number, and the targets are quantities", "mae"
    if head.loss_name in BINARY and _are_shares(head):
        return "counts outputs that round to the target, and these are shares between 0 and 1", "mae"
    return None


def _are_quantities(head):
    """Whether labels of several columns are measured numbers, none of which comes often, and no rows of shares."""
    labels = head.numbers
    if labels is None or labels.dtype.kind != "f" or len(labels) < 16 or not np.isfinite(labels).all():
        return False
    return bool(len(np.unique(labels)) > labels.size // 2 and np.ptp(labels.sum(-1)) > 1e-3)


def _are_shares(head):
    """Whether most labels of one column are neither near 0 nor near 1, and many numbers: not smoothed."""
    labels = head.numbers
    if labels is None or labels.dtype.kind != "f" or labels.size != len(labels) or len(labels) < 16:
        return False
    between = (labels > 0.05) & (labels < 0.95)
    return bool(between.mean() > 0.5) and len(np.unique(labels)) > len(labels) // 2


def _binary_logits(head):
    return head.loss_name == "binary_crossentropy" and head.from_logits and head.units == 1


@rule(
    "LAM125", "warning", "a setting of the loss that leaves nothing to learn", "compiled",
    "Labels that are nearly the same for all classes, or errors that nearly all weigh nothing, have hardly a gradient.",
    "Müller, Kornblith, Hinton: When Does Label Smoothing Help? (2019); Lin et al.: Focal Loss (2017), 4.1",
)  # fmt: skip
def _settings_of_losses(subject):
    for head in subject.heads:
        loss = head.loss
        smoothing, gamma = getattr(loss, "label_smoothing", None), getattr(loss, "gamma", None)
        if not is_builtin(type(loss)):
            continue
        if isinstance(smoothing, (int, float)) and smoothing > 0.5:
            yield (
                head.layer, smoothing, f"label_smoothing={smoothing:g} takes {smoothing:.0%} of each label away.",
                "Use label_smoothing=0.1.",
            )  # fmt: skip
        if isinstance(gamma, (int, float)) and gamma > 10 and "focal" in head.loss_name:
            yield (
                head.layer, gamma, f"gamma={gamma:g} multiplies the loss by {0.5**gamma:.1g} for a probability of 0.5.",
                "Use gamma=2.0.",
            )  # fmt: skip


@rule(
    "LAM114", "error", "a crossentropy over classes with one unit", "compiled",
    "With one class its probability is always 1 and the loss always 0: nothing is learned.",
    _GOODFELLOW,
)  # fmt: skip
def _one_class(subject):
    for head in subject.heads:
        if head.exclusive and head.units == 1 and head.activation != "softmax":
            yield (
                head.layer, 1, f"{head.layer} has one unit, and the loss is {head.loss_name}.",
                "Use activation='sigmoid' and loss='binary_crossentropy', or as many units as there are classes.",
            )  # fmt: skip


@rule(
    "LAM115", "warning", "softmax with a loss for independent classes", "compiled",
    "binary_crossentropy scores each class independently, but softmax makes them share one probability.",
    _GOODFELLOW,
)  # fmt: skip
def _softmax_over_independent_classes(subject):
    for head in subject.heads:
        if head.activation == "softmax" and head.loss_name in BINARY and (head.units or 0) > 1:
            fix = "Use loss='categorical_crossentropy' if one class is true; activation='sigmoid' if several may be."
            if head.has_class_numbers:
                fix = "Use loss='sparse_categorical_crossentropy', which takes class numbers."
            yield head.layer, head.units, f"{head.layer} ends in softmax, and the loss is {head.loss_name}.", fix
