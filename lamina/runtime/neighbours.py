"""Neighbours: which of the other processes of a program are alive, have ended, or ended by an error."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import sys
import threading
import time
from typing import Any, NamedTuple

import jax

from lamina.errors import LaminaError, harmless
from lamina.runtime.interrupts import before_abort
from lamina.runtime.process import has_coordinator

__all__ = ["TEMPORARY", "Lost", "Neighbours"]

TEMPORARY = os.EX_TEMPFAIL if hasattr(os, "EX_TEMPFAIL") else 75  # exit status: start this program again
SILENCE = 15.0  # seconds without a sign of life after which a process counts as dead
GRACE = 3.0  # seconds in which a process may end itself before it is ended
LIMIT = 600.0  # seconds that a process waits for another that is alive
_COMPUTES = "computes"
_PLACE = "lamina/alive/"


class Place(NamedTuple):
    """Where a process is: the last round of a run of a team that it came to, in words, and what it does there."""

    team: str
    run: int
    round: int
    verb: str
    where: str


class Lost(SystemExit):
    """The end of a process whose neighbour died: its status asks to be started again."""


class Neighbours:
    """Tells the other processes that this one is alive, and looks at them, in a thread.

    A process whose neighbour died may wait on its devices forever, where no exception reaches it. So this one ends the
    process, with a line that names the neighbour.

    Args:
        client: Client of `jax.distributed`.
        number: Number of this process.
    """

    client: Any
    number: int

    def __init__(self, client: Any, number: int) -> None:
        self.client, self.number = client, number
        self.members: set[int] = set()  # of all teams that this process is in
        self.lost: str | None = None  # a sentence about a process that died, or failed without telling
        self._seen: dict[int, tuple[Any, float]] = {}  # process -> its last sign of life, and when it came
        self.limit: float = float(os.environ.get("LAMINA_WAIT_LIMIT", LIMIT))  # seconds that a process waits
        self.runs: dict[str, int] = {}  # name of a team -> its run: an error that ends one begins the next
        self._at: tuple[Place, Any] = Place("", 0, 0, "is at", "its start"), None  # with the results of its step
        self._step = self._at  # of the last step that it began
        self._places: dict[int, tuple[Place, float]] = {}  # process -> where it is, and since when
        self._failures: dict[int, tuple[list[Any], float]] = {}  # process -> its error of a run, and since when
        self._is_said, self._beat, self._end, self._stopped = False, 0, {}, threading.Event()
        self._thread = threading.Thread(target=self._run, name="lamina-neighbours", daemon=True)
        self._thread.start()
        atexit.register(self._at_exit)  # runs before the shutdown of JAX, which waits for all
        # JAX aborts a process whose coordinator ended, which shall end as it does where another process died
        before_abort(lambda: has_coordinator() or self._leave_without_first())

    @staticmethod
    def is_late(error: Exception) -> bool:
        """Whether an exception of the client says that a value did not come in time.

        Args:
            error: Exception.
        """
        return "DEADLINE_EXCEEDED" in str(error)

    @staticmethod
    def words_of(error: BaseException) -> str:
        """An exception in one line.

        Args:
            error: Exception.
        """
        text = error.message if isinstance(error, LaminaError) else str(error)
        return f"{type(error).__name__}: {' '.join(text.split())[:1000]}".removesuffix(": ")

    def end(self) -> Lost:
        """The exception that ends this process after a loss, whose line is written now."""
        self._write_line()
        return Lost(TEMPORARY)

    def end_of(self, number: int) -> dict[str, Any] | None:
        """How the program of a process ended: {"words": of its exception or None}; None if it runs.

        Args:
            number: Number of the process.
        """
        sign = self._seen.get(number, (None, 0))[0]
        return sign["end"] if sign and sign["end"].get("left") else None

    def name(self, number: int) -> str:
        """A process in words.

        Args:
            number: Number of the process.
        """
        sign = self._seen.get(number, (None, 0))[0]
        return f"Process {number}" + (f" (pid {sign['pid']} on {sign['host']})" if sign else "")

    def place(self, number: int) -> str:
        """Where a process is, in words.

        Args:
            number: Number of the process.
        """
        place = self._here() if number == self.number else self._places.get(number, (None, 0))[0]
        return f"{self.name(number)} {'gave no sign of life' if place is None else f'{place.verb} {place.where}'}"

    def is_at(self, team: Any, verb: str, where: str) -> None:
        """Note where this process is.

        Args:
            team: The Team.
            verb, where: Words.
        """
        self._at = Place(team.name, self.runs[team.name], team.round, verb, where), None

    def computes(self, results: Any) -> None:
        """Note that this process began the step of the place where it is.

        Args:
            results: None before the devices have the step, then arrays that it makes.
        """
        self._at = self._step = self._at[0]._replace(verb=_COMPUTES), results

    def _here(self):
        place, results = self._at
        return place._replace(verb="left") if _are_there(results) else place

    def behind(self, team: Any) -> list[int]:
        """The processes of a Team that have not come where this one is.

        Args:
            team: The Team.
        """
        mine = self._at[0]
        others = [number for number in team.members if number != self.number and number in self._places]
        found = [(number, self._places[number][0]) for number in others]
        return [number for number, place in found if place.team != mine.team or place[1:3] < mine[1:3]]

    def fails(self, team: Any, error: BaseException) -> None:
        """Note that an error of this process ends the run of all.

        Args:
            team: The Team.
            error: The error.
        """
        run, step = self.runs[team.name], self._step[0]
        self._end = {"words": self.words_of(error), "run": [team.name, run]}
        self._end["step"] = step.round if step[:2] == (team.name, run) else 0  # the last that it began
        self.begins(team, run + 1)

    def begins(self, team: Any, run: int) -> None:
        """Note that the run before this one is over.

        Args:
            team: The Team.
            run: The run.
        """
        self.runs[team.name] = run
        self._tell()

    def failed(self, team: Any) -> tuple[int, str] | None:
        """A process whose error ended the run of a Team that this one is in, and its words.

        Args:
            team: The Team.
        """
        for number, ((name, run, words, step), _) in list(self._failures.items()):
            if name == team.name and run >= self.runs[name]:
                self._look_at_step(number, words, step)
                return number, words
        return None

    def _look_at_step(self, number, words, step):
        """A loss, if the devices have a step that a process which failed did not begin: they would wait forever."""
        place, results = self._step
        until = time.monotonic() + SILENCE
        while place[:2] == self._at[0][:2] and place.round > step and not _are_there(results):
            if time.monotonic() > until:
                self.lost = self._ended_by(number, words, place)
                return
            time.sleep(0.1)

    def _ended_by(self, number, words, place=None):
        where = "" if place is None else f" Process {self.number} {place.verb} {place.where}."
        return f"{self.name(number)} ended the run of all: {words.rstrip('.')}.{where}"

    def runs_on(self, team: Any) -> int | None:
        """The run of a Team. After an error of this process, it begins when all know of that; None if they do not.

        Args:
            team: The Team.
        """
        until = time.monotonic() + self.limit
        while self._end and self.lost is None and not self._all_heard():
            if time.monotonic() > until:
                return None
            time.sleep(0.1)
        if self._end:
            self._end = {}
            self._tell()
        return self.runs[team.name]

    def verdict(self) -> str | None:
        """Wait until it is known whether a neighbour is lost: after an error of a device, which that may have caused.
        Returns the sentence, or None."""
        until = time.monotonic() + SILENCE + 5
        while self.lost is None and time.monotonic() < until and self._thread.is_alive():
            time.sleep(0.2)
        return self.lost

    def _run(self):
        while not self._stopped.is_set():
            try:
                self._tell()
                self._look()
                self._look_at_devices()
                self.client.blocking_key_value_get(_PLACE + "never", 1000)
            except jax.errors.JaxRuntimeError as error:
                if self._stopped.is_set():
                    return
                if not self.is_late(error):
                    self._leave_without_first()
            if self.lost:
                self._leave(GRACE)

    def _tell(self):
        self._beat += 1
        sign = {"host": socket.gethostname(), "pid": os.getpid(), "beat": self._beat}
        sign |= {"end": self._end, "runs": self.runs, "at": self._here()}
        self.client.key_value_set(f"{_PLACE}{self.number}", json.dumps(sign), allow_overwrite=True)

    def _look(self):
        now = time.monotonic()
        for key, value in self.client.key_value_dir_get(_PLACE):
            number, sign = int(key.rpartition("/")[2]), json.loads(value)
            if self._seen.get(number, (None, 0))[0] != sign:
                self._seen[number] = sign, now
        for number in self.members - {self.number}:
            sign, at = self._seen.setdefault(number, (None, now))
            end = sign["end"] if sign else {}
            if sign and self._places.get(number, (None, 0))[0] != Place(*sign["at"]):
                self._places[number] = Place(*sign["at"]), now
            if "run" in end:
                failure = [*end["run"], end["words"], end["step"]]
                if self._failures.get(number, (None, 0))[0] != failure:
                    self._failures[number] = failure, now
                (name, run, words, _), since = self._failures[number]
                computes = self._here().verb == _COMPUTES  # else it comes and hears of it
                patience = SILENCE if computes else max(self.limit, SILENCE)
                if run >= self.runs.get(name, run + 1) and (end.get("left") or now - since > patience):
                    self.lost = self._ended_by(number, words, None if end.get("left") else self._at[0])
            elif end.get("lost") and number == 0:
                self.lost = f"{self.name(0)}, which coordinates the others, ended: {end['words']}"
            elif not end and now - at > SILENCE:
                self.lost = f"{self.name(number)} gave no sign of life for {SILENCE:.0f} s and counts as dead."

    def _look_at_devices(self):
        """A loss, if a step has waited on the devices for a process that does not begin it."""
        now, here = time.monotonic(), self._here()
        place, since = self._places.get(self.number, (here, now))
        if place != here or self.number not in self._places:
            self._places[self.number] = place, since = here, now
        unheard = any(run >= self.runs.get(name, run + 1) for (name, run, *_), _ in self._failures.values())
        if place.verb != _COMPUTES or now - since < self.limit or unheard:
            return
        for number, (other, at) in self._places.items():
            if other.team == place.team and other.verb != _COMPUTES and now - at > self.limit:
                self.lost = f"{self.place(number)}, and does not compute {place.where} with the others."

    def _leave(self, grace):
        """End the process, unless it ends itself within `grace` seconds."""
        self._stopped.wait(grace)
        self._write_line()
        self._end = {"words": self.lost, "left": True, "lost": True}
        with contextlib.suppress(Exception):  # the first process may be gone
            self._tell()
            until = time.monotonic() + GRACE + 2
            while self.number == 0 and not self._is_last() and time.monotonic() < until:
                time.sleep(0.2)  # JAX ends the others with the first, before they can say why
                self._look()
        os._exit(TEMPORARY)

    def _leave_without_first(self):
        self.lost = f"{self.name(0)}, which coordinates the others, ended."
        self._write_line()
        os._exit(TEMPORARY)

    def _at_exit(self):
        """Tell the others, and after a loss end at once, since JAX would wait for the lost process."""
        error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        until = time.monotonic() + SILENCE + 2 * GRACE
        while self._end and self.lost is None and not self._all_heard() and time.monotonic() < until:
            time.sleep(0.2)
        if self.lost is not None:
            self._leave(0.0)
        are_lost = any(sign and sign["end"].get("lost") for sign, _ in self._seen.values())  # JAX would wait for them
        failed = are_lost or (bool(self._end) and not self._all_heard())
        self._stopped.set()
        self._thread.join(3)
        self._end |= {"left": True}
        self._end.setdefault("words", self.words_of(error) if error else None)
        with contextlib.suppress(Exception):  # the first process may be gone
            self._tell()
        if failed:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(TEMPORARY if error is None else 1)

    def _write_line(self):
        """Say once, on standard error, why this process ends."""
        if not self._is_said:
            self._is_said = True
            sys.stdout.flush()
            os.write(2, harmless(f"{self.lost} Process {self.number} ends as well.\n").encode())

    def _is_last(self):
        return all(self.end_of(number) for number in self.members - {self.number})

    def _all_heard(self):
        """Whether the run that an error of this process ended is over in all."""
        name, run = self._end["run"]
        signs = [self._seen.get(int(number), (None, 0))[0] for number in name.split("-") if int(number) != self.number]
        return all(sign and (sign["end"].get("left") or sign["runs"].get(name, 0) > run) for sign in signs)


def _are_there(results):
    """Whether the devices have made the results of a step."""
    return results is not None and all(one.is_deleted() or one.is_ready() for one in results)
