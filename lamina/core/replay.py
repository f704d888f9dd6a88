"""Functions of Keras 1 and 2 that built a graph once, run in each step: the variables that they make are kept from one
run to the next, and what they assign is written when they have ended, so that all they read is the state before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from lamina.core import context
from lamina.core.variable import Variable

_running: ContextVar[Replay | None] = ContextVar("running", default=None)


class Replay:
    """The variables of such a function.

    Attributes:
        made: The variables in the order in which the function makes them.
        given: What the run was given.
    """

    def __init__(self) -> None:
        self.made: list[Variable] = []
        self.given: Any = None
        self._got: list[Any] = []
        self._count: int = 0
        self._reads: int = 0
        self._updates: list[tuple[Variable, Any]] = []

    @contextlib.contextmanager
    def running(self, given: Any = None) -> Iterator[None]:
        """One run of the function.

        Args:
            given: What `given()` returns inside of it.
        """
        self.given, self._count, self._reads, self._updates = given, 0, 0, []
        try:
            with context.set_within(_running, self):
                yield
        finally:
            self.given = None
        for variable, value in self._updates:
            variable.assign(value)

    def variable(self, make: Callable[[], Variable]) -> Variable:
        """The variable that the function makes at this place of its run.

        Args:
            make: Function that makes it in the first run.
        """
        self._count += 1
        if len(self.made) < self._count:
            with context.concrete():
                self.made.append(make())
        return self.made[self._count - 1]

    def number(self, get: Callable[[], Any]) -> Any:
        """What `get` gave at this place of the first run, with which variables are made.

        Args:
            get: Function that reads a value.
        """
        self._reads += 1
        if len(self._got) < self._reads:
            with context.concrete():
                self._got.append(get())
        return self._got[self._reads - 1]

    def assign(self, variable: Variable, value: Any) -> Any:
        """Keep a new value until the function has ended, and return it.

        Args:
            variable: Variable.
            value: Its new value.
        """
        self._updates.append((variable, value))
        return value


def given() -> Any:
    """What the `Replay` that runs was given; None where none runs."""
    replay = _running.get()
    return None if replay is None else replay.given


def made(make: Callable[[], Variable]) -> Variable:
    """A new variable; inside of a `Replay` the one of its first run.

    Args:
        make: Function that makes it.
    """
    replay = _running.get()
    return make() if replay is None else replay.variable(make)


def got(get: Callable[[], Any]) -> Any:
    """A value as an array of NumPy; inside of a `Replay` that of its first run.

    Args:
        get: Function that reads it.
    """
    replay = _running.get()
    return get() if replay is None else replay.number(get)


def assigned(variable: Any, value: Callable[[], Any]) -> Any:
    """Assign a value to a variable, inside of a `Replay` at its end. Returns the variable, there the value.

    Args:
        variable: Variable.
        value: Function that computes the value.
    """
    replay = _running.get()
    return variable.assign(value()) if replay is None else replay.assign(variable, value())
