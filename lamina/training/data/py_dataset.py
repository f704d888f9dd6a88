"""PyDataset: batches by index, computed in this thread, in other threads, or in other processes."""

from __future__ import annotations

import inspect
import itertools
import os
import pathlib
import pickle
import random
import shutil
import tempfile
import weakref
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from lamina.errors import DataError, MissingMethodError
from lamina.training.data.shares import Share
from lamina.training.data.threads import prefetched

__all__ = ["OrderedBatches", "PyDataset", "Sequence", "length_of"]


class PyDataset:
    """Base of your own datasets: `dataset[i]` is batch i, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Define `__getitem__`, and `__len__` (the number of batches) or the property `num_batches` (None if endless).
    `on_epoch_begin` and `on_epoch_end` may change the data between epochs.

    Where several processes train together, each asks for all batches and takes its rows of them. With
    `__getitem__(self, index, num_shards, shard)` it reads no others: `dataset[i]` is then part `shard` of batch i, of
    `num_shards` parts. The parts may differ in size.

    Args:
        workers: How many batches are computed at the same time; 1 computes each when it is needed.
        use_multiprocessing: Whether to compute them in processes instead of threads. The dataset must be picklable and
            defined in a module, and a script needs `if __name__ == "__main__":` around its main part.
        max_queue_size: How many computed batches may wait.

    >>> import numpy as np
    >>> class Squares(PyDataset):
    ...     def __len__(self) -> int:
    ...         return 3
    ...     def __getitem__(self, index: int) -> Any:
    ...         return np.full((2, 1), index), np.full((2, 1), index**2)
    >>> [int(y[0, 0]) for x, y in Squares()]
    [0, 1, 4]
    """

    _workers, _use_multiprocessing, _max_queue_size = 1, False, 10
    reads_ahead: bool = False  # whether `fit` computes the next batches in a thread, in order, with one worker too

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def workers(self) -> int:
        """How many batches are computed at the same time."""
        return self._workers

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        """Whether batches are computed in processes instead of threads."""
        return self._use_multiprocessing

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        """How many computed batches may wait."""
        return self._max_queue_size

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    def __getitem__(self, index: int) -> Any:
        raise MissingMethodError(
            f"{type(self).__name__} needs a method that returns batch `index`.", fix="def __getitem__(self, index):"
        )

    def __iter__(self) -> Iterator[Any]:
        count = self.num_batches
        return (self[index] for index in (itertools.count() if count is None else range(count)))

    @property
    def num_batches(self) -> int | None:
        """The number of batches; None if endless."""
        length = getattr(self, "__len__", None)
        if length is not None:
            return _whole(length(), self)
        raise MissingMethodError(
            f"{type(self).__name__} needs its number of batches: __len__, or the property num_batches.",
            fix="def __len__(self): return math.ceil(len(self.x) / self.batch_size)",
        )

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


Sequence = PyDataset  # its name before Keras 3


def length_of(dataset: Any) -> int | None:
    """The number of batches of a dataset; None if it is endless or unknown.

    Args:
        dataset: PyDataset, or a dataset of another library.
    """
    if hasattr(dataset, "num_batches"):
        return dataset.num_batches
    try:
        length = len(dataset)
    except TypeError:  # no length, or an unknown one
        return None
    return length if length < 2**62 else None  # grain returns the largest int for an endless dataset


