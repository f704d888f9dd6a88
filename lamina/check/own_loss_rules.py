"""LAM1xx, fourth part: losses of one's own, judged by their values for predictions that are right, wrong and moved, and
by their gradients."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from lamina.check.pairs import driven_apart, exchanged, without_margin
from lamina.check.rule import rule
from lamina.facts.activations import bounds_of
from lamina.facts.loss_names import name_of

__all__ = ["divergence_of"]

_MOST = 60  # calls of layers whose gradient is found in a moment
_NUMBERS = 100  # of a sample, whose mean is that much smaller than their sum
_MANY, _RARE, _LESS = 200, 0.2, 0.2  # labels, share of the rare one, weight of a mistake about it over one of the other
_SAME = 1e-4  # share by which values may differ that are meant to be one


@rule(
    "LAM123", "error", "a loss of one's own that does not bring predictions to their labels", "forward",
    "Training makes the loss small. It must be smallest where the predictions are right, and compare each of them with "
    "its own label.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 6.2.1, cost functions",
)  # fmt: skip
def _leads_elsewhere(subject):
    for head in subject.heads if subject.own_step else ():
        labels = None if head.own is None else head.own.labels
        said = None if labels is None else exchanged(subject, head) or without_margin(subject, head)
        if said is not None:
            yield head.layer, said[0], f"The loss {head.loss_name} of {head.layer} {said[1]}.", said[2]
        if labels is not None and (said := _in_steps(subject, head)) is not None:
            yield head.layer, said[0], f"The loss {head.loss_name} of {head.layer} {said[1]}.", said[2]
            continue
        if labels is None or len(labels) < 8 or not np.isfinite(labels).all() or len(np.unique(labels)) < 2:
            continue
        looks = (
            _of_labels_alone,
            _swapped,
            _upside_down,
            _without_end,
            _of_shares,
            _out_of_reach,
            _flat_on_a_side,
            _of_any_pairing,
            _weighs_the_rare_less,
        )
        looks = looks if head.known is None else (_flat_on_a_side,)  # which loss it is was seen from 0 to 1 alone
        found = next((said for look in looks if (said := look(subject, head, labels)) is not None), None)
        found = driven_apart(subject, head) if found is None else found
        if found is not None and not subject.meetings:  # else LAM112
            yield head.layer, found[0], f"The loss {head.loss_name} of {head.layer} {found[1]}.", found[2]


def _of_labels_alone(subject, head, labels):
    """Whether any predictions give the same loss, which then has no gradient."""
    some = np.random.default_rng(0).uniform(0.05, 0.95, (3, *head.own.shape))
    values = None if len(subject.heads) > 1 else head.own.values([*some, *-some])
    if values is None or not np.isfinite(values).all() or np.ptp(values) > 0:
        return None
    return float(values[0]), "is the same for all predictions", (
        "Let it depend on y_pred: keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)."
    )  # fmt: skip


def _in_steps(subject, head):
    """Whether the loss rounds the predictions, or compares them, and so has no gradient anywhere."""
    some = np.random.default_rng(0).uniform(0.05, 0.95, (4, *head.own.shape)) * np.reshape(
        [1, -1, 3, -3], (4,) + (1,) * len(head.own.shape)
    )
    values = None if head.known is not None else head.own.values(some)
    if values is None or not np.isfinite(values).all() or not np.ptp(values) or not head.own.is_flat(some):
        return None
    return float(values[0]), "goes by steps: its gradient is 0 for all predictions", (
        "Take y_pred as it is: round, argmax, sign and comparisons have no gradient, and belong in a metric."
    )  # fmt: skip


def _swapped(subject, head, labels):
    known = head.own.known[1]
    if known is None:
        return None
    name = name_of(known)
    return name, f"computes {name} with labels and predictions in each other's place", (
        "Take the labels first: def loss(y_true, y_pred)."
    )  # fmt: skip


def _upside_down(subject, head, labels):
    """Whether the loss is smaller for predictions that are wrong than for those that are right."""
    right, wrongs = _right_and_wrong(subject, head, labels)
    values = None if right is None else head.own.values([right, *(wrong for _, wrong in wrongs)])
    if values is None or not np.isfinite(values).all():
        return None
    for (words, _), value in zip(wrongs, values[1:], strict=True):
        if values[0] > value + max(_SAME, 0.01 * abs(float(values[0]))):
            return float(values[0]), f"is {values[0]:.3g} where all predictions are right, and {value:.3g} {words}", (
                "Return 1 - score, or -score: training makes the loss small."
            )  # fmt: skip
    return None


def _without_end(subject, head, labels):
    """Whether the loss of outputs without bounds falls on beyond labels of 0 and 1."""
    shape = (len(labels), *head.shape[1:])
    plain = head.activation == "linear" and None not in shape and labels.size == np.prod(shape)
    if not plain or set(np.unique(labels).tolist()) != {0.0, 1.0}:
        return None
    values = head.own.values([labels.reshape(shape) * size for size in (1, 10, 100)])
    if values is None or not np.isfinite(values).all():
        return None
    first, then = values[0] - values[1], values[1] - values[2]
    if not first > 0.1 or then < 5 * first:  # that of logits comes to an end
        return None
    return float(values[1]), (
        f"takes outputs of any size for labels of 0 and 1: it is {values[0]:.3g} where they are equal, and "
        f"{values[2]:.3g} for outputs a hundred times as large"
    ), f"Use activation='sigmoid' in {head.layer}."  # fmt: skip


def _of_shares(subject, head, labels):
    """Whether the loss of outputs without bounds is the same for all that are below 0, and for all above 1."""
    shape = (len(labels), *head.shape[1:])
    plain = head.activation == "linear" and None not in shape and labels.size == np.prod(shape)
    if not plain or set(np.unique(labels).tolist()) != {0.0, 1.0}:
        return None
    away = 0.1 + np.abs(np.random.default_rng(0).normal(size=(3, *shape)))
    values = head.own.values([*-away, *(1 + away), np.full(shape, 0.15), np.full(shape, 0.6)])
    if values is None or not np.isfinite(values).all() or abs(values[6] - values[7]) < _SAME:
        return None
    if any(np.ptp(side) > 1e-6 * max(abs(float(side[0])), 1e-3) for side in (values[:3], values[3:6])):
        return None
    scores = "softmax" if shape[-1] > 1 and (labels.reshape(shape).sum(-1) == 1).all() else "sigmoid"
    return float(values[0]), (
        "takes probabilities: it is the same for all outputs below 0, and for all above 1, which have no gradient then"
    ), f"Use activation={scores!r} in {head.layer}."  # fmt: skip


def _out_of_reach(subject, head, labels):
    """Whether the loss for a label is far from its end at the bounds of the activation, and comes to it beyond them."""
    bounds, kinds = bounds_of(head.activation), np.unique(labels)
    shape = (len(labels), *head.shape[1:])
    if bounds is None or not np.isfinite(bounds.high) or head.units != 1 or None in shape or len(kinds) > 2:
        return None
    width = bounds.high - bounds.low
    places = [bounds.low - 3 * width, bounds.low - width, bounds.low, bounds.low + width / 2]
    places += [bounds.high, bounds.high + width, bounds.high + 3 * width]
    found = {}
    for kind in kinds.tolist():
        values = head.own.values([np.full(shape, place) for place in places], np.full_like(labels, kind))
        if values is None or not np.isfinite(values).all():
            return None
        found[kind] = values
    slopes = [np.diff(values) / np.diff(places) for values in found.values()]
    straight = all(np.ptp(slope) < _SAME * abs(slope[0]) and slope[0] for slope in slopes)
    if straight and len(slopes) == 2 and slopes[0][0] * slopes[1][0] < 0:
        between = head.own.values([np.full(shape, place) for place in places[2:4]], labels * 0 + kinds @ (0.75, 0.25))
        if between is not None and abs(float(np.diff(between)[0])) / (width / 2) < 0.2 * abs(slopes[0][0]):
            return float(slopes[0][0]), "takes the logarithm of the labels, and not of the predictions", (
                "Give a crossentropy the labels first: ops.binary_crossentropy(y_true, y_pred)."
            )  # fmt: skip
        return float(slopes[0][0]), (
            f"is a straight line of the outputs, up for one label and down for the other, and {head.activation} keeps "
            f"them {bounds}"
        ), f"Use activation=None in {head.layer}."  # fmt: skip
    for kind, values in found.items():
        inside, beyond = float(values[2:5].min()), float(min(values[:2].min(), values[5:].min()))
        if inside > 0.05 and -1e-6 < beyond < 0.1 * inside:
            place = places[int(np.argmin(values))]
            return inside, (
                f"is {inside:.3g} at least for labels of {kind:g}, since {head.activation} keeps outputs {bounds}; it "
                f"is {beyond:.3g} at {place:g}"
            ), f"Use activation=None in {head.layer}, or a loss of outputs {bounds}."  # fmt: skip
    return None


def _right_and_wrong(subject, head, labels):
    """(predictions that are right, (words, predictions) of wrong ones); (None, ()) where labels do not tell."""
    shape = (len(labels), *head.shape[1:])
    if None in shape or len(subject.inputs) > 1 or labels.size != np.prod(shape):  # of two inputs: perhaps a distance
        return None, ()
    right, classes = labels.reshape(shape), set(np.unique(labels).tolist())
    if head.activation == "softmax" and labels.min() == 0 and (np.count_nonzero(right, axis=-1) == 1).all():
        right = (right > 0).astype("float32")  # perhaps times a weight, as of actions
        return np.clip(right, 0.01, 0.99), [("where all are wrong", np.clip(np.roll(right, 1, axis=-1), 0.01, 0.99))]
    if head.activation == "sigmoid" and classes == {0.0, 1.0}:
        wrongs = [("where all are wrong", 1 - right)]
        wrongs += [(f"where those of {one:g} are wrong", np.where(right == one, 1 - right, right)) for one in (0, 1)]
        return np.clip(right, 0.01, 0.99), [(words, np.clip(wrong, 0.01, 0.99)) for words, wrong in wrongs]
    if head.activation == "linear" and len(classes) > 2:
        spread = max(float(labels.std()), 1e-3)
        values = head.own.values([right + far * spread for far in (0, 2, 6, 18, -2, -6, -18)])
        others = head.own.values([right], labels[::-1] * 0.5)
        if values is None or others is None or not np.isfinite(values).all() or others[0] == values[0]:
            return None, ()  # a loss without labels is made inside of the model
        sides = zip(("large", "small"), (1, -1), (values[1:4], values[4:]), strict=True)
        return right, [(f"where all are too {word}", right + 6 * way * spread)
                       for word, way, side in sides if _falls_for_ever(values[0], *side)]  # fmt: skip
    return None, ()


def _falls_for_ever(right, near, far, farther):
    """Whether a loss falls from predictions that are right to those ever farther away, and does not come to an end."""
    return right > near > far and far - farther > 2 * (near - far)  # three times as much, of a straight line


def _flat_on_a_side(subject, head, labels):
    """Whether a loss of numbers is the same for all predictions below, or above, some that labels ask for."""
    shape = (len(labels), *head.shape[1:])
    plain = head.activation == "linear" and None not in shape and labels.size == np.prod(shape)
    if not plain or len(np.unique(labels)) < 3 or len(subject.inputs) > 1:
        return None
    spread, low, high = float(labels.std()), float(labels.min()), float(labels.max())
    away = 0.1 + np.abs(np.random.default_rng(0).normal(size=(3, *shape)))  # no shift and no scale of each other
    for word, end, way, asked in (("below", low, -1, low < -0.1 * spread), ("above", high, 1, high > 0.1 * spread)):
        values = head.own.values(list(end + way * spread * away)) if asked else None
        if values is not None and np.isfinite(values).all() and values.max() - values.min() <= 1e-6 * abs(values[0]):
            return float(values[0]), (
                f"is {values[0]:.3g} for all predictions {word} {end:.3g}, which have no gradient then"
            ), "Take the predictions as they are: no relu, clip or round of y_pred in the loss."  # fmt: skip
    return None


def _of_any_pairing(subject, head, labels):
    """Whether predictions may change places without any effect, although labels have one."""
    numbers = np.random.default_rng(0)
    some = numbers.uniform(0.05, 0.95, head.own.shape).astype("float32")
    some = some / some.sum(-1, keepdims=True) if head.activation == "softmax" else some
    values = head.own.values([some, *(some[numbers.permutation(len(some))] for _ in range(3)), some**2])
    others = head.own.values([some], labels[::-1] * 0.5)
    if values is None or others is None or not np.isfinite(values).all():
        return None
    scale = max(abs(float(values[0])), 1e-3)
    moved, changed = np.abs(values - values[0]), abs(float(others[0] - values[0]))
    if moved[1:4].max() > _SAME * scale or moved[4] < 10 * _SAME * scale or changed < 10 * _SAME * scale:
        return None
    return float(values[0]), "stays the same when predictions are put in another order and labels are not", (
        "Compare each label with its prediction, in one shape: keras.ops.mean(keras.ops.square("
        "keras.ops.reshape(y_true, keras.ops.shape(y_pred)) - y_pred))."
    )  # fmt: skip


def _weighs_the_rare_less(subject, head, labels):
    """Whether mistakes about the rare one of two labels count far less than those about the other."""
    numbers = head.numbers
    if head.activation != "sigmoid" or head.units != 1 or len(numbers) < _MANY or not np.isin(numbers, (0, 1)).all():
        return None
    share = float(np.mean(numbers))
    rare, half = float(share < 0.5), np.full(head.own.shape, 0.5)
    if not 0 < min(share, 1 - share) < _RARE:
        return None
    mixed = np.resize([rare, 1 - rare], labels.shape).astype(labels.dtype)
    values = [head.own.values([half], np.full_like(labels, kind)) for kind in (rare, 1 - rare)]
    values.append(head.own.values([half], mixed))
    if any(value is None or not np.isfinite(value).all() or value[0] <= 0 for value in values):
        return None
    if not np.isclose(values[2][0], (values[0][0] + values[1][0]) / 2, rtol=1e-3):  # labels count together, as in Dice
        return None
    ratio = float(values[0][0] / values[1][0])
    if ratio > _LESS:
        return None
    return ratio, (
        f"counts mistakes about {rare:g}, which {min(share, 1 - share):.1%} of the labels are, {ratio:.2g} times as "
        f"much as those about {1 - rare:g}"
    ), "Exchange the two weights: the rare label needs the larger one."  # fmt: skip


@rule(
    "LAM124", "error", "a loss with an infinite slope, or without a lowest value", "forward",
    "sqrt has an infinite slope at 0, and log no value there: one of them makes all weights NaN. A loss that falls for "
    "ever makes them infinite.",
    "Goodfellow, Bengio, Courville: Deep Learning (2016), 4.1 and 4.3, numerical computation",
)  # fmt: skip
def _slope_or_end(subject):
    own = any(head.own is not None for head in subject.heads)
    functions = [fact for fact in subject.facts if not fact.is_builtin or fact.is_a("Lambda")]
    if not (own or functions or subject.own_loss_alone) or len(subject.facts) > _MOST:
        return
    yield from _slope(subject)
    yield from _added_without_end(subject)


def _slope(subject):
    """A loss or a gradient of the first rows that is not finite, although the data are."""
    finite = all(part.values.dtype.kind != "f" or np.isfinite(part.values).all() for part in subject.parts)
    loss, slopes = subject.slopes or (0.0, []) if finite else (0.0, [])
    wrong = [weight for weight, slope in slopes if not np.isfinite(slope).all()]
    if (wrong or not np.isfinite(loss)) and all(np.isfinite(weight.numpy()).all() for weight, _ in slopes):
        yield (
            None, loss, f"The loss of the first rows is {loss:.3g}" + (
                f", and the gradient of {len(wrong)} of {len(slopes)} weights ({wrong[0].path}) is not finite."
                if wrong else ": it takes the root or the logarithm of a number that is negative."
            ),
            "Add a small number before sqrt, log and division: ops.sqrt(x + 1e-7); and make it positive by softplus.",
        )  # fmt: skip


def _added_without_end(subject):
    """What layers add to the loss, where it falls faster than the weights grow."""
    if subject.traced is None or not subject.own_step:
        return
    begin, near, far = (subject.traced.penalty(subject.y, True, factor)[0] for factor in (1.0, 3.0, 9.0))
    if begin < 0 and near < begin and not far >= 5 * near:
        yield (
            None, far, f"What layers add to the loss is {begin:.3g}, with three times the weights "
            f"{near:.3g}, and with nine times {far:.3g}: it falls without end.",
            "Change its sign: the divergence of a VAE is -0.5 * (1 + log_var - mean**2 - exp(log_var)).",
        )  # fmt: skip


def divergence_of(subject: Any) -> tuple[float, float] | None:
    """(what layers of the user's own add to the loss for their values, the rest of the loss) of a network that gives
    its inputs again, where exponentials have a part in it, as in the divergence of a VAE; None for another network.

    Args:
        subject: What is checked.
    """
    x, y = (jax.tree_util.tree_leaves(part) for part in (subject.x, subject.y))
    own = any(not fact.is_builtin for fact in subject.facts) and len(subject.facts) <= _MOST
    ready = own and subject.own_step and subject.model.compiled and subject.model.loss is not None
    if not ready or subject.traced is None or len(x) != 1 or len(y) != 1 or x[0].shape != y[0].shape:
        return None
    if x[0][0].size < _NUMBERS or not np.array_equal(x[0][:8], y[0][:8]):
        return None
    program = subject.traced.training(subject.y)
    if program is None or not any(one.name == "exp" for one in program.all):
        return None
    return subject.traced.penalty(subject.y, True)
