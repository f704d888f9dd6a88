"""Batches: one face, `epoch()`, for arrays, generators, PyDatasets and the datasets of other libraries."""

import functools
import itertools
import math
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lamina.errors import DataError
from lamina.runtime import settings
from lamina.runtime.random_state import random_states, set_random_states
from lamina.training.data.leaves import (
    as_arrays,
    count_samples,
    is_kind,
    is_sparse,
    looks_like_arrays,
)
from lamina.training.data.packing import unpack_x_y_sample_weight
from lamina.training.data.py_dataset import OrderedBatches, PyDataset, length_of
from lamina.training.data.weights import check_class_weight, class_weights_of, spread_over_outputs

__all__ = ["ArrayBatches", "Batches", "Stretch", "make_batches"]

BYTES = 128 * 2**20  # of data that may be put onto the device as a whole; of more, a thread takes the rows of batches


def make_batches(
    x, y=None, sample_weight=None, batch_size=None, steps=None, shuffle=False, class_weight=None, host_step=None
):
    """`Batches` of whatever `x` is.

    Args:
        x: arrays (also in lists, tuples and dicts), or something that gives batches: a generator, a PyDataset, a torch
            DataLoader, a tf.data or grain dataset, or any object that can be iterated again and again.
        y, sample_weight: arrays; only where x is arrays.
        batch_size: 32 if neither it nor `steps` is given; only where x is arrays.
        steps: how many batches are an epoch; None means all.
        shuffle: True for an order of its own in each epoch, "batch" to shuffle only inside each batch.
        class_weight: label -> weight.
        host_step: a function from the inputs of a batch, which may then be text, to what a step takes. It runs in a
            thread, ahead of the steps.

    >>> batches = make_batches(np.arange(5.0), np.arange(5), batch_size=2)
    >>> [x.tolist() for x, y, w in batches.epoch()]
    [[0.0, 1.0], [2.0, 3.0], [4.0]]
    """
    if isinstance(x, Batches):
        return x
    if shuffle not in (True, False, "batch"):
        raise DataError(f"shuffle is True, False or 'batch'; got {shuffle!r}.")
    if steps is not None and steps < 1:
        raise DataError(f"The number of steps an epoch is at least 1; got {steps}.")
    class_weight = None if class_weight is None else check_class_weight(class_weight)
    if _gives_batches(x):
        _refuse_beside_batches(x, y=y, sample_weight=sample_weight, batch_size=batch_size)
        batches = _stream(x, steps, bool(shuffle), class_weight)
    else:
        batches = ArrayBatches(x, y, sample_weight, batch_size, steps, shuffle, class_weight, host_step is not None)
    batches.host_step = host_step
    return batches


class Batches:
    """Training data as batches `(x, y, sample_weight)`; None for what is absent.

    num_batches: how many batches an epoch has, None if unknown or endless.
    batch_size, num_samples: None where the data does not say.
    exhausted: whether an epoch found nothing, because a generator had ended.
    """

    batch_size = num_samples = host_step = None
    exhausted = False

    def __init__(self, pass_length, steps):
        limit = settings.max_steps_per_epoch()
        self.steps = limit if limit and limit < (steps or pass_length or math.inf) else steps
        self.pass_length = pass_length
        self._running = None  # a pass that was begun and not finished: by peek, or by an epoch of fewer steps
        self._taken = 0  # batches of that pass that were used
        self._opened_at = None  # the random states with which it was opened, and the state of the data

    state_of_data = set_state_of_data = None  # functions, where a backup keeps the state of the data too

    def open(self):
        """An iterator over one pass."""
        raise NotImplementedError

    def begin_epoch(self):
        """Called by `epoch`; for data with a hook."""

    def end_epoch(self):
        """To be called when an epoch is over, also one that was cut short."""

    @property
    def num_batches(self):
        return self.steps or self.pass_length

    def peek(self):
        """The first batch of the next epoch, which still gives it."""
        self._running = self._running or self._open()
        first = next(self._running, None)
        if first is None:
            raise DataError(
                "The data is empty: it gave no batch.", fix="Check that the generator or dataset yields something."
            )
        self._running = itertools.chain([first], self._running)
        return first

    def epoch(self, first=0):
        """An epoch: the whole data; or `steps` batches, going on where the last epoch stopped. `first` of them were
        given before, by the run that is resumed."""
        if not first:
            self.begin_epoch()
        return self._whole() if self.steps is None else self._part(first)

    def position(self):
        """(with which random states, and which state of the data, the running pass was opened; how many of its batches
        were used), or (None, 0)."""
        return (self._opened_at, self._taken) if self._taken else (None, 0)

    def resume(self, opened_at, taken, first):
        """Go to the `position` of another run, batch `first` of its epoch, by drawing batches as it drew them."""
        if first:
            self.begin_epoch()
        if self.can_reopen:
            self._running = None
        if taken:
            self.set_states(opened_at)
            self._running = self._running or self._open()
            for _ in range(taken):
                next(self._running, None)
            self._taken, self._opened_at = taken, opened_at

    def states(self):
        """The random states of the process, and the state of the data where it is kept."""
        return {"random": random_states(), "data": self.state_of_data() if self.state_of_data else None}

    def set_states(self, states):
        """Put back what `states` gave."""
        set_random_states(states["random"])
        if self.set_state_of_data and states["data"] is not None:
            self.set_state_of_data(states["data"])

    can_reopen = True  # whether `open` gives another pass, from the start

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
        warnings.warn(
            f"The data ran out before the end of the epoch ({self.num_batches or 'unknown'} steps): it ends here. "
            "A generator must yield at least steps_per_epoch * epochs batches.",
            stacklevel=3,
        )


