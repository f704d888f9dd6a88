"""ArrayBatches: batches of arrays in memory, on the device or in files that are mapped into memory."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from lamina.errors import DataError
from lamina.training.data.base import Batches, ahead, refuse_both_weights
from lamina.training.data.leaves import as_arrays, count_samples, is_scipy_sparse
from lamina.training.data.weights import broadcast_to_outputs, class_weights_of

__all__ = ["ArrayBatches", "Stretch"]

MAX_BYTES_ON_DEVICE = 128 * 2**20  # of data that is put onto the device whole; of larger data, a thread takes the rows


class Stretch(NamedTuple):
    """Several full batches.

    Attributes:
        order: Order of all samples.
        first: Number of the first batch.
        steps: Number of batches.
    """

    order: Any
    first: int
    steps: int


class ArrayBatches(Batches):
    """Batches of arrays: slices, or rows in a new order for each epoch.

    Args:
        x: Inputs.
        y: Targets.
        sample_weight: Weights of the samples. None means 1 for each.
        batch_size: Samples of a batch. None means 32, or what `steps` implies.
        steps: Batches of an epoch. None means all.
        shuffle: True for a new order in each epoch, "batch" to shuffle only inside each batch.
        class_weight: Dict from label to weight.
        text: Whether the inputs may be strings.

    Raises:
        DataError: If the data or a setting is not valid.
    """

    leaves: Any
    structure: Any

    num_samples: Any
    batch_size: Any
    can_skip = can_share = True

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        batch_size: int | None = None,
        steps: int | None = None,
        shuffle: bool | str = False,
        class_weight: dict[int, float] | None = None,
        text: bool = False,
    ):
        if x is None:
            raise DataError("There is no data: x is None.", fix="model.fit(x, y)")
        x, y, sample_weight = as_arrays(x, "x", text), as_arrays(y, "y"), as_arrays(sample_weight, "sample_weight")
        if class_weight is not None:
            refuse_both_weights(sample_weight)
            sample_weight = class_weights_of(y, class_weight)
        data = (x, y, broadcast_to_outputs(y, sample_weight))
        self.num_samples = count_samples(data)
        self.batch_size = _batch_size(batch_size, self.num_samples, steps)
        self.shuffle = shuffle
        self.leaves, self.structure = jax.tree_util.tree_flatten(data)
        self._readers = [(_reader(leaf), leaf) for leaf in self.leaves]
        super().__init__(math.ceil(self.num_samples / self.batch_size), steps)

    @property
    def fits_on_device(self) -> bool:
        """Whether the data is small enough to be put onto the device whole."""
        return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in self.leaves) <= MAX_BYTES_ON_DEVICE

    def open(self) -> Iterator[Any]:
        rows = self._rows_of_batches()
        for _ in range(self._skipped):
            next(rows, None)
        if self._reads is not None:
            rows = map(self._reads.of, rows)
        on_host = any(not isinstance(leaf, jax.Array) for leaf in self.leaves)
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

    def stretches(self, together: int) -> Iterator[Any]:
        """An epoch without `steps` and hooks, in the order of `epoch`: Stretches, and at the end a smaller batch.

        Args:
            together: Most batches of a Stretch.
        """
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

    def peek(self) -> Any:
        """A batch of the right shape. It draws no random numbers, so the order of the data stays the same."""
        return self._on_host(self._rows(slice(0, min(self.batch_size, self.num_samples))))

    def sample(self) -> Any:
        """A few rows, evenly spaced."""
        return self._rows(np.linspace(0, self.num_samples - 1, min(self.num_samples, 8)).astype("int64"))

    def _rows(self, rows):
        return self.structure.unflatten([read(leaf, rows) for read, leaf in self._readers])

    def _copied_rows(self, rows):
        """Copied now: a slice of a file that is mapped into memory would be read only during the step."""
        return jax.tree_util.tree_map(lambda leaf: np.array(leaf) if _is_mapped(leaf) else leaf, self._rows(rows))


def _is_mapped(leaf):
    return isinstance(leaf, np.ndarray) and (isinstance(leaf, np.memmap) or isinstance(leaf.base, np.memmap))


def _reader(leaf):
    """The function (leaf, rows) -> batch for this kind of leaf; rows is a slice or an array of indices."""
    if is_scipy_sparse(leaf):
        return lambda leaf, rows: leaf[rows].toarray()
    return _rows_on_device if isinstance(leaf, jax.Array) else _rows_on_host


def _rows_on_host(leaf, rows):
    return leaf[rows] if isinstance(rows, slice) else leaf.take(rows, 0)  # `take` lets other threads run


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
        if hasattr(batch_size, "__len__") and not isinstance(batch_size, str):
            from lamina.training.data.misplaced import refuse_data

            refuse_data(batch_size)
        raise DataError(f"batch_size is a positive integer; got {batch_size!r}.", fix="batch_size=32")
    return min(int(batch_size), num_samples)
