"""StreamBatches: batches that something else yields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from lamina.core import context
from lamina.errors import DataError
from lamina.runtime.progress import say
from lamina.saving.safety.records import is_plain
from lamina.training.data.base import Batches, refuse_both_weights
from lamina.training.data.leaves import as_arrays, count_samples, differ_in_rows, is_scipy_sparse
from lamina.training.data.packing import unpack_x_y_sample_weight
from lamina.training.data.weights import broadcast_to_outputs, class_weights_of

__all__ = ["StreamBatches"]


class StreamBatches(Batches):
    """Batches that something else yields.

    Args:
        source: Callable without arguments that opens one pass over the batches.
        pass_length: Batches of one pass. None if unknown or endless.
        steps: Batches of an epoch. None means a whole pass.
        batch_size: Samples of a batch. None if unknown.
        class_weight: Dict from label to weight.
        hooks: Object with `on_epoch_begin` and `on_epoch_end`, or with neither.
        loader: Object whose batches they are, if it has a state or is divided among processes.

    Attributes:
        look: Function of the number of a batch and the batch, called with each of the first epoch; None for none.
    """

    def __init__(
        self,
        source: Callable[[], Iterable[Any]],
        pass_length: int | None = None,
        steps: int | None = None,
        batch_size: int | None = None,
        class_weight: dict[int, float] | None = None,
        hooks: Any = None,
        loader: Any = None,
    ):
        super().__init__(pass_length, steps)
        self.loader: Any = loader
        self._shares = _shares_of(loader)
        self._iterator: Any = None  # over the source, in the current pass
        self._ready: Any = None  # iterator with which the next pass begins
        self.source = source
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.hooks = hooks
        self._checked = False
        self.look: Callable[[int, Any], None] | None = None

    @property
    def can_skip(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether the source has indices, so that it can leave out batches without reading them."""
        return getattr(self.source, "can_skip", False)

    @property
    def can_share(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether the source can read the rows of one process alone, or does so already."""
        return self._shares > 1 or getattr(self.source, "can_share", False)

    def read_by_share(self) -> Batches:
        super().read_by_share()
        count, distribution = self.share.count if self.share else 1, context.distribution()
        if distribution is not None and distribution.num_processes > 1 and self._shares not in (1, count):
            raise DataError(
                f"The data is divided among {self._shares} processes, and batches among {count} here.",
                fix=f"num_shards={count}, shard={self.share.number if self.share else 0} in the sampler of the data.",
            )
        return self

    def open(self) -> Iterator[Any]:
        first, ready, self._ready = self._skipped, self._ready, None
        of: dict[str, Any] = {"first": first} if first else {}
        if self._reads is not None and getattr(self.source, "can_share", False):
            of["share"] = self._reads
        return self._standardized(self.source(**of) if ready is None else ready, first)

    def state_of_iterator(self, taken: int) -> Any:
        stateful = self._stateful()
        if stateful is None or not taken or taken != self._taken or self.can_skip or self.host_step is not None:
            return None  # with a host_step, batches are read ahead
        state = getattr(stateful[0], stateful[1])()
        return state if is_plain(state) else None

    def set_state_of_iterator(self, state: Any) -> bool:
        if state is None or self.host_step is not None:
            return False
        try:
            self._ready = self._opened_at_state(state)
        except Exception as error:
            say(f"The data refuses the state that it had in the run to resume: {type(error).__name__}: {error}")
            return False
        self._running = None
        return True

    def _stateful(self):
        """(object, names of its methods) of what has a state, as a loader of torchdata or an iterator of grain."""
        ways = (self.loader, _OF_LOADERS), (self._iterator, _OF_ITERATORS), (self._iterator, _OF_LOADERS)
        return next(((thing, *names) for thing, names in ways if all(hasattr(thing, name) for name in names)), None)

    def _opened_at_state(self, state):
        """An iterator over the source, which goes on from a state."""
        self._iterator = None
        stateful = self._stateful()  # a loader takes it before it is iterated
        if stateful is not None:
            getattr(stateful[0], stateful[2])(state)
        self._iterator = iter(self.source())
        if stateful is None:
            thing, _, write = self._stateful()  # pyright: ignore[reportGeneralTypeIssues]
            getattr(thing, write)(state)
        return self._iterator

    def _standardized(self, batches, first):
        self._iterator = iter(batches)
        for number, given in enumerate(self._iterator, first):
            try:
                batch = self._standard(given)
            except DataError as error:
                error.message += f" This is in batch {number}, counted from 0."
                if self.can_skip and error.fix:  # an object with __getitem__, and no generator
                    error.fix = error.fix.replace("yield ", "return ")
                raise
            if self.look is not None and number:  # `peek` shows the first batch
                self.look(number, batch)
            if number + 1 == self.steps:
                self.look = None
            yield batch
        self.look = None

    def begin_epoch(self) -> None:
        getattr(self.hooks, "on_epoch_begin", _nothing)()

    def end_epoch(self) -> None:
        getattr(self.hooks, "on_epoch_end", _nothing)()

    def _standard(self, batch):
        x, y, weight = unpack_x_y_sample_weight(batch)
        x, y, weight = _fit(x, "x", self.host_step is not None), _fit(y, "y"), _fit(weight, "sample_weight")
        if self.class_weight is not None:
            refuse_both_weights(weight)
            weight = class_weights_of(y, self.class_weight)
        if y.__class__ in (list, tuple, dict):
            weight = broadcast_to_outputs(y, weight)
        if not self._checked:
            if not differ_in_rows(x):
                count_samples((x, y, weight), is_part=self.share is not None)
            self._checked = True
        return x, y, weight


_OF_ITERATORS, _OF_LOADERS = ("get_state", "set_state"), ("state_dict", "load_state_dict")


def _shares_of(loader):
    """Among how many processes a loader of grain or PyTorch divides its data."""
    sampler = getattr(loader, "_sampler", None) or getattr(loader, "sampler", None)
    options = [getattr(thing, "_shard_options", None) for thing in (loader, sampler)]
    counts = [getattr(option, "shard_count", 1) for option in options]
    return max(*counts, getattr(sampler, "num_replicas", 1))


def _nothing():
    pass


_READY = frozenset(map(np.dtype, ("float32", "int32", "uint8", "bool")))


def _fit(value, name, text=False):
    """A part of a batch as arrays; a plain array is returned at once."""
    if value is None or (value.__class__ is np.ndarray and value.dtype in _READY) or isinstance(value, jax.Array):
        return value
    if np.isscalar(value):
        raise DataError(
            f"The data gives single samples: {name} of one is {value!r}, without an axis for the batch.",
            fix="yield x[None], np.array([y]) is a batch of one sample; with arrays of all samples: model.fit(x, y).",
        )
    value = as_arrays(value, name, text)
    return jax.tree_util.tree_map(lambda leaf: leaf.toarray() if is_scipy_sparse(leaf) else leaf, value)
