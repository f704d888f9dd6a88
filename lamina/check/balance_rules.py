"""LAM309 and LAM405: weights of classes, and labels that are nearly all the same."""

import numpy as np

from lamina.check.neighbours import is_frozen
from lamina.check.plans import optimizer_of
from lamina.check.rule import rule
from lamina.check.subject import classes_of
from lamina.check.targets import Kind, counts_hits, kind_of

__all__ = []

_HARDLY = 0.01  # weight of a row, on average
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
    weighted = subject.sample_weight is not None or subject.settings.get("class_weight") is not None
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
    weights, by_class = subject.sample_weight, subject.settings.get("class_weight")
    by_class = by_class if isinstance(by_class, dict) else {}
    if weights is None:
        return next((one for one in np.unique(labels).tolist() if by_class.get(one, 1) == 0), None)
    if getattr(weights, "shape", None) != labels.shape or not np.any(np.asarray(weights) > 0):
        return None
    of_classes = {one: np.asarray(weights)[labels == one] for one in np.unique(labels).tolist()}
    return next((one for one, own in of_classes.items() if len(own) >= 8 and not own.any()), None)


def _short(weights):
    """The weights as Python."""
    return weights if len(weights) <= 20 else "dict(enumerate(len(y) / (len(set(y)) * np.maximum(np.bincount(y), 1))))"


@rule(
    "LAM309", "error", "class weights that do not fit the labels", "fit",
    "A weight under a key that no label has is never used; labels without a key weigh 1. A large weight for the common "
    "class makes the rare one rarer.",
    "Keras: fit, class_weight; He, Garcia: Learning from Imbalanced Data (2009)",
)  # fmt: skip
def _class_weights_of_no_class(subject):
    yield from _weights_of_nothing(subject)
    weights, labels = subject.settings.get("class_weight"), classes_of(subject)
    if weights is not None and not isinstance(weights, dict):
        told = isinstance(weights, (list, tuple, np.ndarray)) and len(weights) <= 20
        yield (
            None, type(weights).__name__, f"class_weight is a dict from class to weight; it is {_words_of(weights)}.",
            f"class_weight={dict(enumerate(map(float, weights)))}" if told else "class_weight=dict(enumerate(weights))",
        )  # fmt: skip
        return
    if weights is None or labels is None:
        return
    head = subject.heads[0]
    units = 2 if head.units == 1 else head.units
    keys = [key for key in weights if not _is_class(key, units, labels)]
    if keys:
        yield (
            head.layer, keys, f"class_weight has the keys {keys}; the classes are 0 to {units - 1}.",
            f"Use the class numbers as keys: class_weight={_with_classes(weights, units)}.",
        )  # fmt: skip
        return
    counts = {int(key): int((labels == int(key)).sum()) for key in weights}
    given = [key for key, count in counts.items() if count]
    common, rare = max(given, key=counts.__getitem__, default=0), min(given, key=counts.__getitem__, default=0)
    heavier = {int(key): float(weight) for key, weight in weights.items()}
    weighing = [key for key in given if heavier[key]]
    if len(weighing) == 1 < len(given) == len(np.unique(labels)):
        yield (
            head.layer, weighing[0],
            f"class_weight is 0 for each class but {weighing[0]}: all rows will be told as it.",
            f"Give the others a weight above 0: class_weight={dict.fromkeys(given, 1.0)}.", "warning",
        )  # fmt: skip
    elif given and counts[common] >= 4 * counts[rare] and heavier[common] >= 2 * heavier[rare]:
        yield (
            head.layer, common,
            f"class_weight gives {heavier[common]:g} to class {common} with {counts[common]} labels, and "
            f"{heavier[rare]:g} to class {rare} with {counts[rare]}.",
            f"Give the rare class the larger weight: {{{common}: 1.0, {rare}: {counts[common] / counts[rare]:.3g}}}.",
            "warning",
        )  # fmt: skip


def _words_of(weights):
    return repr(weights) if isinstance(weights, str) else f"a {type(weights).__name__} of {len(weights)}"


def _weights_of_nothing(subject):
    """Sample weights that are 0, or so small that SGD does not move, or a negative number in the place of 0."""
    given = subject.sample_weight
    whole = isinstance(given, np.ndarray) and subject.settings.get("samples", len(given)) == len(given) > 0
    if whole and not given.any():
        yield None, 0, "sample_weight is 0 for each row: nothing is learned.", "Use sample_weight=np.ones(len(y))."
    elif whole and (below := given < 0).any() and below.mean() < 0.5 and len(np.unique(given[below])) == 1:
        first, more = int(np.argmax(below)), int(below.sum()) - 1
        yield (
            None, more + 1, f"sample_weight[{first}] is {given[below][0]:g} ({more} more): rows of negative weight are "
            "unlearned.", "Use sample_weight=np.maximum(sample_weight, 0).",
        )  # fmt: skip
    elif whole and (mean := float(given.mean())) < _HARDLY and type(optimizer_of(subject)).__name__ == "SGD":
        yield (
            None, mean, f"sample_weight is {mean:.2g} on average: each step of SGD is as small as with "
            f"{mean:.2g} of its rate.",
            "Use sample_weight / sample_weight.mean().", "warning",
        )  # fmt: skip


def _with_classes(weights, units):
    """The weights by class: in the order of their keys if there is one for each class, else 1 for those without."""
    in_order = sorted(weights) if all(isinstance(key, int) for key in weights) else list(weights)
    if len(weights) == units:
        return {label: float(weights[key]) for label, key in enumerate(in_order)}
    return {label: float(weights.get(label, 1.0)) for label in range(units or 2)}


def _is_class(key, units, labels):
    try:
        number = int(key)
    except (TypeError, ValueError):
        return False
    return 0 <= number < (units or 0) or bool((labels == number).any())
