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
from typing import Any

from lamina.errors import LaminaError, harmless

__all__ = ["TEMPORARY", "Lost", "Neighbours"]

TEMPORARY = os.EX_TEMPFAIL if hasattr(os, "EX_TEMPFAIL") else 75  # exit status: start this program again
SILENCE = 15.0  # seconds without a sign of life after which a process counts as dead
GRACE = 5.0  # seconds in which a process may end itself before it is ended
_PLACE = "lamina/alive/"


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
        self._heard: list[int] = []  # processes of whose errors this one knows
        self._is_said = False
        self._beat, self._end, self._stopped = 0, {}, threading.Event()
        self._thread = threading.Thread(target=self._run, name="lamina-neighbours", daemon=True)
        self._thread.start()
        atexit.register(self._at_exit)  # runs before the shutdown of JAX, which waits for all

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
        """How a process ended: {"words": of its exception or None, "failed": whether it could not tell the others}.

        Args:
            number: Number of the process.
        """
        sign = self._seen.get(number, (None, 0))[0]
        return sign["end"] if sign and sign["end"] else None

    def name(self, number: int) -> str:
        """A process in words.

        Args:
            number: Number of the process.
        """
        sign = self._seen.get(number, (None, 0))[0]
        return f"Process {number}" + (f" (pid {sign['pid']} on {sign['host']})" if sign else "")

    def fails(self, error: BaseException | None) -> None:
        """Note that an error of this process ends the run of all, or with None that the next run goes on.

        Args:
            error: The error.
        """
        if self._end or error is not None:
            self._end = {} if error is None else {"words": self.words_of(error), "failed": True}
            self._tell()

    def hears(self, number: int) -> None:
        """Note that this process knows of the error of another.

        Args:
            number: Number of the other process.
        """
        self._heard.append(number)
        self._tell()

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
                self.client.blocking_key_value_get(_PLACE + "never", 1000)
            except Exception as error:
                if self.is_late(error):
                    continue
                if self._stopped.is_set():
                    return
                self.lost = f"{self.name(0)}, which coordinates the others, ended."
                self._leave(0.0)
            if self.lost:
                self._leave(GRACE)

    def _tell(self):
        self._beat += 1
        sign = {"host": socket.gethostname(), "pid": os.getpid(), "beat": self._beat}
        sign |= {"end": self._end, "heard": self._heard}
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
            if end.get("failed") and end.get("left") and number not in self._heard:
                self.lost = f"{self.name(number)} ended: {end['words']}"
            elif not end and now - at > SILENCE:
                self.lost = f"{self.name(number)} gave no sign of life for {SILENCE:.0f} s and counts as dead."

    def _leave(self, grace):
        """End the process, unless it ends itself within `grace` seconds."""
        self._stopped.wait(grace)
        self._write_line()
        os._exit(TEMPORARY)

    def _at_exit(self):
        """Tell the others, and after a loss end at once, since JAX would wait for the lost process."""
        error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        until = time.monotonic() + SILENCE
        while self._end.get("failed") and self.lost is None and not self._all_heard() and time.monotonic() < until:
            time.sleep(0.2)
        failed = bool(self._end.get("failed")) and not self._all_heard()
        self._stopped.set()
        self._thread.join(3)
        if self.lost is None:
            self._end = {"words": self.words_of(error) if error else None, "failed": failed, "left": True}
            with contextlib.suppress(Exception):  # the first process may be gone
                self._tell()
        if self.lost is not None or failed:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(TEMPORARY if error is None else 1)

    def _write_line(self):
        """Say once, on standard error, why this process ends."""
        if not self._is_said:
            self._is_said = True
            sys.stdout.flush()
            os.write(2, harmless(f"{self.lost} Process {self.number} ends as well.\n").encode())

    def _all_heard(self):
        others = [self._seen.get(number, (None, 0))[0] for number in self.members - {self.number}]
        return all(sign and (sign["end"] or self.number in sign["heard"]) for sign in others)
