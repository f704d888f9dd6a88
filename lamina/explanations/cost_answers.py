"""Answers about size: how layers are counted, and what a model costs in weights, operations and memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.core.dtypes import numpy_dtype
from lamina.core.registry import is_builtin
from lamina.core.variable import Variable
from lamina.facts.words import count_of, memory

if TYPE_CHECKING:
    from lamina.facts.fact import Fact

__all__ = ["cost", "counted", "memory_of", "once"]

_BATCH = 32


def once(facts: Sequence[Fact]) -> list[Fact]:
    """The first call of each layer.

    Args:
        facts: The facts of a model.
    """
    return [fact for fact in facts if fact.use == 1]


def counted(model: Any, facts: Sequence[Fact]) -> list[str]:
    """How many layers there are, by the usual ways of counting.

    Args:
        model: Model.
        facts: Its facts.
    """
    layers = [fact for fact in once(facts) if not fact.inner]
    with_weights = [
        fact for fact in layers if fact.count and not fact.has("normalization") and not fact.is_a("Normalization")
    ]
    last = _last_with_weights([fact for fact in facts if fact.ends and fact.depth == 0])
    hidden = [fact for fact in with_weights if fact not in last]
    listed = model.layers
    inputs = sum(type(layer).__name__ == "InputLayer" for layer in listed)
    among = f" ({count_of(inputs, 'input')} among them)" if inputs else ""
    inside = sum(fact.depth > 0 for fact in layers)
    return [
        f"len(model.layers) is {len(listed)}{among}.",
        f"Inside models and layers there {'is 1 more' if inside == 1 else f'are {inside} more'}." if inside else "",
        f"Papers count layers with weights, except normalization: {len(with_weights)} here, {len(hidden)} of them "
        "hidden. Activations, pooling, Dropout and Flatten do not count.",
        f"The longest path from an input to an output has {count_of(_longest(facts), 'call')} of layers and ops."
        if all(fact.whole for fact in facts)
        else "",
    ]


def _last_with_weights(ends):
    """The calls with weights that outputs come from directly. Each is looked at once, of however many ways."""
    found, seen, waiting = set(), set(ends), list(ends)
    while waiting:
        fact = waiting.pop()
        if fact.count and not fact.inner:
            found.add(fact)
            continue
        before = [one for one in fact.inner if one.ends][:1] if fact.inner else fact.sources
        waiting += [one for one in before if one not in seen]
        seen.update(before)
    return found


def _longest(facts):
    lengths = {}
    for fact in facts:
        if fact.depth == 0:
            own = _longest_inside(fact) if fact.inner else 1
            lengths[fact] = max((lengths.get(source, 0) for source in fact.sources), default=0) + own
    return max(lengths.values(), default=0)


def _longest_inside(fact):
    lengths = {}
    for one in fact.inner:
        own = _longest_inside(one) if one.inner else 1
        lengths[one] = max((lengths.get(source, 0) for source in one.sources), default=0) + own
    return max(lengths.values(), default=1)


def cost(model: Any, facts: Sequence[Fact]) -> list[str]:
    """Weights, operations, and the memory of a training step.

    Args:
        model: Model.
        facts: Its facts.
    """
    layers = [fact for fact in facts if not fact.inner]
    operations = sum(fact.flops or 0 for fact in layers)
    heavy = max(once(layers), key=lambda fact: fact.count, default=None)
    costly = max(layers, key=lambda fact: fact.flops or 0, default=None)
    most = f", most of them in {heavy.name} ({heavy.count:,})" if heavy is not None and heavy.count else ""
    share = f", {(costly.flops or 0) / operations:.0%} of them in {costly.name}" if operations and costly else ""
    is_open = any(None in shape[1:] for fact in layers for shape in fact.inputs)
    moved = [fact for fact in facts if fact.depth == 0 and _has_gradient(fact)]
    step = operations + 2 * sum(fact.flops or 0 for fact in moved)
    unknown = sum(fact.flops is None for fact in layers)
    return [
        f"Weights: {model.count_params():,} ({memory(sum(map(_bytes, model.weights)))}){most}.",
        f"One sample forward: {operations:,} operations (FLOPs){share}; forward and backward in training about "
        f"{step:,}.",
        "Open sizes (None) are counted as 1: the cost grows with the number of positions." if is_open else "",
        f"{count_of(unknown, 'layer')} could not be counted." if unknown else "",
        _memory(model, facts),
    ]


def _has_gradient(fact):
    """Whether a gradient reaches a call: it has trained weights, or one before it has."""
    seen, waiting = set(), [fact]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        if one.trainable_count:
            return True
        seen.add(one)
        waiting.extend(one.sources)
    return False


def _memory(model, facts):
    weights, moving = (sum(map(_bytes, of)) for of in (model.weights, model.trainable_weights))
    if not moving:
        return ""
    slots, what = _slots(model, moving)
    kept = sum(_kept(fact) for fact in facts if fact.depth == 0)
    return (
        f"A training step on {_BATCH} samples holds at least {memory(weights + moving + slots + kept)}: weights "
        f"{memory(weights)}, gradients {memory(moving)}, {what}outputs of layers for the backward pass {memory(kept)}."
    )


def memory_of(model: Any, facts: Sequence[Fact]) -> dict[Fact, float]:
    """fact -> bytes that a training step on 32 samples holds for it and for no call inside it: its weights, their
    gradients, the optimizer's own variables, and its outputs for the backward pass.

    Args:
        model: Model.
        facts: Its facts.
    """
    moving = sum(map(_bytes, model.trainable_weights))
    share = 1 + _slots(model, moving)[0] / moving if moving else 0
    moved = {id(weight) for weight in model.trainable_weights}
    return {
        fact: sum(_bytes(weight) * (1 + share * (id(weight) in moved)) for weight in fact.own_weights)
        + (0 if fact.inner else _kept(fact))
        for fact in facts
    }


def _kept(fact):
    """Bytes of the outputs that the backward pass needs."""
    values = _values(fact) if _has_gradient(fact) else fact.values if any(map(_has_gradient, fact.receivers)) else 0
    return 4 * _BATCH * values


def _values(fact):
    return sum(map(_values, fact.inner)) if fact.inner else fact.values


def _slots(model, moving):
    """(bytes of the optimizer's own variables, the words for them)."""
    optimizer = model.optimizer if model.compiled else None
    if optimizer is None:
        return 0, ""
    name = type(optimizer).__name__
    if getattr(optimizer, "built", False):
        held = sum(map(_bytes, optimizer.variables))
        return held, f"{name} {memory(held)}, "
    if not is_builtin(type(optimizer)):
        return 0, ""
    tried = Variable(np.zeros((2, 3), "float32"))
    like = type(optimizer).from_config(optimizer.get_config())
    like.build([tried])
    slots = sum(variable.shape == tried.shape for variable in like.variables)
    words = f"{memory(slots * moving)} ({count_of(slots, 'number')} per weight)" if slots else "none"
    return slots * moving, f"{name} {words}, "


def _bytes(variable):
    return math.prod(variable.shape) * numpy_dtype(variable.dtype).itemsize
