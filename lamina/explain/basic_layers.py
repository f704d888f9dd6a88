"""What is said about inputs, Dense, activations, Dropout, Flatten and Embedding."""

import math

from lamina.explain.table import says
from lamina.explain.words import count_of, product, shape_of

__all__ = ["activation_name", "meaning_of_activation"]

_MEANINGS = {
    "relu": "relu sets negative numbers to 0 and lets the others through; without it two layers were no more than one",
    "sigmoid": "sigmoid brings each number to between 0 and 1, each for itself: several may be near 1 at once",
    "tanh": "tanh brings each number to between -1 and 1",
    "softmax": "softmax makes the numbers of the last axis positive with sum 1: probabilities of exclusive classes",
    "linear": "linear leaves the numbers as they are",
    "gelu": "gelu is a smooth relu: it multiplies each number by the share of a normal distribution below it",
    "silu": "silu multiplies each number by its sigmoid: a smooth relu",
    "swish": "swish multiplies each number by its sigmoid: a smooth relu",
    "elu": "elu lets positive numbers through and bends negative ones towards -1",
    "selu": "selu is an elu with a scale that keeps mean and variance from layer to layer",
    "softplus": "softplus is log(1 + exp(x)): a relu with a round corner, always positive",
    "softsign": "softsign is x / (1 + |x|): between -1 and 1",
    "leaky_relu": "leaky_relu lets a small share of negative numbers through, so that no unit is dead for good",
    "relu6": "relu6 is a relu that stops at 6",
    "exponential": "exponential is exp(x): always positive",
    "hard_sigmoid": "hard_sigmoid is a sigmoid of straight lines, cheap to compute",
    "log_softmax": "log_softmax gives the logarithms of what softmax gives",
}


def activation_name(layer):
    """The name of a layer's activation, None where it has none."""
    activation = getattr(layer, "activation", None)
    if activation is None:
        return None
    return getattr(activation, "__name__", type(activation).__name__.lower())


def meaning_of_activation(name):
    """What an activation does to numbers, None where this is not known."""
    return _MEANINGS.get(name)


def _inside(fact):
    """The sentence about an activation inside a layer."""
    name = activation_name(fact.layer)
    if name is None or name == "linear":
        following = [
            receiver for receiver in fact.receivers if receiver.is_a("Activation", "ReLU", "Softmax", "LeakyReLU")
        ]
        if following:
            return f"It has no activation inside; {following[0].name} after it is its activation."
        return "It has no activation: its output is a weighted sum and nothing more."
    meaning = meaning_of_activation(name)
    return (
        f"The activation {name} is inside the layer, after the sum{f' ({meaning})' if meaning else ''}. "
        f"{fact.kind}(...) and "
        f"then Activation({name!r}) would be the same function, with the tensor between the two to read."
    )


@says("InputLayer")
def _input(fact):
    shape, dtype = fact.output, fact.layer.output.dtype
    open_sizes = sum(size is None for size in shape[1:])
    return [
        f"Where data enters: each sample is {shape_of(shape)} ({dtype}).",
        f"The first size of {shape} is {'open (None)' if shape[0] is None else 'fixed'}: the number of samples in a "
        "batch" + (", which may differ from call to call." if shape[0] is None else "."),
        f"{count_of(open_sizes, 'other size')} may differ from batch to batch too." if open_sizes else "",
    ]


def _dense_sum(fact):
    return f"{product((fact.input[-1], fact.layer.units))} kernel" + (
        f" + {fact.layer.units} bias" if fact.layer.use_bias else ""
    )


@says("Dense", weights=_dense_sum)
def _dense(fact):
    features, units = fact.input[-1], fact.layer.units
    bias = " + bias" if fact.layer.use_bias else ""
    formula = f"inputs @ kernel{bias}"
    name = activation_name(fact.layer)
    formula = formula if name in (None, "linear") else f"{name}({formula})"
    middle = fact.input[1:-1]
    positions = math.prod(size or 1 for size in middle)
    said = [
        f"outputs = {formula}: {'the one unit' if units == 1 else f'each of the {units:,} units'} is a weighted sum "
        "of all "
        f"{features:,} inputs{' plus a bias' if bias else ''}; {features:,} -> {units:,} on the last axis."
    ]
    if middle:
        where = f"{positions:,}" if None not in middle else "any number of"
        said.append(
            f"The inputs have more axes ({shape_of(fact.input)}): the same weights are used at each of {where} "
            "positions, "
            "which do not see each other. Flatten before it if one unit should see all positions."
        )
    return [*said, _inside(fact)]


