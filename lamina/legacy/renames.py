"""Old spellings in programs and configs: each is translated by the table, and warned of once for each line that has it.

Programs go through it when an object is made or a method is called (`accepting_old_names`), files when a config is
read.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from lamina.errors import ArgumentError, ConfigError, warn
from lamina.legacy.names import NAMES, SHORT_LOSS_NAMES
from lamina.legacy.table import ARGUMENTS, METHODS, Around, MovedTo, Part
from lamina.runtime.tracebacks import readable

__all__ = [
    "OldSpelling", "accepting_old_names", "accepts_old_names", "name_first", "name_of_today", "old_names",
    "only_old_names", "rename", "warn_renamed", "warn_renamed_method", "without_rename_warnings",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])

_BASES = ("Layer", "Optimizer")  # their arguments are those of every class below them


class OldSpelling(FutureWarning):
    """Warning of a name that Keras 1 or 2 had for something."""


_in_file = ContextVar("in_file", default=False)


@contextlib.contextmanager
def without_rename_warnings() -> Iterator[None]:
    """Inside the block old spellings give no warning, since nobody can change those in a file."""
    token = _in_file.set(True)
    try:
        yield
    finally:
        _in_file.reset(token)


def warn_renamed(message: str) -> None:
    """Warn of an old spelling, unless a file is being read.

    Args:
        message: One line with the old spelling and today's.
    """
    if not _in_file.get() and not is_probe():
        warn(message, OldSpelling, once=True)


def is_probe() -> bool:
    """Whether `from module import name` only looks whether the name is there; it gets it right after that."""
    frame = sys._getframe(1)
    for _ in range(10):
        if frame is None or frame.f_code.co_name == "_handle_fromlist":
            return frame is not None
        frame = frame.f_back
    return False


def warn_renamed_method(owner: str, old: str) -> None:
    """Warn of a method or attribute with a new name.

    Args:
        owner: Class that has it.
        old: The old name.
    """
    row = next(row for row in METHODS if (row.owner, row.old) == (owner, old))
    warn_renamed(f"{owner}.{old} is {row.new} since Keras {row.since}.")


def name_of_today(module: str, name: str) -> str | None:
    """Today's name of a function or class, with a warning of the old one; None where the table has none.

    Args:
        module: Path of the module, such as "lamina.losses".
        name: The old name.
    """
    today = NAMES.get(module, {}).get(name)
    if today is not None and "." in today:
        return None
    if today is not None:
        warn_renamed(f"{module}.{name} is called {today} since Keras {3 if name in SHORT_LOSS_NAMES else 2}.")
    return today


def rename(owner: str, arguments: dict[str, Any], shown_as: str | None = None) -> tuple[dict[str, Any], list[str]]:
    """The arguments of a class or method under today's names, and a line of text for each that changed.

    Args:
        owner: Class or method.
        arguments: The arguments by name.
        shown_as: Name of the owner in the lines. None means the one in the table.
    """
    rows = ARGUMENTS.get(owner, {})
    renamed: dict[str, Any] = {}
    parts: dict[str, dict[int, Any]] = {}
    lines = []
    for name, value in arguments.items():
        row = rows.get(name)
        if row is None:
            renamed[name] = value
            continue
        new = row.new(value) if callable(row.new) else row.new
        if isinstance(new, Part):
            parts.setdefault(new.name, {})[new.position] = value
        elif isinstance(new, dict):
            renamed.update(new)
        elif isinstance(new, str):
            renamed[new] = value
        elif isinstance(new, MovedTo) and new.passed_on:
            renamed[name] = value
        lines.append(f"{shown_as or row.owner}({name}=) {_today(new)} since Keras {row.since}.")
    renamed.update({name: tuple(values[index] for index in sorted(values)) for name, values in parts.items()})
    return renamed, lines


def _today(new):
    if new is None or new == {}:
        return "is left out: it has no meaning"
    if isinstance(new, (Around, MovedTo)):
        return f"is written as {new.spelling}"
    if isinstance(new, Part):
        return f"is {new.name}[{new.position}]"
    return f"is called {new if isinstance(new, str) else ' and '.join(new)}"


def accepts_old_names(owner: str) -> bool:
    """Whether the table has arguments of a class or method.

    Args:
        owner: Class or method.
    """
    return owner in ARGUMENTS


def accepting_old_names(function: F, owner: str, then: Callable[..., None] | None = None) -> F:
    """The same `__init__`, method or function, which takes its arguments by their old names too.

    Args:
        function: The `__init__`, method or function.
        owner: Class, method or function in the table.
        then: See `filters_traceback`.

    Raises:
        ConfigError: In a call, for an argument under its old name and today's.
    """
    current = frozenset(inspect.signature(function).parameters)
    rows = ARGUMENTS[owner]
    old_names = frozenset(name for name, row in rows.items() if name not in current or isinstance(row.new, MovedTo))

    @functools.wraps(function)
    def translated(*args: Any, **kwargs: Any) -> Any:
        old = {}
        if kwargs and not old_names.isdisjoint(kwargs):
            old = {name: kwargs.pop(name) for name in list(kwargs) if name in old_names}
            new, lines = rename(owner, old, type(args[0]).__name__ if owner in _BASES else None)
            twice = sorted(set(new) & set(kwargs))
            if twice:
                raise ConfigError(
                    f"{owner} got {twice[0]!r} twice: under its old name and under today's.",
                    fix=f"{owner}({twice[0]}=...), without the old name",
                )
            kwargs.update(new)
            for line in lines:
                warn_renamed(line)
        try:
            for name, value in old.items():
                if isinstance(rows[name].new, Around):  # no function has two of them
                    return rows[name].new.run(functools.partial(function, *args, **kwargs), value)
            result = function(*args, **kwargs)
            if then is not None:
                then(function, args, kwargs)
            return result
        except BaseException as error:
            with readable(error) as shown:
                raise shown from None

    return translated  # pyright: ignore[reportReturnType]  # it takes what `function` takes, and old names


def only_old_names(owner: str, arguments: dict[str, Any], function: Any, args: Any) -> dict[str, Any]:
    """Arguments that a signature does not have, under today's names.

    Args:
        owner: Class or method.
        arguments: The arguments by name.
        function: The method.
        args: Its other arguments.

    Raises:
        ArgumentError: For an argument that the table does not have.
    """
    if not arguments.keys() <= ARGUMENTS[owner].keys():
        from lamina.spelling.arguments import explain_call

        raise explain_call(function, args, arguments) or ArgumentError(f"{owner} has no such argument.")
    new, lines = rename(owner, arguments)
    for line in lines:
        warn_renamed(line)
    return new


def old_names(owner: str) -> Callable[[F], F]:
    """Decorator of a method or function: `accepting_old_names` for an owner in the table.

    Args:
        owner: Class or method.
    """
    return functools.partial(accepting_old_names, owner=owner)


def name_first(*names: str) -> Callable[[F], F]:
    """Decorator for a method whose first argument was the name in Keras 1 and 2, `add_weight("kernel", (3, 4))`.

    It takes positional arguments in their old order too, if the first of them is a text.

    Args:
        *names: The names of the arguments in the old order, which begins with "name".
    """

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def either(self, *args, **kwargs):
            if args and isinstance(args[0], str):
                return method(self, **dict(zip(names, args, strict=False)), **kwargs)
            return method(self, *args, **kwargs)

        return cast(Any, either)

    return decorate
