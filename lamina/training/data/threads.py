"""Work in threads, ahead of its use: results in order, a bounded number of them waiting."""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["in_threads", "in_threads_if_slow", "prefetched", "worker_count"]

_END = object()
_TRIALS = 4  # calls that are timed before threads are started
_SLOW = 3e-4  # seconds of a call above which a thread is worth its cost


def worker_count(asked: int | None = None) -> int:
    """A number of threads: at most one for each core.

    Args:
        asked: Number that was asked for; None or a negative number means one for each core.
    """
    cores = os.cpu_count() or 1
    return min(cores, asked) if asked and asked > 0 else cores


def in_threads(function: Callable[[Any], Any], items: Iterable[Any], workers: int, waiting: int) -> Iterator[Any]:
    """`function(item)` for each item, in order.

    Args:
        function: Function that threads call.
        items: Its arguments. They are taken in the thread of the caller.
        workers: Number of threads.
        waiting: Number of results that wait or are in progress.

    >>> list(in_threads(abs, [-1, 2, -3], workers=2, waiting=2))
    [1, 2, 3]
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="lamina-data")
    try:
        futures = (pool.submit(function, item) for item in items)
        queue = deque(itertools.islice(futures, max(waiting, 1)))
        while queue:
            result = queue.popleft().result()
            queue.extend(itertools.islice(futures, 1))
            yield result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def in_threads_if_slow(function: Callable[[Any], Any], items: Iterator[Any], workers: int) -> Iterator[Any]:
    """`function(item)` for each item, in order: in threads, if the first calls take long enough.

    Args:
        function: Function to call.
        items: Its arguments.
        workers: Number of threads.
    """
    begin = time.perf_counter()
    first = [function(item) for item in itertools.islice(items, _TRIALS)]
    yield from first
    if time.perf_counter() - begin > _SLOW * len(first):
        yield from in_threads(function, items, workers, 2 * workers)
    else:
        yield from map(function, items)


def prefetched(items: Iterator[Any], count: int) -> Iterator[Any]:
    """The same items, the next `count` of them made in a thread.

    Args:
        items: Iterator that the thread advances.
        count: Number of items that may wait.

    >>> list(prefetched(iter("abc"), 2))
    ['a', 'b', 'c']
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="lamina-prefetch")
    try:
        queue = deque(pool.submit(next, items, _END) for _ in range(max(count, 1)))
        while (item := queue.popleft().result()) is not _END:
            queue.append(pool.submit(next, items, _END))
            yield item
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
