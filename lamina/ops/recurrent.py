"""The loops over time under the recurrent layers: `rnn` for any step, `gated_rnn` for steps of the form of an LSTM."""

import functools
from typing import Any, cast

import jax
import jax.numpy as jnp

from lamina.core import context, tree
from lamina.kernels.bias_add import sum_rows
from lamina.kernels.differentiable import differentiable
from lamina.kernels.matmul import column_sums
from lamina.kernels.native import kernels

__all__ = ["gated_rnn", "rnn"]

_custom_vjp = cast(Any, functools.partial(jax.custom_vjp, nondiff_argnums=(0,)))  # its type hides what it returns


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
        mask: booleans (time, batch): where False, the states and the output stay what they were; before the first
            output that is the first state where the two have one shape, as in an LSTM, else zeros.
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
        last = _before_first(jax.eval_shape(bound_step, first, states, values)[0], tree.flatten(states)[0])
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


def _before_first(output, hidden):
    """What stands for the output before the first step."""
    alike = getattr(output, "shape", None) == hidden.shape and output.dtype == hidden.dtype
    return hidden if alike else _zeros(output)


def gated_rnn(
    combine,
    advance,
    projected,
    kernel,
    bias,
    states,
    mask=None,
    go_backwards=False,
    unroll=False,
    zero_output_for_mask=False,
    return_all_outputs=True,
    kind=None,
):
    """`states = advance(combine(projected[t], states[0] @ kernel + bias), states)` for each t; the output is states[0].

    The same as `rnn` with that step, but faster: the gradient of the kernel is one product over all steps after the
    loop, not a sum in it. Derivatives in forward mode (jax.jvp) are not defined.

    Args:
        combine: linear, from two lists of gates (batch, units) to the sums that `advance` takes.
        advance: element-wise, from (sums, states) to the next states.
        projected: a list of gates (time, batch, units).
        kernel, bias: (units, gates * units) and (gates * units,) or None.
        kind: "lstm" or "gru" where `combine` and `advance` are those of the papers, for which lamina-native has loops.

    Returns:
        As `rnn`.
    """
    if mask is not None:
        mask = mask[..., None]
    if jax.default_backend() != "cpu" or kernels(projected[0], kernel) is None or not projected[0].shape[0]:
        kind = None
    settings = (combine, advance, bool(go_backwards), bool(unroll), bool(return_all_outputs), kind)
    arrays = projected, (kernel, bias), states
    states, outputs = _gated(settings, *arrays, mask) if kind is None else _native(settings, arrays, mask)
    last = states[0]
    if mask is not None and zero_output_for_mask:
        last = jnp.where(mask[0 if go_backwards else -1], last, 0)
        outputs = None if outputs is None else jnp.where(mask, outputs, 0)
    return last, outputs if outputs is None or not go_backwards else outputs[::-1], states


@_custom_vjp
def _gated(settings, projected, weights, states, mask):
    """(last states, states[0] at all steps or None)."""
    return _forward(settings, projected, weights, states, mask)[:2]


def _forward(settings, projected, weights, states, mask, save=False):
    combine, advance, reverse, unroll, return_all, _ = settings
    kernel, bias = weights

    def step(states, now):
        projected, keep = now
        recurrent = jnp.matmul(states[0], kernel)
        recurrent = recurrent if bias is None else recurrent + bias
        sums = combine(projected, jnp.split(recurrent, len(projected), axis=-1))
        new = _keep(keep, advance(sums, states), states)
        return new, (new[0] if return_all else None, (sums, states) if save else None)

    states, (outputs, saved) = jax.lax.scan(step, states, (projected, mask), reverse=reverse, unroll=unroll or 1)
    return states, outputs, saved


def _gated_forward(settings, projected, weights, states, mask):
    last, outputs, saved = _forward(settings, projected, weights, states, mask, save=True)
    return (last, outputs), (saved, weights, mask)


def _gated_backward(settings, residuals, cotangents):
    combine, advance, reverse, unroll, _, _ = settings
    (sums, states), (kernel, bias), mask = residuals
    gates = kernel.shape[1] // kernel.shape[0]
    one = [jax.ShapeDtypeStruct(states[0].shape[1:], states[0].dtype)] * gates
    uncombine = jax.linear_transpose(combine, one, one)
    kernels = [part.T for part in jnp.split(kernel, gates, axis=-1)]

    def step(d_states, now):
        sums, states, keep, d_output = now
        if d_output is not None:
            d_states = [d_states[0] + d_output, *d_states[1:]]
        _, pull = jax.vjp(lambda sums, states: _keep(keep, advance(sums, states), states), sums, states)
        d_sums, d_states = pull(d_states)
        d_recurrent = uncombine(d_sums)[1]
        # Gate by gate: side by side in one array they would be faster to multiply but slower to put together.
        d_hidden = sum(jnp.matmul(d_gate, part) for d_gate, part in zip(d_recurrent, kernels, strict=True))
        return [d_states[0] + d_hidden, *d_states[1:]], d_sums

    d_states, d_sums = jax.lax.scan(
        step, cotangents[0], (sums, states, mask, cotangents[1]), reverse=not reverse, unroll=unroll or 1
    )
    d_projected, d_recurrent = jax.vmap(uncombine)(d_sums)
    d_recurrent = jnp.concatenate(d_recurrent, -1)
    d_weights = (column_sums(states[0], d_recurrent), None if bias is None else sum_rows(d_recurrent))
    return d_projected, d_weights, d_states, None


_gated.defvjp(_gated_forward, _gated_backward)


# The loops of lamina-native and their gradients.


def _native_forward(settings, arrays, mask, save):
    _, _, reverse, _, return_all, kind = settings
    projected, weights, states = arrays
    loop, mask = getattr(kernels(), kind), None if mask is None else mask[..., 0]
    result = loop(jnp.concatenate(projected, -1), *weights, *states, mask=mask, reverse=reverse, save=save)
    outputs, last = result[0], list(result[1 : 1 + len(states)])
    return (last, outputs if return_all else None), result[-1] if save else None


def _native_gradient(settings, arrays, mask, results, saved, cotangents):
    (_, (kernel, bias), states), (d_last, d_outputs) = arrays, cotangents
    gradient, mask = getattr(kernels(), f"{settings[-1]}_gradient"), None if mask is None else mask[..., 0]
    found = gradient(kernel, bias, *states, saved, d_outputs, *d_last, mask=mask, reverse=settings[2])
    d_projected, d_kernel, d_bias, *d_states = found
    return jnp.split(d_projected, kernel.shape[1] // kernel.shape[0], -1), (d_kernel, d_bias), d_states


def _plain(settings, arrays, mask):
    return _gated(settings, *arrays, mask)


_native = differentiable(_native_forward, _native_gradient, _plain)


def _keep(keep, new, old):
    """`new` where `keep` (batch, 1), else `old`."""
    return new if keep is None else [jnp.where(keep, a, b) for a, b in zip(new, old, strict=True)]


def _zeros(structure):
    return jax.tree_util.tree_map(lambda array: jnp.zeros(array.shape, array.dtype), structure)


def _select(keep, new, old):
    """`new` where `keep` (batch,), else `old`."""
    return jax.tree_util.tree_map(
        lambda a, b: jnp.where(keep.reshape(keep.shape + (1,) * (a.ndim - keep.ndim)), a, b), new, old
    )
