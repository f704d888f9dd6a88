"""LAM1xx, second part: labels against outputs and losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.check.rule import rule
from lamina.check.targets import by_exchange, is_one_hot, other_columns, repair_of_classes
from lamina.core.crossing_rows import words_of
from lamina.facts.activations import Bounds, bounds_of
from lamina.facts.loss_names import BINARY, HINGE, REGRESSION

__all__ = ["bounds_of_head"]

_RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(BINARY, (0, 1)), **dict.fromkeys(HINGE, (-1, 1)), "kl_divergence": (0, 1), "poisson": (0, np.inf),
    "mean_squared_logarithmic_error": (0, np.inf),
}  # fmt: skip
_GOODFELLOW = "Goodfellow, Bengio, Courville: Deep Learning (2016), 6.2.2, output units"


@rule(
    "LAM105", "error", "targets that the output cannot reach", "batch",
    "An activation bounds the outputs; the loss cannot reach 0 for targets beyond these bounds.",
    _GOODFELLOW,
)  # fmt: skip
def _targets_out_of_reach(subject):
    yield from _starts_dead(subject)
    for head in subject.heads:
        activation, bounds = bounds_of_head(head)
        if bounds is None or head.numbers is None or head.loss_name not in REGRESSION:
            continue
        (low, high, _), least, most = bounds, *_range(head.numbers)
        slack = 1e-3 * (high - low if np.isfinite(high) else 1)
        if least < low - slack or most > high + slack:
            yield (
                head.layer, (least, most),
                f"{head.layer} ends in {activation} ({low:g} to {high:g}); the targets go from {least:.4g} to "
                f"{most:.4g}: {head.part.first_of((head.numbers < low - slack) | (head.numbers > high + slack))}.",
                "Use loss='sparse_categorical_crossentropy', which takes class numbers." if head.has_class_numbers
                else "Use activation='linear' in the last layer, or scale the targets into its range.",
            )  # fmt: skip


def bounds_of_head(head: Any) -> tuple[str | None, Bounds | None]:
    """(the activation that an output ends in, its bounds), beyond a scale and an offset that come after it.

    Args:
        head: Output of a model.
    """
    fact, scale, offset = head.fact, 1.0, 0.0
    while (step := _scaling_of(fact)) is not None and len(fact.sources) == 1:
        offset += scale * step[1]
        scale *= step[0]
        fact = fact.sources[0].innermost
    activation = head.activation if fact is head.fact else fact.activation
    bounds = bounds_of(activation)
    if bounds is None or not scale:
        return activation, None
    low, high = sorted((scale * bounds.low + offset, scale * bounds.high + offset))
    return activation, Bounds(low, high, bounds.is_open)


def _scaling_of(fact):
    """(scale, offset) of a call that multiplies or adds numbers; None of another."""
    if fact.kind == "Rescaling" and fact.is_builtin:
        numbers = fact.layer.scale, fact.layer.offset
    else:
        given = fact.arguments[0] if fact.arguments and not fact.arguments[1] else ()
        number = given[1] if len(given) == 2 else None
        name = getattr(fact.layer, "op_name", None) if isinstance(number, (int, float)) else None
        ways = {"multiply": (number, 0.0), "add": (1.0, number)}
        if name in ("subtract", "divide", "true_divide") and number:
            ways |= {"subtract": (1.0, -number), "divide": (1 / number, 0.0), "true_divide": (1 / number, 0.0)}
        numbers = ways.get(name or "")
    return numbers if numbers and all(isinstance(one, (int, float)) for one in numbers) else None


def _starts_dead(subject):
    """A regression whose only unit is relu, and 0 for all rows before the first step: no gradient comes through it."""
    head = subject.heads[0] if len(subject.heads) == 1 else None
    if head is None or head.activation != "relu" or head.units != 1 or head.loss_name not in REGRESSION:
        return
    if head.numbers is None or not head.numbers.size or (head.numbers > 0).mean() < 0.9:
        return
    fresh = subject.model.optimizer is not None and not int(np.asarray(subject.model.optimizer.iterations))
    if fresh and subject.traced is not None and not np.any(subject.traced.results[0]):
        yield (
            head.layer, 0.0, f"{head.layer} ends in relu, and is 0 for all rows before the first step, with targets of "
            f"{float(np.mean(head.numbers)):.3g} on average: no gradient comes through it.",
            "Use activation='linear' or 'softplus' there.",
        )  # fmt: skip


def _range(values):
    return (float(np.nanmin(values)), float(np.nanmax(values))) if values.size else (0.0, 0.0)


@rule(
    "LAM106", "error", "class numbers beyond the units", "batch",
    "Each class needs its own unit; a label beyond the last one has no probability at all.",
    "Keras: SparseCategoricalCrossentropy takes labels from 0 to classes - 1",
)  # fmt: skip
def _labels_beyond_units(subject):
    for head in _of_loss(subject, "sparse_categorical_crossentropy"):
        labels, ignored = head.numbers, getattr(head.loss, "ignore_class", None)
        if head.units is None or not labels.size or is_one_hot(head):
            continue
        outside = head.part.outside(0, head.units - 1, ignored)
        if outside is not None:
            part, wrong = outside
            least, most, fix = repair_of_classes(head, part, ignored)
            yield (
                head.layer, (least, most),
                f"{head.layer} has {head.units} units; the labels go from {least:g} to {most:g}: "
                f"{part.first_of(wrong)}.", by_exchange(subject, head) or fix,
            )  # fmt: skip
    for head in _of_loss(subject, "ctc"):
        if head.units is not None and (outside := head.part.outside(0, head.units - 1)) is not None:
            part, wrong = outside
            yield (
                head.layer, _range(part.values),
                f"{head.layer} has {head.units} units, of which the first is the blank; the labels go to "
                f"{_range(part.values)[1]:g}: {part.first_of(wrong)}.",
                f"Give {head.layer} {int(_range(part.values)[1]) + 1} units; labels are from 1, and 0 fills the rows.",
            )  # fmt: skip


def _of_loss(subject, *names):
    """The heads with such a loss and with labels that are numbers."""
    return [head for head in subject.heads if head.loss_name in names and head.numbers is not None]


@rule(
    "LAM108", "error", "labels whose width is not that of the output", "batch",
    "The loss compares each unit with a column of the labels: their numbers must be equal.",
    "Keras: y_true and y_pred have the same shape, but for sparse losses",
)  # fmt: skip
def _width_of_labels(subject):
    for head in subject.heads:
        labels = head.numbers
        if labels is None or head.loss is None or head.loss_name.startswith("sparse") or not head.units:
            continue
        known = head.exclusive or head.loss_name in REGRESSION | BINARY
        if known and labels.ndim == len(head.shape) > 1 and labels.shape[-1] != head.units and labels.shape[-1] > 1:
            width = labels.shape[-1]
            one_hot = head.units == 1 and head.loss_name in BINARY and ((labels == 1).sum(-1) == 1).all()
            yield (
                head.layer, width,
                f"{head.layer} has {head.units} unit{'s' * (head.units > 1)}; the labels have {width} columns.",
                "Use y.argmax(-1) as labels." if one_hot and width == 2
                else other_columns(labels, head.shape) or f"Give {head.layer} {width} units.",
            )  # fmt: skip


@rule(
    "LAM109", "error", "one-hot labels and a sparse loss, or the reverse", "batch",
    "sparse_categorical_crossentropy takes class numbers (0, 1, 2, ...), categorical_crossentropy takes rows of "
    "probabilities ([0, 1, 0], ...).",
    "Keras: SparseCategoricalCrossentropy, CategoricalCrossentropy",
)  # fmt: skip
def _one_hot_or_sparse(subject):
    for head in _of_loss(subject, "sparse_categorical_crossentropy"):
        if is_one_hot(head):
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
    "binary_crossentropy takes labels from 0 to 1, sparse_categorical_crossentropy whole class numbers, hinge -1 and "
    "1; poisson, mean_squared_logarithmic_error and kl_divergence take logarithms of labels.",
    "Keras: the losses",
)  # fmt: skip
def _labels_of_another_kind(subject):
    for head in _of_loss(subject, *_RANGES):
        (low, high), outside = _RANGES[head.loss_name], head.part.outside(*_RANGES[head.loss_name])
        if outside is not None:
            part, wrong = outside
            least, most = _range(part.values)
            yield (
                head.layer, (least, most),
                f"The labels of {head.layer} go from {least:g} to {most:g}; {head.loss_name} takes "
                f"{f'{low:g} to {high:g}' if np.isfinite(high) else f'{low:g} and more'}: {part.first_of(wrong)}.",
                by_exchange(subject, head) or _other_loss(head, part, least, most),
            )  # fmt: skip
    yield from _labels_of_ctc(subject)
    for head in subject.heads:
        if head.labels is not None and head.labels.dtype.kind in "OUS" and head.loss_name:
            yield (
                head.layer, str(head.labels.dtype), f"The labels of {head.layer} are text: {head.labels.flat[0]}.",
                f"Number the classes: np.unique({head.part.name}, return_inverse=True)[1].",
            )  # fmt: skip
    for head in _of_loss(subject, "mean_absolute_percentage_error"):
        if (zeros := head.numbers == 0).any():
            yield (
                head.layer, int(zeros.sum()),
                f"{head.loss_name} divides by the labels of {head.layer}: {head.part.first_of(zeros)}.",
                "Use loss='mae'.",
            )  # fmt: skip
    for head in _of_loss(subject, "sparse_categorical_crossentropy"):
        labels = head.numbers
        if labels.dtype.kind == "f" and not is_one_hot(head) and np.isfinite(labels).all():
            parts = labels[labels != np.round(labels)]
            if parts.size:
                fix = "Use loss='mse' and a linear output for quantities, or give whole class numbers."
                maps = "Resize the maps of classes with interpolation='nearest': others mix their numbers."
                yield (
                    head.layer, float(parts[0]),
                    f"The labels of {head.layer} contain numbers that are no classes: "
                    f"{head.part.first_of(labels != np.round(labels))}.",
                    by_exchange(subject, head) or (fix if labels.ndim < 3 else maps),
                )  # fmt: skip


def _labels_of_ctc(subject):
    """Rows of labels with a blank among the letters, or with more letters than there are steps."""
    for head in _of_loss(subject, "ctc"):
        labels, steps = head.numbers, head.shape[1] if len(head.shape) == 3 else None
        if labels.ndim != 2 or labels.shape[1] < 2:
            continue
        inside = np.zeros(labels.shape, bool)
        inside[:, :-1] = (labels[:, :-1] == 0) & (labels[:, ::-1].cumsum(1)[:, ::-1][:, 1:] > 0)
        if inside.any():
            yield (
                head.layer, float(inside.any(1).mean()),
                f"ctc takes 0 for the blank, which also fills the ends of rows; {inside.any(1).mean():.0%} of the rows "
                f"have a 0 before other labels: {head.part.first_of(inside)}.",
                f"Number the labels from 1, and give {head.layer} one unit more than there are.",
            )  # fmt: skip
            continue
        twice = ((labels[:, 1:] == labels[:, :-1]) & (labels[:, 1:] != 0)).sum(1)
        needed = int(((labels != 0).sum(1) + twice).max())
        if steps is not None and needed > steps:
            yield (
                head.layer, needed,
                f"{head.layer} has {steps} steps, and a row of labels needs {needed}, with a blank between equal ones: "
                "the loss is infinite.",
                "Use smaller strides or less pooling before it, or leave such rows out.",
            )  # fmt: skip


def _other_loss(head, part, least, most):
    """What to do about labels out of the range of a loss."""
    whole = bool((head.numbers == np.round(head.numbers)).all())
    if head.loss_name in BINARY and least >= 0 and 100 < most <= 255 and head.numbers.ndim > 2:
        return f"Use {part.name} / 255 as labels, as for the pictures that come in."
    if head.loss_name in BINARY and whole and least == 0 and 1 < most < (head.units or 0) and head.numbers.ndim == 1:
        return "Use activation='softmax' and loss='sparse_categorical_crossentropy'."
    if head.loss_name in BINARY | HINGE and whole and least == 0 and 1 < most < 1000 and head.units == 1:
        return f"Use Dense({int(most) + 1}, activation='softmax') and loss='sparse_categorical_crossentropy'."
    two = f"Use {part.name} == {most:g} as labels, which are 0 and 1." if len(np.unique(head.numbers)) == 2 else ""
    if head.loss_name in BINARY:
        scale = f"Divide the labels by {most:g}, so that they are from 0 to 1." if least == 0 else two
        return f"Use ({part.name} + 1) / 2 as labels." if (least, most) == (-1, 1) else scale or "Use loss='mse'."
    return two or "Bring the labels to -1 and 1." if head.loss_name in HINGE else "Use loss='mse'."


@rule(
    "LAM111", "error", "rows of labels that do not add up to 1", "batch",
    "categorical_crossentropy takes each row as probabilities of classes of which one is true.",
    "Keras: CategoricalCrossentropy",
)  # fmt: skip
def _rows_that_are_no_distributions(subject):
    for head in _of_loss(subject, "categorical_crossentropy"):
        if not is_one_hot(head):
            continue
        sums = head.numbers.astype("float64").sum(-1)
        wrong = (np.abs(sums - 1) > 1e-2) & (sums != 0)  # rows of zeros are left out of the loss, by design
        one_each = bool((np.count_nonzero(head.numbers, axis=-1) <= 1).all())
        # one-hot rows times weights, as of actions
        are_weighted = one_each and (len(np.unique(sums)) > 2 or head.own is not None)
        if wrong.any() and not are_weighted:
            worst = float(sums[wrong][np.abs(sums[wrong] - 1).argmax()])
            fix = "Use activation='sigmoid' and loss='binary_crossentropy' if several classes may be true; otherwise "
            fix += "correct the rows."
            if np.ptp(sums) == 0 and one_each:
                fix = f"y = y / {worst:g}"
            yield (
                head.layer, worst,
                f"{wrong.mean():.0%} of the label rows of {head.layer} do not add up to 1 (one sum is {worst:.4g}).",
                fix,
            )  # fmt: skip


@rule(
    "LAM112", "error", "arrays of the loss whose shapes do not match", "forward",
    "Arithmetic between (N,) and (N, 1) broadcasts to (N, N): each output is compared with every label.",
    "NumPy: broadcasting",
)  # fmt: skip
def _shapes_that_broadcast(subject):
    own = not subject.own_step or any(head.own is not None for head in subject.heads)
    own = own or any(not fact.is_builtin or fact.is_a("Lambda") for fact in subject.facts)
    for low, high in (subject.meetings or ()) if own else ():
        yield (
            subject.heads[0].layer if len(subject.heads) == 1 else None, (low, high),
            f"{words_of((low, high))} meet in the loss: each of N rows is taken with all N.",
            "Bring both to one shape first: ops.reshape(y_true, (-1,)) and ops.reshape(y_pred, (-1,)).",
        )  # fmt: skip
        return


@rule(
    "LAM116", "error", "one output per position where one per sample was meant", "batch",
    "There is one label per sample, but the output still has positions: a layer that flattens or pools them is "
    "missing.",
    "Keras: Dense works on the last axis and keeps the others",
)  # fmt: skip
def _positions_left_over(subject):
    for head in subject.heads if _inputs_fit(subject) else ():
        positions, rest = head.shape[1:-1], () if head.labels is None else head.labels.shape[1:]
        if head.numbers is None or not head.loss_name or all(size == 1 for size in positions):
            continue
        is_number = head.numbers.dtype.kind in "iu" and head.numbers.max() > 1
        are_classes = is_number or head.loss_name.startswith("sparse")
        one_a_sample = rest in ((), (1,)) or (rest == (head.units,) and not are_classes)
        fits = len(rest) == len(positions) and all(a in (None, b) for a, b in zip(positions, rest, strict=True))
        if one_a_sample and not fits:
            shape = str(("batch", *head.shape[1:])).replace("'", "")
            yield (
                head.layer, head.shape, f"{head.layer} returns {shape}, but there is one label per sample.",
                f"Put Flatten() or a GlobalAveragePooling layer before {head.layer}; "
                "after an RNN use return_sequences=False.",
            )  # fmt: skip


def _inputs_fit(subject):
    """Whether the data have as many axes as the Inputs; if not, that is the error."""
    tensors = subject.model._graph.input_tensors if subject.input_names else ()
    pairs = zip(subject.input_names, tensors, strict=True)
    shapes = [(subject.inputs[name].shape, tensor.shape) for name, tensor in pairs if name in subject.inputs]
    return all(len(given) == len(wanted) or given[-1:] == (1,) or wanted[-1] == 1 for given, wanted in shapes)
