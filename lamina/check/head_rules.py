"""LAM1xx: the head against the loss against the labels."""

import numpy as np

from lamina.check.rule import rule
from lamina.check.subject import name_of
from lamina.losses import Loss

__all__ = []

_REGRESSION = (
    "mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "mean_squared_logarithmic_error",
    "mean_absolute_percentage_error",
)  # fmt: skip
_BOUNDS = {"sigmoid": (0, 1), "hard_sigmoid": (0, 1), "softmax": (0, 1), "tanh": (-1, 1), "relu": (0, np.inf),
           "relu6": (0, 6), "softplus": (0, np.inf), "exponential": (0, np.inf)}  # fmt: skip
_NO_PROBABILITIES = ("linear", "relu", "tanh", "gelu", "elu", "selu", "silu", "swish", "leaky_relu", "relu6")
_GOODFELLOW = "Goodfellow, Bengio, Courville: Deep Learning (2016), 6.2.2, output units"


@rule(
    "LAM101", "error", "sigmoid with a loss for exclusive classes", "compiled",
    "Sigmoid scores each class for itself; a categorical crossentropy takes scores that add up to 1, and learns "
    "shares.",
    _GOODFELLOW,
)  # fmt: skip
def _sigmoid_over_exclusive_classes(subject):
    for head in subject.heads:
        if head.activation == "sigmoid" and head.exclusive and not head.from_logits and (head.units or 0) > 1:
            yield (
                head.layer, head.units,
                f"{head.layer} has sigmoid over {head.units} units, and the loss is {head.loss_name}.",
                "Use activation='softmax' there; or loss='binary_crossentropy', if several classes may be true at "
                "once.",
            )  # fmt: skip


@rule(
    "LAM102", "error", "softmax over one unit", "model",
    "The softmax of one number is always 1: the output is constant and no gradient comes back.",
    _GOODFELLOW,
)  # fmt: skip
def _softmax_over_one_unit(subject):
    for fact in subject.facts:
        name = "softmax" if fact.kind == "Softmax" else getattr(getattr(fact.layer, "activation", None), "__name__", "")
        on_last = getattr(fact.layer, "axis", -1) in (-1, None) or fact.kind != "Softmax"
        if name == "softmax" and on_last and len(fact.output) > 1 and fact.output[-1] == 1:
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
        if head.activation in ("softmax", "sigmoid") and head.from_logits:
            yield (
                head.layer, head.activation,
                f"{head.layer} ends in {head.activation}, and {head.loss_name} has from_logits=True.",
                f"Drop activation={head.activation!r} or from_logits=True, one of the two.",
            )  # fmt: skip


@rule(
    "LAM104", "error", "logits with a loss that takes probabilities", "compiled",
    "Without from_logits=True a crossentropy takes logarithms of what comes: numbers that are no probabilities are cut "
    "off or give a wrong loss.",
    _GOODFELLOW,
)  # fmt: skip
def _logits_taken_as_probabilities(subject):
    for head in subject.heads:
        crossentropy = "crossentropy" in head.loss_name
        if crossentropy and head.from_logits is False and head.activation in _NO_PROBABILITIES:
            needed = "softmax" if head.exclusive else "sigmoid"
            yield (
                head.layer, head.activation,
                f"{head.layer} has activation {head.activation}, and {head.loss_name} takes probabilities.",
                f"Use activation={needed!r} there, or loss=keras.losses.{_class_of(head.loss_name)}(from_logits=True).",
            )  # fmt: skip


def _class_of(name):
    return "".join(part.capitalize() for part in name.split("_"))


@rule(
    "LAM105", "error", "targets that the output cannot reach", "batch",
    "An activation bounds what comes out; the loss cannot go to 0 for targets beyond its bounds.",
    _GOODFELLOW,
)  # fmt: skip
def _targets_out_of_reach(subject):
    for head in subject.heads:
        if head.activation not in _BOUNDS or head.numbers is None or head.loss_name not in _REGRESSION:
            continue
        (low, high), least, most = _BOUNDS[head.activation], *_range(head.numbers)
        slack = 1e-3 * (high - low if np.isfinite(high) else 1)
        if least < low - slack or most > high + slack:
            yield (
                head.layer, (least, most),
                f"{head.layer} ends in {head.activation} ({low:g} to {high:g}); the targets go from {least:.4g} to "
                f"{most:.4g}.",
                "Use activation='linear' in the last layer, or scale the targets into its range.",
            )  # fmt: skip


