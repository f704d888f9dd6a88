"""The functional graph: operations, nodes that record their calls, and `Function`, which runs from input to output."""

from collections import defaultdict, namedtuple
from typing import Any

import jax

from lamina.core import context, tree
from lamina.core.keras_tensor import KerasTensor, trace
from lamina.core.keywords import keywords, refuse_positional
from lamina.core.read_limits import reserve_steps
from lamina.errors import CallError, ConfigError

History = namedtuple("History", "operation node_index tensor_index")


class Operation:
    """What can be a node of a graph: a layer, or one use of an op. `name` is unique unless it is given."""

    def __init__(self, name=None, *args, **kwargs):
        refuse_positional(type(self).__name__, args, ("name",))
        keywords(type(self).__name__, kwargs)
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ConfigError(f"A name is a string without '/'; {type(self).__name__} got name={name!r}.")
        self.name = str(name) if name is not None else context.unique_name(context.stem_of(type(self)))
        self._inbound_nodes = []

    def record(self, outputs, args, kwargs):
        """Write down that this operation, called with (args, kwargs), gave `outputs`; return the outputs."""
        Node(self, args, kwargs, outputs)
        return outputs

    def call(self, *args, **kwargs):
        """What the operation computes."""
        raise NotImplementedError(f"{type(self).__name__} has no `call`. Write call(self, ...).")

    def compute_output_spec(self, *args, **kwargs):
        """Symbolic outputs for symbolic inputs, by tracing `call`."""
        return trace(self.call, *args, **kwargs)

    def symbolic_call(self, *args, **kwargs):
        """A call on symbolic tensors: a node of a graph."""
        return self.record(self.compute_output_spec(*args, **kwargs), args, kwargs)

    @property
    def _function(self):
        """What a graph calls on arrays: `call` of an op, a layer itself."""
        return self.call

    def quantized_call(self, *args, **kwargs):
        """`call` on quantized weights. Here weights know what they are, and `call` is the same for all."""
        return self.call(*args, **kwargs)

    def rematerialized_call(self, layer_call, *args, **kwargs):
        """`layer_call`, computed again in the backward pass instead of keeping what it computed."""
        return jax.checkpoint(layer_call)

    def get_config(self):
        """What it is made from: its name, where no class beside this one knows more."""
        known: Any = super()
        return known.get_config() if hasattr(known, "get_config") else {"name": self.name}

    @classmethod
    def from_config(cls, config):
        """One made from a config."""
        known: Any = super()
        return known.from_config(config) if hasattr(known, "from_config") else cls(**config)

    @property
    def input(self):
        """The symbolic inputs of the first call."""
        return self._first_node("input").inputs

    @property
    def output(self):
        """The symbolic outputs of the first call."""
        return self._first_node("output").outputs

    def _first_node(self, what):
        if not self._inbound_nodes:
            raise AttributeError(f"{self.name} has no {what} yet: it was never called on a symbolic tensor.")
        return self._inbound_nodes[0]

    def get_input_at(self, node_index):
        """The symbolic inputs of call number `node_index`."""
        return self._inbound_nodes[node_index].inputs

    def get_output_at(self, node_index):
        """The symbolic outputs of call number `node_index`."""
        return self._inbound_nodes[node_index].outputs


class Node:
    """One call of an operation: its arguments with symbolic tensors in them, and its symbolic outputs."""

    __slots__ = ("args", "kwargs", "leaves", "operation", "outputs", "places", "simple", "tensors", "treedef")

    def __init__(self, operation, args, kwargs, outputs):
        self.operation, self.args, self.kwargs, self.outputs = operation, args, kwargs, outputs
        self.leaves, self.treedef = jax.tree_util.tree_flatten((args, kwargs))
        self.places = [index for index, leaf in enumerate(self.leaves) if isinstance(leaf, KerasTensor)]
        self.tensors = [self.leaves[index] for index in self.places]
        self.simple = len(args) == 1 and not kwargs and isinstance(args[0], KerasTensor)
        if not all(hasattr(tensor, "_keras_history") for tensor in self.tensors):
            return  # on a KerasTensor of the user's own: the shapes are known, but no model can be drawn from it
        for index, output in enumerate(tree.flatten(outputs)):
            output._keras_history = History(operation, len(operation._inbound_nodes), index)
        operation._inbound_nodes.append(self)

    @property
    def inputs(self):
        """The first argument if it is all, else the list of symbolic tensors."""
        if len(self.args) == 1 and len(self.tensors) == len(tree.flatten(self.args[0])):
            return self.args[0]
        return self.tensors[0] if len(self.tensors) == 1 else self.tensors

    @property
    def is_input(self):
        return not self.tensors

    @property
    def parents(self):
        return [node_of(tensor) for tensor in self.tensors]

    def fill(self, values):
        """(args, kwargs) with the values of the symbolic tensors in their places."""
        if self.simple:
            return (values[id(self.tensors[0])],), {}
        leaves = list(self.leaves)
        for index, tensor in zip(self.places, self.tensors, strict=True):
            leaves[index] = values[id(tensor)]
        return jax.tree_util.tree_unflatten(self.treedef, leaves)


def node_of(tensor):
    """The node that made a symbolic tensor."""
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]


