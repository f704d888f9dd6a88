"""Numbers that were given as text, or as a fraction where a whole number is wanted."""

from __future__ import annotations

import re
from inspect import Parameter
from typing import Any

from lamina.errors import ArgumentError
from lamina.spelling.places import is_of_base

__all__ = ["as_number", "number_of", "with_numbers"]


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


def with_numbers(call: Any, error: Exception, function: Any) -> ArgumentError | None:
    """The error for a number that was passed as text, a fraction for a whole number, or the sizes of a shape one by
    one; None for other calls.

    Args:
        call: The call, as `lamina.spelling.arguments` describes it.
        error: What it raised.
        function: What was called.
    """
    if is_of_base(function, call.of):
        return None
    is_said = str(call.given) in (getattr(error, "fix", None) or "")
    if (
        not is_said
        and call.positional[:1] == ["shape"]
        and len(call.given) > 1
        and all(type(one) is int for one in call.given)
    ):
        message = f"{call.name} takes its shape as one tuple; got {', '.join(map(str, call.given))}."
        return ArgumentError(message, fix=f"{call.shown}({call.given})", of=call.of)
    kinds = (str, float) if isinstance(error, TypeError) else str  # an error of our own explains fractions
    given = {**dict(zip(call.positional, call.given, strict=False)), **call.kwargs}
    meant, messages = {}, []
    for name, value in given.items():
        parameter = call.parameters.get(name)
        usual = number_of(parameter) if parameter is not None else None
        number = as_number(value, usual) if usual is not None and isinstance(value, kinds) else None
        if number is not None:
            meant[name] = number
            kind = "whole number" if usual is int else "number"
            got = f"the text {value!r}" if isinstance(value, str) else repr(value)
            messages.append(f"{name} is a {kind}; got {got}.")
    return ArgumentError(" ".join(messages), fix=call.written({**given, **meant}), of=call.of) if meant else None
