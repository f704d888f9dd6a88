"""Derive `get_config` and `repr` from the signature: each argument is stored in an attribute of the same name."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Self

from lamina import legacy
from lamina.core import registry
from lamina.core.context import snake_case
from lamina.core.serialization import config_value, deserialize_nested
from lamina.core.typing import Config
from lamina.runtime.tracebacks import filters_traceback

__all__ = ["Configurable", "signature_of"]

Parameter = inspect.Parameter
_PLAIN = (type(None), str, bool, int, float, bytes)


def signature_of(cls: type) -> Any:
    """The arguments of a class, including those that it passes on through **kwargs.

    Args:
        cls: Class whose `__init__` is read.

    Returns:
        A dict: name -> (parameter, class whose `__init__` has it).
    """
    if "_signature" in cls.__dict__:
        return cls._signature
    found = {}
    for owner in cls.__mro__:
        if "__init__" not in owner.__dict__:
            continue
        parameters = inspect.signature(owner.__init__).parameters.values()
        for parameter in list(parameters)[1:]:
            if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
                found.setdefault(parameter.name, (parameter, owner))
        if not any(parameter.kind is Parameter.VAR_KEYWORD for parameter in parameters):
            break
    cls._signature = found
    return found


class Configurable:
    """Base class of objects that are fully described by their constructor arguments, from which `get_config` and `repr`
    follow.

    >>> from lamina import initializers
    >>> initializers.Constant(2.0)
    Constant(value=2.0)
    >>> initializers.Constant.from_config({"value": 2.0}).get_config()
    {'value': 2.0}
    """

    _config_skips: frozenset[str] = frozenset()  # parameters that are not in the config
    _config_optional: frozenset[str] = frozenset()  # parameters that are not in the config if None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if registry.is_builtin(cls):
            registry.register_class(cls)
            if legacy.accepts_old_names(cls.__name__):
                type.__setattr__(cls, "__init__", legacy.accepting_old_names(cls.__init__, cls.__name__))
            elif "__init__" in cls.__dict__:
                type.__setattr__(cls, "__init__", filters_traceback(cls.__init__))

    if not TYPE_CHECKING:  # type checkers use the signature of __init__

        def __new__(cls, *args: Any, **kwargs: Any) -> Self:
            instance = super().__new__(cls)
            if not registry.is_builtin(cls):
                object.__setattr__(instance, "_init_arguments", _bind(cls, args, kwargs))
            return instance

    def get_config(self) -> Config:
        """The arguments by name, as JSON-able values, from which `from_config` creates an equal object."""
        is_user_method = not registry.is_builtin(type(self).get_config)
        config = {}
        for name, (parameter, owner) in signature_of(type(self)).items():
            if name in self._config_skips or (is_user_method and not registry.is_builtin(owner)):
                continue
            value = self._argument(name, parameter, owner)
            if value is not None or name not in self._config_optional:
                config[name] = config_value(value)
        return config

    def _argument(self, name, parameter, owner):
        given = getattr(self, "_init_arguments", {})
        if not registry.is_builtin(owner) and name in given:
            return given[name]
        if hasattr(self, name):
            return getattr(self, name)
        if parameter.default is not Parameter.empty and not registry.is_builtin(owner):
            return parameter.default
        raise NotImplementedError(
            f"{type(self).__name__} cannot make its config: __init__ takes {name!r}, and there is no attribute of that "
            f"name. Store it (self.{name} = {name}) or write get_config()."
        )

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Create the object that `get_config` described.

        Args:
            config: Arguments by name, as `get_config` returned them.
        """
        return cls(**{key: deserialize_nested(value) for key, value in config.items()})

    def __repr__(self) -> str:
        shown = []
        for name, (parameter, owner) in signature_of(type(self)).items():
            value = self._argument(name, parameter, owner) if hasattr(self, name) else parameter.default
            if name in self._config_skips or _same(value, parameter.default):
                continue
            shown.append(f"{name}={_brief(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"


def _bind(cls, args, kwargs):
    """The arguments passed to a user's class, by name."""
    try:
        bound = inspect.signature(cls.__init__).bind_partial(None, *args, **kwargs)
    except TypeError:  # calling __init__ raises the error with the explanation
        return dict(kwargs)
    arguments = dict(list(bound.arguments.items())[1:])
    for parameter in inspect.signature(cls.__init__).parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            arguments.update(arguments.pop(parameter.name, {}))
    return arguments


def _same(value, default):
    if isinstance(default, str) and not isinstance(value, str):
        return getattr(value, "__name__", None) == default or snake_case(type(value).__name__) == default
    return value is default or (isinstance(value, _PLAIN) and value == default)


def _brief(value):
    if callable(value) and hasattr(value, "__name__"):
        return repr(value.__name__)
    return repr(value)
