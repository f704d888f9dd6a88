"""Descriptions of normalization, merging, preprocessing, models inside and functions of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lamina.explanations.descriptions import Once, describes
from lamina.facts.words import count_of, list_of, shape_of

if TYPE_CHECKING:
    from lamina.facts.fact import Fact

__all__ = ["runs_on_averages"]


def runs_on_averages(fact: Fact) -> bool:
    """Whether a BatchNormalization uses its moving averages in training too.

    Args:
        fact: Its call.
    """
    return not fact.layer.trainable or fact.training is False


@describes("BatchNormalization")
def _batch_normalization(fact):
    layer = fact.layer
    size = fact.input[layer.axis]
    learned = [name for name, there in (("gamma", layer.scale), ("beta", layer.center)) if there]
    then = f", then applies the learned {list_of(learned)}" if learned else ""
    said = [f"Normalizes each of the {size:,} channels (axis {layer.axis}) to mean 0 and variance 1{then}."]
    if not layer.trainable:
        said.append("Frozen: it uses its moving averages in training too, and nothing in it changes.")
    elif fact.training is False:
        said.append("It is called with training=False: it uses its moving averages, unchanged, in training too.")
    else:
        said.append(
            "In training it uses the mean and variance of the batch and updates its moving averages (momentum "
            f"{layer.momentum:g}); in prediction it uses the moving averages."
        )
        said.append(
            Once("Moving mean and variance follow the data, not the gradient: they count as not trainable.", "moving")
        )
    if fact.masked:
        said.append("Masked positions do not count.")
    return said


@describes("normalization")
def _normalization(fact):
    layer = fact.layer
    axes = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
    last = all(axis in (-1, len(fact.input) - 1) for axis in axes)
    where = "the features of each position" if last else f"the numbers along axis {list_of(map(str, axes))}"
    if fact.is_a("GroupNormalization"):
        groups = (
            "each channel" if layer.groups in (-1, fact.input[layer.axis]) else f"{layer.groups} groups of channels"
        )
        what = f"{groups} of each sample to mean 0 and variance 1"
    elif fact.is_a("RMSNormalization") or getattr(layer, "rms_scaling", False):
        what = f"{where} to a mean square of 1"
    elif fact.is_a("UnitNormalization"):
        what = f"{where} to length 1"
    else:
        what = f"{where} to mean 0 and variance 1"
    learned = [weight.name for weight in fact.weights]
    then = f", then applies the learned {list_of(learned)}" if learned else ""
    return [
        f"Normalizes {what}{then}.",
        Once("It uses one sample at a time: the same in training and prediction.", "alone"),
    ]


_MERGES = {
    "Add": "sum", "Subtract": "difference", "Multiply": "product", "Average": "mean", "Maximum": "larger value",
    "Minimum": "smaller value",
}  # fmt: skip


@describes(*_MERGES)
def _merge(fact):
    what = next(_MERGES[cls.__name__] for cls in type(fact.layer).__mro__ if cls.__name__ in _MERGES)
    said = [f"The {what} of {_names(fact)}, element by element: {shape_of(fact.output)}."]
    if any(shape[1:] != fact.output[1:] for shape in fact.inputs):
        said.append("Shapes differ: the smaller one is broadcast along the axes that it lacks.")
    if what == "sum":
        said.append(Once("In training the gradient passes through a sum to each of its inputs, unchanged.", "sum"))
    return said


def _names(fact):
    names = fact.givers
    if len(names) == len(fact.inputs):
        return list_of(names)
    return f"{count_of(len(fact.inputs), 'input')}{f' (of {list_of(names)} among them)' if names else ''}"


@describes("Concatenate")
def _concatenate(fact):
    axis = fact.layer.axis % len(fact.output)
    sizes = [shape[axis] for shape in fact.inputs]
    total = f"{' + '.join(map(str, sizes))} = {fact.output[axis]}" if None not in sizes else "their sizes add up"
    return [f"Concatenates {_names(fact)} on axis {axis}: {total}. Nothing is computed."]


@describes("Dot")
def _dot(fact):
    unit = ", each scaled to length 1 first, so that it is their cosine" if fact.layer.normalize else ""
    return [f"The dot product of {_names(fact)} along axes {fact.layer.axes}{unit}: {shape_of(fact.output)}."]


@describes("Rescaling")
def _rescaling(fact):
    scale, offset = fact.layer.scale, fact.layer.offset
    text = f"{scale:g}" if isinstance(scale, (int, float)) else "scale"
    plus = f" + {offset:g}" if isinstance(offset, (int, float)) else " + offset"
    plus = "" if isinstance(offset, (int, float)) and offset == 0 else plus
    return [f"outputs = inputs * {text}{plus}, in training and prediction. Nothing is learned."]


@describes("Normalization")
def _adapted(fact):
    layer = fact.layer
    formula = "inputs * sqrt(variance) + mean" if layer.invert else "(inputs - mean) / sqrt(variance)"
    if layer.input_mean is not None:
        source = "Mean and variance were passed to its constructor."
    elif fact.weights and not int(layer.count.numpy()) and not layer.adapt_mean.numpy().any():
        source = "Mean and variance are still 0 and 1: adapt(data) computes them."
    else:
        source = "Mean and variance are those that adapt(data) computed."
    return [f"outputs = {formula}. {source} Training does not change them."]


@describes("Model", "Functional", "Sequential")
def _model(fact):
    count = len(fact.layer.layers)
    follow = f"which {'follows' if count == 1 else 'follow'}" if fact.inner else "not shown here"
    inside = count_of(count, "layer")
    return [f"A model inside this one, of {inside}, {follow}: {_all(fact.inputs)} -> {_all(fact.outputs)}."]


def _all(shapes):
    return ", ".join(map(shape_of, shapes))


@describes("Lambda")
def _lambda(fact):
    function = getattr(fact.layer.function, "__name__", "")
    name = f", {function}" if function and function != "<lambda>" else ""
    return [
        f"A function of your own{name}: {shape_of(fact.input)} becomes {shape_of(fact.output)}. Weights that it uses "
        "do not belong to the layer and are not trained."
    ]


@describes("JaxLayer", "FlaxLayer")
def _jax(fact):
    what = "a module of Flax" if fact.is_a("FlaxLayer") else "a function of JAX"
    return [f"Runs {what}, whose parameters are its weights: {shape_of(fact.input)} -> {shape_of(fact.output)}."]


@describes("TFSMLayer", "TorchModuleWrapper")
def _foreign(fact):
    return ["A model of another framework, which lamina does not run."]


# From values to categories


def _host(fact):
    """Where a layer for text runs."""
    return Once("Text is processed on the host, before the compiled step.", "host")


_MODES = {
    "one_hot": "a row of zeros with a 1 at that index", "multi_hot": "a row with a 1 for each that occurs",
    "count": "a row with the count of each", "tf_idf": "a row with the weighted count of each",
}  # fmt: skip


def _as_mode(layer, number="its number"):
    mode = layer.output_mode
    return number if mode == "int" else _MODES.get(mode, mode)


@describes("CategoryEncoding")
def _category_encoding(fact):
    layer = fact.layer
    return [f"Category numbers (0 to {layer.num_tokens - 1:,}) as {_as_mode(layer)}: {shape_of(fact.output)}."]


@describes("Discretization")
def _discretization(fact):
    bounds = fact.layer.bin_boundaries
    bins = f"{fact.layer.num_bins} bins that adapt(data) computes" if bounds is None else f"{len(bounds) + 1} bins"
    return [
        f"Each number becomes the index of its bin, one of {bins}, as {_as_mode(fact.layer)}: {shape_of(fact.output)}."
    ]


@describes("Hashing", "HashedCrossing")
def _hashing(fact):
    layer = fact.layer
    what = "the combination of its inputs" if fact.is_a("HashedCrossing") else "each value"
    return [
        f"Hashes {what} to one of {layer.num_bins:,} numbers, as {_as_mode(layer)}: no vocabulary, and different "
        "values may get the same number."
    ]


@describes("StringLookup", "IntegerLookup")
def _lookup(fact):
    layer = fact.layer
    size = layer.vocabulary_size()
    if layer.invert:
        return [f"Maps indices back to the entries of a vocabulary of {size:,}."]
    return [
        f"Each entry is looked up in a vocabulary of {size:,}, and becomes {_as_mode(layer, 'its index there')}.",
        _host(fact) if fact.is_a("StringLookup") else "",
    ]


@describes("TextVectorization")
def _text(fact):
    layer = fact.layer
    said = [
        "Text to indices: each text is cleaned and split into tokens, which are looked up in a vocabulary of "
        f"{layer.vocabulary_size():,} (0 is padding, 1 an unknown token)."
        if layer.output_mode == "int"
        else f"Text to {_as_mode(layer)}, over a vocabulary of {layer.vocabulary_size():,}."
    ]
    if layer.output_mode == "int" and layer.output_sequence_length:
        said.append(f"Texts are cut or padded to {layer.output_sequence_length} tokens.")
    return [*said, _host(fact)]
