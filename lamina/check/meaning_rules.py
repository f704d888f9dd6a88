"""LAM1xx, third part: losses whose outputs or labels mean something else than these do."""

import numpy as np

from lamina.check.rule import rule
from lamina.check.targets import Kind, counts_hits, kind_of
from lamina.facts.activations import bounds_of
from lamina.facts.loss_names import BINARY, HINGE, REGRESSION

__all__ = []

_GOODFELLOW = "Goodfellow, Bengio, Courville: Deep Learning (2016), 6.2.2, output units"
_OF_EACH = 20  # rows, of which a class that occurs has some
_QUANTITIES = REGRESSION | {"cosine_similarity", "poisson"}


@rule(
    "LAM107", "warning", "a regression loss on classes", "batch",
    "Squared errors of a probability give small gradients where the model is confidently wrong: it learns slowly or "
    "not at all.",
    _GOODFELLOW,
)  # fmt: skip
def _regression_on_classes(subject):
    for head in subject.heads:
        kind = kind_of(head) if head.loss_name in _QUANTITIES else None
        if kind is Kind.ONE_HOT:
            better, sure = "categorical_crossentropy", _are_probabilities(head)
        elif kind is Kind.YES_NO and head.units == 1 and len(head.shape) == 2:
            sure = head.activation not in (None, "linear") or counts_hits(subject, head)
            better = "binary_crossentropy"
        elif kind is Kind.CLASSES and len(head.shape) == 2:
            better, sure = "sparse_categorical_crossentropy", head.units != 1 or counts_hits(subject, head)
            if not sure and (head.activation != "linear" or head.numbers.dtype.kind not in "iu"):
                continue
        else:
            continue
        ends = {None: "ends in a function of its own", "linear": "has no activation"}
        yield (
            head.layer, head.loss_name,
            f"{head.layer} {ends.get(head.activation, f'ends in {head.activation}')} and the labels "
            f"{'are' if sure else 'may be'} {_words(head, kind)}, but the loss is {head.loss_name}.",
            _as_classes(head, kind, better, sure), *([] if sure else ["info"]),
        )  # fmt: skip


def _are_probabilities(head):
    bounds = bounds_of(head.activation)
    return bounds is not None and (bounds.low, bounds.high) == (0, 1)


def _words(head, kind):
    labels = head.numbers
    return f"classes ({int(labels.min())} to {int(labels.max())})" if kind is Kind.CLASSES else "classes"


def _as_classes(head, kind, better, sure):
    """How to make a classifier of it."""
    count = int(head.numbers.max()) + 1 if kind is Kind.CLASSES else head.units
    scores = "sigmoid" if kind is Kind.YES_NO else "softmax"
    if head.activation == scores and head.units == count:
        return f"Use loss={better!r}."
    return f"{'Use' if sure else 'If they are, use'} Dense({count}, activation={scores!r}) and loss={better!r}."


@rule(
    "LAM119", "error", "outputs that the loss cannot take", "compiled",
    "A hinge loss wants outputs below -1 and above 1, poisson and kl_divergence take logarithms of the outputs, "
    "cosine_similarity compares directions.",
    "Keras: the losses hinge, poisson, kl_divergence and cosine_similarity",
)  # fmt: skip
def _outputs_of_another_kind(subject):
    for head in subject.heads:
        problem = _problem_of(head) if head.activation is not None else None
        if problem is not None:
            ends = "has no activation" if head.activation == "linear" else f"ends in {head.activation}"
            yield (
                head.layer, head.activation, f"{head.layer} {ends}, and {head.loss_name} {problem[0]}.", problem[1],
            )  # fmt: skip


