"""Ctrl-C between steps, never inside one: the weights are always those of the last finished step."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interrupts:
    """While open, SIGINT between `hold` and `release` takes effect at `release`; a second one takes effect at once."""

    def __init__(self) -> None:
        self._holding = self._pending = False
        self._previous: Any = None

    def __enter__(self) -> Interrupts:
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and callable(signal.getsignal(signal.SIGINT)):  # Python's handler, or another library's
            self._previous = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _on_signal(self, number, frame):
        if not self._holding or self._pending:
            self._previous(number, frame)
        else:
            self._pending = True

    def hold(self) -> None:
        """Call this before a step."""
        self._holding = True

    def release(self) -> None:
        """Call this after a step, when its result is stored. An exception in the step closes the Interrupts instead."""
        self._holding = False
        if self._pending:
            self._pending = False
            self._previous(signal.SIGINT, None)
