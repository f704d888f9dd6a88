"""Where programs find a class or function of lamina."""

from __future__ import annotations

import inspect
import sys
from typing import Any

__all__ = ["class_meant", "is_of_base", "public_module"]


def _is_public(module, name):
    """Whether a module is one that programs import, and has the name."""
    parent, _, last = module.rpartition(".")
    return last in dir(sys.modules.get(parent)) and name in dir(sys.modules.get(module))


def public_module(thing: Any) -> str:
    """`keras.layers` for a class or function of lamina; "" for others.

    Args:
        thing: Class or function.
    """
    parts = (thing.__module__ or "").split(".")
    if parts[0] != "lamina" or len(parts) < 2:
        return ""
    if "_keras_module" in thing.__dict__ or parts[1] == "core":
        return thing.__dict__.get("_keras_module") or "keras"
    homes = [".".join(parts[:end]) for end in range(2, len(parts) + 1)] + [f"lamina.{parts[1]}.image"]
    found = next((home for home in homes if _is_public(home, thing.__name__)), f"lamina.{parts[1]}")
    return found.replace("lamina", "keras", 1)


def is_of_base(function: Any, made: Any) -> bool:
    """Whether a function is the `__init__` of a base of lamina, whose arguments are not those of the user's call.

    Args:
        function: Function that was called.
        made: Object that is being made.
    """
    ours = [cls for cls in type(made).__mro__ if cls.__module__.startswith("lamina.") and "__init__" in vars(cls)]
    init = vars(ours[0])["__init__"] if ours and function.__name__ == "__init__" else function
    return inspect.unwrap(init) is not inspect.unwrap(function)


def class_meant(cls: type) -> type:
    """The class whose signature refused a call: a user's class only if it hands arguments on.

    Args:
        cls: Class that was made.
    """
    for candidate in cls.__mro__:
        own = candidate.__dict__.get("__init__")
        is_ours = (candidate.__module__ or "").split(".")[0] == "lamina"
        if is_ours or (
            own and any(p.kind is inspect.Parameter.VAR_KEYWORD for p in inspect.signature(own).parameters.values())
        ):
            return candidate if not candidate.__name__.startswith("_") else cls
        if own is None and candidate is cls and _inherits_ours(cls):
            return cls
    return cls


def _inherits_ours(cls):
    owner = next(base for base in cls.__mro__ if "__init__" in base.__dict__)
    return (owner.__module__ or "").split(".")[0] == "lamina"