class OrderedBatches:
    """A source of passes over `dataset[0]`, `dataset[1]`, ...; the workers of the dataset compute the next batches.

    Args:
        dataset: PyDataset, or another object with indices.
        shuffle: Whether each pass has a new order.
    """

    can_skip = True

    def __init__(self, dataset: Any, shuffle: bool = False):
        self.dataset = dataset
        self.shuffle = shuffle
        self.can_share: bool = _takes_shard(dataset)
        workers = getattr(dataset, "workers", 1)
        in_processes = getattr(dataset, "use_multiprocessing", False)
        ahead = workers > 1 or (workers > 0 and in_processes)
        self.pool: Any = (Processes if in_processes else Threads)(dataset, workers) if ahead else None

    def __call__(self, first: int = 0, share: Share | None = None) -> Any:
        count = length_of(self.dataset)
        order = itertools.count() if count is None else _order(count, self.shuffle)
        indices = itertools.islice(order, first, None)
        of = {"num_shards": share.count if share else 1, "shard": share.number if share else 0}
        of = of if self.can_share else {}
        if self.pool is None:
            batches = (self.dataset.__getitem__(index, **of) for index in indices)
            return prefetched(batches, 2) if getattr(self.dataset, "reads_ahead", False) else batches
        limit = max(getattr(self.dataset, "max_queue_size", 10), self.pool.workers)
        return self._ahead(map(self.pool.start(of), indices), limit)

    def _ahead(self, futures, limit):
        """The batches in order; at most `limit` wait or are in progress."""
        waiting = deque()
        try:
            waiting.extend(itertools.islice(futures, limit))
            while waiting:
                batch = waiting.popleft().result()
                waiting.extend(itertools.islice(futures, 1))
                yield batch
        except BrokenProcessPool as error:
            raise DataError(
                f"A process that computes batches of {type(self.dataset).__name__} ended: {error}",
                fix='Put the script\'s main part under `if __name__ == "__main__":`, or use threads: '
                "use_multiprocessing=False.",
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def _whole(count, dataset):
    """The number of batches, if it is one."""
    if isinstance(count, float):
        raise DataError(
            f"{type(dataset).__name__}.__len__ gives the number of batches, a whole number; got {count}.",
            fix="def __len__(self): return math.ceil(len(self.x) / self.batch_size)",
        )
    return count


def _takes_shard(dataset):
    try:
        return {"num_shards", "shard"} <= set(inspect.signature(dataset.__getitem__).parameters)
    except (TypeError, ValueError):  # written in C
        return False


def _order(count, shuffle):
    indices = list(range(count))
    if shuffle:
        random.shuffle(indices)
    return indices


class Threads:
    """Computes batches in threads."""

    dataset: Any
    workers: Any

    def __init__(self, dataset: Any, workers: Any) -> None:
        self.dataset, self.workers = dataset, workers
        self.pool: Any = ThreadPoolExecutor(workers, thread_name_prefix="lamina-data")

    def start(self, of: dict[str, int]) -> Any:
        """The function that submits an index, for one pass.

        Args:
            of: Further arguments of `__getitem__`.
        """
        return lambda index: self.pool.submit(self.dataset.__getitem__, index, **of)


class Processes:
    """Computes batches in processes, which live as long as this object. Each pass sends the dataset again, through a
    file, since hooks of the epoch may have changed it."""

    dataset: Any
    workers: Any
    passes: int

    def __init__(self, dataset: Any, workers: Any) -> None:
        import multiprocessing  # imported here: it is slow, and few datasets use it
        from concurrent.futures import ProcessPoolExecutor

        self.dataset, self.workers = dataset, workers
        # A forked process would inherit JAX's locks without its threads, and may hang.
        self.pool: Any = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
        self.folder: str = tempfile.mkdtemp(prefix="lamina-data-")
        weakref.finalize(self, _end, self.pool, self.folder)
        self.passes = 0

    def start(self, of: dict[str, int]) -> Any:
        """The function that submits an index, for one pass.

        Args:
            of: Further arguments of `__getitem__`.
        """
        path = os.path.join(self.folder, f"{self.passes}.pickle")
        pathlib.Path(self.folder, f"{self.passes - 1}.pickle").unlink(missing_ok=True)
        self.passes += 1
        try:
            with open(path, "wb") as file:
                pickle.dump(self.dataset, file)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise DataError(
                f"{type(self.dataset).__name__} cannot be sent to other processes: {error}",
                fix="Define it in a module, without lambdas or open files; or use threads: use_multiprocessing=False.",
            ) from error
        return lambda index: self.pool.submit(_make, path, index, of)


def _end(pool, folder):
    pool.shutdown(wait=False, cancel_futures=True)
    shutil.rmtree(folder, ignore_errors=True)


_kept = {}


def _make(path, index, of):
    """In a worker process: batch `index` of the dataset in the file, which is read once."""
    if path not in _kept:
        _kept.clear()
        with open(path, "rb") as file:
            _kept[path] = pickle.load(file)
    return _kept[path].__getitem__(index, **of)
