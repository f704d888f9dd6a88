"""Arguments that Keras takes in **kwargs: read by name, with an error for unknown ones."""

from __future__ import annotations

from typing import Any

from lamina.errors import ConfigError


def keywords(owner: str, given: dict[str, Any], **defaults: Any) -> list[Any]:
    """The values of keyword arguments, or their defaults.

    Args:
        owner: Class or function in the words of an error.
        given: The arguments that it got.
        **defaults: Default of each known argument.

    Raises:
        ConfigError: An argument is unknown.

    >>> keywords("save_model", {"include_optimizer": False}, include_optimizer=True, save_format=None)
    [False, None]
    """
    unknown = [name for name in given if name not in defaults]
    if unknown:
        raise ConfigError(
            f"{owner} has no argument{'s' * (len(unknown) > 1)} {', '.join(map(repr, unknown))}.",
            fix=f"Besides those of its signature it takes: {', '.join(defaults)}." if defaults else None,
        )
    return [given.get(name, default) for name, default in defaults.items()]


def refuse_positional(owner: str, given: Any, names: Any) -> None:
    """An error for positional arguments where a class takes arguments by name alone.

    Args:
        owner: Class in the words of an error.
        given: The positional arguments that it got.
        names: Names of the arguments that were probably meant.

    Raises:
        ConfigError: There is a positional argument.
    """
    if given:
        raise ConfigError(
            f"{owner} takes its arguments by name; got {', '.join(map(repr, given))[:80]}.",
            fix=f"super().__init__({', '.join(f'{name}={name}' for name in names)}), with the arguments that you mean.",
        )
