"""Unknown sizes of several symbolic tensors that meet in one op: `(None, 3) + (2, None)` has the shape (2, 3); and
symbolic tensors made by hand, which ask for a shape and not for a dtype.

A trace has one number for each unknown size, and fails where an unknown size has to be that of another tensor. This
file is read only then.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax

from lamina.core.keras_tensor import KerasTensor, trace
from lamina.core.node import is_made_by_hand
from lamina.core.op_shapes import trying
from lamina.core.probes import MissingSizeError
from lamina.errors import LaminaError

__all__ = ["trace_with_met_sizes"]

_FAILURES = (TypeError, ValueError, LaminaError)


def trace_with_met_sizes(
    function: Callable[..., Any], args: Any, kwargs: Any, settings: Any, error: Exception, anywhere: bool = False
) -> Any:
    """What `trace` gives where unknown sizes are those that other tensors have on the same axis, counted from the last.
    Sizes that may be anything stay unknown.

    A KerasTensor that is not part of a graph only asks for a shape. Its unknown sizes may be any size that is given in
    the call, and where an op takes only integers, it stands for these. In a graph, both are errors.

    Args:
        function: Function of tensors.
        args, kwargs: Its arguments, including KerasTensors.
        settings: What it was made with, in which sizes may stand.
        error: What `trace` raised.
        anywhere: Whether unknown sizes of tensors in a graph, too, may be any size that is given in the call, as those
            of the nodes and the edges between them, which one's own layer multiplies.

    Raises:
        Exception: `error`, where it does not help.
    """
    leaves, form = jax.tree_util.tree_flatten((args, kwargs))
    symbols = {place: leaf for place, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)}

    def attempt(sizes, whole):
        filled = list(leaves)
        for place, symbol in symbols.items():
            shape = [sizes.get((place, axis), size) for axis, size in enumerate(symbol.shape)]
            dtype = "int32" if place in whole else symbol.dtype
            filled[place] = KerasTensor(shape, dtype, symbol.sparse, name=symbol.name)
        now_args, now_kwargs = jax.tree_util.tree_unflatten(form, filled)
        try:
            with trying():
                return trace(function, *now_args, **now_kwargs)
        except _FAILURES:
            return None

    tries = itertools.product(_dtypes(symbols), _sizes(symbols, (leaves, settings), anywhere))
    for whole, met in itertools.islice(tries, 1, None):
        if isinstance(error, MissingSizeError):
            break
        found = attempt(met, whole)
        if found is None:
            continue
        together = [[key for key in met if key[1] == axis] for axis in dict.fromkeys(axis for _, axis in met)]
        for holes in (*together, *([hole] for hole in met)):  # sizes of one axis, as that of the batch, may be one
            rest = {key: size for key, size in met.items() if key not in holes}
            less = attempt(rest, whole)
            if less is not None:
                met, found = rest, less
        return found
    raise error


def _dtypes(symbols) -> Iterator[tuple[int, ...]]:
    """Places of the symbols that stand for integers: none, each one from the last, all."""
    asking = [p for p, x in symbols.items() if is_made_by_hand(x) and x.dtype.startswith("float")]
    yield ()
    yield from ((place,) for place in reversed(asking))
    if len(asking) > 1:
        yield tuple(asking)


def _sizes(symbols, given, anywhere) -> Iterator[dict[tuple[int, int], int]]:
    """{(place, axis): size} of unknown sizes: none; those of others on the same axis; one for all that ask."""
    yield {}
    known: dict[int, int] = {}
    for symbol in symbols.values():
        known |= {axis - symbol.ndim: size for axis, size in enumerate(symbol.shape) if size not in (None, 1)}
    holes = [(p, axis) for p, x in symbols.items() for axis, size in enumerate(x.shape) if size is None]
    places = {hole: hole[1] - symbols[hole[0]].ndim for hole in holes}
    met = {hole: known[place] for hole, place in places.items() if place in known}
    if met:
        yield met
    asked = [hole for hole in holes if anywhere or is_made_by_hand(symbols[hole[0]])]
    if asked:
        numbers = jax.tree.leaves((given, [getattr(leaf, "shape", ()) for leaf in jax.tree.leaves(given)]))
        for size in dict.fromkeys(n for n in numbers if type(n) is int and n > 1):
            yield dict.fromkeys(asked, size)
