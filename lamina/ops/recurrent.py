"""The loops over time under the recurrent layers: `rnn` for any step, `gated_rnn` for steps of the form of an LSTM."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from jax.core import Tracer

from lamina.core import context, tree
from lamina.core.typing import PyTree, Tensor
from lamina.kernels.bias_add import sum_rows
from lamina.kernels.differentiable import differentiable
from lamina.kernels.matmul import column_sums
from lamina.kernels.native import kernels

__all__ = ["gated_rnn", "rnn"]

_custom_vjp = cast(Any, functools.partial(jax.custom_vjp, nondiff_argnums=(0,)))  # its declared type hides the result's


def rnn(
    step: Callable[..., Any],
    inputs: PyTree,
    states: PyTree,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    unroll: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
    variables: Sequence[Any] = (),
) -> tuple[Any, Any, Any]:
    """`output, states = step(inputs[t], states)` for each t along the first axis of `inputs`.

    Args:
        step: Function of (inputs of one step, states) that gives (output, states).
        inputs: Arrays of shape (time, batch, ...).
        states: Arrays of shape (batch, ...).
        mask: Booleans (time, batch). Where False, the states and the output keep their values. Before the first output
            that is the first state if both have one shape, as in an LSTM, else zeros.
        go_backwards: Whether the steps run from the last to the first; outputs come in that order.
        unroll: Whether the steps are written out one after the other instead of a loop.
        zero_output_for_mask: Whether outputs are zeros where the mask is False.
        return_all_outputs: Whether the outputs of all steps are returned.
        variables: Variables that `step` assigns; the loop carries their values.

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

    def advance(carry, xs):
        states, values, last = carry
        inputs, keep = xs
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
    """The output before the first step."""
    alike = getattr(output, "shape", None) == hidden.shape and output.dtype == hidden.dtype
    return hidden if alike else _zeros(output)


class Formula(NamedTuple):
    """A function of a class and settings that holds no arrays, so that what was compiled of it can be used again.

    Attributes:
        function: Function of (self, ...), as a class has it.
        settings: (name, value) of each attribute of `self` that it reads.
    """

    function: Callable[..., Any]
    settings: tuple[tuple[str, Any], ...]

    def __call__(self, *args: Any) -> Any:
        return self.function(SimpleNamespace(**dict(self.settings)), *args)


def is_eager(arrays: Any) -> bool:
    """Whether arrays have values, those inside of an eager derivative too.

    Args:
        arrays: Structure of arrays.
    """
    for leaf in jax.tree_util.tree_leaves(arrays):
        while isinstance(leaf, Tracer) and hasattr(leaf, "primal"):
            leaf = leaf.primal
        if isinstance(leaf, Tracer):
            return False
    return True


def gated_rnn(
    combine: Callable[..., Any],
    advance: Callable[..., Any],
    projected: list[Tensor],
    kernel: Tensor,
    bias: Tensor | None,
    states: Sequence[Tensor],
    mask: Tensor | None = None,
    go_backwards: bool = False,
    unroll: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
    kind: str | None = None,
) -> tuple[Any, Any, Any]:
    """`states = advance(combine(projected[t], states[0] @ kernel + bias), states)` for each t; the output is states[0].

    The same as `rnn` with that step, and faster: the gradient of the kernel is one product over all steps after the
    loop instead of a sum in it. Derivatives in forward mode (jax.jvp) are not defined.

    Args:
        combine: Linear function from two lists of gates (batch, units) to the sums that `advance` takes.
        advance: Element-wise function from (sums, states) to the next states.
        projected: Gates from the inputs, each of shape (time, batch, units).
        kernel: Recurrent kernel (units, gates * units).
        bias: Recurrent bias (gates * units,).
        states: First states, each of shape (batch, units).
        mask: Booleans (time, batch). Where False, the states keep their values.
        go_backwards: Whether the steps run from the last to the first.
        unroll: Whether the steps are written out one after the other instead of a loop.
        zero_output_for_mask: Whether outputs are zeros where the mask is False.
        return_all_outputs: Whether the outputs of all steps are returned.
        kind: "lstm" or "gru" if `combine` and `advance` are those of the papers, for which lamina-native has loops.

    Returns:
        As `rnn`.
    """
    if mask is not None:
        mask = mask[..., None]
    if jax.default_backend() != "cpu" or kernels(projected[0], kernel) is None or not projected[0].shape[0]:
        kind = None
    settings = (combine, advance, bool(go_backwards), bool(unroll), bool(return_all_outputs), kind)
    arrays = projected, (kernel, bias), states
    run = _gated_compiled if isinstance(combine, Formula) and is_eager([arrays, mask]) else _gated
    states, outputs = run(settings, *arrays, mask) if kind is None else _native(settings, arrays, mask)
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
        # Gate by gate: one array of all gates would be faster to multiply but slower to concatenate.
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
_gated_compiled = jax.jit(_gated, static_argnums=(0,))  # compiled once for each Formula and shape, for eager calls


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
    gradients = gradient(kernel, bias, *states, saved, d_outputs, *d_last, mask=mask, reverse=settings[2])
    d_projected, d_kernel, d_bias, *d_states = gradients
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
