"""LAM405: labels that are nearly all the same."""

import numpy as np

from lamina.check.neighbours import is_frozen
from lamina.check.rule import rule
from lamina.check.subject import classes_of
from lamina.check.targets import Kind, counts_hits, kind_of

__all__ = []

_NEARLY_ALL = 0.95  # of the labels
_MOST = 0.92  # where nothing but hits is counted
_NEARLY_ALL_PIXELS = 0.98  # of yes and no: a small shape is learned
_SEVERAL, _LEAST = 4, 2000  # labels of a row, and in all


@rule(
    "LAM405", "warning", "one class makes up nearly all labels", "batch",
    "Always answering that class is nearly always right: accuracy says little, and the rare classes are not learned.",
    "He, Garcia: Learning from Imbalanced Data (2009)",
)  # fmt: skip
def _imbalance(subject):
    labels = classes_of(subject)
    weighted = subject.sample_weight is not None or subject.settings.get("class_weight")
    if labels is not None and weighted and (nothing := _class_of_no_weight(subject, labels)) is not None:
        yield (
            subject.heads[0].layer, nothing, f"All rows of the class {nothing} have the weight 0: the other classes "
            "are the answer that is always right.",
            "Give each class a weight above 0: 1 + y * (weight - 1).",
        )  # fmt: skip
    if not weighted:
        yield from _rare_everywhere(subject)
    if labels is None or weighted or len(labels) < 200 or labels.min() < 0 or is_frozen(subject.heads[0].fact):
        return
    if len(np.unique(labels)) > 1 and getattr(subject.heads[0].loss, "apply_class_balancing", False):
        return
    counts = np.bincount(labels)
    share = counts.max() / counts.sum()
    head, common = subject.heads[0], int(counts.argmax())
    if share >= (_MOST if counts_hits(subject, head) else _NEARLY_ALL):
        weights = {label: round(min(float(counts.max()) / n, 100.0), 1) for label, n in enumerate(counts.tolist()) if n}
        fix = f"Pass class_weight={_short(weights)} to fit, and watch keras.metrics.AUC()."
        if len(weights) == 1:
            fix = "There is nothing to tell apart: give data with samples of the other classes."
        yield head.layer, round(float(share), 3), f"{share:.1%} of the labels of {head.layer} are {common}.", fix


def _rare_everywhere(subject):
    """Several labels of a row, or pixels, of which nearly none is true, where nothing but their hits is counted."""
    for head in subject.heads:
        labels = head.numbers
        if labels is None or labels.ndim < 2 or labels.size < max(_SEVERAL * len(labels), _LEAST):
            continue
        if not counts_hits(subject, head):
            continue
        pixels = head.loss_name == "sparse_categorical_crossentropy" and len(head.shape) > 3
        yes_no = head.loss_name == "binary_crossentropy" and bool(((labels == 0) | (labels == 1)).all())
        if yes_no and kind_of(head) is Kind.ONE_HOT:  # a single 1 in each row
            continue
        if (not pixels and not yes_no) or getattr(head.known or head.loss, "apply_class_balancing", False):
            continue
        if not yes_no and (labels.dtype.kind not in "iu" or labels.min() < 0):
            continue
        counts = np.bincount(labels.reshape(-1).astype("int64"))
        share, common = float(counts.max() / counts.sum()), int(counts.argmax())
        most = _NEARLY_ALL_PIXELS if labels.ndim > 2 and yes_no else _NEARLY_ALL
        if most <= share < 1 and getattr(head.loss, "ignore_class", None) != common:
            yield (
                head.layer, round(share, 4), f"{share:.1%} of all labels of {head.layer} are {common}, and the metric "
                "counts hits: to answer that everywhere is nearly always right.", _balanced(head, yes_no),
            )  # fmt: skip


def _balanced(head, yes_no):
    if yes_no:
        return (
            "Use loss=keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True) and "
            "metrics=[keras.metrics.AUC(multi_label=False)]."
        )
    return (
        "Pass a sample_weight of the shape of the labels, larger where a class is rare, and watch "
        f"keras.metrics.MeanIoU({head.units}, sparse_y_pred=False)."
    )


def _class_of_no_weight(subject, labels):
    """The class whose rows all have the weight 0; None for none."""
    weights, by_class = subject.sample_weight, subject.settings.get("class_weight") or {}
    if weights is None:
        return next((one for one in np.unique(labels).tolist() if by_class.get(one, 1) == 0), None)
    if getattr(weights, "shape", None) != labels.shape or not np.any(np.asarray(weights) > 0):
        return None
    of_classes = {one: np.asarray(weights)[labels == one] for one in np.unique(labels).tolist()}
    return next((one for one, own in of_classes.items() if len(own) >= 8 and not own.any()), None)


def _short(weights):
    """The weights as Python."""
    return weights if len(weights) <= 20 else "dict(enumerate(len(y) / (len(set(y)) * np.maximum(np.bincount(y), 1))))"
