"""Arguments of a class with which an object cannot be made, or cannot be called: found by trying others."""

from __future__ import annotations

import inspect
import itertools
import math
import re
from collections.abc import Iterator
from typing import Any

from lamina.core.arguments import EXAMPLES, numbers_in, shown
from lamina.core.op_errors import FAILURES, is_explained
from lamina.core.op_shapes import trying
from lamina.core.representation import signature_of
from lamina.errors import ArgumentError, ConfigError, LaminaError
from lamina.spelling.docstrings import described_in
from lamina.spelling.nearest import nearest
from lamina.spelling.places import is_of_base, public_module

__all__ = ["explain", "explain_order"]


def explain(error: BaseException) -> LaminaError | None:
    """The error for a constructor of lamina that failed by an argument of a wrong kind; None for other errors.

    Args:
        error: The error, as the wrapper of the constructor caught it.
    """
    frame: Any = error.__traceback__ and error.__traceback__.tb_frame
    if frame is None or frame.f_code.co_name not in ("filtered", "translated") or not isinstance(error, FAILURES):
        return None
    names = frame.f_locals
    args, kwargs = names.get("args", ()), names.get("kwargs", {})
    made = names.get("self", args[0] if args else None)
    if getattr(names.get("function"), "__name__", "") != "__init__" or is_explained(error):
        return None
    cls, values = type(made), args if "self" in names else args[1:]
    given = {**dict(zip(signature_of(cls), values, strict=False)), **kwargs}
    with trying() as is_nested:
        for key, value in () if is_nested else _other_settings(cls, given):
            try:
                cls(**{**given, key: value})
            except (*FAILURES, LaminaError):
                continue
            message = f"{cls.__name__} cannot be made with {key}={shown(given[key])}.{_described(cls, key)}"
            if type(given[key]).__module__.startswith("lamina.callbacks"):
                return ArgumentError(message, fix=f"model.fit(x, y, callbacks=[keras.callbacks.{shown(given[key])}])")
            kind = ArgumentError if isinstance(error, (TypeError, AttributeError)) else ConfigError
            return kind(message, fix=f"{key}={value!r}")
    return None


def explain_order(error: BaseException) -> LaminaError | None:
    """The error for a constructor of lamina whose arguments fit in another order: Conv2D((3, 3), 32); None for others.

    Args:
        error: The error, as the wrapper of the constructor caught it.
    """
    frame: Any = error.__traceback__ and error.__traceback__.tb_frame
    if frame is None or frame.f_code.co_name not in ("filtered", "translated") or type(error) is not ConfigError:
        return None
    names = frame.f_locals
    args, kwargs = names.get("args", ()), names.get("kwargs", {})
    made = names.get("self", args[0] if args else None)
    cls, values = type(made), args if "self" in names else args[1:]
    function = names.get("function")
    if getattr(function, "__name__", "") != "__init__" or not 2 <= len(values) <= 4 or is_of_base(function, made):
        return None
    with trying() as is_nested:
        for first, second in () if is_nested else itertools.combinations(range(len(values)), 2):
            pair = values[first], values[second]
            if type(pair[0]) is type(pair[1]) or all(isinstance(one, (int, float)) for one in pair):
                continue
            other = list(values)
            other[first], other[second] = other[second], other[first]
            try:
                cls(*other, **kwargs)
            except (*FAILURES, LaminaError):
                continue
            order = [*signature_of(cls)][: len(values)]
            call = ", ".join([*map(repr, other), *(f"{key}={shown(value)}" for key, value in kwargs.items())])
            message = f"{error.message} The arguments by position are {', '.join(order)}."
            return ArgumentError(message, fix=f"{public_module(cls)}.{cls.__name__}({call})")
    return None


def _other_settings(cls: type, given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Arguments of a class, and other values for them, the likeliest first.

    Args:
        cls: Class.
        given: Arguments that it was made with.
    """
    parameters = {key: parameter for key, (parameter, _) in signature_of(cls).items()}
    for key in sorted(
        given.keys() & parameters.keys() - {"name", "dtype"}, key=lambda key: not isinstance(given[key], str)
    ):
        value, default = given[key], parameters[key].default
        words = re.findall(r'"([\w-]+)"', _described(cls, key))
        numbers = [number for number in numbers_in(value) if math.isfinite(number)]
        tries = [*numbers, *map(int, numbers), *(nearest(value, words) if isinstance(value, str) else [])]
        tries += [EXAMPLES[key]] if key in EXAMPLES else []
        tries += [default] if default not in (inspect.Parameter.empty, None) else []
        tries += [
            *words,
            -1 if "axis" in key else 1,
            0.1,
            (1,),
            (1, 1),
            [0.0, 1.0],
            ["a", "b"],
            *[None] * (default is None),
        ]
        yield from ((key, one) for one in tries if one is not value)


def _described(cls: type, key: str) -> str:
    """What an argument is, by the docstring of its class, with a space before it; "" if that does not say.

    Args:
        cls: Class.
        key: Name of the argument.
    """
    for owner in cls.__mro__:
        if text := described_in(inspect.cleandoc(owner.__doc__ or ""), key):
            return f" `{key}`: {text}"
    return ""
