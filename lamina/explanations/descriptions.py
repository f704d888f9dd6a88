"""The descriptions of layers by class or trait, and what holds for any layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from lamina.core.op import OpCall
from lamina.core.registry import is_builtin
from lamina.facts.fact import Fact
from lamina.facts.words import list_of, product

__all__ = ["DESCRIPTIONS", "Once", "describes", "description_of", "ranked", "sentences_about", "weights_of"]

Description: TypeAlias = Callable[[Fact], Iterable[str]]

DESCRIPTIONS: dict[str, Description] = {}
"""Name of a class, or trait -> function from a Fact to sentences."""

_SUMS = {}  # name of a class -> function from a Fact to its weights as a sum and its value
_REGULARIZERS = (
    "kernel", "bias", "recurrent", "embeddings", "gamma", "beta", "depthwise", "pointwise", "activity", "alpha",
)  # fmt: skip


class Once(str):
    """A sentence about all layers of a kind: an explanation of a whole model says it the first time only.

    Args:
        text: The sentence.
        key: What it is about; of the sentences with one key the first is kept.
    """

    key: str = ""

    def __new__(cls, text: str, key: str) -> Once:
        self = super().__new__(cls, text)
        self.key = key
        return self


def describes(
    *kinds: str, weights: Callable[[Fact], tuple[str, int | None]] | None = None
) -> Callable[[Description], Description]:
    """Decorator: registers a function `(fact) -> sentences` for classes of lamina and those that come from them.

    Args:
        *kinds: Names of classes, or traits of `lamina.layers.base.traits` for all classes that declare them.
        weights: Gives the number of weights as a sum and its value, `("784 x 32 kernel + 32 bias", 25120)`.
    """

    def register(function):
        for kind in kinds:
            DESCRIPTIONS[kind] = function
            if weights is not None:
                _SUMS[kind] = weights
        return function

    return register


def ranked(*names: str) -> list[str]:
    """The names of the classes of one, two and three spatial axes.

    Args:
        *names: Names without the number of axes and the D.

    >>> ranked("Conv", "UpSampling")
    ['Conv1D', 'Conv2D', 'Conv3D', 'UpSampling1D', 'UpSampling2D', 'UpSampling3D']
    """
    return [f"{name}{rank}D" for name in names for rank in (1, 2, 3)]


def description_of(layer: Any) -> Description | None:
    """The function that describes the class of a layer, or the nearest class that it comes from; None for none.

    Args:
        layer: Layer or op.
    """
    return _found(DESCRIPTIONS, layer)


def _found(table, layer):
    if isinstance(layer, OpCall):  # classes of ops have names that layers have too
        return table.get("OpCall")
    for cls in filter(is_builtin, type(layer).__mro__):  # a user's class may have the name of one of lamina's
        for kind in (cls.__name__, *sorted(vars(cls).get("_traits", ()))):
            if kind in table:
                return table[kind]
    return None


def sentences_about(fact: Fact) -> list[str]:
    """What the layer of a fact does. A class without a description is described by its own docstring.

    Args:
        fact: The call.
    """
    function = description_of(fact.layer)
    said = function(fact) if function is not None else _own_words(fact)
    if function is not None and not fact.is_builtin and not hasattr(fact.layer, "fit"):
        parent = next(cls.__name__ for cls in type(fact.layer).__mro__ if is_builtin(cls))
        said = [f"{fact.kind} is your own kind of {parent}, and may do more than is said here.", *said]
    return [sentence for sentence in (*said, *_of_any(fact)) if sentence]


def _own_words(fact):
    text = type(fact.layer).__doc__ or ""
    first = inspect.cleandoc(text).split("\n\n")[0].replace("\n", " ").strip()
    whose = "A layer of this kind of network" if fact.is_builtin else "A layer of your own"
    said = [f"{whose}{f': {first}' if first else '.'}"]
    if fact.inner:
        said.append("The layers that it calls follow; see its call method for what else it computes.")
    return said


def _of_any(fact):
    """What may hold for a layer of any kind: calls that share weights, penalties, LoRA, quantization."""
    layer = fact.layer
    if fact.uses > 1 and fact.count:
        yield f"Call {fact.use} of {fact.uses} of the same layer: the same weights, and gradients of all calls add up."
    penalties = [name for name in _REGULARIZERS if getattr(layer, f"{name}_regularizer", None) is not None]
    penalties = [] if fact.kind == "ActivityRegularization" else penalties
    if penalties:
        of = list_of("outputs" if name == "activity" else name for name in penalties)
        yield f"In training a penalty on its {of} is added to the loss (regularizer)."
    mode = getattr(layer, "quantization_mode", None)
    table = "table" if fact.has("embedding") else "kernel"
    if mode == "float8":
        yield f"Products with its {table} are computed in 8-bit floats (float8); the {table} keeps its precision."
    elif mode:
        yield f"Its {table} is quantized ({mode}), with scales that it is multiplied by when it is used."
    if getattr(layer, "lora_enabled", False):
        yield (
            f"LoRA of rank {layer.lora_rank}: the {table} itself is frozen; training changes the product of two "
            "narrow matrices, which is added to it."
        )


def weights_of(fact: Fact) -> str | None:
    """The number of weights as a sum of its parts, `784 x 32 kernel + 32 bias = 25,120 weights, all trained`; None
    where there are none.

    Args:
        fact: The call.
    """
    if not fact.count:
        return None
    total = f"{fact.count:,} weight{'s' * (fact.count > 1)}"
    parts = _sum(fact)
    kept = fact.count - fact.trainable_count
    if fact.trainable_count:
        state = f"{kept:,} of them not trained" if kept else "all trained"
    else:
        state = "none of them trained" if fact.layer.trainable else "all frozen"
    shared = f"; shared by its {fact.uses} calls" if fact.uses > 1 else ""
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
