"""Derive `get_config` from the signature: each argument is stored in an attribute of the same name."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar

from lamina import legacy
from lamina.core import context, registry
from lamina.core.representation import Represented, arguments_of, signature_of
from lamina.core.serialization import config_value, deserialize_nested
from lamina.core.typing import Config
from lamina.errors import ArgumentError, ConfigError, MissingMethodError
from lamina.runtime.tracebacks import explain_errors_by, explain_uncaught, filters_traceback, later, readable
from lamina.spelling import SaysWhatWasMeant

__all__ = ["CompilesCalls", "Configurable", "compiles"]

F = TypeVar("F", bound=Callable[..., Any])


explain_errors_by(later("lamina.core.class_errors.explain_order", ConfigError))
explain_errors_by(later("lamina.core.class_errors.explain"))
_fix_of = later("lamina.core.python_errors.fix_of")
Parameter = inspect.Parameter


class CompilesCalls:
    """An object whose calls on arrays are compiled programs until one of its settings changes."""

    def __setattr__(self, name: str, value: Any) -> None:
        vars(self).pop("_compiled_calls", None)
        super().__setattr__(name, value)


def compiles(method: F) -> F:
    """A method of a `CompilesCalls` that runs as a compiled program where it can.

    Args:
        method: Function of the object and the arguments.
    """

    @functools.wraps(method)
    def run(self, *args, **kwargs):
        if context.is_traced():
            return method(self, *args, **kwargs)
        from lamina.core.compiled_calls import call_of  # if anything is called on arrays

        made = call_of(method, self, args, kwargs)
        return method(self, *args, **kwargs) if made is NotImplemented else made

    return run  # pyright: ignore[reportReturnType]


class Configurable(SaysWhatWasMeant, Represented):
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
                type.__setattr__(cls, "__init__", legacy.accepting_old_names(cls.__init__, cls.__name__, _refuse_texts))
            elif "__init__" in cls.__dict__:
                type.__setattr__(cls, "__init__", filters_traceback(cls.__init__, _refuse_texts))

    if not TYPE_CHECKING:  # type checkers use the signature of __init__

        def __new__(cls, *args: Any, **kwargs: Any) -> Self:
            explain_uncaught(_fix_of)
            try:
                if not registry.is_builtin(cls):
                    _check_init(cls)
                instance = super().__new__(cls, *args, **kwargs)
            except ConfigError as error:
                with readable(error) as shown:
                    raise shown from None
            if not registry.is_builtin(cls):
                object.__setattr__(instance, "_init_arguments", arguments_of(cls, args, kwargs))
            return instance

    def get_config(self) -> Config:
        """The arguments by name, as JSON-able values, from which `from_config` creates an equal object."""
        kind = type(self)
        if not registry.is_builtin(kind.get_config):  # asked by `super().get_config()`: the arguments of our class
            kind = next(base for base in kind.__mro__ if registry.is_builtin(base))
        config, given = {}, getattr(self, "_init_arguments", {})
        own = next((base for base in kind.__mro__ if "__init__" in base.__dict__), kind)
        for name, (parameter, owner) in signature_of(kind).items():
            fixed = owner is not own and not registry.is_builtin(owner) and name not in given  # `own` passed it on
            if name in self._config_skips or fixed:
                continue
            value = self._argument(name, parameter, owner)
            if value is not None or name not in self._config_optional:
                config[name] = self._config_value(name, value)
        if not registry.is_builtin(own):
            self._refuse_unnamed(own, given)
        return config

    def _config_value(self, name, value):
        try:
            return config_value(value)
        except ConfigError as error:  # what calls get_config asks for NotImplementedError
            raise MissingMethodError(
                f"The config of {type(self).__name__} has {name!r}: {error.message}", error.fix
            ) from None

    def _refuse_unnamed(self, own, given):
        """Raise an error for arguments behind `*`, which a config, a dict by name, would lose."""
        for parameter in inspect.signature(own.__init__).parameters.values():
            if parameter.kind is Parameter.VAR_POSITIONAL and given.get(parameter.name):
                raise MissingMethodError(
                    f"{type(self).__name__} was made with arguments of *{parameter.name} that a config cannot name.",
                    fix="def get_config(self): ...  # and a from_config that takes them",
                )

    def _argument(self, name, parameter, owner):
        given = getattr(self, "_init_arguments", {})
        if not registry.is_builtin(owner) and name in given:
            return given[name]
        if hasattr(self, name):
            return getattr(self, name)
        if parameter.default is not Parameter.empty and not registry.is_builtin(owner):
            return parameter.default
        raise MissingMethodError(
            f"{type(self).__name__} cannot make its config: __init__ takes {name!r}, and there is no attribute of that "
            "name. Store it in __init__, or write get_config().",
            fix=f"self.{name} = {name}",
        )

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Create the object that `get_config` described.

        Args:
            config: Arguments by name, as `get_config` returned them.
        """
        values = {key: deserialize_nested(value) for key, value in config.items()}
        try:
            return cls(**values)
        except ArgumentError as error:
            _tell_of_config(error, cls, values)
            raise
        except TypeError as error:
            _refuse_missing(error, cls)
            raise

    def _repr_argument(self, name, parameter, owner):
        return self._argument(name, parameter, owner)


