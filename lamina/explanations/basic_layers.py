"""Descriptions of inputs, Dense, activations, Embedding, and layers that rearrange values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lamina.explanations.descriptions import Once, describes
from lamina.facts.activations import activation_name, activation_of, is_activation, meaning_of_activation
from lamina.facts.words import count_of, list_of, product, shape_of

if TYPE_CHECKING:
    from lamina.facts.fact import Fact

__all__ = ["sentences_about_activation"]


def _activation_after(fact):
    """The call that computes the activation of this one, right after it or after a normalization; None for none."""
    for receiver in fact.receivers:
        if is_activation(receiver.layer):
            return receiver
    for receiver in fact.receivers:
        if receiver.has("normalization"):
            return _activation_after(receiver)
    return None


def sentences_about_activation(fact: Fact) -> list[str]:
    """Where the activation of a layer that computes a weighted sum is: in it, after it, or nowhere.

    Args:
        fact: The call of the layer.
    """
    name = activation_name(fact.layer)
    if name is not None and name != "linear":
        meaning = meaning_of_activation(name)
        stated = f"Its activation{f' {name}' if ' ' not in name else f', {name},'} is inside the layer, after the sum."
        if not meaning:
            return [stated]
        how = f"{fact.kind}(...) and then Activation({name!r}) compute the same"
        return [
            stated,
            Once(f"{meaning}.", f"meaning of {name}"),
            Once(f"{how}; then the output of the {fact.kind} is the tensor before {name}.", "both spellings"),
            *_place(fact, name),
        ]
    after = _activation_after(fact)
    if after is None:
        return ["It has no activation: the output is the sum itself."]
    others = [receiver.name for receiver in fact.receivers if is_activation(receiver.layer) and receiver is not after]
    plain = [one.name for one in fact.receivers if not is_activation(one.layer) and after in fact.receivers]
    through = "" if after in fact.receivers else f", after {fact.receivers[0].name}"
    return [
        f"It has no activation inside: {list_of([after.name, *others])} after it is its activation{through}.",
        f"{list_of(plain)} {'takes' if len(plain) == 1 else 'take'} its output without that activation."
        if plain
        else "",
    ]


def _place(fact, name):
    """What an activation that is usual for outputs does inside the model."""
    takers = [receiver for receiver in fact.receivers if not receiver.has("passes_through")]
    if fact.ends or not takers or name not in ("softmax", "sigmoid"):
        return []
    if any(one.is_a("Multiply", "Dot") for one in takers):
        what = "weighted by shares" if name == "softmax" else "gated: from 0, closed, to 1, open"
        return [f"Here it is not the output: the other factor is {what}."]
    if name == "softmax" and all(one.is_affine for one in takers):
        return [f"Here it is not the output: {list_of(one.name for one in takers)} sees only shares that add up to 1."]
    return []


@describes("InputLayer")
def _input(fact):
    shape, layer = fact.output, fact.layer
    open_sizes = sum(size is None for size in shape[1:])
    what = (
        shape_of(shape).replace("number", "text") if layer.dtype == "string" else f"{shape_of(shape)} ({layer.dtype})"
    )
    said = [f"The data enter here: each sample is {what}."]
    if shape and shape[0] is None:
        said.append(f"The None in {shape} is the number of samples in a batch, which may differ from call to call.")
    elif shape:
        said.append(f"A batch always has {count_of(shape[0], 'sample')}.")
    if open_sizes:
        said.append(f"{count_of(open_sizes, 'other size')} may also differ from batch to batch (None).")
    return said


@describes("Dense")
def _dense(fact):
    layer, features = fact.layer, fact.input[-1]
    units = layer.units
    name = activation_name(layer)
    formula = f"inputs @ kernel{' + bias' if layer.use_bias else ''}"
    formula = formula if name in (None, "linear") else f"activation({formula})"
    subject = "the one unit is a" if units == 1 else f"each of the {units:,} units is a"
    said = [
        f"outputs = {formula}: {subject} weighted sum of all {features:,} "
        f"inputs{' plus a bias' if layer.use_bias else ''}; {features:,} -> {units:,} on the last axis.",
        *_positions(fact),
        *sentences_about_activation(fact),
    ]
    return said


def _positions(fact):
    """Sentences about a Dense on inputs of more than one axis."""
    middle = fact.input[1:-1]
    if all(size == 1 for size in middle):
        return []
    positions = math.prod(size or 1 for size in middle)
    where = f"each of {positions:,} positions" if None not in middle else "each position, however many there are"
    said = [
        f"The inputs have more axes ({shape_of(fact.input)}): the same weights are used at {where}, and no position "
        "sees another."
    ]
    around = [*fact.sources, *fact.receivers]
    near = [one for one in around if one.is_on_maps]
    if near and all(getattr(one.layer, "data_format", None) != "channels_first" for one in near):
        said.append(
            f"Between convolutions that is valid: it is a convolution with a window of {product([1] * len(middle))}, "
            "which mixes channels and sees no neighbours."
        )
    elif fact.reads and len(fact.input) == 3 and all(one.is_a("Dense", "Dropout", "Activation") for one in around):
        said.append("If one unit should see all of them, put a Flatten before it.")
    return said


@describes("EinsumDense")
def _einsum_dense(fact):
    layer = fact.layer
    name = activation_name(layer)
    formula = f"einsum({layer.equation!r}, inputs, kernel){' + bias' if layer.bias_axes else ''}"
    return [
        f"outputs = {formula if name in (None, 'linear') else f'activation({formula})'}: letters that the kernel has "
        f"and the output lacks are summed over; {shape_of(fact.input)} -> {shape_of(fact.output)}.",
        *sentences_about_activation(fact),
    ]


@describes("activation")
def _activation(fact):
    name = activation_of(fact.layer)
    said = [_meaning_of_layer(fact, name), "The shape stays the same.", *_place(fact, name)]
    source = fact.sources[0] if len(fact.sources) == 1 and not fact.reads else None
    if source is not None and _has_plain_sum(source):
        said += _as_a_layer(fact, source, name)
    return said


def _has_plain_sum(fact):
    return fact.is_affine and activation_name(fact.layer) in (None, "linear")


def _as_a_layer(fact, source, name):
    """Sentences about an activation after the sum that it belongs to."""
    of = "{}.output" if getattr(fact.owner, "_graph", None) is not None and source.uses == 1 else "the output of {}"
    before = of.format(source.name)
    said = [f"It is the activation of {source.name}, as a layer of its own: {before} is the tensor before it."]
    alone = len(source.receivers) == 1 and not source.ends and source.uses == fact.uses == 1
    if alone and fact.kind == "Activation" and meaning_of_activation(name):
        said.append(f"activation={name!r} inside {source.name} would compute the same.")
    return said


def _meaning_of_layer(fact, name):
    layer = fact.layer
    if fact.kind == "PReLU":
        return "PReLU multiplies negative values by a slope that is trained, and leaves the others unchanged."
    if fact.kind == "LeakyReLU":
        return f"LeakyReLU multiplies negative values by {layer.negative_slope:g} and leaves the others unchanged."
    if fact.kind == "ELU":
        return f"ELU leaves positive values unchanged and bends negative ones towards -{layer.alpha:g}."
    if fact.kind == "ReLU" and (layer.max_value is not None or layer.negative_slope or layer.threshold):
        most = "" if layer.max_value is None else f" It stops at {layer.max_value:g}."
        low = f"{layer.negative_slope:g} times their distance to it" if layer.negative_slope else "0"
        return f"Values from {layer.threshold:g} up are unchanged, those below become {low}.{most}"
    if fact.kind == "Softmax" and layer.axis not in (-1, len(fact.input) - 1):
        return f"Turns the values along axis {layer.axis} into positive shares that add up to 1."
    meaning = meaning_of_activation(name)
    return f"{meaning}." if meaning else f"Applies {name}."


@describes("Flatten")
def _flatten(fact):
    size, shape = fact.output[-1], fact.input
    if len(shape) == 1:
        return ["Each number becomes a row of one number."]
    if len(shape) == 2:
        return [f"Changes nothing: the inputs are rows of {size} numbers already." if size else "Changes nothing."]
    first = getattr(fact.layer, "data_format", None) == "channels_first" and len(shape) > 2
    order = "channels are moved last, then the last axis runs fastest" if first else "the last axis runs fastest"
    of = f"{size:,} numbers" if size is not None else "numbers"
    said = [f"Flattens {shape_of(shape)} to one row of {of}; {order}. Nothing is computed."]
    if len(shape) in (4, 5) and size is not None:
        channels, sizes = (shape[1], shape[2:]) if first else (shape[-1], shape[1:-1])
        following = next((one for one in fact.receivers if one.is_a("Dense")), None)
        layer = f"GlobalAveragePooling{len(sizes)}D"
        said.append(
            f"Each position of the {product(sizes)} map keeps its own values in the row, so it gets its own weights."
        )
        if following is not None:
            units = following.layer.units
            said.append(
                f"{layer} instead would give {channels:,} features, and {following.name} {channels * units:,} kernel "
                f"weights instead of {size * units:,}; the positions would be lost."
            )
        else:
            said.append(f"{layer} instead would give {channels:,} features.")
    return said


@describes("Reshape", "Permute")
def _reshape(fact):
    if fact.kind == "Permute":
        what = f"Permutes axes: those of the sample come in the order {tuple(fact.layer.dims)}"
    else:
        what = "The same values in the same order, in another shape"
    return [f"{what}; {shape_of(fact.input)} becomes {shape_of(fact.output)}. Nothing is computed."]


@describes("RepeatVector")
def _repeat(fact):
    return [
        f"Repeats each row of {fact.input[-1]:,} numbers {fact.layer.n} times, as equal steps: {shape_of(fact.output)}."
    ]


@describes("Identity")
def _identity(fact):
    return ["Returns its inputs unchanged."]


@describes("Embedding")
def _embedding(fact):
    layer = fact.layer
    if fact.is_a("ReversibleEmbedding") and fact.arguments is not None and fact.arguments[1].get("reverse"):
        return [f"In reverse: a score for each of the {layer.input_dim:,} rows, its dot product with the inputs."]
    said = [
        f"A table of {layer.input_dim:,} rows of {layer.output_dim:,} numbers: each integer (0 to "
        f"{layer.input_dim - 1:,}) is replaced by its row.",
        "The rows are weights: training moves those that occur in the batch."
        if layer.trainable and not layer.lora_enabled and not layer.quantization_mode
        else "The rows are weights, frozen here.",
    ]
    if layer.mask_zero:
        said.append(
            "0 stands for padding (mask_zero=True): a mask starts here, and layers that support masks skip those "
            "positions."
        )
    else:
        said.append(
            "0 is an ordinary row (mask_zero=False): if inputs are padded with 0, later layers see the padding."
        )
    if fact.is_a("ReversibleEmbedding"):
        tied = "the same table" if layer.tie_weights else "a second table"
        said.append(f"Called with reverse=True it goes back with {tied}: from vectors to a score for each of the rows.")
    return said
