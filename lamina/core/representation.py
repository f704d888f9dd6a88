"""Representation: objects show themselves as the call of their constructor, with the settings that are not defaults."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jax.core import Tracer

from lamina.core import registry
from lamina.core.arguments import boolean
from lamina.core.context import snake_case
from lamina.errors import ConfigError
from lamina.runtime import settings
from lamina.runtime.terminal import printable
from lamina.spelling.arguments import signature_of

__all__ = ["READ_AT_MOST", "Represented", "arguments_of", "call_of", "numbers_of", "shown", "signature_of"]

Parameter = inspect.Parameter
_LONGEST = 8  # elements of a list or array that are shown
READ_AT_MOST = 1_000_000  # elements of a variable that its repr reads
_MISSING = object()
_GLOBAL = {"data_format": settings.image_data_format, "dtype": settings.floatx}  # what None means


def arguments_of(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that a class was called with, by name.

    Args:
        cls: Class.
        args, kwargs: Arguments of the call.
    """
    try:
        bound = inspect.signature(cls.__init__).bind_partial(None, *args, **kwargs)
    except TypeError:  # calling __init__ raises the error with the explanation
        return dict(kwargs)
    arguments = dict(list(bound.arguments.items())[1:])
    for parameter in inspect.signature(cls.__init__).parameters.values():
        if parameter.kind is Parameter.VAR_KEYWORD:
            arguments.update(arguments.pop(parameter.name, {}))
    return arguments


class Represented:
    """Base of objects whose repr is the call that makes them.

    >>> class Ruler(Represented):
    ...     def __init__(self, length, unit="cm"):
    ...         self.length, self.unit = length, unit
    >>> Ruler(30), Ruler(12, unit="inch")
    (Ruler(30), Ruler(12, unit="inch"))
    """

    _repr_skips: frozenset[str] = frozenset()  # arguments that are never shown
    _repr_always: frozenset[str] = frozenset()  # arguments that are shown when they have their default too

    if not TYPE_CHECKING:  # type checkers use the signature of __init__

        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            for name, place in _booleans_of(cls):
                value = args[place] if place < len(args) else kwargs.get(name)
                if value is not None and not isinstance(value, bool):
                    _check_boolean(cls, name, value, args, kwargs)
            return super().__new__(cls)

    def __repr__(self) -> str:
        return printable(call_of(self))

    def _repr_argument(self, name: str, parameter: Any, owner: type) -> Any:
        """The value of an argument, as it is shown."""
        given = self.__dict__.get("_init_arguments", {})
        return getattr(self, name) if hasattr(self, name) else given[name]


def _booleans_of(cls):
    """(name, place) of the arguments of a class that are True or False, which the class itself keeps."""
    if "_booleans" in cls.__dict__:
        return cls.__dict__["_booleans"]
    places = {name: place for place, name in enumerate([*inspect.signature(cls.__init__).parameters][1:])}
    cls._booleans = [
        (name, places.get(name, sys.maxsize))
        for name, (parameter, owner) in signature_of(cls).items()
        if parameter.annotation in (("bool", "bool | None") if registry.is_builtin(owner) else ("bool", bool))
        or (isinstance(parameter.default, bool) and not registry.is_builtin(owner))
    ]
    return cls._booleans


def _check_boolean(cls, name, value, args, kwargs):
    """Refuse what would count as True, any text or list: Dense(10, "softmax", "relu"), whose third is use_bias."""
    is_number = hasattr(value, "dtype") or (isinstance(value, (int, float)) and value in (0, 1))
    owner = signature_of(cls)[name][1]
    if is_number or not (registry.is_builtin(owner) or str(value).lower() in ("true", "false", "yes", "no")):
        return
    try:
        boolean(cls.__name__, name, value)
    except ConfigError as error:
        names = [*signature_of(cls)][: len(args)]
        if name in names:
            given = {**dict(zip(names, args, strict=False)), **kwargs, name: str(error.fix).endswith("=True")}
            error.message += f" The arguments by position are {', '.join(names)}."
            error.fix = f"{cls.__name__}({', '.join(f'{key}={shown(one)}' for key, one in given.items())})"
        raise


def call_of(thing: Represented, short: bool = False) -> str:
    """The call that makes an object, in short without a name that was made up.

    Args:
        thing: Object.
        short: Whether it is an argument of another object.
    """
    cls, arguments, in_order = type(thing), [], True
    skips = thing._repr_skips or getattr(thing, "_config_skips", frozenset())
    for name, (parameter, owner) in signature_of(cls).items():
        value = _value(thing, name, parameter, owner)
        required = parameter.default is Parameter.empty
        if not required or parameter.kind is not Parameter.POSITIONAL_OR_KEYWORD:
            in_order = False
        if (
            value is _MISSING
            or inspect.ismethod(value)
            or name in skips
            or not _is_shown(thing, name, value, parameter.default, short)
        ):
            in_order = False
            continue
        arguments.append(shown(value) if in_order else f"{name}={shown(value)}")
    return f"{cls.__name__}({', '.join(arguments)})"


