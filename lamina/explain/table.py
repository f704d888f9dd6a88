"""The table of what is said about each class of layers, and what is said about any layer."""

import inspect

from lamina.core.op import OpCall
from lamina.core.registry import is_builtin
from lamina.facts.words import list_of, product

__all__ = ["Once", "says", "sentences_about", "speaks_for", "weights_of"]

_SAYINGS = {}  # name of a class -> function from a Fact to sentences
_SUMS = {}  # name of a class -> function from a Fact to its weights as a sum and its value
_REGULARIZERS = (
    "kernel", "bias", "recurrent", "embeddings", "gamma", "beta", "depthwise", "pointwise", "activity", "alpha",
)  # fmt: skip


class Once(str):
    """A sentence that teaches something of all layers of a kind: a whole explanation says it the first time only."""

    key = ""

    def __new__(cls, text, key):
        self = super().__new__(cls, text)
        self.key = key
        return self


def says(*kinds, weights=None):
    """Decorates a function `(fact) -> sentences` that speaks for these classes and those that come from them.

    `weights` gives the number of weights as a sum and its value, `("784 x 32 kernel + 32 bias", 25120)`.
    """

    def note(function):
        for kind in kinds:
            _SAYINGS[kind] = function
            if weights is not None:
                _SUMS[kind] = weights
        return function

    return note


def speaks_for(layer):
    """The function that speaks for the class of a layer, or for the nearest one that it comes from; None for none."""
    return _found(_SAYINGS, layer)


def _found(table, layer):
    if isinstance(layer, OpCall):  # classes of ops have names that layers have too
        return table.get("OpCall")
    kinds = type(layer).__mro__  # a class of the program's own may have the name of one of lamina's
    return next((table[cls.__name__] for cls in kinds if cls.__name__ in table and is_builtin(cls)), None)


def sentences_about(fact):
    """What the layer of a fact does, in sentences. A class that nobody speaks for speaks with its own docstring."""
    function = speaks_for(fact.layer)
    said = function(fact) if function is not None else _own_words(fact)
    if function is not None and not is_builtin(type(fact.layer)) and not hasattr(fact.layer, "fit"):
        parent = next(cls.__name__ for cls in type(fact.layer).__mro__ if is_builtin(cls))
        said = [f"{fact.kind} is the program's own kind of {parent}, and may do more than is said here.", *said]
    return [sentence for sentence in (*said, *_of_any(fact)) if sentence]


def _own_words(fact):
    text = type(fact.layer).__doc__ or ""
    first = inspect.cleandoc(text).split("\n\n")[0].replace("\n", " ").strip()
    whose = "A layer of this kind of network" if is_builtin(type(fact.layer)) else "A layer of the program's own"
    said = [f"{whose}{f': {first}' if first else '.'}"]
    if fact.inner:
        said.append("The layers that it calls follow; what else it computes, its call method says.")
    return said


def _of_any(fact):
    """What may hold for a layer of any kind: calls that share weights, penalties, LoRA, few bits."""
    layer = fact.layer
    if fact.uses > 1 and fact.count:
        yield f"Call {fact.use} of {fact.uses} of the same layer: the same weights, and gradients of all calls add up."
    penalties = [name for name in _REGULARIZERS if getattr(layer, f"{name}_regularizer", None) is not None]
    penalties = [] if fact.kind == "ActivityRegularization" else penalties
    if penalties:
        of = list_of("outputs" if name == "activity" else name for name in penalties)
        yield f"In training a penalty on its {of} is added to the loss (regularizer)."
    mode = getattr(layer, "quantization_mode", None)
    table = "table" if fact.is_a("Embedding") else "kernel"
    if mode == "float8":
        yield f"Products with its {table} go through floats of eight bits (float8); the {table} is kept whole."
    elif mode:
        yield f"Its {table} is kept in few bits ({mode}), with scales by which it is multiplied when it is used."
    if getattr(layer, "lora_enabled", False):
        yield (
            f"LoRA of rank {layer.lora_rank}: the {table} itself is frozen; what is trained is a product of two "
            "narrow matrices that is added to it."
        )


def weights_of(fact):
    """The number of weights as a sum of its parts, `784 x 32 kernel + 32 bias = 25,120 weights, all trained`; None
    where there are none."""
    if not fact.count:
        return None
    total = f"{fact.count:,} weight{'s' * (fact.count > 1)}"
    parts = _sum(fact)
    kept = fact.count - fact.trainable_count
    if fact.trainable_count:
        state = f"{kept:,} of them not trained" if kept else "all trained"
    else:
        state = "none of them trained" if fact.layer.trainable else "all frozen"
    shared = f"; the same ones in each of its {fact.uses} calls" if fact.uses > 1 else ""
    return f"{parts} = {total}, {state}{shared}" if parts else f"{total}, {state}{shared}"


def _sum(fact):
    own = _found(_SUMS, fact.layer)
    text, value = own(fact) if own is not None else ("", None)
    if value == fact.count:
        return text
    if len(fact.weights) > 8 or fact.inner:
        return None
    weights, half = fact.weights, len(fact.weights) // 2
    shapes = [(weight.shape, weight.name) for weight in weights]
    twice = half and shapes[:half] == shapes[half:]  # two layers inside, as in Bidirectional
    weights = weights[:half] if twice else weights
    names = [weight.name for weight in weights]
    labels = [weight.name if names.count(weight.name) == 1 else _longer(weight) for weight in weights]
    parts = " + ".join(f"{product(weight.shape)} {label}" for weight, label in zip(weights, labels, strict=True))
    return f"2 x ({parts})" if twice else parts


def _longer(weight):
    return "/".join(weight.path.split("/")[-2:])
