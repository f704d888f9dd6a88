"""Read arguments that Keras takes through **kwargs by name, and raise an error for unknown ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.errors import ArgumentError, ConfigError


def keywords(owner: str, given: dict[str, Any], **defaults: Any) -> list[Any]:
    """The values of keyword arguments, or their defaults.

    Args:
        owner: Name of the class or function in error messages.
        given: The keyword arguments that were passed.
        **defaults: Default value of each known argument.

    Raises:
        ArgumentError: An argument is unknown. What was meant is added where the call is public.

    >>> keywords("save_model", {"include_optimizer": False}, include_optimizer=True, save_format=None)
    [False, None]
    """
    unknown = [name for name in given if name not in defaults]
    if unknown:
        raise ArgumentError(
            f"{owner} has no argument{'s' * (len(unknown) > 1)} {', '.join(map(repr, unknown))}.",
            of=owner,
            also=tuple(defaults),
        )
    return [given.get(name, default) for name, default in defaults.items()]


def refuse_positional(owner: str, given: Any, names: Any) -> None:
    """Raise an error for positional arguments if a class takes keyword arguments only.

    Args:
        owner: Name of the class in error messages.
        given: The positional arguments that were passed.
        names: Names of the arguments that were probably meant.

    Raises:
        ConfigError: If there is a positional argument.
    """
    if given:
        raise ConfigError(
            f"{owner} takes its arguments by name; got {', '.join(map(repr, given))[:80]}.",
            fix=f"super().__init__({', '.join(f'{name}={name}' for name in names)}), with the arguments that you mean.",
        )


def expect_names(custom_objects: Any) -> None:
    """Raise an ArgumentError if custom objects are given without their names.

    Args:
        custom_objects: Dict of classes and functions, or None.
    """
    if custom_objects is not None and not isinstance(custom_objects, Mapping):
        given = custom_objects if isinstance(custom_objects, (list, tuple, set)) else [custom_objects]
        names = [getattr(one, "__name__", "Mine") for one in given]
        raise ArgumentError(
            f"custom_objects is a dict of classes and functions by name; got a {type(custom_objects).__name__}.",
            fix=f"custom_objects={{{', '.join(f'{name!r}: {name}' for name in names)}}}",
        )
