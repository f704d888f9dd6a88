"""Limits on the cost of reading a file, in bytes of arrays and steps of work. Both are counted before they are spent.

Counting takes place only inside a budget, so programs that read no files are not affected.
"""

from __future__ import annotations

import contextlib
import math
import pathlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any

import jax

from lamina.errors import UnsafeFileError

__all__ = ["machine_memory_budget", "memory_budget", "reserve_array", "reserve_steps"]

FREE_BYTES = 64 * 2**20  # bytes that a description may allocate in any case
MAX_STEPS = 30_000  # steps of about 1 ms each: calls in a graph, several times as many as in the largest models

_FIX = "If you trust where it came from, load_model(..., safe_mode=False) lets it use all the memory there is."

_open: ContextVar[Any] = ContextVar("budget", default=None)


class _Budget:
    __slots__ = ("bytes", "limit", "reason", "steps")

    def __init__(self, limit, reason):
        self.bytes, self.limit, self.reason, self.steps = 0, limit, reason, 0


@contextlib.contextmanager
def memory_budget(count: int | None, reason: str) -> Iterator[None]:
    """Limit the total bytes of variables created inside the block.

    Args:
        count: Number of bytes; None means the memory of the machine.
        reason: Explanation of the limit for the error message.

    >>> with memory_budget(2**20, "the file holds 1 MiB"):
    ...     reserve_array((1024, 1024), 4, "kernel")
    Traceback (most recent call last):
    lamina.errors.UnsafeFileError: kernel of shape (1024, 1024) would take 4.0 MiB, but the file holds 1 MiB.
    If you trust where it came from, load_model(..., safe_mode=False) lets it use all the memory there is.
    """
    token = _open.set(_Budget(count, reason))
    try:
        yield
    finally:
        _open.reset(token)


def machine_memory_budget() -> AbstractContextManager[None]:
    """Limit variables inside the block to the machine's memory, unless a budget is already open."""
    return contextlib.nullcontext() if _open.get() is not None else memory_budget(None, "this machine has no more left")


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
        raise UnsafeFileError(f"{request}, but {budget.reason}.", fix=_FIX)


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
    if budget.steps > MAX_STEPS:
        raise UnsafeFileError(f"{what} takes the description to {budget.steps} steps of work; {MAX_STEPS} are allowed.")


def _memory():
    """The bytes available for arrays on the host and the devices."""
    devices = sum((device.memory_stats() or {}).get("bytes_limit", 0) for device in jax.local_devices())
    return (_host_memory() + devices) * jax.process_count()


def _host_memory():
    """The free bytes on the host, or the limit of this process if smaller. 1 TiB if the system reports neither."""
    free = [1024 * number for number in _numbers("/proc/meminfo", "MemAvailable:")]
    return min([*free, *_numbers("/sys/fs/cgroup/memory.max"), 2**40])


def _numbers(path, start=""):
    file = pathlib.Path(path)
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [int(word) for line in lines if line.startswith(start) for word in line.split() if word.isdigit()]


def _size(count):
    return f"{count / 2**20:.1f} MiB" if count < 2**30 else f"{count / 2**30:.1f} GiB"
