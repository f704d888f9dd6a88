"""Unknown sizes of several symbolic tensors that meet in one op: `(None, 3) + (2, None)` has the shape (2, 3).

A trace has one number for each unknown size, and fails where an unknown size has to be that of another tensor. This
file is read only then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from lamina.core.keras_tensor import KerasTensor, trace
from lamina.errors import LaminaError

__all__ = ["trace_with_met_sizes"]

_FAILURES = (TypeError, ValueError, LaminaError)


def trace_with_met_sizes(function: Callable[..., Any], args: Any, kwargs: Any, error: Exception) -> Any:
    """What `trace` gives where unknown sizes are those that other tensors have on the same axis, counted from the last.

    Sizes that may be anything stay unknown.

    Args:
        function: Function of tensors.
        args, kwargs: Its arguments, including KerasTensors.
        error: What `trace` raised.

    Raises:
        Exception: `error`, where it does not help.
    """
    leaves, form = jax.tree_util.tree_flatten((args, kwargs))
    places = [index for index, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]
    known: dict[int, int] = {}
    for index in places:
        shape = leaves[index].shape
        known |= {axis - len(shape): size for axis, size in enumerate(shape) if size not in (None, 1)}
    met = {
        (index, axis): known[axis - leaves[index].ndim]
        for index in places
        for axis, size in enumerate(leaves[index].shape)
        if size is None and axis - leaves[index].ndim in known
    }

    def attempt(sizes):
        filled = list(leaves)
        for index in places:
            shape = [sizes.get((index, axis), size) for axis, size in enumerate(leaves[index].shape)]
            filled[index] = KerasTensor(shape, leaves[index].dtype, leaves[index].sparse, name=leaves[index].name)
        now_args, now_kwargs = jax.tree_util.tree_unflatten(form, filled)
        try:
            return trace(function, *now_args, **now_kwargs)
        except _FAILURES:
            return None

    found = attempt(met) if met else None
    if found is None:
        raise error
    for hole in list(met):
        rest = {key: size for key, size in met.items() if key != hole}
        less = attempt(rest)
        if less is not None:
            met, found = rest, less
    return found
