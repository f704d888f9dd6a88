"""Handle Ctrl-C between steps only, so that the weights are always those of a completed step, and signals that ask a
run to end."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["EndRequested", "Interrupts", "before_abort"]

# What schedulers send before they take the machine. SIGTERM: Kubernetes, Slurm, Cloud; the others: Slurm's --signal.
_ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGUSR1", "SIGUSR2") if hasattr(signal, name)]

_ONCE = (
    2.0  # seconds in which a signal counts once: schedulers send it to a launcher and its processes, which sends it on
)


class EndRequested(BaseException):
    """A signal asked for the end of a run, which is between two steps now.

    Args:
        number: Number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number: int = number


class Interrupts:
    """Delays a SIGINT received between `hold` and `release` until `release`. A second SIGINT takes effect
    immediately.

    Args:
        ends: Whether SIGTERM, SIGUSR1 and SIGUSR2, where no one else handles them, are kept in `requested`. The same
            signal has its usual effect when it comes again, 2 seconds later or more.
        together: Whether SIGINT is kept in `requested` too: several processes end at the same step.

    Attributes:
        requested: Number of the signal that asked for the end, or None.
        agreed: Number of the signal that ends several processes after the current step, or None.
        takes_ends: The argument `ends`.
    """

    def __init__(self, ends: bool = False, together: bool = False) -> None:
        self._holding = self._pending = False
        self._previous: Any = None
        self.takes_ends: bool = ends
        self._together, self._defaults = together, {}
        self.requested: int | None = None
        self._since = 0.0  # when it came
        self.agreed: int | None = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is not threading.main_thread():
            return self
        if callable(signal.getsignal(signal.SIGINT)):  # the handler of Python or of another library
            self._previous = signal.signal(signal.SIGINT, self._on_signal)
        for number in _ENDS if self.takes_ends else ():
            if signal.getsignal(number) in (signal.SIG_DFL, None):
                self._defaults[number] = _system_action(number)
                signal.signal(number, self._on_end)
        return self

    def __exit__(self, *exception: Any) -> None:
        for number, action in self._defaults.items():
            signal.signal(number, signal.SIG_DFL)
            _system_action(number, action)
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)
            if self._pending and not issubclass(exception[0] or Exception, KeyboardInterrupt):
                self._previous(signal.SIGINT, None)  # what came while the values went back
        if self.requested is not None and exception[0] is None:
            signal.raise_signal(self.requested)  # it came after the last step

    def _on_signal(self, number, frame):
        if self._together and self.requested is None:
            self.requested = number
        elif not self._holding or self._pending:
            self._previous(number, frame)
        else:
            self._pending = True

    def _on_end(self, number, frame):
        now = time.monotonic()
        if self.requested is None:
            self.requested, self._since = number, now
        elif self.requested == number and now - self._since > _ONCE:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    @property
    def is_holding(self) -> bool:
        """Whether a step is running, so that the values are not those of a completed step."""
        return self._holding

    def hold(self) -> None:
        """Call this before a step."""
        self._holding = True

    def release(self) -> None:
        """Call this after a step, when its result is stored. After an exception, close the Interrupts instead."""
        self._holding = False
        if self._pending:
            self._pending = False
            self._previous(signal.SIGINT, None)

    def check(self) -> None:
        """Raise EndRequested if a signal asked for the end, of this process alone or of several that have agreed on the
        step. Call this between two steps."""
        number = self.agreed if self._together else self.requested
        if number is not None:
            raise KeyboardInterrupt if number == signal.SIGINT else EndRequested(number)


def before_abort(function: Callable[[], object]) -> None:
    """Call a function when native code aborts this process, in whichever thread. It may end the process in another way.

    Args:
        function: Function without arguments.
    """
    if os.name != "posix":
        return

    def handle(number):
        _system_action(number, before)
        function()
        signal.raise_signal(number)  # goes where the first one went before

    before = _system_action(signal.SIGABRT)
    _kept.append(ctypes.CFUNCTYPE(None, ctypes.c_int)(handle))
    ctypes.CDLL(None).signal(int(signal.SIGABRT), _kept[-1])


_kept: list[Any] = []  # what the system calls must not be freed


def _system_action(number, action=None):
    """What the system does at a signal, or what it shall do. It may be a handler that Python knows nothing of: that of
    JAX for SIGTERM, of which it tells the other processes, or that of `faulthandler`."""
    if os.name != "posix":
        return None
    found = ctypes.create_string_buffer(512)  # more than a `struct sigaction` of any system
    ctypes.CDLL(None).sigaction(number, action, found)
    return found
