"""DispatchThrottle: run long steps on a CPU one after the other."""

from __future__ import annotations

import time
from typing import Any

import jax

__all__ = ["DispatchThrottle"]

LONG = 0.02  # seconds; starting the next step takes about 1/200 of this


class DispatchThrottle:
    """Makes a long step wait until the previous step has ended.

    JAX allocates the working memory of a queued step immediately, in addition to that of the running step. Short steps
    are queued nevertheless: they need little memory, and waiting for each would make them slower. Steps on accelerators
    are not throttled.
    """

    def __init__(self) -> None:
        self._long = None if jax.default_backend() == "cpu" else False  # None: not known yet
        self._previous: list[Any] = []
        self._started = 0.0

    def wait(self) -> None:
        """Call this before a step."""
        if self._long is False:
            return
        if all(array.is_ready() for array in self._previous):
            if self._previous and time.perf_counter() - self._started < LONG:
                self._long = False
        else:
            jax.block_until_ready(self._previous)
            self._long = time.perf_counter() - self._started > LONG
        self._started = time.perf_counter()

    def after(self, results: Any) -> None:
        """Call this with results of a step that no later step overwrites."""
        # One array is enough, since all results of a program become ready at the same time.
        self._previous = [] if self._long is False else jax.tree_util.tree_leaves(results)[:1]
