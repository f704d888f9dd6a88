"""Flows: what a value of a program depends on, with or without a gradient, and the terms that it is the sum of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from lamina.facts.equations import Equations, Value, activation_of_value, base_of, maker_name

__all__ = ["activation_after", "consumers_of", "roots_of", "sources_of", "terms_of"]

_FLAT = frozenset("round floor ceil sign stop_gradient".split())  # operations whose gradient is 0
_SUMS = frozenset("add add_any".split())


def roots_of(values: Iterable[Value], with_gradient: bool = False) -> set[Value]:
    """The inputs, weights and constants that values depend on.

    Args:
        values: Values of a program.
        with_gradient: Whether only ways count along which a gradient can flow.
    """
    return {value for value in sources_of(values, with_gradient) if value.maker is None}


def sources_of(values: Iterable[Value], with_gradient: bool = False) -> set[Value]:
    """The values that values are computed from, and these themselves.

    Args:
        values: Values of a program.
        with_gradient: Whether only ways count along which a gradient can flow.
    """
    seen: set[Value] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        if value.maker is not None and (not with_gradient or value.maker.custom or _has_gradient(value)):
            waiting.extend(value.made_from)
    return seen


def _has_gradient(value):
    place = value.maker.outputs.index(value)
    dtype = value.maker.equation.outvars[place].aval.dtype
    return value.maker.name not in _FLAT and not np.issubdtype(dtype, np.integer) and dtype != np.bool_


def terms_of(value: Value) -> Iterator[Value]:
    """The terms of a sum, and of the sums among them.

    Args:
        value: Value of a program.
    """
    value = base_of(value) if maker_name(value) != "stop_gradient" else value
    if maker_name(value) in _SUMS:
        for one in value.made_from:
            yield from terms_of(one)
    else:
        yield value


def consumers_of(equations: Equations) -> dict[Value, list[Value]]:
    """Value -> the values that are computed from it.

    Args:
        equations: The program.
    """
    found: dict[Value, list[Value]] = {}
    for one in equations.all:
        for value in one.inputs:
            found.setdefault(value, []).extend(one.outputs)
    return found


def activation_after(value: Value, consumers: dict[Value, list[Value]]) -> str | None:
    """The activation that is applied to a value next, and alone; None where another function is, or several are.

    Args:
        value: Value of a program.
        consumers: Those of all values.
    """
    for _ in range(4):  # changes of shape and type between
        given = consumers.get(value, [])
        if len(given) != 1:
            return None
        value = given[0]
        name = activation_of_value(value)
        if name not in (None, "linear"):
            return name
    return None
