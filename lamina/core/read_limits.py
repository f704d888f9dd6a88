"""Limits on the cost of reading a file: bytes of arrays, steps of work, sizes that it may name, seconds of CPU time.

All but the seconds are counted before they are spent, so that a large number costs nothing. The seconds bound what
nobody counted: Python code of a layer that goes through a range. Counting takes place only inside a budget, so
programs that read no files are not affected.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import pathlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

import jax

from lamina.errors import UnsafeFileError

__all__ = [
    "allow_seconds", "allow_user_code", "check_size", "cpu_limit", "host_memory", "is_reading",
    "machine_memory_budget", "memory_budget", "reserve_array", "reserve_steps",
]  # fmt: skip

FREE_BYTES = 64 * 2**20  # bytes that a description may allocate in any case
FLOPS_PER_STEP = 5 * 10**6  # of a decomposition
MAX_STEPS = 30_000  # steps of about 1 ms each: calls in a graph, several times as many as in the largest models
_BYTES_PER_UNIT = 32  # what one unit of a size may cost: an element of an array, of a list

_LONGEST_WAIT, _SHORTEST_WAIT = 60.0, 0.05

_FIX = "If you trust where it came from, load_model(..., safe_mode=False) lets it use all the memory there is."

_open: ContextVar[Any] = ContextVar("budget", default=None)


class _Budget:
    def __init__(self, limit, reason, seconds, steps, fix):
        self.bytes, self.limit, self.reason, self.fix = 0, limit, reason, fix
        self.steps, self.max_steps, self.seconds = 0, MAX_STEPS + steps, seconds


class _TooLong(UnsafeFileError):
    """What the thread that reads a file gets when its seconds are used up."""

    def __init__(self):
        super().__init__("The objects in the description take more CPU time to make than honest ones do.", fix=_FIX)


_TooLong.__name__ = UnsafeFileError.__name__  # in tracebacks


@contextlib.contextmanager
def memory_budget(
    count: int | None, reason: str, seconds: float = math.inf, steps: int = 0, fix: str | None = None
) -> Iterator[None]:
    """Limit the total bytes of variables created inside the block, and what depends on sizes in a description.

    Args:
        count: Number of bytes; None means the memory of the machine.
        reason: Explanation of the limit for the error message.
        seconds: Limit on the CPU time of the block, to which `allow_seconds` adds.
        steps: Steps of work that are allowed beside MAX_STEPS.
        fix: One line that says how to do without the limit.

    >>> with memory_budget(2**20, "the file holds 1 MiB"):
    ...     reserve_array((1024, 1024), 4, "kernel")
    Traceback (most recent call last):
    lamina.errors.UnsafeFileError: kernel of shape (1024, 1024) would take 4.0 MiB, but the file holds 1 MiB.
    If you trust where it came from, load_model(..., safe_mode=False) lets it use all the memory there is.
    """
    budget = _Budget(count, reason, seconds, steps, fix or _FIX)
    token = _open.set(budget)
    try:
        with cpu_limit(lambda: budget.seconds, _TooLong) if seconds < math.inf else contextlib.nullcontext():
            yield
    finally:
        _open.reset(token)


def allow_seconds(seconds: float) -> None:
    """Allow more CPU time, for a part of the file that explains it.

    Args:
        seconds: Seconds of CPU time.
    """
    if (budget := _open.get()) is not None:
        budget.seconds += seconds


def allow_user_code() -> None:
    """Do not limit the CPU time any more: a class of the program, which may do what it likes, is about to be called."""
    allow_seconds(math.inf)


def check_size(size: int, what: str) -> None:
    """Refuse a size in a description before an object is made with it, if the budget cannot explain it.

    Args:
        size: The size.
        what: What is named so in the error message.

    Raises:
        UnsafeFileError: The size exceeds the budget.
    """
    budget = _open.get()
    if budget is not None and budget.limit is not None and abs(size) * _BYTES_PER_UNIT > budget.limit:
        raise UnsafeFileError(f"{what} is {size}, but {budget.reason}.", fix=budget.fix)


def machine_memory_budget() -> AbstractContextManager[None]:
    """Limit variables inside the block to the machine's memory, unless a budget is already open."""
    return contextlib.nullcontext() if _open.get() is not None else memory_budget(None, "this machine has no more left")


