"""Gradients of values, as graphs of TensorFlow have them: between symbolic tensors, or in what a tape records."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from lamina import ops
from lamina.core.context import open_tapes
from lamina.core.graph import Function, Operation
from lamina.core.keras_tensor import KerasTensor, in_symbolic_scope, is_symbolic
from lamina.core.node import node_of
from lamina.core.recording import NeedsTape
from lamina.core.tape import FunctionTape
from lamina.core.variable import Variable

__all__ = ["gradients"]


def gradients(loss: Any, variables: Any) -> Any:
    """The gradients of the sum of a tensor, one for each of some others: between symbolic tensors of a model as
    symbolic tensors, in a Lambda of a model or a tf.function of the values there.

    Args:
        loss: Tensor or list of tensors.
        variables: Tensor, variable or list of them.

    Raises:
        NeedsTape: The values are arrays, and nothing recorded what they were computed from.

    >>> import lamina as keras
    >>> x = keras.Input((2,))
    >>> cubed = gradients(x**3, x)
    >>> keras.backend.function([x], cubed)([jnp.array([[1.0, 2.0]])])[0].tolist()
    [[3.0, 12.0]]
    """
    return _gradients(loss, variables, None, {}, "gradient = jax.grad(lambda x: keras.ops.sum(model(x)))(x)")


def graph_gradients(ys: Any, xs: Any, grad_ys: Any = None, name: str | None = None, **settings: Any) -> Any:
    """`tf.gradients`.

    Args:
        ys: Tensor or list of tensors.
        xs: Tensor, variable or list of them.
        grad_ys: What the gradients of ys are multiplied by, a tensor for each; None means ones.
        name: Not used; accepted for old programs.
        **settings: `unconnected_gradients="zero"` gives zeros where arrays ys do not depend on one of xs; else None.
    """
    return _gradients(ys, xs, grad_ys, settings, "with tf.GradientTape() as tape: ...; tape.gradient(ys, xs)")


def _gradients(ys, xs, grad_ys, settings, fix):
    sources = list(xs) if isinstance(xs, (list, tuple)) else [xs]
    wanted = settings.get("unconnected_gradients", "none")
    tape = next((tape for tape in open_tapes.get() if isinstance(tape, FunctionTape)), None)
    if is_symbolic([ys]):
        return [_between(ys, x, grad_ys) for x in sources]
    if tape is not None:
        return tape.gradient(ys, sources, grad_ys, wanted)
    if in_symbolic_scope():  # only shapes are wanted
        return [jnp.zeros_like(source.value if isinstance(source, Variable) else source) for source in sources]
    raise NeedsTape("Gradients of values need symbolic tensors, a tf.function or a tape.", fix=fix)


class _Gradient(Operation):
    """The gradient of the sum of ys by one symbolic tensor or variable, computed from where the graph of ys starts."""

    def __init__(self, starts: list[Any], ys: list[Any], source: Any) -> None:
        super().__init__()
        self.starts, self.ys, self.source = starts, ys, source
        self._graph = Function(starts, ys)

    def call(self, values: Any, grad_ys: Any) -> Any:
        def total(value, *others):
            found = self._graph.run([value, *others] if isinstance(self.source, KerasTensor) else list(others))
            weights = grad_ys or [1.0] * len(found)
            return sum(ops.sum(y * weight) for y, weight in zip(found, weights, strict=True))

        if isinstance(self.source, KerasTensor):
            return ops.grad(total)(*values)
        return ops.grad(total)(self.source, *values)


def _between(ys, x, grad_ys):
    """The gradient by x as a symbolic tensor; None if ys do not depend on it."""
    ys = list(ys) if isinstance(ys, (list, tuple)) else [ys]
    starts, seen, left = [], {}, list(ys)
    while left:
        tensor = left.pop()
        if id(tensor) not in seen:
            seen[id(tensor)] = tensor
            if tensor is x:
                continue
            node = node_of(tensor)
            if node.is_input:
                starts.append(tensor)
            left.extend(node.tensors)
    if isinstance(x, KerasTensor):
        if id(x) not in seen:
            return None
        starts = [x, *starts]
    return _Gradient(starts, ys, x)(starts, grad_ys)
