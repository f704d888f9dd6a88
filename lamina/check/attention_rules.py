"""LAM2xx, fifth part: attention, as the traced program of the model shows it, whoever wrote its layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.check.belonging_rules import CHANCE, told_by
from lamina.check.rule import rule
from lamina.check.subject import classes_of
from lamina.check.traced import differ
from lamina.facts.equations import base_of, moved_axes, softmax_of
from lamina.facts.flows import sources_of

__all__ = ["steps_not_used"]

_VASWANI = "Vaswani et al.: Attention Is All You Need (2017), "
_MANY, _WORDS = 200, 500  # rows and words, of which a bag can be judged
_ALONG, _ACROSS = 0.4, 0.8  # roughness of a series along its steps, and across what has no order
_LIKE = 0.02  # share by which numbers may differ that are meant to be equal
_SMOOTH = 0.5  # steps between neighbours, in those between any two, from which on rows are taken for a sequence


def _attentions(subject):
    return subject.traced.attentions if subject.traced is not None else []


def _layer(subject):
    """The name of the one layer that attends, where there is one; None where there are several, or none."""
    own = [fact for fact in subject.facts if not fact.is_builtin and fact.inner]
    names = {fact.name for fact in subject.facts if fact.has("attention")} or {fact.name for fact in own}
    return names.pop() if len(names) == 1 else None


@rule(
    "LAM228", "error", "attention weights that are shares over another axis", "inputs",
    "The weights of a query must add up to 1 over the keys, over which the values are summed: with softmax over "
    "another axis a query gets any amount of all values.",
    _VASWANI + "equation 1",
)  # fmt: skip
def _shares_over_another_axis(subject):
    for found in _attentions(subject):
        one = found.attention
        if one.axes is not None and one.keys not in one.axes and one.weights.shape[one.keys] > 1:
            rank = len(one.weights.shape)
            yield (
                _layer(subject), one.axes,
                f"A softmax over the axis {one.axes[0] - rank} of {('batch', *one.weights.shape[1:])} weighs values "
                f"over the axis {one.keys - rank}.".replace("'", ""),
                f"Use softmax(scores, axis={one.keys - rank}).",
            )  # fmt: skip
            return
    for found in _attentions(subject):
        if found.attention.axes is not None and found.over[-1] == 1:
            yield (
                _layer(subject), 1, "An attention has one step to attend to: its weight is 1, whatever the query is.",
                "Attend over several steps, (batch, steps, width); a vector needs Dense layers alone.", "warning",
            )  # fmt: skip
            return
    yield from _shares_of_one(subject)


def _shares_of_one(subject):
    """A softmax inside the model over an axis of one number, which is 1."""
    whole = getattr(subject.model, "_graph", None) is not None and all(fact.is_builtin for fact in subject.facts)
    if subject.traced is None or whole:
        return
    program = subject.traced.equations
    ends = {base_of(value) for value in program.outputs}
    attends = sources_of(found.attention.weights for found in _attentions(subject))
    for value in (value for one in program.all for value in one.outputs if value.varies):
        soft = softmax_of(value)
        if soft is not None and math.prod(value.shape[axis] for axis in soft[1]) == 1 and value not in ends | attends:
            yield (
                _layer(subject), soft[1], f"A softmax over an axis of size 1, of {('batch', *value.shape[1:])}, is 1 "
                "for all scores.".replace("'", ""),
                "Use the axis over which values are summed: ops.softmax(scores, axis=1).",
            )  # fmt: skip
            return


@rule(
    "LAM229", "warning", "attention scores that are not scaled as they should be", "inputs",
    "Products of d numbers have a deviation of the root of d. Not divided by it, softmax has one weight of nearly 1; "
    "divided twice, all weights are nearly equal.",
    _VASWANI + "3.2.1, scaled dot-product attention",
)  # fmt: skip
def _scale_of_scores(subject):
    builtin = any(fact.is_builtin and fact.has("attention") for fact in subject.facts)
    for found in _attentions(subject):
        one, size = found.attention, found.attention.size
        if not one.projected or found.scale is None or size < 4:
            continue
        root, words = math.sqrt(size), f"The scores of queries and keys of {size} numbers are"
        if one.axes is None:
            if _is_like(found.scale, 1 / root):
                yield (
                    _layer(subject), found.scale,
                    f"{words} divided by {root:.3g} and used as weights, without softmax.",
                    "Use weights = ops.softmax(scores, axis=-1).",
                )  # fmt: skip
                return
        elif _is_like(found.scale, 1 / size) or _is_like(found.scale, root):
            by = "divided by" if found.scale < 1 else "multiplied with"
            yield (
                _layer(subject), found.scale, f"{words} {by} {max(found.scale, 1 / found.scale):.3g}.",
                f"Divide them by sqrt({size}) = {root:.3g}, once.",
            )  # fmt: skip
            return
        elif _is_like(found.scale, 1.0) and size >= 16 and not builtin and len(one.weights.shape) >= 3:
            yield (
                _layer(subject), found.scale, f"{words} not scaled.", f"Divide them by sqrt({size}) = {root:.3g}.",
            )  # fmt: skip
            return


def _is_like(number, other):
    return abs(number / other - 1) < _LIKE


@rule(
    "LAM230", "error", "a mask that hides the tokens and shows the padding", "inputs",
    "Keras takes True as visible. The other way round each token attends to padding alone.",
    "Keras: MultiHeadAttention, attention_mask",
)  # fmt: skip
def _mask_of_the_wrong_sense(subject):
    for tokens in _all_tokens(subject):
        padding = tokens == 0
        mixed = padding.any(1) & ~padding.all(1)
        for found in _attentions(subject) if mixed.any() else ():
            shape = found.over[:1] + found.over[-1:]
            if found.attention.axes is None or shape != padding.shape:
                continue
            weights = subject.traced.weights_of(found)
            there = padding[(slice(None), *[None] * (weights.ndim - 2))]
            share = float(np.where(there, weights, 0.0).sum(-1)[mixed].mean())
            if share > 0.99:
                yield (
                    _layer(subject), share, f"{share:.0%} of the attention goes to padding, the tokens 0.",
                    "Pass attention_mask=ops.not_equal(tokens, 0)[:, None, :].",
                )  # fmt: skip
                return


def _tokens(subject):
    """The rows of tokens of a model that reads them with an Embedding, and nothing else."""
    tokens = _all_tokens(subject)
    return tokens[0] if len(tokens) == 1 == len(subject.traced.leaves) else None


def _all_tokens(subject):
    """The inputs that are rows of tokens, of a model with an Embedding."""
    leaves = subject.traced.leaves if subject.traced is not None and _embeds(subject) else []
    rows = [leaf for leaf in leaves if leaf.ndim == 2 and leaf.shape[1] >= 4]
    return [leaf for leaf in rows if leaf.dtype.kind in "iu" or bool((leaf == np.round(leaf)).all())]


def _embeds(subject):
    return any(fact.is_a("Embedding") for fact in subject.facts)


@rule(
    "LAM231", "warning", "attention that does not know the order", "inputs",
    "Attention weighs its inputs by what they are, not by where they stand: without positions a sequence is a bag.",
    _VASWANI + "3.5, positional encoding",
)  # fmt: skip
def _no_positions(subject):
    traced = subject.traced
    leaves = [] if traced is None else traced.leaves
    if traced is None or len(leaves) != 1 or leaves[0].ndim not in (2, 3) or leaves[0].shape[1] < 4:
        return
    x = leaves[0]
    attends = [found for found in _attentions(subject) if found.over[-2:] == (x.shape[1],) * 2]
    blocks = any(one.has("normalization") for one in subject.facts)
    frozen = any(one.has("attention") and one.count and not one.trainable_count for one in subject.facts)
    if not attends or not blocks or frozen or not (_is_text(subject, x) or _is_smooth(x)):
        return
    order = np.random.default_rng(0).permutation(x.shape[1])
    order = order if (order != np.arange(len(order))).any() else order[::-1]
    before, after = traced.results, traced.run(traced.with_leaf(0, x[:, order]))
    for first, second in zip(before, after, strict=True):
        same = not differ(first, second).any()
        moved = first.ndim > 2 and first.shape[1] == x.shape[1] and not differ(first[:, order], second).any()
        if not (same or moved) or not differ(first[:1], first[1:]).any():
            return
    yield (
        _layer(subject), x.shape[1],
        f"The {x.shape[1]} steps of the inputs in another order give the same "
        f"{'outputs' if before[0].ndim == 2 else 'outputs in that order'}.",
        "Add positions: z = layers.Embedding(...)(x) + layers.Embedding(length, width)(ops.arange(length)).",
        # one weighted mean: may be meant as a bag, unless the bag tells nothing
        *(["info"] if len(attends) == 1 and before[0].ndim == 2 and not _bag_tells_nothing(subject) else []),
    )  # fmt: skip


def _bag_tells_nothing(subject):
    """Whether which tokens a row has says nothing of its class: then their order must."""
    tokens, labels = next(iter(subject.inputs.values())), classes_of(subject)
    if labels is None or len(labels) < _MANY or len(tokens) != len(labels) or tokens.dtype.kind not in "iu":
        return False
    words = np.unique(tokens)
    if len(words) > _WORDS or len(np.unique(labels)) < 2:
        return False
    counts = np.stack([np.bincount(np.searchsorted(words, row), minlength=len(words)) for row in tokens[:1024]])
    scores = told_by(counts.astype("float64"), labels[:1024, None].astype("float64"))
    return max(scores) < CHANCE


def _is_text(subject, x):
    """Whether these are tokens of one vocabulary, and not columns of a table each of which has its own."""
    if _tokens(subject) is None:
        return False
    rows = next(iter(subject.inputs.values()))[:256]
    columns = [np.unique(column) for column in rows.T]
    return sum(map(len, columns)) > 1.5 * len(np.unique(rows)) or x.shape[1] > 64


def _is_smooth(x):
    """Whether neighbours along the second axis are more alike than others: a series, not a set."""
    if x.ndim != 3 or x.dtype.kind != "f":
        return False
    near = float(np.abs(np.diff(x, axis=1)).mean())
    far = float(np.abs(x - np.roll(x, x.shape[1] // 2, axis=1)).mean())
    return near < _SMOOTH * far


@rule(
    "LAM232", "warning", "a reshape that was meant to move an axis", "inputs",
    "Reshape reads the numbers row by row and cuts them anew: steps, features or heads are mixed. A transpose moves an "
    "axis.",
    "NumPy: reshape and transpose",
)  # fmt: skip
def _reshaped_in_place_of_transposed(subject):
    yield from _steps_at_the_end(subject)
    if subject.traced is None:
        return
    for before, after, size in moved_axes(subject.traced.equations):
        words = [str(("batch", *shape[1:])).replace("'", "") for shape in (before, after)]
        yield (
            None, (before[1:], after[1:]),
            f"A reshape makes {words[1]} of {words[0]}: the axis of {size} is at another place.",
            "Split or join axes that stand side by side with reshape, and move them with layers.Permute or "
            "ops.transpose.",
        )  # fmt: skip
        return


def _steps_at_the_end(subject):
    """Series whose neighbours are alike along the last axis, which a recurrence takes for features."""
    for name, values in subject.inputs.items():
        first = next(iter(subject.readers.get(name, [])), None)
        reads = first is not None and (first.has("recurrent") or first.kind == "Conv1D")
        if first is None or not reads or values.ndim != 3 or values.dtype.kind != "f":
            continue
        steps, features = values.shape[1:]
        if not 2 <= steps < features or features < 8 or len(values) < 16 or not values.any():
            continue
        along, across = (_roughness(values[:256], axis) for axis in (2, 1))
        if along < _ALONG and across > _ACROSS:
            yield (
                first.name, (steps, features), f"{first.name} goes over {steps} steps of {features} features; numbers "
                "beside each other in the last axis of "
                f"{name} are alike, and those of steps are not: the axes are exchanged.",
                f"Use x.transpose(0, 2, 1), with keras.Input(({features}, {steps})).",
            )  # fmt: skip


def _roughness(x, axis):
    """Differences of neighbours along an axis, over those of numbers that are far apart."""
    far = float(np.abs(x - np.roll(x, max(x.shape[axis] // 2, 1), axis=axis)).mean())
    return float(np.abs(np.diff(x, axis=axis)).mean()) / max(far, 1e-12)


@rule(
    "LAM233", "warning", "attention without skips", "inputs",
    "Attention alone averages: after a few layers all steps are alike. The inputs must be added to the outputs.",
    "Dong, Cordonnier, Loukas: Attention is Not All You Need: Pure Attention Loses Rank Doubly Exponentially (2021)",
)  # fmt: skip
def _no_skips(subject):
    products = [found.attention.product for found in _attentions(subject) if found.attention.projected]
    alone = [product for product in products if product is not None and not subject.traced.equations.reaches(product)]
    if len(alone) >= 3:
        yield (
            _layer(subject), len(alone), f"All passes through {len(alone)} attentions: nothing is added to them.",
            "Add the inputs of each: z = z + attention(z, z).",
        )  # fmt: skip


@rule(
    "LAM234", "warning", "predictions that depend on the other rows of the batch", "forward",
    "A row gets another prediction in another batch: an operation runs over the axis of the batch.",
    "Keras: the first axis is that of the samples",
)  # fmt: skip
def _depends_on_the_batch(subject):
    traced = subject.traced
    own = any(not fact.is_builtin or fact.is_a("Lambda") or _is_of_its_batch(fact) for fact in subject.facts)
    unknown = subject.own_step and (own or any(head.activation is None for head in subject.heads))
    if traced is None or not unknown or len(traced.leaves[0]) < 4:
        return
    others = [leaf.copy() for leaf in traced.leaves]
    for leaf in others:
        leaf[1:] = leaf[:1]
    after = traced.run(traced.with_leaves(others))
    for head, first, second in zip(subject.heads, traced.results, after, strict=False):
        square = first.ndim == 2 and first.shape[0] == first.shape[1]
        if not square and np.isfinite(second).all() and differ(first[:1], second[:1]).any():
            yield (
                head.layer, None, f"The first row has another output of {head.layer} where the other rows are others.",
                "Compute over the last axis, not over the first: ops.softmax(z, axis=-1).",
            )  # fmt: skip


def _is_of_its_batch(fact):
    """Whether a normalization takes the statistics of each batch in prediction too."""
    return fact.is_a("BatchNormalization") and fact.training is True


def steps_not_used(subject: Any) -> Iterator[tuple[Any, ...]]:
    """A sequence of tokens of which the outputs depend on the first alone, as behind a causal mask.

    Args:
        subject: What is checked.
    """
    traced = subject.traced
    attends = any(fact.has("attention") for fact in subject.facts)
    if traced is None or not attends or len(traced.leaves) != 1:
        return
    x: Any = traced.leaves[0]
    if x.ndim != 2 or x.dtype.kind not in "iu" or x.shape[1] < 4:
        return
    others = np.concatenate([x[:, :1], np.roll(x[:, 1:], 1, axis=0)], axis=1)
    pairs = list(zip(traced.results, traced.run(traced.with_leaf(0, others)), strict=True))
    if all(one.ndim == 2 and np.allclose(one, other, atol=1e-6) and one.std() > 1e-6 for one, other in pairs):
        yield (
            None, x.shape[1],
            f"The outputs depend on the first of {x.shape[1]} steps alone: the others may be those of another row.",
            "Take the last step, or the mean of all (layers.GlobalAveragePooling1D()); or leave out use_causal_mask.",
        )  # fmt: skip