class Stretch(NamedTuple):
    """Full batches one after the other: the order of all samples, the first of these batches, and how many they are."""

    order: Any
    first: int
    steps: int


class ArrayBatches(Batches):
    """Batches of arrays: slices, or rows in a new order for each epoch."""

    def __init__(
        self, x, y=None, sample_weight=None, batch_size=None, steps=None, shuffle=False, class_weight=None, text=False
    ):
        if x is None:
            raise DataError("There is no data: x is None.", fix="model.fit(x, y)")
        x, y, sample_weight = as_arrays(x, "x", text), as_arrays(y, "y"), as_arrays(sample_weight, "sample_weight")
        if class_weight is not None:
            _refuse_both(sample_weight)
            sample_weight = class_weights_of(y, class_weight)
        data = (x, y, spread_over_outputs(y, sample_weight))
        self.num_samples = count_samples(data)
        self.batch_size = _batch_size(batch_size, self.num_samples, steps)
        self.shuffle = shuffle
        self.leaves, self.structure = jax.tree_util.tree_flatten(data)
        self._readers = [(_reader(leaf), leaf) for leaf in self.leaves]
        super().__init__(math.ceil(self.num_samples / self.batch_size), steps)

    @property
    def fits_on_device(self):
        """Whether the data is so little that it may be put onto the device as a whole."""
        return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in self.leaves) <= BYTES

    def open(self):
        rows, on_host = self._rows_of_batches(), any(not isinstance(leaf, jax.Array) for leaf in self.leaves)
        if self.fits_on_device or self.shuffle == "batch" or not on_host:  # "batch" draws numbers for each batch
            return map(self._rows, rows)
        return ahead(rows, self._copied_rows)

    def _rows_of_batches(self):
        order = np.random.permutation(self.num_samples) if self.shuffle is True else None
        for start in range(0, self.num_samples, self.batch_size):
            stop = min(start + self.batch_size, self.num_samples)
            if order is not None:
                yield order[start:stop]
            elif self.shuffle == "batch":
                yield np.random.permutation(stop - start) + start
            else:
                yield slice(start, stop)

    def stretches(self, together):
        """An epoch without `steps` and hooks: a Stretch for up to `together` full batches, and at the end a smaller
        batch, in the order in which `epoch` gives them."""
        self._opened_at, size = self.states(), self.batch_size
        order = np.random.permutation(self.num_samples) if self.shuffle else np.arange(self.num_samples)
        full, on_device = self.num_samples // size, jnp.asarray(order.astype("int32"))
        for first in range(0, full, together):
            self._taken = min(first + together, full)
            yield Stretch(on_device, first, self._taken - first)
        if full * size < self.num_samples:
            self._taken = full + 1
            yield self._rows(order[full * size :])
        self._taken = 0

    def peek(self):
        """A batch of the right shape. It reads no random number, so that looking changes nothing."""
        return self._on_host(self._rows(slice(0, min(self.batch_size, self.num_samples))))

    def _rows(self, rows):
        return self.structure.unflatten([read(leaf, rows) for read, leaf in self._readers])

    def _copied_rows(self, rows):
        """Read now: a slice of a file that is mapped into memory would be read when the step is at it."""
        return jax.tree_util.tree_map(lambda leaf: np.array(leaf) if _is_mapped(leaf) else leaf, self._rows(rows))


class StreamBatches(Batches):
    """Batches that something else makes: `source()` opens one pass over them."""

    def __init__(self, source, pass_length=None, steps=None, batch_size=None, class_weight=None, hooks=None):
        super().__init__(pass_length, steps)
        self.source, self.batch_size, self.class_weight, self.hooks = source, batch_size, class_weight, hooks
        self._checked = False

    def open(self):
        return map(self._standard, self.source())

    def begin_epoch(self):
        getattr(self.hooks, "on_epoch_begin", _nothing)()

    def end_epoch(self):
        getattr(self.hooks, "on_epoch_end", _nothing)()

    def _standard(self, batch):
        x, y, weight = unpack_x_y_sample_weight(batch)
        x, y, weight = _fit(x, "x", self.host_step is not None), _fit(y, "y"), _fit(weight, "sample_weight")
        if self.class_weight is not None:
            _refuse_both(weight)
            weight = class_weights_of(y, self.class_weight)
        if y.__class__ in (list, tuple, dict):
            weight = spread_over_outputs(y, weight)
        if not self._checked:
            count_samples((x, y, weight))
            self._checked = True
        return x, y, weight


