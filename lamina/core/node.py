"""The nodes of the functional graph: which operation was called with which symbolic tensors."""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

import jax

from lamina.core import tree
from lamina.core.kept import Kept
from lamina.core.keras_tensor import KerasTensor

__all__ = ["History", "MadeByHand", "Node", "get_source_inputs", "is_made_by_hand", "node_of", "readers_of"]


class History(NamedTuple):
    """The origin of a symbolic tensor: an operation, the index of its call, and the index of the output."""

    operation: Any
    node_index: int
    tensor_index: int


class Arguments(NamedTuple):
    """The arguments of a call, and the symbolic tensors among them."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    keras_tensors: list[Any]


_READERS: weakref.WeakKeyDictionary[Any, list[weakref.ref[Node]]] = weakref.WeakKeyDictionary()  # of an operation


class Node:
    """One call of an operation: its arguments, including symbolic tensors, and its symbolic outputs.

    Args:
        operation: The operation that was called.
        call_args, call_kwargs: Arguments of the call.
        outputs: Symbolic outputs.
    """

    __slots__ = (
        "__weakref__", "_operation", "_outputs", "_structure", "args", "index", "kwargs", "leaves", "places", "simple",
        "tensors", "treedef",
    )  # fmt: skip
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    leaves: list[Any]
    treedef: Any
    places: list[int]
    tensors: list[Any]
    simple: bool

    index: int

    def __init__(self, operation: Any, call_args: Any = (), call_kwargs: Any = None, outputs: Any = None) -> None:
        args, kwargs = call_args, call_kwargs or {}
        self._operation, self.args, self.kwargs = weakref.ref(operation), args, kwargs
        self._structure, made = tree.structure_of(outputs), tree.flatten(outputs)
        self._outputs, self.index = list(map(Kept, made)), len(operation._inbound_nodes)
        self.leaves, self.treedef = jax.tree_util.tree_flatten((args, kwargs))
        self.places = [index for index, leaf in enumerate(self.leaves) if isinstance(leaf, KerasTensor)]
        self.tensors = [self.leaves[index] for index in self.places]
        self.simple = len(args) == 1 and not kwargs and isinstance(args[0], KerasTensor)
        by_hand = [tensor for tensor in self.tensors if not hasattr(tensor, "_keras_history")]
        if by_hand and hasattr(operation, "add_weight"):
            return  # a layer that is only asked for a shape: it has no inputs and outputs from that
        for tensor in by_hand:
            MadeByHand(tensor)
        for index, output in enumerate(made):
            output._keras_history = History(operation, self.index, index)
        operation._inbound_nodes.append(self)
        for tensor in self.tensors:
            _READERS.setdefault(tensor._keras_history.operation, []).append(weakref.ref(self))

    def __getstate__(self) -> Any:
        return {name: self.operation if name == "_operation" else getattr(self, name) for name in self.__slots__[1:]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, weakref.ref(value) if name == "_operation" else value)

    @property
    def operation(self) -> Any:
        """The operation that was called. It has this node, so the node refers to it weakly, and to the outputs, whose
        history is the operation, as `Kept`."""
        return self._operation()

    @property
    def result(self) -> Any:
        """The symbolic outputs, in the structure that the operation returned."""
        return tree.unflatten(self._structure, self.outputs)

    @property
    def inputs(self) -> Any:
        """The first argument if it contains all symbolic tensors, otherwise a list of the tensors."""
        if len(self.args) == 1 and len(self.tensors) == len(tree.flatten(self.args[0])):
            return self.args[0]
        return self.tensors[0] if len(self.tensors) == 1 else self.tensors

    @property
    def is_input(self) -> bool:
        """Whether the node is an Input."""
        return not self.tensors

    @property
    def parent_nodes(self) -> list[Node]:
        """The nodes that produced the inputs."""
        return [node_of(tensor) for tensor in self.tensors]

    @property
    def input_tensors(self) -> list[Any]:
        """The symbolic tensors among the arguments."""
        return list(self.tensors)

    @property
    def outputs(self) -> list[Any]:
        """The symbolic outputs in a list."""
        made = enumerate(self._outputs)
        return [kept.get(_keras_history=History(self.operation, self.index, place)) for place, kept in made]

    output_tensors = outputs

    @property
    def arguments(self) -> Arguments:
        """The arguments of the call."""
        return Arguments(self.args, self.kwargs, self.input_tensors)

    def fill(self, values: dict[int, Any]) -> Any:
        """(args, kwargs) with values in place of symbolic tensors.

        Args:
            values: Values by the id of the symbolic tensor they replace.
        """
        if self.simple:
            return (values[id(self.tensors[0])],), {}
        leaves = list(self.leaves)
        for index, tensor in zip(self.places, self.tensors, strict=True):
            leaves[index] = values[id(tensor)]
        return jax.tree_util.tree_unflatten(self.treedef, leaves)


class MadeByHand:
    """The origin of a KerasTensor that an op met and that no operation had made.

    Args:
        tensor: The tensor.
    """

    def __init__(self, tensor: Any) -> None:
        self.name: str = tensor.name
        self._inbound_nodes: list[Node] = []
        Node(self, (), {}, tensor)


def is_made_by_hand(tensor: Any) -> bool:
    """Whether no operation made a symbolic tensor.

    Args:
        tensor: Symbolic tensor.
    """
    return not hasattr(tensor, "_keras_history") or isinstance(tensor._keras_history.operation, MadeByHand)


def readers_of(operation: Any) -> list[Node]:
    """The nodes that take outputs of an operation, once for each output they take.

    Args:
        operation: Operation.
    """
    return [node for reader in _READERS.get(operation, ()) if (node := reader()) is not None]


def node_of(tensor: Any) -> Node:
    """The node that produced a symbolic tensor.

    Args:
        tensor: Symbolic tensor.
    """
    operation, index, _ = tensor._keras_history
    return operation._inbound_nodes[index]


def get_source_inputs(tensor: KerasTensor) -> Any:
    """The list of the Inputs that a symbolic tensor depends on, in the order in which the search meets them.

    Args:
        tensor: Symbolic tensor. Any other value is returned as it is.

    >>> import lamina as keras
    >>> x = keras.Input((3,))
    >>> get_source_inputs(keras.layers.Dense(2)(x))[0] is x
    True
    """
    if not hasattr(tensor, "_keras_history"):
        return tensor
    sources, seen, stack = [], set(), [tensor]
    while stack:
        node = node_of(stack.pop())
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.is_input:
            sources.extend(node.outputs)
        stack.extend(reversed(node.tensors))
    return sources
