"""Numbers that were given as text, or as a fraction where a whole number is wanted."""

from __future__ import annotations

import re
from inspect import Parameter
from typing import Any

__all__ = ["as_number", "number_of"]


def number_of(parameter: Parameter) -> type | None:
    """int or float for a parameter that takes a number, from its default or its annotation; None for others.

    Args:
        parameter: Parameter of a signature.
    """
    if type(parameter.default) in (int, float):
        return type(parameter.default)
    words = re.findall(r"\w+", str(parameter.annotation))
    return next((kind for kind in (float, int) if kind.__name__ in words), None)


def as_number(value: Any, kind: type) -> int | float | None:
    """The number that was meant by a text or a fraction; None where the value is right, or says no number.

    Args:
        value: What was given.
        kind: int or float, which was wanted.
    """
    if not isinstance(value, (str, float)) or (isinstance(value, float) and (kind is float or value != value)):
        return None
    try:
        return int(float(value)) if kind is int else float(value)
    except (ValueError, OverflowError):
        return None