class Function(Operation):
    """The part of a graph between `inputs` and `outputs` (structures of KerasTensors), ready to run as one operation.

    `nodes` is in running order; `operations` in the order Keras lists a model's layers: by depth from the inputs, and
    within one depth in the order in which a walk from the outputs met them.

    >>> import lamina as keras
    >>> x = keras.Input((2,))
    >>> keras.Function(x, 2 * x)(keras.ops.array([[1.0, 2.0]])).tolist()
    [[2.0, 4.0]]
    """

    inputs: Any = None
    outputs: Any = None
    operations: Any = None

    def __init__(self, inputs, outputs, name=None):
        super().__init__(name=name)
        self.inputs, self.outputs = inputs, outputs
        self.input_tensors, self.output_tensors = tree.flatten(inputs), tree.flatten(outputs)
        for tensor in (*self.input_tensors, *self.output_tensors):
            if not isinstance(tensor, KerasTensor) or not hasattr(tensor, "_keras_history"):
                raise CallError(
                    f"The inputs and outputs of a model are symbolic tensors; got {tensor!r}.",
                    fix="Make inputs with keras.Input(shape=...), outputs by calling layers on them.",
                )
        self.nodes, self.depths, self.operations = _sort(self.input_tensors, self.output_tensors, name)
        self._output_structure = tree.structure_of(outputs)

    @property
    def input(self):
        """Its symbolic inputs."""
        return self.inputs

    @property
    def output(self):
        """Its symbolic outputs."""
        return self.outputs

    def call(self, inputs):
        """The outputs for `inputs` of the structure that it was made with."""
        return self.run(tree.flatten(inputs), lambda operation, args, kwargs: operation(*args, **kwargs))

    __call__ = call

    def compute_output_shape(self, input_shape):
        """The shapes of the outputs for inputs of these shapes."""
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        symbols = [KerasTensor(shape, x.dtype) for shape, x in zip(shapes, self.input_tensors, strict=True)]
        return tree.map_structure(lambda tensor: tensor.shape, trace(self.call, symbols))

    def run(self, values, apply=None):
        """Outputs for a list of input values. Each operation is called as `apply(operation, args, kwargs)`; without
        `apply`, as on arrays."""
        reserve_steps(len(self.nodes), self.name or "the graph")
        known = {id(tensor): value for tensor, value in zip(self.input_tensors, values, strict=True)}
        for node in self.nodes:
            args, kwargs = node.fill(known)
            operation = node.operation
            results = operation._function(*args, **kwargs) if apply is None else apply(operation, args, kwargs)
            results = [results] if isinstance(node.outputs, KerasTensor) else tree.flatten(results)
            for tensor, result in zip(tree.flatten(node.outputs), results, strict=True):
                known.setdefault(id(tensor), result)  # an inner tensor given as an input stays what was given
        return tree.unflatten(self._output_structure, [known[id(tensor)] for tensor in self.output_tensors])


def _sort(inputs, outputs, name):
    """(nodes to run in order, depth of each node, operations in Keras's order)."""
    met, finished = _walk(inputs, outputs, name)
    node_depth, operation_depth = {}, {}
    for node in reversed(finished):
        depth = max(node_depth.get(node, 0), operation_depth.get(node.operation, 0))
        node_depth[node] = operation_depth[node.operation] = depth
        if not _given(node, inputs):
            for parent in node.parents:
                node_depth[parent] = max(node_depth.get(parent, 0), depth + 1)
    for tensor in inputs:  # an input that no output needs is still the model's
        node = node_of(tensor)
        met.setdefault(node.operation, -1)
        node_depth.setdefault(node, 0)
        operation_depth.setdefault(node.operation, 0)
    by_depth = defaultdict(list)
    for node, depth in node_depth.items():
        by_depth[depth].append(node)
    order = {node: index for index, node in enumerate(finished)}
    deepest_first = sorted(node_depth, key=lambda node: (-node_depth[node], order.get(node, -1)))
    operations = sorted(operation_depth, key=lambda operation: (-operation_depth[operation], met[operation]))
    return [node for node in deepest_first if not _given(node, inputs)], node_depth, operations


def _given(node, inputs):
    """Whether a node need not run: an Input, or one whose outputs are all given as inputs."""
    given = {id(tensor) for tensor in inputs}
    return node.is_input or all(id(tensor) in given for tensor in tree.flatten(node.outputs))


def _walk(inputs, outputs, name):
    """Depth first from the outputs: (operation -> order of meeting, nodes with parents before children)."""
    given = {id(tensor) for tensor in inputs}
    met, finished, done, open_nodes = {}, [], set(), set()
    for output in outputs:
        stack: list = [(output, None)]
        while stack:
            tensor, parents = stack.pop()
            node = node_of(tensor)
            if parents is None:
                if node in done:
                    continue
                if node in open_nodes:
                    raise CallError(f"The graph of {name or 'the model'} has a cycle at {node.operation.name}.")
                met.setdefault(node.operation, len(met))
                if node.is_input and id(tensor) not in given:
                    raise CallError(
                        f"The output {output.name} depends on the Input {tensor!r} of {node.operation.name!r}, "
                        "which is not among the model's inputs.",
                        fix="Add it to Model(inputs=[...], outputs=...).",
                    )
                open_nodes.add(node)
                parents = iter(()) if node.is_input or id(tensor) in given else iter(node.tensors)
            parent = next(parents, None)
            if parent is not None:
                stack.append((tensor, parents))
                stack.append((parent, None))
            else:
                open_nodes.discard(node)
                done.add(node)
                finished.append(node)
    return met, finished
