"""Processes that train one model together: who is first, what all agree on, and an end in one that is an end in all.

Values travel through the key-value store of `jax.distributed` and not over the devices: devices may be busy, and who
waits for a value learns which process does not come, and why. With one process nothing here does anything.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import jax

from lamina import errors
from lamina.errors import ProcessError

if TYPE_CHECKING:
    from lamina.runtime.neighbours import Neighbours

__all__ = ["agree", "as_one", "clock", "gather", "is_first", "join", "leave", "number", "together"]

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
    clock: float

    def __init__(self, client: Any, members: tuple[int, ...], number: int, neighbours: Neighbours) -> None:
        self.client, self.members, self.number, self.neighbours = client, members, number, neighbours
        self.clock = time.monotonic()
        self._place, self._round = f"lamina/{'-'.join(map(str, members))}", 0

    def gather(self, value: Any, where: str) -> list[Any]:
        """The value of each process, in the order of their numbers."""
        self.neighbours.fails(None)
        messages = self._exchange({"value": value, "where": where, "clock": time.monotonic()})
        failed = {member: one["error"] for member, one in zip(self.members, messages, strict=True) if "error" in one}
        if failed:
            for member in failed:
                self.neighbours.hears(member)
            member, words = next(iter(failed.items()))
            raise _told(ProcessError(f"{self.neighbours.name(member)} ended the run of all: {words}"))
        places = [one["where"] for one in messages]
        if len(set(places)) > 1:
            member, other = next((m, p) for m, p in zip(self.members, places, strict=True) if p != places[0])
            raise _told(
                ProcessError(
                    f"Process {self.members[0]} is at {places[0]}, and process {member} at {other}: processes that "
                    "train one model make the same calls.",
                    fix="Call fit, evaluate, predict and save in every process, not in one alone.",
                )
            )
        self.clock = messages[0]["clock"]
        return [one["value"] for one in messages]

    def tell(self, error: BaseException) -> None:
        """Let the others end with an error of this process, at their next round."""
        self._round += 1
        key, message = self._key(), {"error": self.neighbours.words_of(error)}
        if self.number == self.members[0]:  # the first speaks for all, who need not come
            self.client.key_value_set(f"{key}/all", json.dumps([message, *({"where": ""} for _ in self.members[1:])]))
        else:
            self.client.key_value_set(f"{key}/{self.number}", json.dumps(message))

    def _key(self):
        return f"{self._place}/{self._round // _BLOCK}/{self._round % _BLOCK}"

    def _exchange(self, message):
        self._round += 1
        key, first = self._key(), self.members[0]
        if self.number != first:
            self.client.key_value_set(f"{key}/{self.number}", json.dumps(message))
            return json.loads(self._wait(f"{key}/all", first))
        messages = [message, *(json.loads(self._wait(f"{key}/{member}", member)) for member in self.members[1:])]
        self.client.key_value_set(f"{key}/all", json.dumps(messages))
        if self._round % _BLOCK == 0:  # all have read the rounds before
            self.client.key_value_delete(f"{self._place}/{self._round // _BLOCK - 1}/")
        return messages

    def _wait(self, key, member):
        """The value of a key that a process sets."""
        has_ended = None
        while True:
            try:
                return self.client.blocking_key_value_get(key, 1000)
            except Exception as error:
                if not self.neighbours.is_late(error):
                    self.neighbours.lost = f"{self.neighbours.name(member)} ended."
            if self.neighbours.lost:
                raise _told(self.neighbours.end())
            for other in self.members if member == self.members[0] else (member,):
                if has_ended == other:  # and it was looked once more since then
                    words = (self.neighbours.end_of(other) or {}).get("words") or "its program came to its end"
                    raise _told(ProcessError(f"{self.neighbours.name(other)} ended while others wait for it: {words}"))
            ended = [other for other in self.members if self.neighbours.end_of(other) and other != self.number]
            has_ended = ended[0] if ended else None


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


@contextlib.contextmanager
def as_one() -> Iterator[None]:
    """A block that an exception ends in all processes: the others raise a ProcessError with its words."""
    try:
        yield
    except BaseException as error:
        if _team is not None and not getattr(error, "_is_known", False):
            _end_all(_team, error)
        raise


def _end_all(team, error):
    neighbours = team.neighbours
    if isinstance(error, jax.errors.JaxRuntimeError) and neighbours.verdict():
        raise _told(neighbours.end()) from error
    _told(error)
    neighbours.fails(error)
    team.tell(error)
