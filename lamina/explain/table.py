"""The table of what is said about each class of layers."""

import inspect

from lamina.explain.words import product

__all__ = ["says", "sentences_about", "weights_of"]

_SAYINGS = {}  # name of a class -> function from a Fact to sentences
_SUMS = {}  # name of a class -> function from a Fact to its weights as a sum


def says(*kinds, weights=None):
    """Decorates a function `(fact) -> sentences` that speaks for these classes and those that come from them.

    `weights` gives the number of weights as a sum, `784 x 32 kernel + 32 bias`.
    """

    def note(function):
        for kind in kinds:
            _SAYINGS[kind] = function
            if weights is not None:
                _SUMS[kind] = weights
        return function

    return note


def _found(table, layer):
    return next((table[cls.__name__] for cls in type(layer).__mro__ if cls.__name__ in table), None)


def sentences_about(fact):
    """What the layer of a fact does, in sentences. A class that nobody speaks for speaks with its own docstring."""
    function = _found(_SAYINGS, fact.layer)
    if function is not None:
        return [sentence for sentence in function(fact) if sentence]
    text = inspect.getdoc(type(fact.layer)) or inspect.getdoc(getattr(fact.layer, "call", None)) or ""
    first = text.split("\n\n")[0].replace("\n", " ").strip()
    return [first] if first else [f"A {fact.kind} of the program's own."]


def weights_of(fact):
    """The number of weights as a sum of its parts, `784 x 32 kernel + 32 bias = 25,120 weights, all trained`; None
    where there are none."""
    if not fact.count:
        return None
    total = f"{fact.count:,} weights"
    parts = (_found(_SUMS, fact.layer) or _sum_of_shapes)(fact)
    kept = fact.count - fact.trainable_count
    state = (
        "all kept as they are"
        if not fact.trainable_count
        else f"{kept:,} of them not trained"
        if kept
        else "all trained"
    )
    shared = f"; the same ones in each of its {fact.uses} calls" if fact.uses > 1 else ""
    return f"{parts} = {total}, {state}{shared}" if parts else f"{total}, {state}{shared}"


def _sum_of_shapes(fact):
    if len(fact.weights) > 6:
        return None
    return " + ".join(f"{product(weight.shape)} {weight.name}" for weight in fact.weights)