_NUMBERS = frozenset(
    ("int", "float", "int | None", "float | None", "Axes", "int | Sequence[int]", "float | Sequence[float]")
)


def _refuse_texts(function, args, kwargs):
    """Raise an error for a text where an `__init__` that took it wants a number: TopKCategoricalAccuracy("5")."""
    if not any(isinstance(one, str) for one in (*args, *kwargs.values())):
        return
    code = getattr(inspect.unwrap(function), "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code is not None else ()
    for name, value in (*zip(names, args, strict=False), *kwargs.items()):
        if isinstance(value, str) and function.__annotations__.get(name) in _NUMBERS:
            from lamina.spelling.texts import refuse_text

            refuse_text(function, args, kwargs, name)


def _refuse_missing(error, cls):
    """Raise an error for a config of a user's class without an argument that `__init__` needs."""
    found = re.match(rf"{re.escape(cls.__qualname__)}\.__init__\(\) missing .*?: '(\w+)'", str(error))
    if found and not registry.is_builtin(cls):
        raise ArgumentError(
            f"get_config of {cls.__name__} returns no {found[1]!r}, which __init__ needs.",
            fix=f"return {{**super().get_config(), {found[1]!r}: self.{found[1]}, ...}}  # in get_config",
        ) from None


def _check_init(cls):
    """Refuse a class of the user whose `__init__` is misspelt: Python would not call it, and nothing would be there."""
    own = vars(cls)
    wrong = next(
        (name for name in own if name in ("_init_", "__init", "_init__", "__init_", "__int__", "__inti__")), None
    )
    if wrong == "__int__" and "__init__" not in own[wrong].__code__.co_names:  # what int(x) calls
        return
    if wrong is not None and "__init__" not in own:
        raise ConfigError(
            f"{cls.__name__} has the method {wrong!r}, which Python does not call.",
            fix=f"def __init__{inspect.signature(own[wrong])}:  # two underscores on both sides",
        )


def _tell_of_config(error, cls, config):
    """Say in an error that `get_config` of a user's class returns more than `__init__` takes."""
    unknown = [key for key in config if key not in signature_of(cls)]
    if unknown and not registry.is_builtin(cls):
        parameters = inspect.signature(cls.__init__).parameters.values()
        own = [str(parameter) for parameter in parameters if parameter.kind is not Parameter.VAR_KEYWORD]
        given = f"{', '.join([*own, *(f'{key}=None' for key in unknown)])}, **kwargs"
        error.message = f"get_config of {cls.__name__} returns {unknown[0]!r}, which __init__ does not take."
        error.fix = f"def __init__({given}): super().__init__(**kwargs)"
