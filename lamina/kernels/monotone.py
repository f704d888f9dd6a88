"""Marks of monotone functions. A function that is monotone, such as relu, may be applied after max pooling instead of
before it: to a quarter of the numbers, of which fewer are kept for the gradient.

An op marks its outputs while a program is traced; max pooling looks for the mark and pools the marked op's inputs.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

import jax
from jax.core import Tracer

__all__ = ["before_monotone", "mark_monotone"]

_Function = Callable[[jax.Array], jax.Array]
_marks: dict[int, tuple[weakref.ref, jax.Array, _Function]] = {}  # id of a tracer -> (tracer, inputs, function)


def mark_monotone(function: _Function, inputs: jax.Array, outputs: jax.Array) -> jax.Array:
    """Mark `outputs` as `function(inputs)` for a function that never decreases. Returns the outputs."""
    if isinstance(outputs, Tracer):
        key = id(outputs)
        _marks[key] = (weakref.ref(outputs, lambda _: _marks.pop(key, None)), inputs, function)
    return outputs


def before_monotone(outputs: jax.Array) -> tuple[jax.Array, _Function]:
    """(inputs, function) such that `outputs` are `function(inputs)` and the function never decreases; for outputs
    without a mark the outputs themselves and the identity."""
    functions = []
    while (mark := _marks.get(id(outputs))) is not None and mark[0]() is outputs:
        outputs = mark[1]
        functions.append(mark[2])

    def apply(x):
        for function in reversed(functions):
            x = function(x)
        return x

    return outputs, apply
