"""Loops over slices and time steps, under the names of `keras.backend` in Keras 2."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from lamina import ops
from lamina.core import tree
from lamina.core.typing import DTypeLike, TensorLike
from lamina.ops.recurrent import rnn as loop_over_time

__all__ = ["foldl", "foldr", "map_fn", "rnn"]


def map_fn(fn: Callable[..., Any], elems: TensorLike, name: str | None = None, dtype: DTypeLike | None = None) -> Any:
    """`ops.map`.

    Args:
        fn: Function of one slice.
        elems: Tensor whose slices along the first axis are passed to `fn`.
        name: Not used; accepted for old programs.
        dtype: Not used; the results of `fn` keep their type.
    """
    return ops.map(fn, elems)


def foldl(fn: Callable[..., Any], elems: TensorLike, initializer: Any = None, name: str | None = None) -> Any:
    """fn(...fn(fn(initializer, elems[0]), elems[1])...); without an initializer it starts with elems[0].

    Args:
        fn: Function of (result so far, next slice) that gives the next result.
        elems: Tensor whose slices along the first axis are passed to `fn`.
        initializer: First result; None means the first slice.
        name: Not used; accepted for old programs.
    """
    items = ops.unstack(elems)
    return functools.reduce(fn, items) if initializer is None else functools.reduce(fn, items, initializer)


def foldr(fn: Callable[..., Any], elems: TensorLike, initializer: Any = None, name: str | None = None) -> Any:
    """`foldl` from the end to the start.

    Args:
        fn: Function of (result so far, next slice) that gives the next result.
        elems: Tensor whose slices along the first axis are passed to `fn`, the last first.
        initializer: First result; None means the last slice.
        name: Not used; accepted for old programs.
    """
    return foldl(fn, ops.flip(elems, 0), initializer)


def rnn(
    step_function: Callable[..., Any],
    inputs: Any,
    initial_states: Any,
    go_backwards: bool = False,
    mask: Any = None,
    constants: Any = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> Any:
    """`output, states = step_function(inputs[:, t], [*states, *constants])` for each t: (last output, all, states).

    Args:
        step_function: Function of (inputs of one step, list of states and constants) that gives (output, new states).
        inputs: Tensor of shape (batch, time, ...), or a nested structure of such tensors.
        initial_states: List of tensors of shape (batch, ...), the states before the first step.
        go_backwards: Whether the steps run from the last to the first; outputs come in that order.
        mask: Booleans of shape (batch, time): where False, states and output stay as they were. None uses all steps.
        constants: List of tensors that each step gets after the states; None for none.
        unroll: Whether the steps are written out one after the other instead of a loop.
        input_length: Not used; the inputs have the number of steps.
        time_major: Whether time is the first axis and the batch the second, in inputs, mask and outputs.
        zero_output_for_mask: Whether outputs are zeros where the mask is False.
        return_all_outputs: Whether the outputs of all steps are returned; False gives None for them.
    """

    def time_first(structure):
        return structure if time_major else tree.map_structure(lambda array: ops.swapaxes(array, 0, 1), structure)

    last, outputs, states = loop_over_time(
        lambda x, states: step_function(x, [*states, *(constants or ())]),
        time_first(inputs),
        list(initial_states),
        None if mask is None else time_first(mask),
        go_backwards=go_backwards,
        unroll=unroll,
        zero_output_for_mask=zero_output_for_mask,
        return_all_outputs=return_all_outputs,
    )
    return last, None if outputs is None else time_first(outputs), states
