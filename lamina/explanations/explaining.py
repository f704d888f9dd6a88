"""`explain`: the sentences about each layer and the answers about the whole, as one Explanation."""

from __future__ import annotations

import inspect
from typing import Any

from lamina.errors import CallError, LaminaError
from lamina.explanations import basic_layers, image_layers, noise_layers, op_calls, other_layers, sequence_layers
from lamina.explanations.activity import activity_of
from lamina.explanations.class_explanation import class_explanation
from lamina.explanations.descriptions import Once, sentences_about, weights_of
from lamina.explanations.explanation import Explanation, LayerExplanation
from lamina.explanations.model_answers import answers_about, title_of
from lamina.explanations.without_model import example_layer, example_model
from lamina.facts.fact import Fact
from lamina.facts.layer_facts import facts_of
from lamina.facts.words import shapes_of
from lamina.layers.base.layer import Layer
from lamina.spelling.nearest import nearest

__all__ = ["explain"]

_DESCRIBING = (basic_layers, image_layers, noise_layers, op_calls, other_layers, sequence_layers)  # fill DESCRIPTIONS


def explain(model: Any, what: Any = None) -> Explanation:
    """An Explanation of a model: all of it, one layer, or all of it with the outputs of its layers for real data.

    Args:
        model: Model; or a layer, on inputs that stand for those of a model; or a class of layers, losses, metrics,
            optimizers and the like, or one of the activation functions: what it computes, its arguments, shapes, an
            example with numbers, and what to look out for.
        what: Name of a layer, or a layer, to explain it alone; a batch of inputs, as the model takes them, to add what
            the layers return for it; None explains all layers.

    Raises:
        CallError: The model is not built, or has no layer of that name.

    >>> import lamina as keras
    >>> print(explain(keras.losses.MeanSquaredError).answers[-1])
    What to look out for?
        A few outliers dominate it; MeanAbsoluteError and Huber are milder. Not for
          classes.
    >>> model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(32, activation="relu", name="dense")])
    >>> print(explain(model)["dense"].weights)
    784 x 32 kernel + 32 bias = 25,120 weights, all trained
    """
    if inspect.isclass(model) or inspect.isfunction(model):
        return class_explanation(model, _layer_of_class(model))
    if not isinstance(model, Layer):
        return class_explanation(type(model))
    if not hasattr(model, "layers"):
        return _example(model)
    facts = facts_of(model)
    shown = [*_inputs(model), *facts]
    chosen = _chosen(model, shown, what)
    if chosen is not None:
        return Explanation(f"{chosen[0].name} in {model.name}", _layers(chosen, {}), [])
    seen = {} if what is None else activity_of(model, what)
    return Explanation(title_of(model, facts), _layers(shown, seen), answers_about(model, facts))


def _layer_of_class(cls):
    """What an example of a class of layers does; None where there is none."""
    if not inspect.isclass(cls) or not issubclass(cls, Layer):
        return None
    try:
        return _example(example_layer(cls)).layers[0]
    except (LaminaError, TypeError, ValueError, NotImplementedError):
        return None


def _example(layer):
    """The Explanation of a layer without a model."""
    model = example_model(layer)
    (fact,) = [fact for fact in facts_of(model) if type(fact.layer) is type(layer)]
    shapes = ", ".join(map(str, fact.inputs))
    return Explanation(f"{layer!r}, on inputs of shape {shapes} as an example", _layers([fact], {}), [])


def _inputs(model):
    """A Fact for each Input of a graph."""
    if getattr(model, "_graph", None) is None:
        return []
    return [Fact(tensor._keras_history.operation, [], [tensor.shape], model) for tensor in model.inputs]


def _chosen(model, facts, what):
    """The facts of the layer that is asked for; None where none is."""
    if isinstance(what, str):
        found = [fact for fact in facts if fact.name == what]
    elif hasattr(what, "count_params") or hasattr(what, "_inbound_nodes"):
        found = [fact for fact in facts if fact.layer is what]
    else:
        return None
    if not found:
        names, name = list(dict.fromkeys(fact.name for fact in facts)), str(getattr(what, "name", what))
        near = nearest(name, names, 1) or names
        some = ", ".join(names if len(names) <= 20 else [*names[:19], "..."])
        raise CallError(f"{model.name} calls no layer {name!r}. It calls: {some}.", fix=f"model.explain({near[0]!r})")
    return found


def _layers(facts, seen):
    said = set()
    return [_layer(fact, seen.get((fact.layer, fact.use), []), said) for fact in facts]


def _layer(fact, activity, said):
    sentences = []
    for sentence in sentences_about(fact):
        key = getattr(sentence, "key", None)
        if key is None or key not in said:
            sentences.append(str(sentence))
        if isinstance(sentence, Once):
            said.add(key)
    operations = None
    if fact.flops and not fact.inner:
        each = ", open sizes counted as 1" if any(None in shape[1:] for shape in fact.inputs) else ""
        operations = f"{fact.flops:,} operations per sample{each}"
    return LayerExplanation(
        fact.name, fact.kind, shapes_of(fact), [*sentences, *activity], weights_of(fact), operations, fact.depth
    )