def _range(values):
    if not values.size:
        return 0.0, 0.0
    return float(np.nanmin(values)), float(np.nanmax(values))


@rule(
    "LAM106", "error", "class numbers beyond the units", "batch",
    "Each class needs a unit of its own; a label beyond the last one has no probability at all.",
    "Keras: SparseCategoricalCrossentropy takes labels from 0 to classes - 1",
)  # fmt: skip
def _labels_beyond_units(subject):
    for head in _of_loss(subject, "sparse_categorical_crossentropy"):
        ignored = getattr(head.loss, "ignore_class", None)
        labels = head.numbers[head.numbers != ignored] if ignored is not None else head.numbers
        if head.units is None or not labels.size or _is_one_hot(head):
            continue
        least, most = _range(labels)
        if most >= head.units or least < 0:
            fix = "Number the classes from 0, with none below: np.unique(y, return_inverse=True)[1]."
            if least >= 0:
                fix = f"Give {head.layer} {int(most) + 1} units, or number the classes from 0."
            yield (
                head.layer, (least, most),
                f"{head.layer} has {head.units} units; the labels go from {least:g} to {most:g}.", fix,
            )  # fmt: skip


def _of_loss(subject, *names):
    """The heads with such a loss and with labels that are numbers."""
    return [head for head in subject.heads if head.loss_name in names and head.numbers is not None]


def _is_one_hot(head):
    labels = head.numbers
    return labels.ndim == len(head.shape) and labels.ndim > 1 and labels.shape[-1] == head.units and head.units > 1


@rule(
    "LAM107", "warning", "a loss of regression on classes", "batch",
    "Squared errors of a probability give small gradients where the model is surely wrong: it learns slowly or not.",
    _GOODFELLOW,
)  # fmt: skip
def _regression_on_classes(subject):
    for head in subject.heads:
        labels = head.numbers
        if labels is None or not labels.size or head.loss_name not in _REGRESSION or head.units is None:
            continue
        zero_one = bool(np.isin(labels, (0, 1)).all())
        one_hot = zero_one and _is_one_hot(head) and bool((labels.sum(-1) == 1).all()) and head.activation == "softmax"
        yes_no = zero_one and head.activation == "sigmoid" and head.units == 1 and len(head.shape) == 2
        if one_hot or yes_no:
            better = "categorical_crossentropy" if one_hot else "binary_crossentropy"
            yield (
                head.layer, head.loss_name,
                f"{head.layer} ends in {head.activation} and the labels are classes, but the loss is {head.loss_name}.",
                f"Use loss={better!r}.",
            )  # fmt: skip


@rule(
    "LAM108", "error", "labels of another width than the output", "batch",
    "The loss compares each unit with a column of the labels; they must be as many.",
    "Keras: y_true and y_pred have the same shape, but for sparse losses",
)  # fmt: skip
def _width_of_labels(subject):
    for head in subject.heads:
        labels = head.numbers
        if labels is None or head.loss is None or head.loss_name.startswith("sparse") or not head.units:
            continue
        known = head.exclusive or head.loss_name in (*_REGRESSION, "binary_crossentropy", "binary_focal_crossentropy")
        if known and labels.ndim == len(head.shape) > 1 and labels.shape[-1] != head.units and labels.shape[-1] > 1:
            width = labels.shape[-1]
            yield (
                head.layer, width, f"{head.layer} has {head.units} units; the labels have {width} columns.",
                f"Give {head.layer} {width} units.",
            )  # fmt: skip


@rule(
    "LAM109", "error", "one-hot labels and a sparse loss, or the reverse", "batch",
    "sparse_categorical_crossentropy takes class numbers (0, 1, 2, ...), categorical_crossentropy takes rows of "
    "probabilities ([0, 1, 0], ...).",
    "Keras: SparseCategoricalCrossentropy, CategoricalCrossentropy",
)  # fmt: skip
def _one_hot_or_sparse(subject):
    for head in _of_loss(subject, "sparse_categorical_crossentropy"):
        if _is_one_hot(head):
            yield (
                head.layer, head.labels.shape,
                f"The labels of {head.layer} are one-hot rows of {head.units}, but the loss is sparse.",
                "Use loss='categorical_crossentropy', or y.argmax(-1).",
            )  # fmt: skip
    for head in _of_loss(subject, "categorical_crossentropy"):
        shape = head.labels.shape
        if (head.units or 0) > 1 and (len(shape) == len(head.shape) - 1 or shape[-1:] == (1,)):
            yield (
                head.layer, shape,
                f"The labels of {head.layer} are class numbers of shape {('batch', *shape[1:])}, but "
                f"{head.loss_name} takes rows of {head.units}.".replace("'", ""),
                "Use loss='sparse_categorical_crossentropy'.",
            )  # fmt: skip