def _problem_of(head):
    """(what the loss cannot do with these outputs, the fix), or None."""
    loss, bounds, units = head.loss_name, bounds_of(head.activation), head.units
    if loss in HINGE and bounds is not None and bounds.low >= 0:
        one = units == 1
        fix = "Use activation='tanh' there" if one else "Use loss='categorical_crossentropy'"
        return "needs outputs of both signs", f"{fix}{', or loss=' + repr('binary_crossentropy') if one else ''}."
    if loss == "poisson" and (bounds is None or bounds.low < 0) and (bounds is not None or head.activation == "linear"):
        return "takes the logarithm of outputs that may be negative", "Use activation='softplus' there."
    if loss == "kl_divergence" and units == 1:
        return "compares distributions, and there is one number", "Use loss='binary_crossentropy'."
    if loss == "kl_divergence" and not _are_probabilities(head):
        return "takes probabilities", "Use activation='softmax' there."
    if loss == "kl_divergence" and head.activation == "sigmoid" and _are_distributions(head):
        return "compares distributions, whose probabilities add up to 1", "Use activation='softmax' there."
    if loss == "cosine_similarity" and units == 1 and len(head.shape) == 2:
        return "compares directions: of one number only the sign counts", "Use loss='mse'."
    return None


def _are_distributions(head):
    labels = head.numbers
    return labels is not None and labels.ndim > 1 and bool((np.abs(labels.sum(-1) - 1) < 1e-3).all())


@rule(
    "LAM120", "warning", "independent classes where one is true in each row", "batch",
    "binary_crossentropy scores each class independently: the many zeros outweigh the one that is true, and a high "
    "binary accuracy says little.",
    _GOODFELLOW,
)  # fmt: skip
def _independent_scores_of_exclusive_classes(subject):
    for head in subject.heads:
        independent = head.loss_name in BINARY and head.activation in ("sigmoid", "linear") and len(head.shape) == 2
        if not independent or kind_of(head) is not Kind.ONE_HOT or len(head.numbers) < 16:
            continue
        used = int(np.count_nonzero(head.numbers.any(axis=0)))
        if used > 1:
            loss = "keras.losses.CategoricalCrossentropy(from_logits=True)" if head.from_logits else None
            yield (
                head.layer, used,
                f"Each row of the labels of {head.layer} has a single 1, and the loss is {head.loss_name}.",
                f"Use {'' if loss else 'activation=' + repr('softmax') + ' and '}"
                f"loss={loss or repr('categorical_crossentropy')}.",
            )  # fmt: skip


@rule(
    "LAM121", "warning", "more units than classes", "batch",
    "Units whose class never comes only learn to be never chosen.",
    _GOODFELLOW,
)  # fmt: skip
def _more_units_than_classes(subject):
    for head in subject.heads:
        labels = head.numbers
        if not head.exclusive or labels is None or len(head.shape) != 2 or head.part.batch is not None:
            continue
        yield from _class_without_rows(head)
        if kind_of(head) is Kind.CLASSES and head.loss_name.startswith("sparse"):
            classes = int(labels.max()) + 1
        elif kind_of(head) is Kind.YES_NO and head.loss_name.startswith("sparse"):
            classes = 2
        else:
            continue
        if head.units > classes and len(labels) >= _OF_EACH * classes:
            yield (
                head.layer, head.units, f"{head.layer} has {head.units} units; the labels are 0 to {classes - 1}.",
                f"Use Dense({classes}, activation={head.activation!r}).", "info",
            )  # fmt: skip


def _class_without_rows(head):
    """Columns of one-hot labels in which there is no 1; where it is the first alone, classes were counted from 1."""
    if kind_of(head) is not Kind.ONE_HOT or len(head.labels) < _OF_EACH * head.units:
        return
    empty = np.flatnonzero(~head.numbers.any(axis=0)).tolist()
    if empty == [0] and head.units > 2:
        yield (
            head.layer, 0, f"No row of the labels of {head.layer} is of class 0, and the others are all there: classes "
            f"of 1 to {head.units - 1} were made one-hot.",
            f"Number them from 0: keras.utils.to_categorical(y - 1), and give {head.layer} {head.units - 1} units.",
        )  # fmt: skip
    elif empty:
        some = ", ".join(map(str, empty[:5])) + (", ..." if len(empty) > 5 else "")
        yield (
            head.layer, len(empty), f"No row of the labels of {head.layer} is of class {some}.",
            f"Number the classes that there are, and give {head.layer} {head.units - len(empty)} units.", "info",
        )  # fmt: skip
