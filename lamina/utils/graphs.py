"""What a symbolic tensor was made of."""

from lamina.core.graph import node_of

__all__ = ["get_source_inputs"]


def get_source_inputs(tensor):
    """The Inputs that a symbolic tensor depends on, in the order in which they are met.

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