def is_reading() -> bool:
    """Whether a budget is open: objects are being made from a file or a config."""
    return _open.get() is not None


def reserve_array(shape: Iterable[int], itemsize: int, what: str) -> None:
    """Count an array that is about to be created.

    Args:
        shape: Shape of the array.
        itemsize: Bytes per element.
        what: Name of the array in the error message.

    Raises:
        UnsafeFileError: The array exceeds the budget.
    """
    budget = _open.get()
    if budget is None:
        return
    wanted = math.prod(shape) * itemsize
    if not wanted > 0:  # negative or NaN: creating the array raises the error, and the budget must not grow
        return
    budget.bytes += wanted
    if budget.limit is None and budget.bytes > FREE_BYTES:
        budget.limit = max(_memory(), FREE_BYTES)
    if budget.limit is not None and budget.bytes > budget.limit:
        request = f"{what} of shape {tuple(shape)} would take {_size(wanted)}"
        raise UnsafeFileError(f"{request}, but {budget.reason}.", fix=budget.fix)


def reserve_steps(count: int, what: str) -> None:
    """Count steps of work that are about to be done, if their number comes from a description.

    Args:
        count: Number of steps.
        what: Name of the work in the error message.

    Raises:
        UnsafeFileError: The steps exceed the budget.
    """
    budget = _open.get()
    if budget is None or not count > 0:
        return
    budget.steps += count
    if budget.steps > budget.max_steps:
        raise UnsafeFileError(
            f"{what} takes the description to {budget.steps} steps of work; {budget.max_steps} are allowed."
        )


def _memory():
    """The bytes available for arrays on the host and the devices."""
    devices = sum((device.memory_stats() or {}).get("bytes_limit", 0) for device in jax.local_devices())
    return (host_memory() + devices) * jax.process_count()


def host_memory() -> int:
    """The free bytes on the host, or the limit of this process if smaller. 1 TiB if the system reports neither."""
    free = [1024 * number for number in _numbers("/proc/meminfo", "MemAvailable:")]
    return min([*free, *_numbers("/sys/fs/cgroup/memory.max"), 2**40])


def _numbers(path, start=""):
    file = pathlib.Path(path)
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [int(word) for line in lines if line.startswith(start) for word in line.split() if word.isdigit()]


def _size(count):
    return f"{count / 2**20:.1f} MiB" if count < 2**30 else f"{count / 2**30:.1f} GiB"


@contextlib.contextmanager
def cpu_limit(seconds: Callable[[], float], error: type[BaseException]) -> Iterator[None]:
    """A context that raises an error in its thread, between two bytecodes, once the thread has used up its time.

    What is called in C ends first. Where a system cannot tell the CPU time of a thread, the time of day counts.

    Args:
        seconds: Function that returns the limit, which may grow.
        error: Class of the error, made without arguments.

    >>> with cpu_limit(lambda: 0.1, TimeoutError):
    ...     while True:
    ...         pass
    Traceback (most recent call last):
    TimeoutError
    """
    clock = _clock_of_this_thread()
    watch = _Watch(clock, clock(), seconds, error)
    watch.start()
    try:
        yield
    finally:
        watch.stop()


def _clock_of_this_thread():
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.monotonic
    number = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: time.clock_gettime(number)


class _Watch(threading.Thread):
    """Looks at the clock of another thread when its time may be over."""

    def __init__(self, clock, start, seconds, error):
        super().__init__(name="lamina-cpu-limit", daemon=True)
        self._clock, self._begin, self._seconds, self._error = clock, start, seconds, error
        self._watched, self._ended, self._lock = threading.get_ident(), threading.Event(), threading.Lock()
        self._raised = False

    def run(self):
        left = self._seconds()
        while not self._ended.wait(min(max(left, _SHORTEST_WAIT), _LONGEST_WAIT)):
            with self._lock:
                left = 0 if self._ended.is_set() else self._begin + self._seconds() - self._clock()
                if left <= 0 and not self._ended.is_set():
                    self._raised, left = True, 1.0  # again in a second, should something have caught it
                    _raise_in(self._watched, ctypes.py_object(self._error))

    def stop(self):
        """End the watch. An error that was not delivered yet is taken back."""
        with self._lock:
            self._ended.set()
            if self._raised:
                _raise_in(self._watched, None)


def _raise_in(thread, error):
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), error)
