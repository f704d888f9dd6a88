"""What a person meant who wrote a name that does not exist: the nearest known one, or the one that Keras has for it.

All of it runs when a call or a lookup has failed, so it costs a program without mistakes nothing; this file is all that
is imported until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from lamina.errors import UnknownNameError
from lamina.runtime.tracebacks import readable

__all__ = ["SaysWhatWasMeant", "missing_attribute", "missing_member", "public_names"]

public_names: list[Callable[[], Iterable[tuple[str, str]]]] = []
"""Functions that return (name, public module) of all public names."""


class SaysWhatWasMeant:
    """Base of objects whose missing attributes say what was meant."""

    if not TYPE_CHECKING:  # type checkers know the attributes

        def __getattr__(self, name: str) -> Any:
            found = missing_attribute(self, name)
            if not isinstance(found, UnknownNameError):
                return found
            with readable(found) as error:
                raise error


def missing_attribute(owner: Any, name: str) -> Any:
    """The error for an attribute that an object does not have; for modules of Equinox, the modules.

    Args:
        owner: The object.
        name: Name of the attribute.

    Raises:
        AttributeError: What a property of that name raises; and for private names.
    """
    made = getattr(type(owner), "_set_by_init", None)
    if made is not None and made not in vars(owner):
        asked = "" if name.startswith("_") else f"{type(owner).__name__!r} object has no attribute {name!r}. "
        message = f"{asked}{type(owner).__name__}.__init__ has not called super().__init__() yet."
        return UnknownNameError(message, lambda: ("", "Call super().__init__() first."))
    made_by = getattr(getattr(type(owner), name, None), "made_by", None)  # of a KeptAttribute
    if made_by is not None:
        message = f"{type(owner).__name__!r} object has no attribute {name!r} yet."
        return UnknownNameError(message, lambda: ("", made_by))
    if hasattr(type(owner), name):  # a property failed, whose own error says why
        try:
            return object.__getattribute__(owner, name)
        except UnknownNameError as error:
            return error
    if name in owner.__dict__.get("_read_modules", ()):
        return owner.__dict__["_read_modules"][name].read()
    if name.startswith("_"):
        raise AttributeError(f"{type(owner).__name__!r} object has no attribute {name!r}")
    from lamina.spelling.names import unknown_attribute

    return unknown_attribute(owner, name)


def missing_member(module: str, name: str, known: Iterable[str]) -> Exception:
    """The error for a name that a module does not have. In `from module import name` it is an ImportError.

    Args:
        module: Path of the module.
        name: The name.
        known: The names that it has.
    """
    if name.startswith("_"):
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    from lamina.spelling.names import unknown_member

    return unknown_member(module, name, known, lambda: (pair for names in public_names for pair in names()))
