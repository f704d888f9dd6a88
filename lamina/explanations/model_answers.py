"""Answers about a model as a whole: sizes, activations, its outputs, what is trained, masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lamina.core import tree
from lamina.core.op import OpCall
from lamina.core.registry import is_builtin
from lamina.explanations.cost_answers import cost, counted, once
from lamina.explanations.explanation import Answer
from lamina.explanations.head_answers import sentences_about_head
from lamina.explanations.other_layers import runs_on_averages
from lamina.facts.activations import activation_name, is_activation
from lamina.facts.heads import heads_of
from lamina.facts.words import count_of, list_of, shape_of
from lamina.layers.base.shapes import symbols_of
from lamina.layers.base.traits import has_trait

if TYPE_CHECKING:
    from lamina.facts.fact import Fact

__all__ = ["answers_about", "title_of"]


def title_of(model: Any, facts: Sequence[Fact]) -> str:
    """Name, class and size of the model, in a line.

    Args:
        model: Model.
        facts: Its facts.
    """
    outer = {fact.layer for fact in facts if fact.depth == 0}
    ops = sum(isinstance(layer, OpCall) for layer in outer)
    parts = [count_of(len(outer) - ops, "layer"), *([count_of(ops, "op")] if ops else [])]
    return f"{model.name} ({type(model).__name__}): {', '.join(parts)}, {count_of(model.count_params(), 'weight')}"


def answers_about(model: Any, facts: Sequence[Fact]) -> list[Answer]:
    """An Answer for each question that concerns this model.

    Args:
        model: Model.
        facts: Its facts.
    """
    questions = (
        ("What do None, units and input_shape mean here?", _sizes),
        ("Does the activation belong inside the layer or after it?", _activations),
        ("May a Dense stand between convolutions?", _dense_between),
        ("What comes out, and which loss and labels go with it?", _heads),
        ("What changes in the next training step, and what is frozen?", _movement),
        ("What differs between training and prediction?", _modes),
        ("Where do masks start, pass and stop?", _masks),
        ("How many layers does it have?", counted),
        ("What does it cost?", cost),
    )
    answers = [Answer(question, [said for said in answer(model, facts) if said]) for question, answer in questions]
    return [answer for answer in answers if answer.sentences]


def _few(names):
    """All of a few names, or the first ones and how many more there are."""
    names = list(dict.fromkeys(names))
    return list_of(names) if len(names) <= 5 else f"{', '.join(names[:3])} and {len(names) - 3:,} more"


def _input_shapes(model, facts):
    if getattr(model, "_graph", None) is not None:
        return [tensor.shape for tensor in model.inputs]
    symbols = [symbols_of(shape, model.input_dtype) for shape in model._build_shapes.values()]
    return [symbol.shape for symbol in tree.flatten(symbols) if symbol is not None]


def _sizes(model, facts):
    shapes = _input_shapes(model, facts)
    if not shapes:
        return []
    if len(shapes) == 1:
        (shape,) = shapes
        said = [f"The model takes {shape}; each sample is {shape_of(shape)}."]
        asked = tuple(shape[1:])
        said.append(
            "No input_shape is given: the shapes are those of the first data that it was called with."
            if getattr(model, "_graph", None) is None
            else f"input_shape={asked}, or keras.Input({asked}), states that without the batch. Only the first layer "
            "needs it: every other one gets the output of the layer before it."
        )
    else:
        said = [f"The model takes {len(shapes)} inputs: {list_of(map(str, shapes))}."]
    if any(shape and shape[0] is None for shape in shapes):
        said.insert(1, "None in front is the number of samples in a batch: any number works, with the same weights.")
    if any(None in shape[1:] for shape in shapes):
        said.append("Another None is a size that may differ from batch to batch.")
    units = next((fact for fact in facts if fact.is_a("Dense")), None)
    units = units or next((fact for fact in facts if isinstance(getattr(fact.layer, "units", None), int)), None)
    if units is not None:
        number = units.layer.units
        last = f", so the last axis of its output is {number:,}" if units.output and units.output[-1] == number else ""
        said.append(f"units is how many values a layer outputs: {units.name} has {number:,}{last}.")
        said.append(
            "In the last layer, as here, the task determines it; in the others you choose it."
            if units.ends
            else "You choose it, except in the last layer, where the task determines it."
        )
    return said


def _activations(model, facts):
    inner = [fact.name for fact in facts if fact.is_affine and activation_name(fact.layer) not in (None, "linear")]
    apart = [fact.name for fact in facts if is_activation(fact.layer)]
    if not inner and not apart:
        return []
    said = [
        f"Inside the layer: {_few(inner)}." if inner else "",
        f"As a layer or op of its own: {_few(apart)}." if apart else "",
    ]
    said.append(
        "Inside or after, both compute the same. A layer of its own is needed where something comes between "
        "(BatchNormalization, a sum), or to read the tensor before it."
    )
    if apart and getattr(model, "_graph", None) is not None:
        fact = next((f for f in facts if is_activation(f.layer) and f.depth == 0 and len(f.sources) == 1), None)
        if (
            fact is not None
            and fact.sources[0].depth == 0
            and fact.sources[0].uses == 1
            and hasattr(fact.sources[0].layer, "weights")
        ):
            said.append(
                f"keras.Model(model.inputs, model.get_layer({fact.sources[0].name!r}).output) returns the inputs of "
                f"{fact.name}."
            )
    return said


def _dense_between(model, facts):
    found = [
        fact for fact in facts
        if fact.is_a("Dense") and len(fact.input) > 2
        and any(one.is_on_maps for one in fact.sources)
        and any(one.is_on_maps or one.is_a("Flatten") for one in fact.receivers)
    ]  # fmt: skip
    if not found:
        return []
    return [
        f"Yes: {_few(fact.name for fact in found)} {'does' if len(found) == 1 else 'do'}. On a map a Dense works at "
        "each position alone, with the same weights: a convolution with a window of one position, written "
        "differently.",
        "It adds depth and mixes channels, and sees no neighbours. If each unit should see the whole map, Flatten or "
        "global pooling must come first.",
    ]


def _heads(model, facts):
    heads = heads_of(model, facts)
    if not heads:
        return ["The outputs are computed by your own call method: see there what they mean."]
    return [said for head in heads for said in sentences_about_head(head, len(heads) == 1)]


def _movement(model, facts):
    leaves = [fact for fact in once(facts) if not fact.inner]
    trained = [fact for fact in leaves if fact.trainable_count]
    frozen = [fact for fact in leaves if fact.count and not fact.layer.trainable]
    moving, total = sum(weight.size for weight in model.trainable_weights), model.count_params()
    said = [f"{moving:,} of {total:,} weights are trained, in {count_of(len(trained), 'layer')}."]
    if not moving:
        said.append("Nothing is trainable: fit would change nothing." if total else "It has nothing to train.")
    if frozen:
        said.append(f"Frozen: {_few(fact.name for fact in frozen)}.")
        said.append(_way_back(facts, frozen))
    running = sum(fact.count - fact.trainable_count for fact in trained
                  if fact.is_a("BatchNormalization") and not runs_on_averages(fact))  # fmt: skip
    if running:
        said.append(
            f"{running:,} weights of BatchNormalization are moving averages: they follow the data, not the gradient."
        )
    if model.compiled:
        said.append(f"{type(model.optimizer).__name__} updates them.")
        said.append("A change of trainable takes effect at the next step; compile need not be called again.")
    else:
        said.append("It is not compiled yet: compile(optimizer, loss) sets how they are updated.")
    return said


def _way_back(facts, frozen):
    """What a gradient does at the frozen layers."""
    outer = [fact for fact in facts if fact.depth == 0]
    if any(fact.depth or not fact.whole for fact in frozen) or not all(fact.whole for fact in outer):
        return (
            "A frozen layer keeps its weights; gradients pass through it to trained layers before it, if there are any."
        )
    before = {fact: set() for fact in outer}
    for fact in outer:
        for source in fact.sources:
            before[fact] |= {source} | before[source]
    if any(one.trainable_count for fact in frozen for one in before[fact]):
        return "Trained layers precede them too: gradients pass through the frozen ones, which stay unchanged."
    return "No trained layer precedes them, so the gradient need not go back that far."


def _modes(model, facts):
    leaves = [fact for fact in once(facts) if not fact.inner]
    groups = {}
    for fact in leaves:
        groups.setdefault(_mode(fact), []).append(fact.name)
    own = groups.pop("own", [])
    same = groups.pop(None, [])
    said = [f"{_few(names)}: {words}." for words, names in groups.items()]
    if own:
        return [*said, f"For {_few(own)}, {'a layer' if len(own) == 1 else 'layers'} of your own, see the call method."]
    return said or (["Nothing: all layers compute the same in both."] if same else [])


def _mode(fact):
    """How a call differs between training and prediction; None where it does not, "own" where only its author knows."""
    layer = fact.layer
    if fact.is_a("BatchNormalization"):
        if not layer.trainable:
            return "frozen, so moving averages in training too"
        if fact.training is False:
            return "called with training=False, so moving averages in training too"
        return "the batch's mean and variance in training, moving averages in prediction"
    if fact.training is False:
        return None
    if fact.has("noise"):
        words = "always active, called with training=True" if fact.training is True else "active only in training"
        return words if getattr(layer, getattr(layer, "strength", ""), 1) else None
    if isinstance(layer, OpCall):
        return None
    if not is_builtin(type(layer)):
        return "own"
    inner = layer._flatten_layers(include_self=False)
    if any(getattr(one, name, 0) for one in (layer, *inner) for name in ("dropout", "recurrent_dropout")):
        return "the dropout inside is active only in training"
    if fact.is_a("SpectralNormalization"):
        return "the singular value of its kernel is updated only in training"
    noise = any(has_trait(one, "noise") for one in inner)
    averages = any(type(one).__name__ == "BatchNormalization" and one.trainable for one in inner)
    if fact.has("attention") or not (noise or averages):
        return None
    return "layers inside it differ in training"


def _masks(model, facts):
    leaves = [fact for fact in facts if not fact.inner]
    starts = [fact for fact in leaves if fact.gives_mask and not fact.masked]
    if not starts:
        return []
    passes = [fact.name for fact in leaves if fact.gives_mask and fact.masked]
    stops = [fact for fact in leaves if fact.masked and not fact.gives_mask]
    used = [fact.name for fact in stops if getattr(fact.layer, "supports_masking", False)]
    lost = [fact.name for fact in stops if not getattr(fact.layer, "supports_masking", False)]
    ends = [fact for fact in facts if fact.depth == 0 and fact.ends and fact.gives_mask]
    return [
        f"A mask starts at {_few(fact.name for fact in starts)}.",
        f"It passes through {_few(passes)}." if passes else "",
        f"It ends at {_few(used)}, which uses it: the outputs have no masked positions any more." if used else "",
        f"It is lost at {_few(lost)}, which ignores it: padding counts as data from there on." if lost else "",
        "It reaches an output: loss and metrics skip masked positions." if ends else "",
    ]
