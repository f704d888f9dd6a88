"""Texts that were given where a number is wanted, and that nothing refused."""

from __future__ import annotations

from typing import Any

from lamina.errors import ArgumentError
from lamina.spelling.arguments import Call
from lamina.spelling.numbers import as_number, number_of
from lamina.spelling.places import is_of_base

__all__ = ["refuse_text"]


def refuse_text(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> None:
    """Raise the error for a text in place of a number.

    Args:
        function: The `__init__` that was called. Nothing is refused if it is that of a base of the object.
        args, kwargs: Its arguments.
        name: Name of the argument that is a text.

    Raises:
        ArgumentError: With the call as it should be.
    """
    if is_of_base(function, args[0]):
        return
    call = Call(function, args, kwargs)
    given = {**dict(zip(call.positional, call.given, strict=False)), **call.kwargs}
    parameter = call.parameters[name]
    kind, is_axis = number_of(parameter) or int, name == "axis"
    number: Any = as_number(given[name], kind)
    if number is None:
        usual = parameter.default
        number = usual if type(usual) in (int, float) else -1 if is_axis else kind(1)
    what = f"a {'whole ' * (kind is int)}number{' or several of them' * ('Sequence' in str(parameter.annotation))}"
    message = f"{name} is {what}; got the text {given[name]!r}."
    raise ArgumentError(message, fix=call.written({**given, name: number}))
