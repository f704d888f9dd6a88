"""Functions of TensorFlow that a program defines for its own types: `tf.experimental.dispatch_for_api`."""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any

from lamina.core.variable import unwrap
from lamina.errors import CallError

__all__ = ["DISPATCHED", "dispatch_for_api", "dispatched", "for_elementwise", "unregister_dispatch_for"]

DISPATCHED: dict[Any, list[tuple[Any, Any]]] = {}
"""By function of TensorFlow, or `1` and `2` for those of one and two arguments element by element: (test, function)."""


def dispatched(key: Any, elementwise: int, function: Any, args: Any, kwargs: Any) -> Any:
    """What a program defined for a function and these arguments, called; NotImplemented where it defined nothing."""
    for fits, run in DISPATCHED.get(key, ()):
        if fits(args, kwargs):
            return run(*args, **kwargs)
    for fits, run in DISPATCHED.get(elementwise, ()):
        if fits(args[:elementwise], {}):
            return run(lambda *values: function(*values, *args[elementwise:], **kwargs), *args[:elementwise])
    return NotImplemented


def _fits(value: Any, kind: Any) -> bool:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin in (list, tuple, collections.abc.Sequence):
        return isinstance(value, (list, tuple)) and all(_fits(one, parts[0]) for one in value)
    return kind is Any or not isinstance(kind, type) or isinstance(unwrap(value), kind)


def dispatch_for_api(api: Any, *signatures: dict[Any, Any]) -> Callable[[Any], Any]:
    """`tf.experimental.dispatch_for_api(tf.stack)`: what runs for arguments of the annotated types."""

    def register(function):
        signature = inspect.signature(function)
        hints = {name: kind for name, kind in typing.get_type_hints(function).items() if name != "return"}

        def fits(args, kwargs):
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError:
                return False
            places = list(given)
            named = [{places[key] if isinstance(key, int) else key: kind for key, kind in one.items()}
                     for one in signatures or (hints,)]  # fmt: skip
            return any(all(name in given and _fits(given[name], kind) for name, kind in one.items()
                           if name in given or one is not hints) for one in named)  # fmt: skip

        DISPATCHED.setdefault(api, []).append((fits, function))
        return function

    return register


def for_elementwise(count: int) -> Any:
    """The decorator for functions of `count` arguments element by element.

    Args:
        count: 1 or 2.
    """

    def decorator(*kinds):
        def register(function):
            def fits(args, kwargs):
                return len(args) == count and all(map(_fits, args, kinds))

            DISPATCHED.setdefault(count, []).append((fits, function))
            return function

        return register

    return decorator


def unregister_dispatch_for(dispatch_target: Any) -> None:
    """`tf.experimental.unregister_dispatch_for`: forget what a function was registered for."""
    found = [(listed, one) for listed in DISPATCHED.values() for one in listed if one[1] is dispatch_target]
    if not found:
        raise CallError(f"{dispatch_target} was registered for no function.", fix="tf.experimental.dispatch_for_api")
    for listed, one in found:
        listed.remove(one)
