"""LAM422: labels that do not follow from their rows."""

from __future__ import annotations

import itertools
import time
from typing import Any

import numpy as np

from lamina.check.rule import rule
from lamina.facts.loss_names import BINARY, EXCLUSIVE, REGRESSION
from lamina.training.data import PyDataset

__all__ = ["CHANCE", "told_by"]

_ROWS, _LEAST = 1024, 150  # that are compared, and below which chance says too much
_WIDTH = 64  # numbers of a row, to which others are mixed at random
_NEAR = 5  # neighbours
_APART = 0.2  # deviation within groups over the distance of their means, on the line between these
_LIKE = 0.1  # share by which groups and classes may differ in size
_SHUFFLES = 24
_PATIENCE = 1.0  # seconds that batches may take to be read
_NEARLY, _WORSE = 0.9, 8.0  # correlation of labels with what follows from their rows; how much farther from 1
_SURELY = 12.0  # deviations of what shuffled labels give
CHANCE: float = 2.5
"""Deviations of what shuffled labels give, up to which nothing is told."""


@rule(
    "LAM422", "warning", "labels that do not follow from their rows", "forward",
    "Rows that are alike should have labels that are alike. Where x was shuffled, sorted or filtered and y was not, "
    "each label belongs to another row, and nothing can be learned.",
    "Cover, Hart: Nearest Neighbor Pattern Classification (1967); Good: Permutation, Parametric and Bootstrap Tests of "
    "Hypotheses (2005)",
)  # fmt: skip
def _labels_of_other_rows(subject):
    given = _rows_and_labels(subject)
    if given is None:
        return
    name, x, y, head, maps, whole = given
    if (back := _reversed(x, y) if whole and maps is None else None) is not None:
        yield (
            head.layer, back, f"The labels of {head.layer} follow from the rows of {name} in the reverse order "
            f"(correlation {back:.2f}), and hardly as they are.",
            "Reverse rows and labels alike: x, y = x[::-1], y[::-1].",
        )  # fmt: skip
        return
    scores = [*told_by(x, y), *([] if maps is None else [_of_places(*maps)])]
    if max(scores) > CHANCE:
        return
    labels = y[:, 0] if y.shape[1] == 1 else y.argmax(-1) if head.exclusive and maps is None else None
    why = (_moved(x, y) if maps is None else _maps_moved(*maps)) if whole else ""
    why = why or _sorted_alone(labels, head) or _as_many_groups(x, labels, head) or _of_maps(maps)
    words = (
        f"either rows of {name} that are alike nor a fit of lines tell the labels of {head.layer} better than labels "
    )
    yield (
        head.layer, round(max(scores), 2), f"{why + 'n' if why else 'N'}{words}in any other order.",
        "Shuffle, sort and filter rows and labels alike: order = rng.permutation(len(x)); x, y = x[order], y[order].",
        *([] if why else ["info"]),
    )  # fmt: skip


def _rows_and_labels(subject):
    """(name of the input, rows, labels, head, (inputs, labels) by place, whether these are all rows in their order) of
    a model of one input of measured numbers and one output; None of another. Only pictures whose labels are maps of
    their size have labels by place."""
    inputs = list(subject.input_parts.items())
    if len(inputs) != 1 or len(subject.heads) != 1 or not subject.own_step:
        return None
    (name, part), head = inputs[0], subject.heads[0]
    given: Any = (part.values, head.numbers) if not subject.parts_of_batch else _of_batches(subject.source)
    x, y = given
    known = head.loss_name in REGRESSION | BINARY | EXCLUSIVE and subject.sample_weight is None
    if not known or y is None or head.part.step != part.step or len(x) != len(y) or len(x) < _LEAST:
        return None
    tokens = any(fact.is_a("Embedding") or fact.kind in ("TextVectorization", "StringLookup") for fact in subject.facts)
    if tokens or x.dtype.kind not in "fiu" or x.ndim < 2:
        return None
    rows = np.linspace(0, len(x) - 1, min(len(x), _ROWS)).astype("int64")
    maps, whole = _maps(x, y, rows), len(x) == len(rows)
    x, y = (np.asarray(values[rows], "float64").reshape(len(rows), -1) for values in (x, y))
    if not (np.isfinite(x).all() and np.isfinite(y).all()) or not y.std(axis=0).any():
        return None
    numbers = y.shape[1] > 1 or (y != np.round(y)).any() or y.min() < 0 or y.max() >= (head.units or 0)
    if head.loss_name.startswith("sparse") and numbers and maps is None:
        return None
    return name, _mixed(x), y, head, maps, whole


