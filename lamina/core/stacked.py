"""Stacked: a variable with the values of all repetitions of a layer, one beside the other along its first axis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import context
from lamina.core.abstract import fresh, inner_shape
from lamina.core.placement import Parts, place, sharding_of, stacked_layout, to_numpy
from lamina.core.read_limits import reserve_array, reserve_steps
from lamina.core.variable import Variable

__all__ = ["Stacked", "current", "each_slice", "repeat", "stack", "unstack"]

_BYTES_OF_OBJECT = 128  # of an array of NumPy, however small
_SEED_STEP = 0x9E3779B9  # between the seeds of two repetitions: 2**32 divided by the golden ratio


class Stacked(Variable):
    """A variable of a layer that is repeated. `stack` makes one of an ordinary variable, in place.

    Inside a repetition, which binds it to one slice, it is the variable of that one: `shape` has one axis less.
    """

    inner_ndim: int  # the number of axes that one repetition sees

    @property
    def shape(self) -> tuple[int, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The shape, that of a slice inside a repetition."""
        return tuple(current(self).shape)


class _OfEach:
    """A constraint, or with `total` a regularizer, of one repetition, applied to all."""

    def __init__(self, function: Any, total: bool) -> None:
        self.function, self.total = function, total

    def __call__(self, value: Any) -> Any:
        results = jax.vmap(self.function)(value)
        return results.sum() if self.total else results


def current(variable: Any) -> Any:
    """The value of a variable as it is, where `read` makes a copy of what a step may overwrite."""
    if variable._owner is None or (context.is_bound() and variable in context.copied_slots()):
        return variable.read()
    return variable._owner.peek(variable)


def stack(variable: Any, values: Sequence[Any]) -> None:
    """Make a variable of one repetition the variable of all, in place.

    Args:
        variable: Variable of a layer.
        values: Its value in each repetition: arrays, or shapes and types of a model without values.
    """
    if not isinstance(variable, Stacked):
        variable._kind, variable.inner_ndim = type(variable), variable.ndim
        del variable.__dict__["shape"]
        variable.__class__ = Stacked
    if variable.regularizer is not None:
        variable.regularizer = _OfEach(variable.regularizer, total=True)
    if variable.constraint is not None:
        variable.constraint = _OfEach(variable.constraint, total=False)
    variable.layout = stacked_layout(variable.layout)
    first, shape = values[0], (len(values), *np.shape(values[0]))
    if isinstance(first, jax.ShapeDtypeStruct):
        variable._value = jax.ShapeDtypeStruct(shape, first.dtype)
    else:
        parts = Parts(shape, first.dtype, sharding_of(variable.layout))
        for _ in parts.rounds():
            for index in range(len(values)):
                parts.put(((index, index + 1), *((0, size) for size in shape[1:])), values[index][None])
        with context.with_slots(None):
            variable.write(parts.array())
    context.structure_changed()


def unstack(variable: Any, value: Any) -> None:
    """Make a variable of all repetitions that of one, in place: what `stack` did, undone.

    Args:
        variable: Stacked variable.
        value: Its value in that repetition.
    """
    for name in ("regularizer", "constraint"):
        if (of_each := getattr(variable, name)) is not None:
            setattr(variable, name, of_each.function)
    variable.layout = stacked_layout(variable.layout, undo=True)
    if np.ndim(value) == variable.inner_ndim:
        variable.__class__ = variable._kind
        variable.shape = tuple(np.shape(value))
    variable.write(place(value, sharding_of(variable.layout)))
    context.structure_changed()


def repeat(variable: Any, n: int) -> None:
    """Make a variable of one repetition the variable of `n`, in place.

    Its initial value is drawn for each from its initializer, which draws its seed anew where it was made without one; a
    value that it was assigned since then is that of all. States of seed generators differ.

    Args:
        variable: Variable of the first repetition.
        n: Number of repetitions.
    """
    value, origin = current(variable), variable._origin
    reserve_array((n,), max(value.size * value.dtype.itemsize, _BYTES_OF_OBJECT), variable.path)
    reserve_steps(n, variable.path)
    has_value = not isinstance(value, jax.ShapeDtypeStruct)
    with context.concrete():
        values = [to_numpy(value, copy=False) if has_value else value] * n
    if variable.dtype == "uint32" and variable.name == "seed_generator_state":
        steps = [np.array([index * _SEED_STEP % 2**32, 0], "uint32") for index in range(n)]
        if has_value:
            values = [values[0] + step for step in steps]
        else:
            seeds = [one(variable.shape, "uint32") + step for step in steps for one in origin.initializers]
            origin.initializers = [lambda shape, dtype, seed=seed: seed for seed in seeds]
        origin = None if has_value else origin
    elif origin is not None and origin.is_value(value):
        inner = inner_shape(variable, value.shape)
        for index in range(1, n):
            more = fresh(origin.initializers[: len(origin.initializers) // index])
            origin.initializers = [*origin.initializers, *more]
            if has_value:
                values[index] = np.stack([one(inner, dtype=variable.dtype) for one in more]).reshape(value.shape)
    stack(variable, values)
    if origin is not None and origin.is_value(value):
        variable._origin = origin.with_value(variable._value)


def is_whole(variable: Any) -> bool:
    """Whether it is a Stacked variable that is not bound to a slice here."""
    return isinstance(variable, Stacked) and variable.ndim > variable.inner_ndim


def each_slice(function: Callable[[], Any], variables: Iterable[Any]) -> Any:
    """`function()`, which reads variables: where these hold all repetitions, its results for each, stacked.

    Args:
        function: Function that returns arrays.
        variables: The variables that it reads, all of the same layer.
    """
    whole = [variable for variable in variables if is_whole(variable)]
    if not whole:
        return function()
    values = [current(variable) for variable in whole]
    results = []
    for index in range(len(values[0])):
        with context.bind(whole, [value[index] for value in values]):
            results.append(each_slice(function, whole))
    return jax.tree_util.tree_map(lambda *leaves: jnp.stack(leaves), *results)
