"""The functional graph: operations, nodes that record their calls, and `Function`, from inputs to outputs."""

from __future__ import annotations

import builtins
import functools
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import jax

from lamina.core import context, tree
from lamina.core.arguments import shown
from lamina.core.configurable import Configurable
from lamina.core.keras_tensor import KerasTensor, is_symbolic, trace
from lamina.core.keywords import keywords, refuse_positional
from lamina.core.node import Node, node_of, readers_of
from lamina.core.read_limits import reserve_steps
from lamina.core.variable import unwrap
from lamina.errors import CallError, ConfigError, MissingMethodError, UnknownNameError

NO_LINE = re.compile("[\n\0\ud800-\udfff]")  # half a character and the end of a text cannot be written to files
NO_NAME = re.compile(f"/|{NO_LINE.pattern}")


class Operation(Configurable):
    """Base class of layers and ops, whose calls on symbolic tensors are recorded as nodes of a graph.

    Args:
        name: Name without "/"; None generates a unique one from the class name.
        *args, **kwargs: Not accepted; any argument raises an error.

    Raises:
        ConfigError: The name has a "/", several lines, or what no text in a file has, or an argument is unknown.
    """

    def __init__(self, name: str | None = None, *args: Any, **kwargs: Any) -> None:
        refuse_positional(type(self).__name__, args, ("name",))
        keywords(type(self).__name__, kwargs)
        if hasattr(name, "shape"):
            raise ConfigError(
                f"{type(self).__name__} got one tensor, and takes inputs and outputs.",
                fix="keras.Model(inputs=inputs, outputs=outputs)",
            )
        if name is not None and (not isinstance(name, str) or NO_NAME.search(name)):
            near, owner = NO_NAME.sub("_", str(name)), type(self).__name__
            layers = name if isinstance(name, (list, tuple)) else [name]
            if all(isinstance(one, Operation) for one in layers):
                raise ConfigError(
                    f"{owner} got layers, and takes inputs and outputs, which are tensors.",
                    fix=f"keras.Sequential([{', '.join(f'keras.layers.{one!r}' for one in layers)}])",
                )
            fix = f"name={near!r}" if isinstance(name, str) else "super().__init__()  # without the settings"
            raise ConfigError(f"A name is one line without '/'; {owner} got name={name!r}.", fix=fix)
        self.name: str = str(name) if name is not None else context.unique_name(context.stem_of(type(self)))
        self._inbound_nodes: list[Node] = []

    def record(self, outputs: Any, args: Any, kwargs: Any) -> Any:
        """Record a call of this operation as a node and return the outputs.

        Args:
            outputs: Symbolic outputs of the call.
            args, kwargs: Arguments of the call.
        """
        Node(self, args, kwargs, outputs)
        return outputs

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The computation of the operation on arrays. Subclasses must override this method."""
        raise MissingMethodError(f"{type(self).__name__} has no method `call`.", fix="def call(self, x):")

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The symbolic outputs for symbolic inputs, found by tracing `call`."""
        return trace(self.call, *args, **kwargs)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Call the operation on symbolic tensors, which creates a node of a graph."""
        return self.record(self.compute_output_spec(*args, **kwargs), args, kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`call` on arrays; on symbolic tensors `symbolic_call`."""
        if is_symbolic(args) or is_symbolic(kwargs):
            return self.symbolic_call(*args, **kwargs)
        call = self.call if getattr(self, "quantization_mode", None) is None else self.quantized_call
        return call(*unwrap(args), **unwrap(kwargs))

    @property
    def _function(self):
        """The function that a graph calls on arrays: `call` for an op, the layer itself for a layer."""
        return self.call

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """The same as `call`: weights of lamina handle their quantization themselves."""
        return self.call(*args, **kwargs)

    def rematerialized_call(self, layer_call: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """`layer_call` with rematerialization: the backward pass recomputes intermediate values instead of storing
        them."""
        return jax.checkpoint(layer_call)

    @property
    def input(self) -> Any:
        """The symbolic input of the first call, or a list of them in the order of the arguments."""
        return _one_or_list(self._first_node("input").tensors)

    @property
    def output(self) -> Any:
        """The symbolic output of the first call, or a list of them."""
        return _one_or_list(self._first_node("output").outputs)

    @property
    def _outbound_nodes(self):
        """The calls that take its outputs, as tools read them that draw or change models."""
        return readers_of(self)

    def _first_node(self, what):
        if not self._inbound_nodes:
            message = f"{self.name} has no {what} yet: it was never called on a symbolic tensor."
            raise UnknownNameError(message, lambda: ("", "layer(keras.Input(shape))"))
        return self._inbound_nodes[0]

    def get_input_at(self, node_index: int) -> Any:
        """The symbolic input of one call, or a list of them.

        Args:
            node_index: Index of the call, from 0.
        """
        return _one_or_list(self._inbound_nodes[node_index].tensors)

    def get_output_at(self, node_index: int) -> Any:
        """The symbolic output of one call, or a list of them.

        Args:
            node_index: Index of the call, from 0.
        """
        return _one_or_list(self._inbound_nodes[node_index].outputs)


class Function(Operation):
    """The part of a graph between inputs and outputs, as a single operation.

    Args:
        inputs: Symbolic tensors, or a nested structure of them.
        outputs: Symbolic tensors, or a nested structure of them.
        name: Name; None generates a unique one.

    Attributes:
        nodes: The nodes in execution order.
        operations: The operations in the order in which Keras lists the layers of a model: by depth from the
            inputs, and for equal depth in the order in which a traversal from the outputs reaches them.

    Raises:
        CallError: The outputs do not depend on these inputs alone, or a tensor is not symbolic.

    >>> import lamina as keras
    >>> x = keras.Input((2,))
    >>> keras.Function(x, 2 * x)(keras.ops.array([[1.0, 2.0]])).tolist()
    [[2.0, 4.0]]
    """

    inputs: Any = None
    outputs: Any = None
    operations: Any = None
    nodes: list[Node]
    depths: dict[Node, int]
    _repr_skips = frozenset(("inputs", "outputs"))
    _has_operations = True  # see core/program_settings.py

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self.inputs, self.outputs = inputs, outputs
        self.input_tensors: list[Any] = tree.flatten(inputs)
        self.output_tensors: list[Any] = tree.flatten(outputs)
        for tensor in (*self.input_tensors, *self.output_tensors):
            if not isinstance(tensor, KerasTensor) or not hasattr(tensor, "_keras_history"):
                sizes = tuple(getattr(tensor, "shape", ()))[1:] or (3,)
                if isinstance(tensor, Operation):
                    fix = f"x = keras.Input((3,)); keras.Model(inputs=x, outputs={tensor.name}(x))"
                else:
                    fix = f"keras.Input({sizes})"
                if tensor is builtins.input:
                    fix = "inputs = keras.Input((3,)); keras.Model(inputs, outputs): input is a function of Python."
                raise CallError(f"Inputs and outputs of a model are symbolic tensors; got {shown(tensor)}.", fix=fix)
        self.nodes, self.depths, self.operations = _sort(self.input_tensors, self.output_tensors, name)
        self._output_structure = tree.structure_of(outputs)
        self._made: list[Any] = [node.result for node in self.nodes]  # keeps tensors, and so their ids, as they are

    @functools.cached_property
    def has_inner_outputs(self) -> bool:
        """Whether an output is used to compute another, so that one may have a gradient with respect to it."""
        used = {id(tensor) for node in self.nodes for tensor in node.tensors}
        return any(id(tensor) in used for tensor in self.output_tensors)

    @property
    def input(self) -> Any:
        """The symbolic inputs."""
        return self.inputs

    @property
    def output(self) -> Any:
        """The symbolic outputs."""
        return self.outputs

    def call(self, inputs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Compute the outputs for other inputs.

        Args:
            inputs: Arrays in the structure of the symbolic inputs.
        """
        return self.run(tree.flatten(inputs), lambda operation, args, kwargs: operation(*args, **kwargs))

    __call__ = call

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs.

        Args:
            input_shape: Shape of the input, or a list of shapes.
        """
        shapes = input_shape if isinstance(input_shape, list) else [input_shape]
        symbols = [KerasTensor(shape, x.dtype) for shape, x in zip(shapes, self.input_tensors, strict=True)]
        return tree.map_structure(lambda tensor: tensor.shape, trace(self.call, symbols))

    def run(self, values: list[Any], apply: Callable[..., Any] | None = None) -> Any:
        """Compute the outputs for a list of input values. Each operation is called as `apply(operation, args, kwargs)`.
        Without `apply`, operations are called on arrays."""
        reserve_steps(len(self.nodes), self.name or "the graph")
        known = {id(tensor): value for tensor, value in zip(self.input_tensors, values, strict=True)}
        for node, made in zip(self.nodes, self._made, strict=True):
            args, kwargs = node.fill(known)
            operation = node.operation
            results = operation._function(*args, **kwargs) if apply is None else apply(operation, args, kwargs)
            results = [results] if isinstance(made, KerasTensor) else tree.flatten(results)
            for tensor, result in zip(tree.flatten(made), results, strict=True):
                known.setdefault(id(tensor), result)  # an inner tensor that is also an input keeps the input's value
        computed = [known[id(tensor)] for tensor in self.output_tensors]
        return tree.in_order_of(self.outputs, tree.unflatten(self._output_structure, computed))


def _one_or_list(tensors):
    return tensors[0] if len(tensors) == 1 else list(tensors)


def _sort(inputs, outputs, name):
    """(nodes in execution order, depth of each node, operations in Keras's order)."""
    met, finished = _walk(inputs, outputs, name)
    node_depth, operation_depth = {}, {}
    for node in reversed(finished):
        depth = max(node_depth.get(node, 0), operation_depth.get(node.operation, 0))
        node_depth[node] = operation_depth[node.operation] = depth
        if not _given(node, inputs):
            for parent in node.parent_nodes:
                node_depth[parent] = max(node_depth.get(parent, 0), depth + 1)
    for tensor in inputs:  # include inputs that no output depends on
        node = node_of(tensor)
        met.setdefault(node.operation, -1)
        node_depth.setdefault(node, 0)
        operation_depth.setdefault(node.operation, 0)
    by_depth = defaultdict(list)
    for node, depth in node_depth.items():
        by_depth[depth].append(node)
    order = {node: index for index, node in enumerate(finished)}
    deepest_first = sorted(node_depth, key=lambda node: (-node_depth[node], order.get(node, -1)))
    taken = {node.operation for node in node_depth if node.is_input or not _given(node, inputs)}
    operations = sorted(taken, key=lambda operation: (-operation_depth[operation], met[operation]))
    return [node for node in deepest_first if not _given(node, inputs)], node_depth, operations


def _given(node, inputs):
    """Whether a node need not be executed: it is an Input, or all its outputs are inputs of the function."""
    given = {id(tensor) for tensor in inputs}
    return node.is_input or all(id(tensor) in given for tensor in node.outputs)


def _walk(inputs, outputs, name):
    """Traverse depth first from the outputs. Returns (operation -> order of discovery, nodes with parents first)."""
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
                    is_swapped = tensor is output and not any(node_of(one).is_input for one in inputs)
                    fix = f"Add {node.operation.name} to Model(inputs=[...]), or call its first layer on a tensor that "
                    fix += "the model has, without another Input. Of another model: base(inputs), in place of "
                    fix += "base.output; or keras.Model(base.input, outputs)."
                    raise CallError(
                        f"The output {output.name} depends on the Input of shape {tensor.shape} of "
                        f"{node.operation.name!r}, which is not among the model's inputs.",
                        fix="keras.Model(outputs, inputs): swap the two." if is_swapped else fix,
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
