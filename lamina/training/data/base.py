"""Batches: what all kinds of data have in common, `epoch()`; and `ahead`, a thread that prepares them."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lamina.core import context
from lamina.errors import DataError, warn
from lamina.runtime import settings
from lamina.runtime.progress import say
from lamina.runtime.random_state import random_states, set_random_states
from lamina.training.data.shares import Share, share_of

__all__ = ["Batches", "ahead", "refuse_both_weights"]


class Batches:
    """Training data as batches `(x, y, sample_weight)`; None for what is absent.

    Args:
        pass_length: Batches of one pass over the data. None if unknown or endless.
        steps: Batches of an epoch. None means a whole pass.

    Attributes:
        batch_size: Samples of a batch. None if unknown.
        num_samples: Samples of the data. None if unknown.
        host_step: Function from the inputs of a batch to what a step takes, or None.
        exhausted: Whether an epoch had no batch, because a generator had ended.
        given: (x, y, sample_weight) as the user passed them, for messages.
        share: The Share of a batch that the batches of this process are; None if they are whole.
    """

    batch_size: int | None = None
    num_samples: int | None = None
    host_step: Callable[[Any], Any] | None = None
    exhausted: bool = False
    given: tuple[Any, Any, Any] = (None, None, None)
    share: Share | None = None

    def __init__(self, pass_length: int | None, steps: int | None):
        limit = settings.max_steps_per_epoch()
        self.steps: Any = limit if limit and limit < (steps or pass_length or math.inf) else steps
        self.pass_length = pass_length
        self._running: Any = None  # a pass that was begun and not finished: by peek, or by an epoch of fewer steps
        self._taken = 0  # batches of that pass that were used
        self._opened_at: Any = None  # the random states with which it was opened, and the state of the data

    state_of_data: Any = None  # function that returns the state of the data, if a backup saves it
    set_state_of_data: Any = None  # function that restores it

    def open(self) -> Iterator[Any]:
        """An iterator over one pass."""
        raise NotImplementedError

    def read_by_share(self) -> Batches:
        """From now on, read what this process takes of each batch and no more, where the data can do that."""
        distribution = context.distribution()
        if distribution is None or distribution.num_processes == 1:
            return self
        if self.can_share or not distribution.auto_shard_dataset:
            self.share = share_of(distribution)
            self._reads = self.share if distribution.auto_shard_dataset else None
        return self

    def begin_epoch(self) -> None:
        """Call the hook of the data, if there is one. `epoch` calls this."""

    def end_epoch(self) -> None:
        """Call the hook of the data, if there is one. Loops call this after each epoch, also after a shortened one."""

    @property
    def num_batches(self) -> int | None:
        """Batches of an epoch. None if unknown or endless."""
        return self.steps or self.pass_length

    def peek(self) -> Any:
        """The first batch of the next epoch, which will still yield it."""
        self._running = self._running or self._open()
        first = next(self._running, None)
        if first is None:
            raise DataError(
                "The data is empty: it yielded no batch.", fix="Check that the generator or dataset yields something."
            )
        self._running = itertools.chain([first], self._running)
        return first

    def epoch(self, first: int = 0) -> Iterator[Any]:
        """The batches of an epoch: the whole data, or `steps` batches, which continue where the last epoch stopped.

        Args:
            first: Batches of this epoch that the run to resume has used.
        """
        if not first:
            self.begin_epoch()
        return self._whole() if self.steps is None else self._part(first)

    def position(self) -> tuple[Any, int]:
        """(states with which the current pass was opened, number of its batches that were used), or (None, 0)."""
        return (self._opened_at, self._taken) if self._taken else (None, 0)

    def state_of_iterator(self, taken: int) -> Any:
        """The state of an iterator that has yielded `taken` batches of the current pass; None if it has none.

        Args:
            taken: Batches of the pass that were used.
        """

    def set_state_of_iterator(self, state: Any) -> bool:
        """Whether the next pass goes on where an iterator had the state.

        Args:
            state: What `state_of_iterator` returned.
        """
        return False

    def resume(self, opened_at: Any, taken: int, first: int, state: Any = None) -> None:
        """Go to the position of another run, by drawing the same batches, or only their indices where there are some.

        Args:
            opened_at: States with which that run had opened its pass, from `position`.
            taken: Batches of the pass that were used, from `position`.
            first: Batches of the epoch that were used.
            state: State of the iterator, from `state_of_iterator`.
        """
        if first:
            self.begin_epoch()
        if self.can_reopen:
            self._running = None
        if taken:
            self.set_states(opened_at)
            if self.can_skip:
                self._skipped = taken
                self._running, self._skipped = self._open(), 0
            elif self.set_state_of_iterator(state):
                self._running = self._open()
            else:
                say(f"The run to resume has used {taken} batches of this pass, which are read again to go on there.")
                self._running = self._running or self._open()
                for _ in range(taken):
                    next(self._running, None)
            self._taken, self._opened_at = taken, opened_at

    def states(self) -> dict[str, Any]:
        """The random states of the process, and the state of the data if a backup saves it."""
        return {"random": random_states(), "data": self.state_of_data() if self.state_of_data else None}

    def set_states(self, states: dict[str, Any]) -> None:
        """Restore states.

        Args:
            states: What `states()` returned.
        """
        set_random_states(states["random"])
        if self.set_state_of_data and states["data"] is not None:
            self.set_state_of_data(states["data"])

    can_reopen: bool = True  # whether `open` starts another pass
    can_share: bool = False  # whether `open` reads the rows of `_reads` alone
    _reads: Share | None = None
    can_skip: bool = False  # whether `open` leaves out the first `_skipped` batches without reading them
    _skipped: int = 0

    def _open(self):
        self._opened_at = self.states()
        return self.open() if self.host_step is None else ahead(self.open(), self._on_host)

    def _on_host(self, batch):
        return batch if self.host_step is None else (self.host_step(batch[0]), *batch[1:])

    def _whole(self):
        running, self._running = self._running or self._open(), None
        count = self._taken
        for count, batch in enumerate(running, self._taken + 1):
            self._taken = count
            yield batch
        self._taken = 0
        if count:
            self.pass_length = count
        else:
            self._ran_out()
            self.exhausted = True

    def _part(self, first):
        for step in range(first, self.steps):
            self._running = self._running or self._open()
            batch = next(self._running, None)
            if batch is None:
                self._running, self._taken, self.exhausted = None, 0, step == 0
                self._ran_out()
                return
            self._taken += 1
            yield batch
        if self._taken == self.pass_length:
            self._running, self._taken = None, 0

    def _ran_out(self):
        warn(
            f"The data ran out before the end of the epoch ({self.num_batches or 'unknown'} steps): it ends here. "
            "A generator must yield at least steps_per_epoch * epochs batches."
        )


def ahead(batches: Iterable[Any], function: Callable[[Any], Any], count: int = 2) -> Iterator[Any]:
    """`function` of each batch, computed in a thread ahead of its use.

    Args:
        batches: Batches.
        function: Function of a batch.
        count: Results that may wait.
    """
    pool, waiting = ThreadPoolExecutor(1, thread_name_prefix="lamina-host"), deque()
    try:
        for batch in batches:
            waiting.append(pool.submit(function, batch))
            if len(waiting) > count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def refuse_both_weights(sample_weight: Any) -> None:
    """Raise a DataError if there are sample weights besides class weights.

    Args:
        sample_weight: Weights of the samples, or None.
    """
    if sample_weight is not None:
        raise DataError(
            "Both class_weight and sample_weight were given.", fix="Multiply them and pass sample_weight only."
        )