@rule(
    "LAM110", "error", "labels that the loss cannot take", "batch",
    "binary_crossentropy takes labels from 0 to 1, sparse_categorical_crossentropy whole class numbers.",
    "Keras: BinaryCrossentropy, SparseCategoricalCrossentropy",
)  # fmt: skip
def _labels_of_another_kind(subject):
    for head in _of_loss(subject, "binary_crossentropy", "binary_focal_crossentropy"):
        least, most = _range(head.numbers)
        if least < 0 or most > 1:
            fix = "Use (y + 1) / 2 as labels." if (least, most) == (-1, 1) else "Bring the labels to 0 and 1."
            yield (
                head.layer, (least, most),
                f"The labels of {head.layer} go from {least:g} to {most:g}; {head.loss_name} takes 0 to 1.", fix,
            )  # fmt: skip
    for head in _of_loss(subject, "sparse_categorical_crossentropy"):
        labels = head.numbers
        if labels.dtype.kind == "f" and not _is_one_hot(head) and np.isfinite(labels).all():
            parts = labels[labels != np.round(labels)]
            if parts.size:
                yield (
                    head.layer, float(parts[0]), f"The labels of {head.layer} hold {parts[0]:g}, which is no class.",
                    "Use loss='mse' and a linear output for quantities, or give whole class numbers.",
                )  # fmt: skip


@rule(
    "LAM111", "error", "rows of labels that do not add up to 1", "batch",
    "categorical_crossentropy takes each row as probabilities of classes of which one is true.",
    "Keras: CategoricalCrossentropy",
)  # fmt: skip
def _rows_that_are_no_distributions(subject):
    for head in _of_loss(subject, "categorical_crossentropy"):
        if not _is_one_hot(head):
            continue
        sums = head.numbers.astype("float64").sum(-1)
        wrong = (np.abs(sums - 1) > 1e-2) & (sums != 0)  # rows of zeros are left out of the loss, by design
        if wrong.any():
            worst = float(sums[wrong][np.abs(sums[wrong] - 1).argmax()])
            yield (
                head.layer, worst,
                f"{wrong.mean():.0%} of the label rows of {head.layer} do not add up to 1 (one makes {worst:.4g}).",
                "Use activation='sigmoid' and loss='binary_crossentropy' if several classes may be true; else mend the "
                "rows.",
            )  # fmt: skip


@rule(
    "LAM112", "error", "labels and outputs whose shapes do not fit", "batch",
    "Arithmetic between (N,) and (N, 1) broadcasts to (N, N): each output is compared with every label.",
    "NumPy: broadcasting",
)  # fmt: skip
def _shapes_that_broadcast(subject):
    for head in subject.heads:
        loss, labels = head.loss, head.numbers
        if labels is None:
            continue
        own = callable(loss) and not isinstance(loss, Loss) and not _ours(loss)
        ranks = labels.ndim, len(head.shape)
        if own and ranks in ((1, 2), (2, 1)) and (head.units if ranks[0] == 1 else labels.shape[-1]) == 1:
            shapes = [str(("N", *shape[1:])).replace("'", "") for shape in (labels.shape, head.shape)]
            yield (
                head.layer, labels.shape,
                f"The labels of {head.layer} are {shapes[0]}, its outputs {shapes[1]}, and the loss is a function of "
                "your own, which must not mix the two.",
                "Use y[:, None] as labels." if ranks[0] == 1 else "Use y[:, 0] as labels.",
            )  # fmt: skip


def _ours(function):
    return (getattr(function, "__module__", "") or "").startswith("lamina")


