"""What is said about normalization, merging, preprocessing, noise, nested models and ops."""

from lamina.explain.table import says
from lamina.explain.words import count_of, list_of, shape_of

__all__ = []


@says("BatchNormalization")
def _batch_normalization(fact):
    layer = fact.layer
    size = fact.input[layer.axis if isinstance(layer.axis, int) else -1]
    said = [
        f"Brings each of the {size:,} channels to mean 0 and variance 1, then scales and moves it by learned numbers."
        if size is not None
        else "Brings each channel to mean 0 and variance 1, then scales and moves it by learned numbers.",
        "In training it uses mean and variance of the batch, and follows them with moving averages "
        f"(momentum {layer.momentum:g}); when predicting it uses the moving averages.",
    ]
    if not layer.trainable:
        said.append("It is frozen: it uses the moving averages in training too, and nothing in it moves.")
    else:
        said.append("Its moving mean and variance are weights that no gradient moves: they count as not trainable.")
    return said


@says("LayerNormalization", "RMSNormalization", "GroupNormalization", "UnitNormalization")
def _normalization(fact):
    over = {
        "LayerNormalization": "the features of each position to mean 0 and variance 1",
        "RMSNormalization": "the features of each position to a mean square of 1",
        "GroupNormalization": f"{getattr(fact.layer, 'groups', '')} groups of channels to mean 0 and variance 1",
        "UnitNormalization": "each vector to length 1",
    }[next(cls.__name__ for cls in type(fact.layer).__mro__ if cls.__name__.endswith("Normalization"))]
    return [f"Brings {over}, one sample at a time: the same in training and when predicting."]


@says("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot")
def _merge(fact):
    names = [source.name for source in fact.sources]
    what = {
        "Add": "sum", "Subtract": "difference", "Multiply": "product", "Average": "mean", "Maximum": "larger number",
        "Minimum": "smaller number", "Concatenate": "features side by side", "Dot": "dot product",
    }[fact.kind]  # fmt: skip
    of = list_of(names) if names else count_of(len(fact.inputs), "input")
    said = [
        f"The {what} of {of}, "
        f"{'' if fact.kind in ('Concatenate', 'Dot') else 'number by number: '}{shape_of(fact.output)}."
    ]
    if fact.kind == "Add":
        said.append("A shortcut: the gradient passes through it unchanged to each of them.")
    return said


@says("Rescaling")
def _rescaling(fact):
    return [f"outputs = inputs * {fact.layer.scale} + {fact.layer.offset}: brings data to the range that layers like."]


@says("Normalization")
def _adapted(fact):
    known = fact.layer.input_mean is not None
    return [
        "outputs = (inputs - mean) / sqrt(variance), each feature with its own: numbers "
        + (
            "given when it was made."
            if known
            else "found by adapt(data) before training; they do not move in training."
        )
    ]


@says("GaussianNoise")
def _noise(fact):
    return [
        f"Only in training it adds random numbers with deviation {fact.layer.stddev:g}. When predicting it does "
        "nothing."
    ]


@says("Model", "Functional", "Sequential")
def _model(fact):
    return [
        f"A model inside this one: its {len(fact.layer.layers)} layers follow, {shape_of(fact.input)} -> "
        f"{shape_of(fact.output)}."
    ]


@says("Lambda")
def _lambda(fact):
    return [
        f"A function of the program's own: {shape_of(fact.input)} becomes {shape_of(fact.output)}. It has no weights."
    ]