def _value(thing, name, parameter, owner):
    try:
        return thing._repr_argument(name, parameter, owner)
    except Exception:  # a user's property may raise anything; a repr must not
        return _MISSING


def _is_shown(thing, name, value, default, short):
    if name == "name":
        automatic = isinstance(value, str) and re.fullmatch(
            rf"(forward_|backward_)?{snake_case(type(thing).__name__)}(_\d+)?", value
        )
        return (
            value is not None
            and not _same(value, default)
            and not (automatic and (short or "name" not in thing._repr_always))
        )
    if name in thing._repr_always:
        return True
    return not (_same(value, default) or (default is None and name in _GLOBAL and value == _GLOBAL[name]()))


def _same(value, default):
    """Whether a value is what its default stands for."""
    if value is default:
        return True
    if default is Parameter.empty or value is None:
        return False
    if default is None:
        return getattr(value, "__name__", None) == "linear" or (isinstance(value, (tuple, list, dict)) and not value)
    if isinstance(default, str):
        return shown(value) in (shown(default), shown(snake_case(default)), shown(f"random_{default}"))
    if isinstance(default, (bool, int, float)) and isinstance(value, (tuple, list)):
        return all(_same(one, default) for one in value)
    if isinstance(default, float) and isinstance(value, (int, float, np.number)):
        return float(np.float32(value)) == float(np.float32(default))
    if isinstance(default, (tuple, list)) and isinstance(value, (tuple, list)):
        return len(value) == len(default) and all(map(_same, value, default))
    return isinstance(value, (bool, int, float, bytes, dict)) and shown(value) == shown(default)


def shown(value: Any) -> str:
    """A setting as code, as far as it is short.

    Args:
        value: Setting.

    >>> print(shown("a"), shown(0.1), shown([1, 2]), shown(np.float32(0.1)), shown(np.zeros((3, 4))))
    "a" 0.1 [1, 2] 0.1 <float64 array of shape (3, 4)>
    """
    if isinstance(value, str):
        text = repr(value)
        return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in value else text
    if isinstance(value, float):
        short = str(np.float32(value)) if value == float(np.float32(value)) else repr(value)
        return short if len(short) < len(repr(value)) else repr(value)
    if isinstance(value, np.generic):
        return shown(value.item())
    if isinstance(value, (list, tuple, set, frozenset, Mapping)) and not isinstance(value, Represented):
        return _shown_container(value)
    if isinstance(value, Represented):
        call = call_of(value, short=True) if type(value).__repr__ is Represented.__repr__ else repr(value)
        plain = call == f"{type(value).__name__}()" and not hasattr(value, "built") and registry.is_builtin(type(value))
        return shown(snake_case(type(value).__name__)) if plain else call
    if isinstance(value, (np.ndarray, jax.Array)):
        return _shown_array(value)
    name = getattr(value, "__name__", None)
    if callable(value) and name is not None:
        return shown(name) if registry.is_builtin(value) and not isinstance(value, type) else name
    text = repr(value)
    return text if " at 0x" not in text and "\n" not in text else f"<{type(value).__name__}>"


def _shown_container(value):
    if len(value) > _LONGEST:
        return f"<{type(value).__name__} of {len(value):,}>"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{shown(key)}: {shown(one)}" for key, one in value.items()) + "}"
    inside = ", ".join(map(shown, value))
    if isinstance(value, tuple):
        return f"({inside}{',' * (len(value) == 1)})"
    return f"[{inside}]" if isinstance(value, list) else f"{{{inside}}}" if value else "set()"


def _shown_array(value):
    if value.size <= _LONGEST and not isinstance(value, Tracer):
        return shown(value.tolist())
    return f"<{value.dtype} array of shape {tuple(value.shape)}>"


def numbers_of(array: np.ndarray[Any, Any]) -> str:
    """The numbers of an array in one line, those in the middle of a large one left out.

    Args:
        array: Array.

    >>> numbers_of(np.arange(100.0).reshape(2, 50))
    '[[0. 1. ... 48. 49.] [50. 51. ... 98. 99.]]'
    """
    if array.dtype.kind not in "biufcV" or array.ndim == 0:
        return str(array)
    text = np.array2string(array, precision=4, threshold=16, edgeitems=2)
    return " ".join(text.split()).replace("[ ", "[").replace(" ]", "]")