@says("Activation", "ReLU", "Softmax", "LeakyReLU", "ELU", "PReLU")
def _activation(fact):
    name = activation_name(fact.layer) or {"ReLU": "relu", "Softmax": "softmax", "LeakyReLU": "leaky_relu"}.get(
        fact.kind, fact.kind.lower()
    )
    source = fact.sources[0] if fact.sources else None
    said = [f"{meaning_of_activation(name) or f'{name} of each number'}. The shape stays."]
    if source is not None and source.is_a("Dense", "Conv") and activation_name(source.layer) in (None, "linear"):
        said.append(
            f"It is the activation of {source.name}, as a layer of its own: activation={name!r} in {source.name} "
            "would be the "
            f"same function. Here {source.name}.output is the tensor before it."
        )
    return [sentence[0].upper() + sentence[1:] for sentence in said]


@says("Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout")
def _dropout(fact):
    layer, source = fact.layer, fact.sources[0] if fact.sources else None
    of = f"the output of {source.name}" if source is not None else "its input"
    rate = f"{layer.rate:g}"
    if fact.kind == "GaussianDropout":
        return [f"Only in training it multiplies {of} by random numbers around 1. When predicting it does nothing."]
    shape = _noise_shape(fact)
    whole = shape != tuple(fact.input)
    said = [
        f"Only in training: it zeroes {of}, each {'channel' if whole else 'number'} with probability {rate}, anew in "
        "every "
        f"step, and multiplies what is left by 1 / (1 - {rate}) = {1 / (1 - layer.rate):.3g}, so that the mean stays."
        if layer.rate < 1 and fact.kind != "AlphaDropout"
        else f"Only in training: it drops {of} with probability {rate}, in a way that keeps mean and variance for "
        "selu.",
        f"The mask has shape {shape}" + (": whole channels go together." if whole else "."),
        "When predicting and evaluating it does nothing; it has no weights.",
    ]
    before = _trained_before(fact)
    if source is not None:
        said.append(
            f"It zeroes values, not weights of {source.name}: these stay, and get no gradient through the zeroed "
            "values "
            "in that step."
            if before
            else "All layers before it are frozen: no gradient goes back there, and the mask only varies what the "
            "layers "
            "after it see."
        )
    return said


def _noise_shape(fact):
    layer, shape = fact.layer, tuple(fact.input)
    given = getattr(layer, "noise_shape", None)
    if given is not None:
        return tuple(of if size is None else size for size, of in zip(given, shape, strict=True))
    rank = {"SpatialDropout1D": 1, "SpatialDropout2D": 2, "SpatialDropout3D": 3}.get(fact.kind)
    if rank is None:
        return shape
    if getattr(layer, "data_format", None) == "channels_first":
        return (*shape[:2], *[1] * rank)
    return (shape[0], *[1] * rank, shape[-1])


def _trained_before(fact):
    seen, waiting = set(), list(fact.sources)
    while waiting:
        source = waiting.pop()
        if source in seen:
            continue
        seen.add(source)
        if source.trainable_count:
            return True
        waiting.extend(source.sources)
    return False


@says("Flatten")
def _flatten(fact):
    size = fact.output[-1]
    order = "the last axis runs fastest"
    said = [
        f"Lays {shape_of(fact.input)} out as one row of {size:,} numbers; {order}. Nothing is computed."
        if size is not None
        else f"Lays {shape_of(fact.input)} out as one row; {order}."
    ]
    if len(fact.input) == 4 and size is not None:
        height, width, channels = fact.input[1:]
        following = next((receiver for receiver in fact.receivers if receiver.is_a("Dense")), None)
        said.append(
            f"Where things were in the {height} x {width} map stays: each place gets weights of its own. "
            f"GlobalAveragePooling2D instead would give {channels:,} features"
            + (
                f", and {following.name} {channels * following.layer.units:,} weights instead of "
                f"{size * following.layer.units:,}."
                if following is not None
                else "."
            )
        )
    return said


@says("Reshape", "Permute")
def _reshape(fact):
    what = "The same numbers in the same order" if fact.kind == "Reshape" else f"Axes in the order {fact.layer.dims}"
    return [f"{what}: {shape_of(fact.input)} becomes {shape_of(fact.output)}. Nothing is computed."]


@says("Embedding", weights=lambda fact: f"{product((fact.layer.input_dim, fact.layer.output_dim))} table")
def _embedding(fact):
    layer = fact.layer
    return [
        f"A table of {layer.input_dim:,} rows of {layer.output_dim:,} numbers: each integer (0 to "
        f"{layer.input_dim - 1:,}) is "
        "replaced by its row, which is trained like any weight.",
        "0 stands for padding (mask_zero=True): a mask starts here, and layers behind it leave those positions out."
        if layer.mask_zero
        else "0 is an ordinary row (mask_zero=False): padding is seen by the layers behind it.",
    ]
