"""StackedRNNCells, cells one on top of another; and what recurrent layers ask of any cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.core import context, tree
from lamina.core.keras_tensor import KerasTensor, trace
from lamina.errors import CallError, ConfigError
from lamina.layers.base.layer import Layer
from lamina.layers.base.misuse import refuse_class
from lamina.layers.recurrent_cell import _Cell
from lamina.layers.wrapper import ContainerMixin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import LayerArguments, Shape, Tensor

__all__ = ["StackedRNNCells"]


class StackedRNNCells(ContainerMixin, Layer):
    """Cells as one: the output of each is the input of the next.

    Args:
        cells: Cells, the first of which gets the inputs.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> cell = keras.layers.StackedRNNCells([keras.layers.LSTMCell(2), keras.layers.GRUCell(3)])
    >>> cell.state_size, cell.output_size
    ([[2, 2], 3], 3)
    """

    _traits = frozenset(("recurrent_cell", "container"))

    def __init__(self, cells: Sequence[Any], **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        for cell in cells:
            check_cell(cell)
        self.cells: list[Any] = list(cells)

    @property
    def state_size(self) -> Any:
        """The sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size: int | None = None) -> Any:
        """The initial states of each cell: a list, or an array where a cell has one state and makes none itself."""
        states = [initial_state(cell, batch_size, self.compute_dtype) for cell in self.cells]
        single = [isinstance(cell.state_size, int) and not hasattr(cell, "get_initial_state") for cell in self.cells]
        return [state[0] if alone else state for state, alone in zip(states, single, strict=True)]

    def build(self, input_shape: Shape) -> None:
        for cell in self.cells:
            build_cell(cell, input_shape, self.compute_dtype)
            input_shape = (input_shape[0], output_size(cell))

    def call(self, inputs: Tensor, states: Any, training: bool | None = False, **kwargs: Any) -> Any:
        new = []
        for cell, state in zip(self.cells, states, strict=True):
            several = isinstance(state, (list, tuple))
            inputs, after = run_cell(cell, inputs, state if several else [state], training, **kwargs)
            new.append(after if several else tree.flatten(after)[0])
        return inputs, new


def check_cell(cell: Any) -> Any:
    """Raise ConfigError unless `cell` can be one: call(inputs, states) and a state_size."""
    refuse_class("A recurrent layer", cell)
    for needed, example in (("call", "def call(self, inputs, states)"), ("state_size", "self.state_size = units")):
        if not hasattr(cell, needed):
            raise ConfigError(f"A cell has {needed}; {type(cell).__name__} has none: {cell!r}.", fix=example)


def output_size(cell: Any) -> Any:
    """The size of a cell's output: that of its first state if it does not say."""
    size = getattr(cell, "output_size", None)
    size = cell.state_size if size is None else size
    return size[0] if isinstance(size, (list, tuple)) else size


def initial_state(cell: Any, batch_size: int | None, dtype: Any) -> Any:
    """The states a cell starts from, as a list: what its `get_initial_state` gives, else zeros."""
    if hasattr(cell, "get_initial_state"):
        states = cell.get_initial_state(batch_size=batch_size)
        return list(states) if isinstance(states, (list, tuple)) else [states]
    sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
    shapes = [tuple(size) if isinstance(size, (list, tuple)) else (size,) for size in sizes]
    return [jnp.zeros((batch_size, *shape), getattr(cell, "compute_dtype", dtype)) for shape in shapes]


def run_cell(cell: Any, inputs: Any, states: Any, training: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """(output, next states) of any cell; `training` goes to layers only."""
    if not isinstance(cell, Layer):
        return _pair(cell, cell.call(inputs, states))
    outer = context.current_call()
    added = 0 if outer is None else len(outer.layers_with_losses)
    result = cell(inputs, states, training=training, **kwargs)
    if outer is not None and len(outer.layers_with_losses) > added:
        raise CallError("A cell cannot add a loss: it would have to leave the loop.", fix="Add it in a layer around.")
    return _pair(cell, result)


def _pair(cell, result):
    if isinstance(result, (tuple, list)) and len(result) == 2:
        return result
    message = f"{type(cell).__name__}.call returns the output of a step and the next states; it returned one tensor."
    raise CallError(message, fix="return outputs, [outputs]  # where the next state is the output")


def build_cell(cell: Any, step_shape: Any, dtype: Any) -> Any:
    """Build a cell for inputs of one step, outside of the loop; one without a `build` of its own by tracing a step."""
    if not isinstance(cell, Layer) or cell.built:
        return
    if type(cell).build is not Layer.build:
        cell.build(step_shape)
    else:
        trace(lambda inputs: cell(inputs, initial_state(cell, inputs.shape[0], dtype)), KerasTensor(step_shape, dtype))


def draw_dropout(cell: Any, batch_size: int | None) -> Any:
    """Draw the dropout masks of one sequence, in the order of Keras."""
    for inner in getattr(cell, "cells", (cell,)):
        if isinstance(inner, _Cell):
            reset_dropout(inner)
            inner.get_dropout_mask(jnp.ones((batch_size, *inner._step_shape), inner.compute_dtype))
            inner.get_recurrent_dropout_mask(jnp.ones((batch_size, *inner._state_shape), inner.compute_dtype))


def reset_dropout(cell: Any) -> Any:
    """Forget the dropout masks."""
    for inner in getattr(cell, "cells", (cell,)):
        if isinstance(inner, _Cell):
            inner.reset_dropout_mask()
            inner.reset_recurrent_dropout_mask()


def is_split(cell: Any) -> Any:
    """Whether a cell's call is `step(project(inputs))`, so that `project` can be done before the loop."""
    return isinstance(cell, _Cell) and type(cell).call is _Cell.call
