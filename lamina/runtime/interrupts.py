"""Handle Ctrl-C between steps only, so that the weights are always those of a completed step."""

from __future__ import annotations

import signal
import threading
from typing import Any


class Interrupts:
    """Delays a SIGINT received between `hold` and `release` until `release`. A second SIGINT takes effect
    immediately."""

    def __init__(self) -> None:
        self._holding = self._pending = False
        self._previous: Any = None

    def __enter__(self) -> Interrupts:
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and callable(signal.getsignal(signal.SIGINT)):  # the handler of Python or of another library
            self._previous = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            if self._pending and not issubclass(exception[0] or Exception, KeyboardInterrupt):
                self._previous(signal.SIGINT, None)  # what came while the values went back

    def _on_signal(self, number, frame):
        if not self._holding or self._pending:
            self._previous(number, frame)
        else:
            self._pending = True

    def hold(self) -> None:
        """Call this before a step."""
        self._holding = True

    def release(self) -> None:
        """Call this after a step, when its result is stored. After an exception, close the Interrupts instead."""
        self._holding = False
        if self._pending:
            self._pending = False
            self._previous(signal.SIGINT, None)
