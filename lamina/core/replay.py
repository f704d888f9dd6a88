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
    """What such a function makes and reads in its first run, and assigns in each.

    Attributes:
        given: What the run was given.
    """

    def __init__(self) -> None:
        self.given: Any = None
        self._kept: list[Any] = []
        self._place: int = 0
        self._updates: list[tuple[Variable, Any]] = []

    @property
    def made(self) -> list[Variable]:
        """The variables in the order in which the function makes them."""
        return [one for one in self._kept if isinstance(one, Variable)]

    @contextlib.contextmanager
    def running(self, given: Any = None) -> Iterator[None]:
        """One run of the function.

        Args:
            given: What `given()` returns inside of it.
        """
        self.given, self._place, self._updates = given, 0, []
        try:
            with context.set_within(_running, self):
                yield
        finally:
            self.given = None
        for variable, value in self._updates:
            variable.assign(value)

    def once(self, make: Callable[[], Any]) -> Any:
        """What `make` gave at this place of the first run.

        Args:
            make: Function that makes a variable or reads a value.
        """
        self._place += 1
        if len(self._kept) < self._place:
            with context.concrete():
                self._kept.append(make())
        return self._kept[self._place - 1]

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


def once(make: Callable[[], Any]) -> Any:
    """What `make` gives; inside of a `Replay` what it gave in the first run.

    Args:
        make: Function that makes a variable or reads a value.
    """
    replay = _running.get()
    return make() if replay is None else replay.once(make)


def assigned(variable: Any, value: Callable[[], Any]) -> Any:
    """Assign a value to a variable, inside of a `Replay` at its end. Returns the variable, there the value.

    Args:
        variable: Variable.
        value: Function that computes the value.
    """
    replay = _running.get()
    return variable.assign(value()) if replay is None else replay.assign(variable, value())
