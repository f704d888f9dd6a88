"""Arguments that stand behind **kwargs in Keras's signatures: taken by name, and an error for any other."""

from lamina.errors import ConfigError


def keywords(owner, given, **defaults):
    """The values of the named arguments, from `given` or their defaults.

    Raises:
        ConfigError: when `given` has other names.

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


def refuse_positional(owner, given, names):
    """Raise ConfigError for arguments by position where a class takes them by name."""
    if given:
        raise ConfigError(
            f"{owner} takes its arguments by name; got {', '.join(map(repr, given))[:80]}.",
            fix=f"super().__init__({', '.join(f'{name}={name}' for name in names)}), or those of them that are meant.",
        )