@rule(
    "LAM113", "warning", "a metric that does not fit", "compiled",
    "The metric gives a number, but not the one that its name says.",
    "Keras: metrics",
)  # fmt: skip
def _metric_that_does_not_fit(subject):
    for head, metric in _metrics(subject):
        name = name_of(metric)
        threshold = getattr(metric, "threshold", 0.5)
        problem = None
        quantity = head.loss_name in _REGRESSION and head.activation == "linear" and head.units == 1
        if name in ("accuracy", "binary_accuracy") and quantity and not _is_yes_no(head):
            problem = "counts outputs that equal the target, and these are quantities", "mae"
        elif name == "sparse_categorical_accuracy" and head.loss_name == "categorical_crossentropy":
            problem = "takes class numbers, but the loss takes one-hot rows", "accuracy"
        elif name == "categorical_accuracy" and head.loss_name == "sparse_categorical_crossentropy":
            problem = "takes one-hot rows, but the loss takes class numbers", "accuracy"
        elif name == "binary_accuracy" and head.exclusive and (head.units or 0) > 2:
            problem = "counts each of the classes for itself: it is high even for guesses", "accuracy"
        elif name in ("accuracy", "binary_accuracy") and _binary_logits(head) and threshold == 0.5:
            problem = (
                "cuts at 0.5, where the outputs are logits, whose middle is 0",
                "keras.metrics.BinaryAccuracy(threshold=0.0)",
            )
        if problem:
            fix = problem[1] if "(" in problem[1] else repr(problem[1])
            yield head.layer, name, f"The metric {name} of {head.layer} {problem[0]}.", f"Use metrics=[{fix}]."


def _is_yes_no(head):
    return head.numbers is not None and bool(np.isin(head.numbers, (0, 1)).all())


def _binary_logits(head):
    return head.loss_name == "binary_crossentropy" and head.from_logits and head.units == 1


def _metrics(subject):
    """(head, metric) for the metrics that were given to compile."""
    given = (subject.model._compile_arguments or {}).get("metrics") if subject.own_step else None
    heads = {head.name: head for head in subject.heads}
    if given is None:
        return
    if not isinstance(given, (dict, list, tuple)):
        given = [given]
    if isinstance(given, dict):
        rows = [(heads[name], one) for name, one in given.items() if name in heads]
    elif len(heads) == 1:
        rows = [(next(iter(heads.values())), given)]
    else:
        rows = zip(heads.values(), given, strict=False) if len(given) == len(heads) else ()
    for head, metrics in rows:
        for metric in metrics if isinstance(metrics, (list, tuple)) else [metrics]:
            for one in metric if isinstance(metric, (list, tuple)) else [metric]:
                yield head, one


@rule(
    "LAM114", "error", "a crossentropy over classes of one unit", "compiled",
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
    "binary_crossentropy judges each class for itself, but softmax makes them share one probability.",
    _GOODFELLOW,
)  # fmt: skip
def _softmax_over_independent_classes(subject):
    for head in subject.heads:
        if head.activation == "softmax" and head.loss_name == "binary_crossentropy" and (head.units or 0) > 1:
            yield (
                head.layer, head.units, f"{head.layer} ends in softmax, and the loss is binary_crossentropy.",
                "Use loss='categorical_crossentropy' if one class is true; activation='sigmoid' if several may be.",
            )  # fmt: skip


@rule(
    "LAM116", "error", "one vector a position where one a sample was meant", "batch",
    "The labels are one a sample, but the output still has positions: a layer that flattens or pools them is missing.",
    "Keras: Dense works on the last axis and keeps the others",
)  # fmt: skip
def _positions_left_over(subject):
    for head in subject.heads:
        positions, rest = head.shape[1:-1], () if head.labels is None else head.labels.shape[1:]
        if head.numbers is None or not head.loss_name or all(size == 1 for size in positions):
            continue
        one_a_sample = rest in ((), (1,)) or (rest == (head.units,) and not head.loss_name.startswith("sparse"))
        fits = len(rest) == len(positions) and all(a in (None, b) for a, b in zip(positions, rest, strict=True))
        if one_a_sample and not fits:
            shape = str(("batch", *head.shape[1:])).replace("'", "")
            yield (
                head.layer, head.shape, f"{head.layer} gives {shape}, and the labels are one a sample.",
                f"Put Flatten() or a GlobalAveragePooling layer before {head.layer}; "
                "after an RNN use return_sequences=False.",
            )  # fmt: skip
