"""The loop over time under every recurrent layer."""

import jax
import jax.numpy as jnp

from lamina.core import context, tree

__all__ = ["rnn"]


def rnn(
    step,
    inputs,
    states,
    mask=None,
    go_backwards=False,
    unroll=False,
    zero_output_for_mask=False,
    return_all_outputs=True,
    variables=(),
):
    """`output, states = step(inputs[t], states)` for each t along the first axis of `inputs`.

    Args:
        step: a function of (inputs of one step, states) that gives (output, states).
        inputs: array or structure of arrays (time, batch, ...).
        states: structure of arrays (batch, ...).
        mask: booleans (time, batch): where False, the states and the output stay what they were (at first zeros).
        go_backwards: from the last step to the first; outputs come in that order.
        unroll: write the steps out, one after the other, instead of looping.
        zero_output_for_mask: outputs where the mask is False are zeros.
        return_all_outputs: whether the outputs of all steps are kept.
        variables: those that `step` changes; they move on through the loop.

    Returns:
        (last output, outputs of all steps (time, batch, ...) or None, last states).
    """
    structure, variables = tree.structure_of(states), list(variables)

    def bound_step(inputs, states, values):
        with context.bind(variables, values) as slots:
            output, new = step(inputs, states)
            values = [slots[variable] for variable in variables]
        pairs = zip(tree.flatten(new), tree.flatten(states), strict=True)
        return output, tree.unflatten(structure, [value.astype(old.dtype) for value, old in pairs]), values

    def advance(carry, now):
        states, values, last = carry
        inputs, keep = now
        output, new, values = bound_step(inputs, states, values)
        if keep is not None:
            new = _select(keep, new, states)
            output = _select(keep, output, _zeros(output) if zero_output_for_mask else last)
        return (new, values, output if carries_output else None), (output if return_all_outputs else None)

    carries_output = not return_all_outputs or (mask is not None and not zero_output_for_mask)
    values = [variable.read() for variable in variables]
    last = None
    if carries_output:
        first = jax.tree_util.tree_map(lambda array: array[0], inputs)
        last = _zeros(jax.eval_shape(bound_step, first, states, values)[0])
    (states, values, last), outputs = jax.lax.scan(
        advance, (states, values, last), (inputs, mask), reverse=go_backwards, unroll=bool(unroll) or 1
    )
    for variable, value in zip(variables, values, strict=True):
        variable.write(value)
    if return_all_outputs:
        if go_backwards:
            outputs = jax.tree_util.tree_map(lambda array: array[::-1], outputs)
        last = jax.tree_util.tree_map(lambda array: array[-1], outputs)
    return last, outputs, states


def _zeros(structure):
    return jax.tree_util.tree_map(lambda array: jnp.zeros(array.shape, array.dtype), structure)


def _select(keep, new, old):
    """`new` where `keep` (batch,), else `old`."""
    return jax.tree_util.tree_map(
        lambda a, b: jnp.where(keep.reshape(keep.shape + (1,) * (a.ndim - keep.ndim)), a, b), new, old
    )
