"""Processes that train one model together: who is first, what all agree on, and an end in one that is an end in all.

Values travel through the key-value store of `jax.distributed` and not over the devices: devices may be busy, and who
waits for a value learns which process does not come, and why. With one process nothing here does anything.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import jax

from lamina import errors
from lamina.errors import ProcessError

if TYPE_CHECKING:
    from lamina.runtime.neighbours import Neighbours

__all__ = [
    "agree", "as_one", "clock", "computes", "ends_all", "gather", "is_first", "join", "leave", "limit", "number",
    "set_limit", "together",
]  # fmt: skip

_BLOCK = 64  # rounds whose values are deleted at once


class Team:
    """Processes that run the same calls in the same order.

    Args:
        client: Client of `jax.distributed`.
        members: Numbers of the processes.
        number: Number of this process.
        neighbours: Who of them is alive.
    """

    client: Any
    members: tuple[int, ...]
    number: int
    neighbours: Neighbours
    round: int
    clock: float

    def __init__(self, client: Any, members: tuple[int, ...], number: int, neighbours: Neighbours) -> None:
        self.client, self.members, self.number, self.neighbours = client, members, number, neighbours
        self.clock = time.monotonic()
        self.name: str = "-".join(map(str, members))
        self._run = self.round = 0
        neighbours.runs[self.name] = 0

    def gather(self, value: Any, where: str) -> list[Any]:
        """The value of each process, in the order of their numbers."""
        run = self.neighbours.runs_on(self)
        if run is None:
            raise self._too_late()
        if run != self._run:
            self._run, self.round = run, 0
        self.round += 1
        self.neighbours.is_at(self, "waits at", where)
        messages = self._exchange({"value": value, "where": where, "clock": time.monotonic()})
        self.neighbours.is_at(self, "left", where)
        places = [one["where"] for one in messages]
        if len(set(places)) > 1:
            member, other = next((m, p) for m, p in zip(self.members, places, strict=True) if p != places[0])
            raise self._all_know(
                ProcessError(
                    f"Process {self.members[0]} is at {places[0]}, and process {member} at {other}: processes that "
                    "train one model make the same calls.",
                    fix="Call fit, evaluate, predict and save in every process, not in only one.",
                )
            )
        self.clock = messages[0]["clock"]
        return [one["value"] for one in messages]

    def _exchange(self, message):
        place = f"lamina/{self.name}/{self._run}"
        key, first = f"{place}/{self.round // _BLOCK}/{self.round % _BLOCK}", self.members[0]
        if self.number != first:
            self.client.key_value_set(f"{key}/{self.number}", json.dumps(message))
            return json.loads(self._wait(f"{key}/all", first))
        messages = [message, *(json.loads(self._wait(f"{key}/{member}", member)) for member in self.members[1:])]
        self.client.key_value_set(f"{key}/all", json.dumps(messages))
        if self.round % _BLOCK == 0:  # all have read the rounds before
            self.client.key_value_delete(f"{place}/{self.round // _BLOCK - 1}/")
        return messages

    def _wait(self, key, member):
        """The value of a key that a process sets."""
        neighbours, began = self.neighbours, time.monotonic()
        ended: Any = None
        while True:
            try:
                return self.client.blocking_key_value_get(key, 1000)
            except Exception as error:
                if not neighbours.is_late(error):
                    neighbours.lost = f"{neighbours.name(member)} ended."
            failed = neighbours.failed(self)
            if neighbours.lost:
                raise _told(neighbours.end())
            if failed is not None:
                raise self._all_know(ProcessError(f"{neighbours.name(failed[0])} ended the run of all: {failed[1]}"))
            others = [other for other in self.members if other != self.number]
            if ended in (others if member == self.members[0] else [member]):  # and it was looked once more since then
                words = (neighbours.end_of(ended) or {}).get("words") or "its program came to its end"
                raise _told(ProcessError(f"{neighbours.name(ended)} ended while others wait for it: {words}"))
            ended = next((other for other in others if neighbours.end_of(other)), None)
            if time.monotonic() - began > neighbours.limit:
                raise self._too_late()

    def _too_late(self):
        late = self.neighbours.behind(self) or [member for member in self.members if member != self.number]
        error = ProcessError(
            f"{self.neighbours.place(self.number)} and has waited {self.neighbours.limit:g} s there, while "
            f"{', '.join(map(self.neighbours.place, late))}.",
            fix="Make the same calls in every process. keras.distribution.initialize(wait_limit=3600) waits longer.",
        )
        self.neighbours.fails(self, _told(error))
        return error

    def _all_know(self, error):
        """Mark an error that ends the run in all processes."""
        self.neighbours.begins(self, self._run + 1)
        return _told(error)


def _told(error):
    """Mark an error that all processes know."""
    error._is_known = True
    return error


_team: Team | None = None
_teams: dict[tuple[int, ...], Team] = {}
_neighbours: Neighbours | None = None


def join(members: Iterable[int]) -> Team | None:
    """Train with other processes from now on. Returns the Team, or None if this process is alone.

    Args:
        members: Numbers of the processes, this one among them.
    """
    global _team, _neighbours
    from jax._src import distributed

    client, chosen = distributed.global_state.client, tuple(sorted(set(members)))
    if client is None or len(chosen) < 2 or jax.process_index() not in chosen:
        return None
    if _neighbours is None:
        from lamina.runtime.neighbours import Neighbours

        _neighbours = Neighbours(client, jax.process_index())
    _neighbours.members |= set(chosen)
    if chosen not in _teams:
        _teams[chosen] = Team(client, chosen, jax.process_index(), _neighbours)
    _team = _teams[chosen]
    errors.silence(not is_first())
    return _team


def leave() -> None:
    """Train alone from now on, until the next `join`."""
    global _team
    _team = None
    errors.silence(False)


def together() -> Team | None:
    """The Team of this process; None if it trains alone."""
    return _team


def number() -> int:
    """The number of this process among those that train together, from 0."""
    return 0 if _team is None else _team.members.index(_team.number)


def is_first() -> bool:
    """Whether this process writes files and lines for all.

    >>> is_first()
    True
    """
    return _team is None or _team.number == _team.members[0]


def gather(value: Any, where: str) -> list[Any]:
    """The value of each process.

    Args:
        value: Value that JSON can hold.
        where: What the process is doing, in words. It must be the same in all.

    Raises:
        ProcessError: Another process raised an error, has ended, or is doing something else.

    >>> gather(3, "an example")
    [3]
    """
    return [value] if _team is None else _team.gather(value, where)


def agree(value: Any, where: str) -> Any:
    """The value of the first process.

    Args:
        value: Value that JSON can hold.
        where: What the process is doing, in words.
    """
    return gather(value, where)[0]


def clock() -> float:
    """Seconds on a clock that all processes read alike: it stands still between two rounds of `gather`."""
    return time.monotonic() if _team is None else _team.clock


def computes(results: Any = None) -> None:
    """Note that this process begins a step on the devices, or that its results are on their way.

    Args:
        results: Arrays of the step that no other step overwrites.
    """
    if _team is not None:
        arrays = [leaf for leaf in jax.tree_util.tree_leaves(results) if isinstance(leaf, jax.Array)]
        _team.neighbours.computes(None if results is None else arrays[:1])


def limit() -> float:
    """Seconds that a process waits for others that are alive."""
    return math.inf if _neighbours is None else _neighbours.limit


def set_limit(seconds: float | None) -> None:
    """Set how long a process waits for others that are alive.

    Args:
        seconds: Number of seconds, or None to change nothing.
    """
    if _neighbours is not None and seconds is not None:
        _neighbours.limit = seconds


@contextlib.contextmanager
def as_one(begins: str, ends: str | None = None) -> Iterator[None]:
    """A block that an exception ends in all processes: the others raise a ProcessError with its words.

    Args:
        begins: What all processes begin here, in words.
        ends: What all of them have ended after the block; None if one may go on before the others.
    """
    with ends_all():
        gather(None, begins)
        yield
        if ends is not None:
            gather(None, ends)


@contextlib.contextmanager
def ends_all() -> Iterator[None]:
    """A block that an exception ends in all processes, also if they have not all come to it."""
    try:
        yield
    except BaseException as error:
        if _team is not None and not getattr(error, "_is_known", False):
            _end_all(_team, error)
        raise


def _end_all(team, error):
    neighbours = team.neighbours
    is_of_devices = isinstance(error, jax.errors.JaxRuntimeError) or "Gloo" in str(error)  # the latter's ValueErrors
    if is_of_devices and neighbours.verdict():
        raise _told(neighbours.end()) from error
    neighbours.fails(team, _told(error))
