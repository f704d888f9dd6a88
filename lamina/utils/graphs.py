"""The inputs that a symbolic tensor depends on."""

from __future__ import annotations

from typing import Any

from lamina.core.keras_tensor import KerasTensor
from lamina.core.node import node_of

__all__ = ["get_source_inputs"]


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
            sources.extend([node.outputs] if hasattr(node.outputs, "_keras_history") else node.outputs)
        stack.extend(reversed(node.tensors))
    return sources
