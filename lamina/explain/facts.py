"""What is true of a model's layers as it stands: shapes, sources, weights, masks, cost. Explanations are written from
these facts, and from nothing else."""

import dataclasses
import functools
import math
from typing import Any

from lamina.core import context, tree
from lamina.core.graph import node_of
from lamina.core.symbolic import KerasTensor, get_mask, trace, without_stand_ins
from lamina.errors import CallError
from lamina.explain.cost import flops_of
from lamina.explain.receptive_field import receptive_fields
from lamina.layers import arguments
from lamina.layers.layer import Layer
from lamina.layers.shapes import symbols_of

__all__ = ["Fact", "facts_of"]


@dataclasses.dataclass(eq=False)
class Fact:
    """One call of one layer (or op) in a model.

    Attributes:
        layer: the layer or operation; `name` and `kind` (its class) as a reader knows them.
        inputs, outputs: shapes, None for the batch and other open sizes.
        sources, receivers: the facts that the inputs come from, and that take the outputs.
        use, uses: this is call number `use` (from 1) of `uses` calls of the layer.
        masked: whether a mask comes in; `gives_mask`: whether one goes out.
        flops: for one sample, counted when first asked; None where they could not be; open sizes count as one.
        window: the receptive field along each spatial axis, None where there is none.
        depth: how many models it is nested in; `owner`: the innermost of them.
    """

    layer: Any
    inputs: list
    outputs: list
    owner: Any
    depth: int = 0
    sources: list = dataclasses.field(default_factory=list)
    receivers: list = dataclasses.field(default_factory=list)
    use: int = 1
    uses: int = 1
    masked: bool = False
    gives_mask: bool = False
    window: tuple | None = None
    inner: list = dataclasses.field(default_factory=list, repr=False)
    arguments: tuple | None = dataclasses.field(default=None, repr=False)

    @functools.cached_property
    def flops(self):
        if self.inner:
            return sum(fact.flops or 0 for fact in self.inner)
        return None if self.arguments is None else flops_of(self.layer, *self.arguments)

    @property
    def name(self):
        return self.layer.name

    @property
    def kind(self):
        return type(self.layer).__name__

    @property
    def input(self):
        """The shape of the first input; () where there is none."""
        return self.inputs[0] if self.inputs else ()

    @property
    def output(self):
        """The shape of the first output."""
        return self.outputs[0] if self.outputs else ()

    @property
    def weights(self):
        return list(getattr(self.layer, "weights", []))

    @property
    def count(self):
        """How many numbers its weights hold."""
        return sum(weight.size for weight in self.weights)

    @property
    def trainable_count(self):
        return sum(weight.size for weight in getattr(self.layer, "trainable_weights", []))

    @property
    def values(self):
        """How many numbers one sample's outputs hold; open sizes count as one."""
        return sum(math.prod(size or 1 for size in shape[1:]) for shape in self.outputs)

    @property
    def is_input(self):
        return self.kind == "InputLayer"

    def is_a(self, *names):
        """Whether its class, or one that it comes from, has one of these names."""
        return any(cls.__name__ in names for cls in type(self.layer).__mro__)


def facts_of(model):
    """A Fact for each call in the model, in the order in which data flows; those of models inside come after the call
    that holds them, with a greater depth.

    Raises:
        CallError: when the shapes of the model's inputs are not known yet.
    """
    facts = _of_graph(model, 0) if getattr(model, "_graph", None) is not None else _of_calls(model)
    for fact, windows in receptive_fields(facts).items():
        fact.window = windows
    return facts


def _of_graph(model, depth):
    facts, made_by, seen = [], {}, {}
    uses = {}
    for node in model._graph.nodes:
        uses[node.operation] = uses.get(node.operation, 0) + 1
    for node in model._graph.nodes:
        layer = node.operation
        seen[layer] = seen.get(layer, 0) + 1
        tensors = tree.flatten(node.outputs)
        fact = Fact(
            layer, [tensor.shape for tensor in node.tensors], [tensor.shape for tensor in tensors], model, depth,
            use=seen[layer], uses=uses[layer],
            masked=any(get_mask(tensor) is not None for tensor in node.tensors),
            gives_mask=any(get_mask(tensor) is not None for tensor in tensors),
        )  # fmt: skip
        for tensor in node.tensors:
            source = made_by.get(node_of(tensor))
            if source is not None and source not in fact.sources:
                fact.sources.append(source)
                source.receivers.append(fact)
        made_by[node] = fact
        facts.append(fact)
        if getattr(layer, "_graph", None) is not None:
            inner = _of_graph(layer, depth + 1)
            facts.extend(inner)
            fact.inner = [one for one in inner if one.depth == depth + 1]
        elif isinstance(layer, Layer) and node.tensors:
            fact.arguments = (node.args, node.kwargs)
    return facts


def _of_calls(model):
    """Of a model without a graph: what its `call` calls, seen by tracing it once."""
    if not model._build_shapes:
        raise CallError(
            f"{model.name} has not seen data yet, so the shapes of its inputs are not known.",
            fix="Call it once, model(x[:1]), or fit it; or build a functional model from keras.Input.",
        )
    facts, made_by, uses, alive = [], {}, {}, []

    def look(layer, args, outputs):
        if layer is model:
            return
        uses[layer] = uses.get(layer, 0) + 1
        tensors, results = (
            [leaf for leaf in tree.flatten(part) if arguments.is_tensor(leaf)] for part in (args, outputs)
        )
        symbols = tree.map_structure(_as_symbol, args)
        fact = Fact(
            layer, [without_stand_ins(tensor.shape) for tensor in tensors],
            [without_stand_ins(result.shape) for result in results], model, use=uses[layer], arguments=(symbols, {}),
            masked=any(get_mask(tensor) is not None for tensor in tensors),
            gives_mask=any(get_mask(result) is not None for result in results),
        )  # fmt: skip
        for source in (made_by.get(id(tensor)) for tensor in tensors):
            if source is not None and source not in fact.sources:
                fact.sources.append(source)
                source.receivers.append(fact)
        made_by.update((id(result), fact) for result in results)
        alive.append(results)  # so that no other tensor gets the id of one of them
        facts.append(fact)

    symbols = [symbols_of(shape, model.input_dtype) for shape in model._build_shapes.values()]
    with context.watching_layers(look):
        trace(model._run, *symbols)
    if any(None in tensor.shape for tensor in tree.flatten(symbols)):
        del facts[len(facts) // 2 :]  # tracing with open sizes runs twice
    for fact in facts:
        fact.uses = sum(other.layer is fact.layer for other in facts)
    return facts


def _as_symbol(leaf):
    return KerasTensor(without_stand_ins(leaf.shape), leaf.dtype) if arguments.is_tensor(leaf) else leaf
