"""The part of a graph that text passes through. It runs in NumPy on the host, before the compiled program.

A compiled program computes with numbers. So the operations that read strings, and all operations before them, run on
the host: batch by batch, in a thread ahead of the step. The step takes their results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax

from lamina.core import tree
from lamina.core.keras_tensor import KerasTensor
from lamina.errors import ConfigError
from lamina.layers.base.layer import Layer
from lamina.models.inputs import fit_input

if TYPE_CHECKING:
    from lamina.core.graph import Function

__all__ = ["HostPart", "Prepared", "host_part"]


@jax.tree_util.register_pytree_node_class
class Prepared:
    """The results of the host, in place of the inputs of a model.

    Args:
        values: Arrays.
        inner: Prepared of each model inside that reads text itself.
    """

    def __init__(self, values: list[Any], inner: list[Any]):
        self.values, self.inner = values, inner

    def tree_flatten(self):
        """(children, static data), as JAX requires."""
        return (self.values, self.inner), None

    @classmethod
    def tree_unflatten(cls, _, children):
        """The Prepared of children, as JAX requires."""
        return cls(*children)


class HostPart:
    """A graph in two parts.

    Args:
        graph: Function between symbolic tensors.

    Attributes:
        nodes: Nodes that run on the host.
        rest: Nodes that run in the compiled program.
        cut: Tensors that the program takes from the host.
        mixed: Nodes of models and own layers inside that read text, which have two parts themselves.
    """

    def __init__(self, graph: Function):
        self.graph = graph
        reading = [node for node in graph.nodes if any(tensor.dtype == "string" for tensor in node.tensors)]
        self.mixed = [node for node in reading if _has_host_part(node)]
        inner = set(self.mixed)
        before = _before(reading, graph)
        wanted = before.union(node for node in reading if node not in inner)
        self.mixed: Any = [node for node in self.mixed if node not in wanted]
        self.nodes: Any = [node for node in graph.nodes if node in wanted]
        self.rest: Any = [node for node in graph.nodes if node not in wanted]
        self._refuse_weights()
        read = {id(tensor) for node in self.rest if node not in self.mixed for tensor in node.tensors}
        read.update(map(id, graph.output_tensors))
        made = [tensor for node in self.nodes for tensor in node.outputs]
        self.cut: list[Any] = [tensor for tensor in (*graph.input_tensors, *made) if id(tensor) in read]
        self._inputs = set(map(id, graph.input_tensors))

    def _refuse_weights(self):
        for node in self.nodes:
            if getattr(node.operation, "trainable_variables", None):
                raise ConfigError(
                    f"{node.operation.name} reads text, or precedes a layer that does, so it runs on the host; but it "
                    "has trainable weights, and only the compiled program trains weights.",
                    fix="Look the text up in a separate layer without weights, and freeze the layers before it.",
                )

    def prepare(self, values: list[Any]) -> Prepared:
        """Run the part on the host.

        Args:
            values: Inputs in the order of the graph.
        """
        known = {id(tensor): value for tensor, value in zip(self.graph.input_tensors, values, strict=True)}
        for node in self.nodes:
            _run(node, known, *node.fill(known))
        inner = []
        for node in self.mixed:
            (inputs,), _ = node.fill(known)
            drawn = _drawn(node)
            inner.append(
                node.operation._prepare(inputs) if drawn is None else host_part(drawn).prepare(tree.flatten(inputs))
            )
        return Prepared([known[id(tensor)] for tensor in self.cut], inner)

    def prepared(self, values: list[Any]) -> Prepared:
        """What `prepare` gives, of a program that computes the values of `cut` itself.

        Args:
            values: Values of `cut`.
        """
        return Prepared(values, [])

    def finish(self, prepared: Prepared, model: Any) -> Any:
        """Run the rest; returns the outputs of the model.

        Args:
            prepared: Results of the host.
            model: Model of the graph, for errors.
        """
        values = zip(self.cut, prepared.values, strict=True)
        known = {id(t): fit_input(value, t, model) if id(t) in self._inputs else value for t, value in values}
        inner = dict(zip(self.mixed, prepared.inner, strict=True))
        for node in self.rest:
            args, kwargs = ((inner[node],), node.kwargs) if node in inner else node.fill(known)
            if node in inner and _drawn(node) is not None:
                results = host_part(_drawn(node)).finish(inner[node], node.operation)
                known.update(zip(map(id, node.outputs), tree.flatten(results), strict=True))
            else:
                _run(node, known, args, kwargs)
        outputs, computed = self.graph.outputs, [known[id(tensor)] for tensor in self.graph.output_tensors]
        return tree.in_order_of(outputs, tree.unflatten(tree.structure_of(outputs), computed))


def host_part(graph: Any) -> Any:
    """The HostPart of a graph, computed once; None for a graph without text.

    Args:
        graph: Function between symbolic tensors.
    """
    try:
        return graph.host_part
    except AttributeError:
        reads = any(tensor.dtype == "string" for node in graph.nodes for tensor in node.tensors)
        graph.host_part = HostPart(graph) if reads else None
        return graph.host_part


def _has_host_part(node):
    """Whether a node is a call of a model with a host part, on its inputs alone."""
    alone = len(node.args) == 1 and not any(isinstance(leaf, KerasTensor) for leaf in tree.flatten(node.kwargs))
    inner = getattr(node.operation, "_graph", None) or _drawn(node)
    return alone and inner is not None and host_part(inner) is not None


def _drawn(node):
    """The graph of a user's layer that reads text, see `layers.base.output_specs`; None for every other operation."""
    return vars(node.operation).get("_text_graph")


def _before(nodes, graph):
    """All nodes of the graph on which these nodes depend."""
    makers = {id(tensor): node for node in graph.nodes for tensor in node.outputs}
    found, waiting = set(), list(nodes)
    while waiting:
        parents = {makers[id(tensor)] for tensor in waiting.pop().tensors if id(tensor) in makers}
        waiting.extend(parents - found)
        found |= parents
    return found


def _run(node, known, args, kwargs):
    operation = node.operation
    results = operation(*args, **kwargs) if isinstance(operation, Layer) else operation.call(*args, **kwargs)
    results = [results] if isinstance(node.result, KerasTensor) else tree.flatten(results)
    for tensor, result in zip(node.outputs, results, strict=True):
        known.setdefault(id(tensor), result)
