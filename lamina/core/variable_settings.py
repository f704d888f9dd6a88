"""Attributes of variables that users set, each checked when it is set."""

from __future__ import annotations

from typing import Any

from lamina.errors import ArgumentError, ConfigError

__all__ = ["Function", "Switch"]


class Function:
    """An attribute that is a function of the value, or None.

    >>> class Weight:
    ...     constraint = Function("keras.constraints.NonNeg()")
    >>> weight = Weight()
    >>> weight.constraint = abs
    >>> weight.constraint(-1.0)
    1.0
    """

    def __init__(self, example: str) -> None:
        self.example = example

    def __set_name__(self, owner: type, name: str) -> None:
        self.name: str = name
        self.key: str = f"_{name}"

    def __get__(self, variable: Any, owner: type | None = None) -> Any:
        return self if variable is None else variable.__dict__.get(self.key)

    def __set__(self, variable: Any, value: Any) -> None:
        if value is not None and not callable(value):
            raise ConfigError(
                f"Invalid value for attribute `{self.name}`: it is a function of the variable's value, or None; got "
                f"{value!r}.",
                fix=f"variable.{self.name} = {self.example}",
            )
        variable.__dict__[self.key] = value


class Switch(Function):
    """An attribute that is True or False, first False."""

    def __get__(self, variable: Any, owner: type | None = None) -> Any:
        return self if variable is None else variable.__dict__.get(self.key, False)

    def __set__(self, variable: Any, value: Any) -> None:
        if not isinstance(value, bool):
            message = f"`{self.name}` must be a boolean; got {value!r}."
            raise ArgumentError(message, fix=f"variable.{self.name} = {self.example}")
        variable.__dict__[self.key] = value
