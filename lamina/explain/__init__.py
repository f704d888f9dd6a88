"""`model.explain()`: what each layer does to the data, in sentences with this model's own numbers."""

from lamina.errors import CallError
from lamina.explain import basic_layers, image_layers, other_layers, sequence_layers
from lamina.explain.activity import activity_of
from lamina.explain.explanation import Answer, Explanation, LayerExplanation
from lamina.explain.facts import Fact, facts_of
from lamina.explain.model_answers import answers_about, title_of
from lamina.explain.table import sentences_about, weights_of
from lamina.explain.words import shapes_of

__all__ = ["Answer", "Explanation", "Fact", "LayerExplanation", "explain", "facts_of"]

_SPEAKERS = (basic_layers, image_layers, other_layers, sequence_layers)  # they fill the table as they are read


def explain(model, what=None):
    """An Explanation of a model: all of it, one layer, or all of it with what the layers make of real data.

    Args:
        what: None; the name of a layer (or a layer); or a batch of inputs.

    Raises:
        CallError: when the model is not built, or has no layer of that name.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(32, activation="relu", name="dense")])
    >>> print(explain(model)["dense"].weights)
    784 x 32 kernel + 32 bias = 25,120 weights, all trained
    """
    facts = facts_of(model)
    name = what if isinstance(what, str) else getattr(what, "name", None) if hasattr(what, "count_params") else None
    if name is not None:
        facts = [fact for fact in facts if fact.name == name]
        if not facts:
            names = ", ".join(dict.fromkeys(layer.name for layer in model._flatten_layers(include_self=False)))
            raise CallError(f"{model.name} has no layer {name!r}.", fix=f"It has: {names}.")
        return Explanation(f"{name} in {model.name}", [_layer(fact, []) for fact in facts], [])
    seen = {} if what is None else activity_of(model, what)
    layers = [_layer(fact, seen.get((fact.name, fact.use), [])) for fact in facts]
    return Explanation(title_of(model, facts), layers, answers_about(model, facts))


def _layer(fact, activity):
    sentences = [*sentences_about(fact), *activity]
    if fact.flops:
        sentences.append(f"{fact.flops:,} operations a sample.")
    return LayerExplanation(fact.name, fact.kind, shapes_of(fact), sentences, weights_of(fact), fact.depth)
