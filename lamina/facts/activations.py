"""Activations: which one a layer or an op computes, and what each does to numbers."""

from lamina.core.op import OpCall

_MEANINGS = {
    "relu": "relu sets negative numbers to 0 and leaves the others as they are",
    "sigmoid": "sigmoid brings each number to between 0 and 1, each for itself: several may be near 1 at once",
    "tanh": "tanh brings each number to between -1 and 1",
    "softmax": "softmax makes the numbers of the last axis positive with sum 1: shares of one whole",
    "linear": "linear leaves the numbers as they are",
    "gelu": "gelu is a smooth relu: each number times the share of a normal distribution below it",
    "silu": "silu is a smooth relu: each number times its sigmoid",
    "swish": "swish is a smooth relu: each number times its sigmoid",
    "elu": "elu leaves positive numbers as they are and bends negative ones towards -1",
    "selu": "selu is an elu with a scale, made to keep mean and variance from layer to layer",
    "softplus": "softplus is log(1 + exp(x)): a relu with a round corner, always positive",
    "softsign": "softsign is x / (1 + |x|): between -1 and 1",
    "leaky_relu": "leaky_relu multiplies negative numbers by a small number and leaves the others as they are",
    "relu6": "relu6 is a relu that stops at 6",
    "exponential": "exponential is exp(x): always positive",
    "hard_sigmoid": "hard_sigmoid is a sigmoid made of straight lines: between 0 and 1",
    "log_softmax": "log_softmax gives the logarithms of what softmax gives",
    "mish": "mish is a smooth relu: x * tanh(softplus(x))",
    "log_sigmoid": "log_sigmoid gives the logarithm of what sigmoid gives",
    "hard_tanh": "hard_tanh is a tanh made of straight lines: between -1 and 1",
    "hard_silu": "hard_silu is a silu made of straight lines",
    "hard_swish": "hard_swish is a swish made of straight lines",
    "celu": "celu leaves positive numbers as they are and bends negative ones towards -1",
    "squareplus": "squareplus is (x + sqrt(x^2 + 4)) / 2: a relu with a round corner, always positive",
}
_LAYERS = {"ReLU": "relu", "Softmax": "softmax", "LeakyReLU": "leaky_relu", "ELU": "elu", "PReLU": "prelu"}


def activation_name(layer):
    """The name of a layer's activation, None where it has none."""
    activation = getattr(layer, "activation", None)
    if activation is None or isinstance(activation, str):
        return activation
    name = getattr(activation, "__name__", type(activation).__name__.lower())
    return {"leakyrelu": "leaky_relu", "<lambda>": "a function of the program's own"}.get(name, name)


def activation_of(fact):
    """The name of the activation that a call computes, alone or after something else; None where it has none."""
    if isinstance(fact.layer, OpCall):
        return fact.layer.op_name if fact.layer.op_name in _MEANINGS else None
    return _LAYERS.get(fact.kind) or activation_name(fact.layer)


def is_activation(fact):
    """Whether a call is an activation and nothing else."""
    if isinstance(fact.layer, OpCall):
        return fact.layer.op_name in _MEANINGS
    return fact.kind == "Activation" or fact.kind in _LAYERS


def meaning_of_activation(name):
    """What an activation does to numbers, None where this is not known."""
    return _MEANINGS.get(name)
