"""Long steps on a CPU, one after the other."""

import time

import jax

__all__ = ["Pace"]

LONG = 0.02  # seconds: to start the next step takes a two-hundredth of it


class Pace:
    """Has a long step wait for the one before it.

    JAX gives a step that is queued its working memory at once, beside that of the step that runs. Short steps are
    queued all the same: their memory is small, and they would take longer one by one. Accelerators are left alone.
    """

    def __init__(self):
        self._long = None if jax.default_backend() == "cpu" else False  # None: not known
        self._before: list = []
        self._began = 0.0

    def wait(self):
        """To be called before a step."""
        if self._long is False:
            return
        if all(array.is_ready() for array in self._before):
            if self._before and time.perf_counter() - self._began < LONG:
                self._long = False
        else:
            jax.block_until_ready(self._before)
            self._long = time.perf_counter() - self._began > LONG
        self._began = time.perf_counter()

    def after(self, results):
        """To be called with what a step gave, none of which another step writes over."""
        self._before = [] if self._long is False else jax.tree_util.tree_leaves(results)[:1]  # all come at once
