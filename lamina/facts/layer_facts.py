"""The facts of a model, one for each call, from its graph or one trace. `explain`, `check` and `view` read them."""

from __future__ import annotations

import weakref
from typing import Any

from lamina.core import context, tree
from lamina.core.keras_tensor import KerasTensor, get_mask, trace
from lamina.core.node import node_of
from lamina.core.probes import without_probe_sizes
from lamina.core.registry import is_builtin
from lamina.errors import CallError
from lamina.facts.fact import Fact
from lamina.facts.receptive_field import receptive_fields
from lamina.layers.base import call_signature
from lamina.layers.base.layer import Layer

__all__ = ["facts_of"]


def facts_of(model: Any) -> list[Fact]:
    """A Fact for each call in the model, in the order in which data flows; those of models inside come after the call
    that holds them, with a greater depth.

    Args:
        model: Model that is built, or has a graph.

    Raises:
        CallError: The shapes of the model's inputs are not known yet.
    """
    facts = _of_graph(model, 0) if getattr(model, "_graph", None) is not None else _of_calls(model)
    calls = {}
    for fact in facts:
        calls.setdefault(fact.layer, []).append(fact)
    for same in calls.values():
        for use, fact in enumerate(same, start=1):
            fact.use, fact.uses = use, len(same)
    for fact, windows in receptive_fields(facts).items():
        fact.window = windows
    return facts


def _of_graph(model, depth, training=None):
    facts, made_by = [], {}
    graph = model._graph
    places = {id(tensor): place for place, tensor in enumerate(graph.input_tensors)}
    for node in graph.nodes:
        layer, tensors = node.operation, node.outputs
        fact = Fact(
            layer, [tensor.shape for tensor in node.tensors], [tensor.shape for tensor in tensors], model, depth,
            masked=any(get_mask(tensor) is not None for tensor in node.tensors),
            gives_mask=any(get_mask(tensor) is not None for tensor in tensors),
            training=node.kwargs.get("training") if training is None else training,
            arguments=(node.args, node.kwargs),
            reads=[places[id(tensor)] for tensor in node.tensors if id(tensor) in places],
        )  # fmt: skip
        _link(fact, [made_by.get(node_of(tensor)) for tensor in node.tensors if id(tensor) not in places])
        made_by[node] = fact
        facts.append(fact)
        if getattr(layer, "_graph", None) is not None:
            inner = _of_graph(layer, depth + 1, fact.training)
        else:
            inner = _inside(layer, fact) if _is_composite(layer) else []
        facts.extend(inner)
        fact.inner = [one for one in inner if one.depth == depth + 1]
    for place, tensor in enumerate(tree.flatten(graph.outputs)):
        if node_of(tensor) in made_by and id(tensor) not in places:
            made_by[node_of(tensor)].ends.append((place, tensor._keras_history.tensor_index))
    return facts


def _link(fact, sources):
    for source in sources:
        if source is not None and source not in fact.sources:
            fact.sources.append(source)
            source.receiver_refs.append(weakref.ref(fact))


def _is_composite(layer):
    """Whether a user wrote the layer and it calls layers inside."""
    return isinstance(layer, Layer) and not is_builtin(type(layer)) and bool(layer._layers)


def _inside(layer, fact):
    """The calls inside a user's layer; none where it cannot be traced with the arguments of its call."""
    args, kwargs = fact.arguments
    if any(getattr(leaf, "dtype", None) == "string" for leaf in tree.flatten([args, kwargs])):
        return []
    return _calls_in(layer, args, kwargs, fact.owner, fact.depth)


def _of_calls(model):
    """The calls of a model without a graph, found by tracing its `call` once."""
    if not model._build_shapes:
        raise CallError(
            f"{model.name} has not seen data yet, so the shapes of its inputs are not known.",
            fix="Call it once, model(x[:1]), or fit it; or begin it with a keras.Input.",
        )
    return _calls_in(model, tuple(model._symbolic_inputs()), {}, model, -1)


def _calls_in(layer, args, kwargs, owner, depth):
    """A Fact for each call inside a call of `layer`, which is `depth` deep, found by tracing it once."""
    calls = []  # (fact, what it took, what it gave), in order of their ends: layers inside come before those around
    runs: list[Any] = []

    def look(called, given, outputs):
        tensors, results = (
            [leaf for leaf in tree.flatten(part) if call_signature.is_tensor(leaf)] for part in (given, outputs)
        )
        if called is layer:
            runs.append((calls.copy(), tensors, results))
            calls.clear()
            return
        fact = Fact(
            called, [without_probe_sizes(tensor.shape) for tensor in tensors],
            [without_probe_sizes(result.shape) for result in results], owner, depth + 1,
            arguments=(tree.map_structure(_as_symbol, given), {}), training=context.current_call().training,
        )  # fmt: skip
        inside = set(called._flatten_layers(include_self=False))
        while calls and calls[-1][0].layer in inside:
            fact.inner.insert(0, calls.pop())
        calls.append((fact, tensors, results))

    with context.watching_layers(look):
        trace(layer._run, *args, **kwargs)
    facts = []
    if runs:  # open sizes are traced twice: either run will do
        made, taken, given = runs[0]
        _link_calls(made, taken, given, facts)
    return facts


def _link_calls(calls, taken, given, facts):
    """Link the calls of one run, and put them and those inside them in order: what holds others comes first."""
    made_by, places = {}, {id(tensor): place for place, tensor in enumerate(taken)}
    for fact, tensors, results in calls:
        _link(fact, [made_by.get(id(tensor), (None,))[0] for tensor in tensors])
        fact.reads = [places[id(tensor)] for tensor in tensors if id(tensor) in places]
        fact.whole = all(id(tensor) in places or id(tensor) in made_by for tensor in tensors)
        fact.masked = any(get_mask(tensor) is not None for tensor in tensors)
        fact.gives_mask = any(get_mask(result) is not None for result in results)
        made_by.update((id(result), (fact, index)) for index, result in enumerate(results))
        facts.append(fact)
        inner, fact.inner = fact.inner, []
        if not is_builtin(type(fact.layer)) or hasattr(fact.layer, "fit"):
            first = len(facts)
            _link_calls(inner, tensors, results, facts)
            for one in facts[first:]:
                one.depth += 1
                one.owner = fact.layer if one.owner is fact.owner else one.owner
            fact.inner = [one for one in facts[first:] if one.depth == fact.depth + 1]
    _note_ends(made_by, given)


def _note_ends(made_by, outputs):
    """Note which facts' outputs leave the model."""
    for place, result in enumerate(tree.flatten(outputs)):
        fact, index = made_by.get(id(result), (None, 0))
        if fact is not None:
            fact.ends.append((place, index))


def _as_symbol(leaf):
    return KerasTensor(without_probe_sizes(leaf.shape), leaf.dtype) if call_signature.is_tensor(leaf) else leaf
