"""LAM4xx, fourth part: labels that stand among the inputs, and rows that are given twice."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from lamina.check.rule import rule
from lamina.check.subject import as_batch, classes_of
from lamina.check.text_rules import sees_its_labels
from lamina.check.traced import differ
from lamina.core import tree
from lamina.facts.activations import bounds_of
from lamina.facts.known_losses import tried
from lamina.facts.loss_names import REGRESSION

__all__ = []

_ROWS = 256  # that are compared
_MOST = 20_000  # rows of training data among which those of the validation are looked for
_WORDS = 10  # kinds of labels, above which they are words
_SHIFTS = (1, 0, 2, 3, -1)


@rule(
    "LAM412", "error", "labels at the wrong place of the sequence", "forward",
    "A model of the next step learns nothing by copying: its label must be the step after those that it may look at.",
    "Bengio, Ducharme, Vincent, Jauvin: A Neural Probabilistic Language Model (2003), 2; Vaswani et al. (2017), 3.1",
)  # fmt: skip
def _labels_at_the_wrong_place(subject):
    found = _shift_of_labels(subject)
    if found is None or any(severity != "info" for *_, severity in _graded(sees_its_labels(subject))):
        return
    place, shift, whole, head = found
    before, after, cut = _with_another_end(subject, place)
    if before.shape != after.shape or before.shape[1] < cut:
        return
    looks_ahead = differ(before[:, :cut], after[:, :cut]).any()
    effect = differ(before[:, cut:], after[:, cut:]).any()
    words = f"The labels of {head.layer} are the inputs"
    if shift == 1 and looks_ahead:
        yield (
            head.layer, shift, f"{words} one step ahead, and outputs change with inputs of later steps.",
            "Hide the later steps: use_causal_mask=True in attention, padding='causal' in Conv1D, no Bidirectional.",
        )  # fmt: skip
    elif whole and effect and not looks_ahead and shift != 1:
        given = jax.tree_util.tree_leaves(subject.x)[place]
        if shift == 0 and not _sees_its_own_step(subject, place, cut):
            return  # the model moves its inputs by itself
        decodes = len(subject.inputs) > 1  # a decoder reads the target and must not repeat it; one input may be copied
        shared = isinstance(given, np.ndarray) and np.may_share_memory(given, head.labels)
        sure = shift != 0 or decodes or shared
        words += {0: " of the same step", -1: " one step before"}.get(shift, f" {shift} steps ahead")
        milder = ["info"] if not sure else ["warning"] if shift > 1 else []
        yield (
            head.layer, shift, f"{words}, and no output sees later inputs.",
            "Shift them by one: x, y = tokens[:, :-1], tokens[:, 1:].", *milder,
        )  # fmt: skip


def _sees_its_own_step(subject, place, step):
    """Whether the output of a step changes with the input of this step alone."""
    traced = subject.traced
    leaf = traced.leaves[place].copy()
    leaf[:, step] = np.roll(leaf[:, step], 1, axis=0)
    return differ(traced.results[0][:, step], traced.run(traced.with_leaf(place, leaf))[0][:, step]).any()


def _graded(findings):
    return [(*found, "error") if len(found) == 4 else found for found in findings]


def _shift_of_labels(subject) -> Any:
    """(place of the input, by how many steps the labels are ahead of it, whether they are whole numbers, the head)."""
    head = subject.heads[0] if len(subject.heads) == 1 and subject.traced is not None else None
    y = None if head is None or head.numbers is None or len(head.shape) != 3 else np.asarray(head.numbers[:_ROWS])
    y = y[..., 0] if y is not None and y.ndim == 3 and y.shape[-1] == 1 else y
    if y is None or y.ndim != 2 or y.shape[1] < 4 or len(np.unique(y)) < 3:
        return None
    whole = y.dtype.kind in "iu" or bool((y == np.round(y)).all())
    for place, leaf in [*enumerate(jax.tree_util.tree_leaves(subject.x))][::-1]:  # what a decoder reads comes last
        if leaf.ndim not in (2, 3) or leaf.shape[1] != y.shape[1] or np.asarray(leaf[:1]).dtype.kind not in "fiu":
            continue
        leaf = np.asarray(leaf[:_ROWS])
        for series in [leaf] if leaf.ndim == 2 else np.moveaxis(leaf, -1, 0)[:8]:
            for shift in _SHIFTS:
                given, label = (
                    (series[:, shift:], y[:, : y.shape[1] - shift]) if shift >= 0 else (series[:, :-1], y[:, 1:])
                )
                if np.isclose(given, label).mean() > 0.95:
                    return place, shift, whole, head
    return None


def _with_another_end(subject, place):
    """(outputs, outputs where the second half of an input is that of other rows, where that half begins)."""
    traced = subject.traced
    leaf = traced.leaves[place].copy()
    cut = leaf.shape[1] // 2
    leaf[:, cut:] = np.roll(leaf[:, cut:], 1, axis=0)
    return traced.results[0], traced.run(traced.with_leaf(place, leaf))[0], cut


@rule(
    "LAM413", "warning", "a label that is one of the inputs", "batch",
    "The model learns to copy: it knows nothing when the label is not given.",
    "Kaufman, Rosset, Perlich: Leakage in Data Mining (2011); Goodfellow, Bengio, Courville: Deep Learning (2016), "
    "14.1",
)  # fmt: skip
def _label_among_inputs(subject):
    yield from _labels_that_are_the_inputs(subject)
    head = subject.heads[0] if len(subject.heads) == 1 and len(subject.inputs) == 1 else None
    if head is None or head.numbers is None or not head.loss_name:
        return
    (name, values), y = next(iter(subject.inputs.items())), np.asarray(head.numbers[:_ROWS])
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1 or len(y) < 32 or values.dtype.kind not in "fiu" or values.ndim not in (2, 3) or len(values) < 32:
        return
    often = np.unique(y, return_counts=True)[1]
    if len(often) < 2 or often.max() > len(y) - 8:
        return
    if any(one.is_a("Embedding") for one in subject.readers.get(name, [])):
        given = subject.input_parts[name].name
        if values.ndim == 2 and values.shape[1] > 1 and len(often) > _WORDS and (values[: len(y), -1] == y).all():
            yield (
                None, -1, f"The label of each row is its last token, {given}[:, -1].",
                "Take the token after the window as the label: x, y = tokens[:, :-1], tokens[:, -1].",
            )  # fmt: skip
        return
    steps = [-1]
    if values.ndim == 3 and 2 * len(often) > len(y):  # quantities; classes may stand in a sequence to be recalled
        steps = [step - values.shape[1] for step in np.flatnonzero((values[0] == y[0]).any(-1)).tolist()][::-1]
    for step in steps:
        rows = values[: len(y)] if values.ndim == 2 else values[: len(y), step]
        same = np.flatnonzero((rows == y[:, None]).all(axis=0)) if len(rows) == len(y) else np.array([])
        if same.size and rows.shape[1] * (1 if values.ndim == 2 else values.shape[1]) > 1:
            column, given = int(same[0]), subject.input_parts[name].name
            place = "its last step" if step == -1 else f"the step {step}"
            yield (
                None, column,
                f"The labels are the column {column} of {given}{f' at {place}' if values.ndim == 3 else ''}.",
                f"Use np.delete({given}, {column}, axis=1) as inputs." if values.ndim == 2
                else "Take the step after the window as the label: y = series[window:], x ends one step before.",
            )  # fmt: skip
            return


def _labels_that_are_the_inputs(subject):
    """A network that may pass its inputs on as they are, since nothing in it is narrower than they or disturbs them."""
    head = subject.heads[0] if len(subject.heads) == 1 and len(subject.inputs) == 1 else None
    if head is None or head.numbers is None or head.loss_name not in REGRESSION:
        return
    if not all(fact.is_builtin for fact in subject.facts):
        return
    (name, x), y = next(iter(subject.inputs.items())), head.numbers
    if x.dtype.kind != "f" or y.shape != x.shape or len(x) < 8 or not np.array_equal(x, y) or not x.any():
        return
    rough = any(fact.has("dropout", "noise") or _is_held_back(fact.layer) for fact in subject.facts)
    sizes = [fact.output[1:] for fact in subject.facts if not fact.inner]
    wide = all(None not in size and np.prod(size[:-1]) >= np.prod(x.shape[1:-1]) for size in sizes)
    if not rough and wide and all(np.prod(size) >= np.prod(x.shape[1:]) for size in sizes) and _sees_itself(subject):
        yield (
            head.layer, 0,
            f"The targets of {head.layer} are {subject.input_parts[name].name} itself, and no layer is narrower: it "
            "can pass all numbers on.",
            "Give the targets that are meant, as the clean pictures for noisy ones, or make a layer narrow.",
        )  # fmt: skip


def _sees_itself(subject):
    """Whether the output at a place depends on the input there, and not on those before it alone."""
    traced = subject.traced
    if traced is None:
        return False
    x = traced.leaves[0].copy()
    place = (slice(None), *(size // 2 for size in x.shape[1:-1]))
    x[place] += 1.0
    return bool(differ(traced.results[0][place], traced.run(traced.with_leaf(0, x))[0][place]).any())


def _is_held_back(layer):
    return any(name.endswith("_regularizer") and value is not None for name, value in vars(layer).items())


@rule(
    "LAM414", "warning", "equal rows with different labels", "batch",
    "One row was given several times, each time with a label drawn by lot: rows and labels were not shuffled together.",
    "Karpathy: A Recipe for Training Neural Networks (2019), become one with the data",
)  # fmt: skip
def _contradictions(subject):
    labels = classes_of(subject)
    values = next(iter(subject.inputs.values())) if len(subject.inputs) == 1 else None
    if labels is None or values is None or not _is_measured(values) or len(values) != len(labels):
        return
    groups: dict[bytes, list[int]] = {}
    for row, label in zip(values[:4096], labels[:4096].tolist(), strict=True):
        groups.setdefault(row.tobytes(), []).append(label)
    given = [group for group in groups.values() if len(group) > 1]
    repeated = sum(map(len, given))
    agree = sum(np.bincount(np.unique(group, return_inverse=True)[1]).max() for group in given)
    if repeated >= 32 and agree < 0.7 * repeated:
        yield (
            None, repeated, f"{repeated} rows occur several times, and {repeated - agree} of them with another label.",
            "Shuffle with one order: order = np.random.permutation(len(x)); x, y = x[order], y[order].",
        )  # fmt: skip


def _is_measured(values):
    """Whether rows of numbers are measured, so that two of them are hardly equal by chance."""
    if values.dtype.kind != "f" or values.ndim < 2 or values[0].size < 3:
        return False
    some = values[:256]
    return bool((some != np.round(some)).mean() > 0.5)


@rule(
    "LAM415", "warning", "a token 0 that is a word", "batch",
    "mask_zero=True hides each 0, wherever it stands: the word that has this number is never read.",
    "Keras: Embedding, mask_zero: index 0 cannot be used in the vocabulary",
)  # fmt: skip
def _zero_is_a_word(subject):
    for name, values in subject.inputs.items():
        hiding = [one for one in subject.readers.get(name, []) if getattr(one.layer, "mask_zero", False)]
        if not hiding or values.ndim != 2 or values.shape[1] < 4 or len(values) < 16:
            continue
        words = values != 0
        begun, left = np.maximum.accumulate(words, axis=1), np.maximum.accumulate(words[:, ::-1], axis=1)[:, ::-1]
        inside = ~words & begun & left
        if inside.any(axis=1).mean() > 0.2 and inside.mean() > 0.01:
            yield (
                hiding[0].name, float(inside.mean()),
                f"{inside.any(axis=1).mean():.0%} of the rows of {name} have zeros between words, and "
                f"{hiding[0].name} hides them.",
                "Number the words from 1: tokens + 1, and input_dim one larger; 0 is for padding.",
            )  # fmt: skip


@rule(
    "LAM416", "warning", "validation rows that are training rows", "fit",
    "They were learned: their loss says nothing about rows that the model has not seen.",
    "Hastie, Tibshirani, Friedman: The Elements of Statistical Learning (2009), 7.10.2",
)  # fmt: skip
def _validated_on_training_rows(subject):
    given = subject.settings.get("validation_data")
    if not isinstance(given, (tuple, list)) or len(subject.inputs) != 1:
        return
    here = next(iter(subject.inputs.values()))
    there = [leaf for leaf in jax.tree_util.tree_leaves(as_batch(*given)[0]) if getattr(leaf, "ndim", 0)]
    if len(there) != 1 or not _is_measured(here) or there[0].shape[1:] != here.shape[1:] or len(there[0]) < 8:
        return
    known = {row.tobytes() for row in here[:_MOST]}
    rows = np.asarray(there[0][:_ROWS]).astype(here.dtype)
    share = float(np.mean([row.tobytes() in known for row in rows]))
    if share > 0.15:  # of measured rows a few may be equal by chance
        yield (
            None, share, f"{share:.0%} of the validation rows are rows of the training data.",
            "Cut them off: x_val, x = x[-n:], x[:-n]; or validation_split=0.2.",
        )  # fmt: skip


@rule(
    "LAM417", "error", "inputs or labels that are all one number", "batch",
    "Every sample is the same: there is nothing to learn from.",
    "Karpathy: A Recipe for Training Neural Networks (2019), become one with the data",
)  # fmt: skip
def _one_number(subject):
    labels = subject.heads[0].numbers if len(subject.inputs) == len(subject.heads) == 1 and subject.own_step else None
    yield from _targets_of_one_number(subject, labels)
    if labels is None or not labels.size or labels.min() == labels.max():  # arrays that only have the right shape
        return
    name, values = next(iter(subject.inputs.items()))
    if values.dtype.kind in "fiu" and values.ndim > 1 and values[0].size > 1 and len(values) >= 8:
        least, most = values.min(), values.max()
        if least == most and not subject.parts_of_batch:
            yield (
                None, float(least), f"All {values.size:,} numbers of {name} are {float(least):g}.",
                "Look at how they are made: whole numbers divided by 255 with // are 0.",
            )  # fmt: skip


def _targets_of_one_number(subject, labels):
    """Targets of the shape of the inputs, which differ, that are one number: those of an autoencoder are its inputs."""
    if labels is None:
        return
    head, values = subject.heads[0], next(iter(subject.inputs.values()))
    if head.own is not None or head.loss is None or labels.shape != values.shape or labels.size == 0:
        return
    bounded = bounds_of(head.activation) is not None and labels[0].size >= 16
    if bounded and labels.min() == labels.max() and values.min() < values.max() and not subject.parts_of_batch:
        yield (
            head.layer, float(labels.min()),
            f"All {labels.size:,} targets of {head.layer} are {float(labels.min()):g}, in the shape of the inputs.",
            "Pass what is to be given back: fit(x, x).",
        )  # fmt: skip


@rule(
    "LAM420", "warning", "batches that are all the same", "batch",
    "An epoch shows the rows of one batch again and again, and the model learns these alone.",
    "Keras: PyDataset, __getitem__(index)",
)  # fmt: skip
def _one_batch_for_all(subject):
    data = subject.source
    if hasattr(data, "__next__"):
        yield from _first_batch_again(subject, data)
    if not hasattr(data, "__getitem__") or not hasattr(data, "__len__") or len(data) < 2:
        return
    ends = tried(lambda: [[np.asarray(leaf) for leaf in tree.flatten(data[index])] for index in (0, len(data) - 1)])
    first, last = ends or ([], [])
    if first and len(first[0]) > 1 and len(first) == len(last) and all(map(np.array_equal, first, last)):
        name = type(data).__name__
        yield (
            None, len(data), f"The first and the last of the {len(data)} batches of {name} are the same.",
            "Take the rows of the index in __getitem__: rows = slice(size * index, size * index + size).",
        )  # fmt: skip


def _first_batch_again(subject, data):
    """A generator whose second batch is the first one again, of a few rows; it is taken from it."""
    first = [np.array(leaf) for leaf in tree.flatten([subject.x, subject.y]) if leaf is not None]
    steps = subject.settings.get("steps_per_epoch")
    if not first or not 1 < len(first[0]) <= _ROWS or not steps or steps < 2:
        return
    second = tried(lambda: [np.asarray(leaf) for leaf in tree.flatten(list(next(data))) if leaf is not None])
    if second and len(second) >= len(first) and all(map(np.array_equal, first, second[: len(first)])):
        yield (
            None, len(first[0]), f"The first two batches of the generator are the same {len(first[0])} rows, and an "
            f"epoch takes {steps}.",
            "Go on from batch to batch: set the place where the next begins outside of the loop that yields.",
        )  # fmt: skip
