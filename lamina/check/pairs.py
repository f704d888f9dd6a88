"""Networks that compare two inputs: towers that share nothing, and distances that a loss drives the wrong way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.facts.known_losses import tried

__all__ = ["driven_apart", "exchanged", "twins", "without_margin"]

_FEW = 100  # pairs, below which chance says too much
_TRIES = 8  # random outputs
_TELLS = 0.7  # share of pairs of pairs whose distances are in the order of their labels


def twins(subject: Any) -> Iterator[tuple[Any, Any, Any]]:
    """(call that takes a difference, ends of two towers) where two inputs of one shape go through towers of the same
    layers with weights of their own.

    Args:
        subject: What is checked.
    """
    for meet in subject.facts:
        if meet.depth or len(meet.sources) != 2 or not _is_difference(meet):
            continue
        towers = [tower for end in meet.sources if (tower := _tower(end)) is not None]
        if len(towers) < 2 or not towers[0] or towers[0][-1].reads == towers[1][-1].reads:
            continue
        alike = [[(fact.kind, [tuple(weight.shape) for weight in fact.weights]) for fact in tower] for tower in towers]
        shared = {fact.layer for fact in towers[0]} & {fact.layer for fact in towers[1]}
        trained = [fact for fact in towers[0] if fact.trainable_count]
        if alike[0] == alike[1] and trained and not shared and _are_alike(subject, towers):
            yield meet, towers[0][0], towers[1][0]


def _tower(fact):
    """The calls from an end back to the input of the model that it is made of; None where there are several ways."""
    tower = [fact]
    while len(fact.sources) == 1 and not fact.reads:
        fact = fact.sources[0]
        tower.append(fact)
    return tower if len(fact.reads) == 1 and not fact.sources else None


def _are_alike(subject, towers):
    """Whether the data of both inputs lie alike, where there are any."""
    leaves = list(subject.inputs.values())
    places = [tower[-1].reads[0] for tower in towers]
    if not leaves or max(places) >= len(leaves):
        return towers[0][-1].input == towers[1][-1].input
    one, two = (leaves[place].astype("float64") for place in places)
    if one.shape != two.shape:
        return False
    size = max(float(one.std()), 1e-9)
    return abs(one.mean() - two.mean()) < 0.3 * size and 0.7 < float(two.std()) / size < 1.4


def _is_difference(fact):
    """Whether a call of two arrays gives the same for any two that are equal: a difference, or a distance."""
    if fact.kind == "Subtract":
        return True
    shape = fact.input
    if not (fact.is_a("Lambda") or not fact.is_builtin) or fact.inner or fact.count or None in shape[1:]:
        return False
    numbers = np.random.default_rng(0)
    one, two, three = (numbers.normal(size=(4, *shape[1:])).astype("float32") for _ in range(3))
    found = tried(lambda: [np.asarray(fact.layer(list(pair))) for pair in ((one, one), (two, two), (one, three))])
    if not found or not all(np.isfinite(values).all() for values in found):
        return False
    return bool(np.ptp(np.stack(found[:2])) < 1e-2 and np.abs(found[2] - found[0]).max() > 0.1)


def driven_apart(subject: Any, head: Any) -> tuple[float, str, str] | None:
    """(number, what a loss of one's own does, the fix) where pairs that are nearer are those which it drives apart.

    Args:
        subject: What is checked.
        head: The output, a distance, with its loss and labels.
    """
    pairs, labels = list(subject.inputs.values()), head.numbers
    if len(pairs) != 2 or pairs[0].shape != pairs[1].shape or len(pairs[0]) < _FEW or labels.size != len(pairs[0]):
        return None
    labels = labels.reshape(-1)
    same, traced = labels == 1, subject.traced
    if traced is None or not np.isin(labels, (0, 1)).all() or not 8 <= same.sum() <= len(labels) - 8:
        return None
    first = traced.leaves[0]
    equal = np.abs(traced.run(traced.with_leaves([first, first]))[0]).max()
    size = float(np.abs(traced.results[0]).mean())
    if not equal < 0.01 * size:
        return None
    scale = np.where((spread := pairs[0].std(axis=0)) > 0, spread, 1)
    gaps = np.sqrt((((pairs[0] - pairs[1]) / scale) ** 2).reshape(len(labels), -1).sum(axis=1))
    nearer = float((gaps[same][:, None] < gaps[~same][None]).mean())
    shape, near, far = head.own.shape, 0.1 * size, 0.5 * size
    slopes = []
    for kind in (1.0, 0.0):
        values = head.own.values([np.full(shape, near), np.full(shape, far)], np.full_like(head.own.labels, kind))
        slopes.append(0.0 if values is None else float(values[1] - values[0]))
    pulls = 1 if slopes[0] > 0 > slopes[1] else 0 if slopes[1] > 0 > slopes[0] else None
    if pulls is None or (nearer if pulls == 0 else 1 - nearer) < _TELLS:
        return None
    return nearer, (
        f"draws pairs of the label {pulls} together and drives the others apart, and pairs of the label {1 - pulls} "
        f"are nearer in {max(nearer, 1 - nearer):.0%} of all comparisons"
    ), "Use 1 - y as labels, or exchange the two terms of the loss."  # fmt: skip


def exchanged(subject: Any, head: Any) -> tuple[float, str, str] | None:
    """(number, what a loss of one's own does, the fix) where the loss of three inputs, of which the second or the third
    is nearer to the first, is smaller with these two in each other's place.

    Args:
        subject: What is checked.
        head: The output, with its loss.
    """
    three = list(subject.inputs.values())
    if len(three) != 3 or len({one.shape for one in three}) > 1 or len(three[0]) < _FEW or subject.traced is None:
        return None
    scale = np.where((spread := three[0].std(axis=0)) > 0, spread, 1)
    gaps = [(((three[0] - other) / scale) ** 2).reshape(len(other), -1).sum(axis=1) for other in three[1:]]
    nearer = float((gaps[0] < gaps[1]).mean())
    if abs(nearer - 0.5) < 0.25:
        return None
    rows = [one[: len(head.own.labels)] for one in three]
    orders = [rows, [rows[0], rows[2], rows[1]]]
    outputs = tried(lambda: [subject.traced.run(subject.traced.with_leaves(order))[0] for order in orders])
    values = None if outputs is None else head.own.values(outputs)
    if values is None or not np.isfinite(values).all() or values[0] <= 1.05 * max(values[1], 0):
        return None
    return nearer, (
        f"is {values[0]:.3g} before training, and {values[1]:.3g} with the second and the third input in each other's "
        f"place, although the {'second' if nearer > 0.5 else 'third'} is nearer to the first in "
        f"{max(nearer, 1 - nearer):.0%} of the rows"
    ), "Exchange the two: ops.maximum(near - far + margin, 0), near being that of what belongs together."  # fmt: skip


def without_margin(subject: Any, head: Any) -> tuple[float, str, str] | None:
    """(number, what a loss of one's own does, the fix) where a loss of two inputs or more is 0 for outputs that are the
    same for all rows, as it is for many others: a margin is missing.

    Args:
        subject: What is checked.
        head: The output, with its loss.
    """
    if len(subject.inputs) < 2 or head.activation not in (None, "linear"):
        return None
    numbers, shape = np.random.default_rng(0), head.own.shape
    some = [numbers.normal(size=shape) for _ in range(_TRIES)]
    some = [np.abs(one) for one in some] if head.units == 1 else some  # distances
    zeros = np.zeros(shape)
    alike = [zeros] if head.units == 1 else [zeros, np.full(shape, 0.5), np.full(shape, -2.0)]
    one_row = [np.where(np.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)) == row, one, zeros)
               for one in some[:4] for row in range(min(shape[0], 8))]  # fmt: skip
    values = head.own.values([*alike, *some, *one_row])
    if values is None or not np.isfinite(values).all():
        return None
    same, others, single = np.split(values, [len(alike), len(alike) + len(some)])
    free = float((single == 0).mean())  # rows that cost nothing although their outputs differ
    if np.abs(same).max() > 0 or others.min() <= 0 or not 0.1 < free < 0.9:
        return None
    return free, (
        "is 0 for outputs that are the same for all rows: nothing asks the network to tell what does not belong "
        "together apart"
    ), "Give it a margin: ops.maximum(near - far + 0.5, 0)."  # fmt: skip
