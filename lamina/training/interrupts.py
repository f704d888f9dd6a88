"""Ctrl-C between steps, never inside one: the weights are always those of the last finished step."""

import contextlib
import signal
import threading
from typing import Any


class Interrupts:
    """While open, SIGINT during `with interrupts.held():` waits for the end of that block; a second one does not
    wait."""

    def __init__(self):
        self._holding = self._pending = False
        self._previous = None

    def __enter__(self):
        ours = threading.current_thread() is threading.main_thread()
        if ours and callable(signal.getsignal(signal.SIGINT)):  # Python's handler, or that of another library
            self._previous: Any = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *exception):
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _on_signal(self, number, frame):
        if not self._holding or self._pending:
            self._previous(number, frame)
        else:
            self._pending = True

    @contextlib.contextmanager
    def held(self):
        """A step: its result is stored before an interrupt is heard."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
        if self._pending:
            self._pending = False
            self._previous(signal.SIGINT, None)