def _of_batches(source):
    """The rows and labels of the first batches of a PyDataset, in the order of their numbers; (None, None) of another
    source, and where reading takes long."""
    found, start = [], time.perf_counter()
    for index in range(min(source.num_batches or 0, _ROWS // 8) if isinstance(source, PyDataset) else 0):
        if time.perf_counter() - start > _PATIENCE or sum(len(x) for x, _ in found) >= _ROWS:
            break
        item = source[index]
        if not isinstance(item, tuple) or len(item) != 2 or not all(hasattr(one, "ndim") for one in item):
            return None, None
        found.append(tuple(map(np.asarray, item)))
    alike = found and all(len({one[place].shape[1:] for one in found}) == 1 for place in (0, 1))
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True)) if alike else (None, None)


def _maps(x, y, rows):
    """(inputs, labels) at some places of some pictures, (pictures, places, numbers); None where labels are no maps."""
    if x.ndim != 4 or y.ndim not in (3, 4) or x.shape[1:3] != y.shape[1:3]:
        return None
    some, stride = rows[:: max(len(rows) // 128, 1)], max(min(x.shape[1:3]) // 32, 1)
    x, y = (np.asarray(values[some], "float64") for values in (x, y.reshape(*y.shape[:3], -1)))
    around = sum(np.roll(x, (up, over), (1, 2)) for up in (-1, 0, 1) for over in (-1, 0, 1)) / 9
    x, y = (values[:, ::stride, ::stride] for values in (np.concatenate([x, around, x * x], axis=-1), y))
    y = (y == np.unique(y)).astype("float64") if y.shape[-1] == 1 and len(np.unique(y)) <= 20 else y
    return tuple(values.reshape(len(values), -1, values.shape[-1]) for values in (x, y))


def _of_places(x, y):
    """How many deviations of what other pictures' labels give the numbers at a place say more of its label."""
    numbers = np.random.default_rng(4)
    orders = [np.arange(len(y)), *(numbers.permutation(len(y)) for _ in range(_SHUFFLES))]
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    x = (x / np.maximum(x.std(axis=(0, 1)), 1e-9)).reshape(-1, x.shape[-1])
    inverse = np.linalg.inv(x.T @ x + 1e-3 * len(x) * np.eye(x.shape[1]))
    sums = (x.T @ y[order].reshape(-1, y.shape[-1]) for order in orders)
    return _beyond([float((one * (inverse @ one)).sum()) for one in sums])


def _of_maps(maps):
    return "" if maps is None else "No place of a picture tells its label, and "


def _mixed(x):
    """Columns of unit deviation, of which many are mixed to a few at random, which keeps distances."""
    spread = x.std(axis=0)
    whole = spread.max(initial=0.0) < 100 * np.median(spread[spread > 0]) if spread.any() else False
    pictures = x.shape[1] > 2 * _WIDTH and whole  # of one unit: a pixel that hardly changes says little
    x = (x - x.mean(axis=0)) / (spread.max(initial=1e-12) if pictures else np.where(spread > 0, spread, 1))
    if x.shape[1] <= _WIDTH:
        return x
    return x @ np.random.default_rng(0).normal(size=(x.shape[1], _WIDTH)) / np.sqrt(_WIDTH)


def told_by(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """How many deviations of what shuffled labels give (the labels of neighbours, a fit of lines) say more of labels.

    Args:
        x: Rows of numbers, (rows, columns).
        y: Labels of quantities, of 0 and 1, or class numbers: (rows, columns).
    """
    ((beside, lines),) = _told(x, y, [np.arange(len(y))])
    return beside, lines


def _told(x, y, given):
    """(deviations by the neighbours, by a fit of lines) for each of several orders of the labels."""
    if y.shape[1] == 1 and (y == np.round(y)).all() and len(np.unique(y)) <= 50:
        y = (y == np.unique(y)).astype("float64")
    if y.shape[1] > _WIDTH:
        y = y @ np.random.default_rng(1).normal(size=(y.shape[1], _WIDTH)) / np.sqrt(_WIDTH)
    else:
        y = np.argsort(np.argsort(y, axis=0), axis=0).astype("float64") if _are_quantities(y) else y
    y = (y - y.mean(axis=0)) / np.where(y.std(axis=0) > 0, y.std(axis=0), 1)
    numbers = np.random.default_rng(2)
    near, orders = _neighbours(x), [*given, *(numbers.permutation(len(y)) for _ in range(_SHUFFLES))]
    turned = np.stack([y[order] for order in orders], axis=1)
    around = sum(turned[near[:, place]] for place in range(near.shape[1])) / near.shape[1]
    ways, count = ((turned * around).mean(axis=(0, 2)), _lines(x, turned)), len(given)
    return [tuple(_beyond([scores[place], *scores[count:]]) for scores in ways) for place in range(count)]


def _are_quantities(y):
    return y.shape[1] == 1 and len(np.unique(y)) > 50


def _neighbours(x):
    squares = (x * x).sum(axis=1)
    far = squares[:, None] - 2 * x @ x.T + squares
    np.fill_diagonal(far, np.inf)
    return np.argpartition(far, _NEAR, axis=1)[:, :_NEAR]


def _lines(x, y):
    """What a ridge on one half of the rows, with squares beside the numbers, says of the other half, for labels (rows,
    orders, columns): a product with them on average."""
    x = np.concatenate([x, x * x - (x * x).mean(axis=0)], axis=1)
    x = x / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    halves = np.random.default_rng(3).permutation(len(x))
    halves = halves[: len(x) // 2], halves[len(x) // 2 :]
    told = []
    for here, there in (halves, halves[::-1]):
        inner = x[here].T @ x[here] + 0.3 * len(here) * np.eye(x.shape[1])
        fit = np.linalg.solve(inner, x[here].T @ y[here].reshape(len(here), -1))
        told.append(((x[there] @ fit).reshape(y[there].shape) * y[there]).mean(axis=(0, 2)))
    return np.mean(told, axis=0)


def _beyond(scores):
    own, others = scores[0], np.asarray(scores[1:])
    return float((own - others.mean()) / max(float(others.std()), 1e-9))


def _moved(x, y):
    """Words where the labels fit the rows once they are moved or reversed; none where rows follow from those before."""
    unit = x / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    serial = np.abs(unit[:-1].T @ unit[1:]) / len(x)
    if serial.max() > 6 / np.sqrt(len(x)):
        return ""
    rows = np.arange(len(x))
    ways = {f"{abs(by)} row{'s' * (abs(by) > 1)} {'later' if by > 0 else 'earlier'}": np.roll(rows, by)
            for by in (1, -1, 2, -2, 3, -3)}  # fmt: skip
    labels = (y[:, :1] - y[:, 0].mean()) / max(float(y[:, 0].std()), 1e-12)
    ways |= {"in the reverse order": rows[::-1], **_by_names(len(x))}
    for (words, order), scores in zip(ways.items(), _told(x, y, list(ways.values())), strict=True):
        column = np.abs((unit * labels[order]).mean(axis=0)).max()  # 1 where the label is a column of other rows
        if column < 0.999 and max(scores) > _SURELY:
            return f"The labels are those of the rows {words}: "
    return ""


def _by_names(count):
    """Words -> the order of rows whose files are listed by name, where "10" comes before "2"; and the way back. Files
    are numbered from 0 or from 1."""
    found = {}
    for first in (0, 1):
        listed = np.array(sorted(range(count), key=lambda row, first=first: str(row + first)))
        words = f"(files are numbered from {first})"
        found[f"in the order of names, where '10' comes before '2' {words}"] = np.argsort(listed)
        found[f"in the order of numbers {words}"] = listed
    return found


def _maps_moved(x, y):
    """Words where the maps fit the pictures once they are moved, reversed or put in the order of names."""
    rows = np.arange(len(y))
    ways = {f"{abs(by)} {'later' if by > 0 else 'earlier'}": np.roll(rows, by) for by in (1, -1)}
    for words, order in {**ways, "in the reverse order": rows[::-1], **_by_names(len(y))}.items():
        if _of_places(x, y[order]) > _SURELY:
            return f"The labels are those of the pictures {words}: "
    return ""


def _reversed(x, y):
    """The correlation of labels in the reverse order with what lines say of them, where it is near 1 and that of labels
    as they are is not; None elsewhere."""
    if y.shape[1] > 1 or not _are_quantities(y) or x.shape[1] * 4 > len(x):
        return None
    halves, told = np.random.default_rng(3).permutation(len(x)), []
    here, there = halves[: len(x) // 2], halves[len(x) // 2 :]
    for labels in (y[:, 0], y[::-1, 0]):
        fit = np.linalg.lstsq(x[here], labels[here] - labels[here].mean(), rcond=1e-6)[0]
        spread = float((x[there] @ fit).std() * labels[there].std())
        told.append(float(np.cov(x[there] @ fit, labels[there], bias=True)[0, 1]) / max(spread, 1e-12))
    own, back = told
    return back if back > _NEARLY and 1 - own > _WORSE * (1 - back) else None


def _sorted_alone(labels, head):
    """Words where targets rise or fall from row to row and the rows do not change along."""
    if labels is None or head.loss_name not in REGRESSION or len(np.unique(labels)) < 20:
        return ""
    steps = np.diff(labels)
    if not ((steps >= 0).all() or (steps <= 0).all()):
        return ""
    return "The targets are sorted and the rows are not: "


def _as_many_groups(x, labels, head):
    """Words where the rows fall into as many groups as there are classes, and these are as large as the classes."""
    if labels is None or head.loss_name in REGRESSION:
        return ""
    counts = np.sort(np.unique(labels, return_counts=True)[1])
    if not 2 <= len(counts) <= 20 or counts[0] < 8:
        return ""
    groups, tight = _groups(x, len(counts))
    sizes = np.sort(np.bincount(groups, minlength=len(counts)))
    if tight > _APART or np.abs(sizes - counts).max() > max(_LIKE * counts.max(), 3):
        return ""
    return f"The rows fall into {len(counts)} groups as large as the classes, but these are others: "


def _groups(x, count):
    """(the group of each row, the largest deviation within groups over the distance of two means, on the line between
    these): the best of some k-means."""
    _, groups, centres = min((_k_means(x, count, seed) for seed in range(8)), key=lambda found: found[0])
    wide = 0.0
    for one, two in itertools.combinations(range(count), 2):
        line = centres[one] - centres[two]
        far = max(float(line @ line), 1e-12)
        wide = max(wide, *(float((x[groups == place] @ line).std()) / far for place in (one, two)))
    return groups, wide


def _k_means(x, count, seed):
    """(sum of squares within groups, groups, their means), from rows far from each other."""
    numbers = np.random.default_rng(seed)
    far, centres = np.ones(len(x)), []
    for _ in range(count):
        centres.append(x[numbers.choice(len(x), p=far / far.sum())])
        now = ((x - centres[-1]) ** 2).sum(axis=1)
        far = now if len(centres) == 1 else np.minimum(far, now)
        far = far if far.any() else np.ones(len(x))
    centres, groups = np.array(centres), np.zeros(len(x), int)
    for _ in range(10):
        groups = ((x * x).sum(axis=1)[:, None] - 2 * x @ centres.T + (centres * centres).sum(axis=1)).argmin(axis=1)
        centres = np.array([x[groups == one].mean(axis=0) if (groups == one).any() else centres[one]
                            for one in range(count)])  # fmt: skip
    return float(((x - centres[groups]) ** 2).sum()), groups, centres