def ahead(batches, function, count=2):
    """`function` of each batch, computed in a thread while `count` batches before it are being used."""
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


def _is_mapped(leaf):
    return isinstance(leaf, np.ndarray) and (isinstance(leaf, np.memmap) or isinstance(leaf.base, np.memmap))


def _nothing():
    pass


_READY = frozenset(map(np.dtype, ("float32", "int32", "uint8", "bool")))


def _fit(value, name, text=False):
    """A part of a batch as arrays; what is an array already is passed on at once."""
    if value is None or (value.__class__ is np.ndarray and value.dtype in _READY) or isinstance(value, jax.Array):
        return value
    value = as_arrays(value, name, text)
    return jax.tree_util.tree_map(lambda leaf: leaf.toarray() if is_sparse(leaf) else leaf, value)


def _reader(leaf):
    """The function `(leaf, rows) -> batch` for this kind of leaf; rows is a slice or an array of indices."""
    if is_sparse(leaf):
        return lambda leaf, rows: leaf[rows].toarray()
    return _rows_on_device if isinstance(leaf, jax.Array) else _rows_on_host


def _rows_on_host(leaf, rows):
    return leaf[rows] if isinstance(rows, slice) else leaf.take(rows, 0)  # other threads run while it copies


def _rows_on_device(leaf, rows):
    if isinstance(rows, slice):
        return _window(leaf, rows.start, rows.stop - rows.start)
    return _take(leaf, rows)


@functools.partial(jax.jit, static_argnums=2)
def _window(array, start, size):
    """`array[start : start + size]`, compiled once for all starts."""
    return jax.lax.dynamic_slice_in_dim(array, start, size)


@jax.jit
def _take(array, rows):
    return jnp.take(array, rows, axis=0)


def _batch_size(batch_size, num_samples, steps):
    if batch_size is None:
        batch_size = math.ceil(num_samples / steps) if steps else 32
    if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
        raise DataError(f"batch_size is a positive integer; got {batch_size!r}.", fix="batch_size=32")
    return min(int(batch_size), num_samples)


def _refuse_both(sample_weight):
    if sample_weight is not None:
        raise DataError(
            "Both class_weight and sample_weight were given.", fix="Multiply them yourself and pass sample_weight only."
        )


def _gives_batches(x):
    """Whether x is a source of batches, not arrays to be cut into batches."""
    if x is None or isinstance(x, (np.ndarray, jax.Array, list, tuple, dict)):
        return False
    if isinstance(x, PyDataset) or is_kind(x, "keras", "PyDataset") or _is_dataset(x):
        return True
    if looks_like_arrays(x):
        return False
    return hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def _is_dataset(x):
    return (
        is_kind(x, "torch", "DataLoader")
        or is_kind(x, "tensorflow", "DatasetV2", "DistributedDataset")
        or is_kind(x, "grain", "MapDataset", "IterDataset", "DataLoader")
    )


def _refuse_beside_batches(x, **given):
    what = {"y": "the targets", "sample_weight": "the sample weights", "batch_size": "the size of its batches"}
    for name, value in given.items():
        if value is not None:
            raise DataError(
                f"{name} was given beside {_article(type(x).__name__)}, which brings {what[name]} itself.",
                fix=f"Leave out {name}; let x give batches (x, y) or (x, y, sample_weight).",
            )


def _article(name):
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _stream(x, steps, shuffle, class_weight):
    """StreamBatches over x, opened in the way of its kind."""
    common = {"steps": steps, "class_weight": class_weight}
    if hasattr(x, "__next__"):
        batches = StreamBatches(lambda: x, **common)
        batches.can_reopen = False
        return batches
    if is_kind(x, "tensorflow", "DatasetV2", "DistributedDataset"):
        length = int(x.cardinality()) if hasattr(x, "cardinality") else -1  # below zero: endless or unknown
        return StreamBatches(getattr(x, "as_numpy_iterator", x.__iter__), length if length >= 0 else None, **common)
    length = length_of(x)
    if length == 0:
        raise DataError(
            f"The data is empty: {type(x).__name__} has 0 batches.", fix="Check the filter or split that made it."
        )
    if _is_dataset(x):
        size = getattr(x, "batch_size", None)
        return StreamBatches(x.__iter__, length, batch_size=size if isinstance(size, int) else None, **common)
    if hasattr(x, "__getitem__"):  # a PyDataset, or a Sequence of another library
        return StreamBatches(OrderedBatches(x, shuffle), length, hooks=x, **common)
    return StreamBatches(x.__iter__, length, **common)
