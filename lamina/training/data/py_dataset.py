"""PyDataset: batches by index, made in this thread, in threads, or in processes of their own."""

import itertools
import multiprocessing
import random
from collections import deque
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from lamina.errors import DataError

__all__ = ["PyDataset", "batches_in_order", "length_of"]


class PyDataset:
    """Data of the user's own: `dataset[i]` is batch i, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Write `__getitem__` and `__len__` (the number of batches), or the property `num_batches` (None: endless). `on_epoch_begin`
    and `on_epoch_end` may change the data between epochs.

    Args:
        workers: how many batches are made at once; 1 makes each when it is needed.
        use_multiprocessing: make them in processes instead of threads. The dataset must be picklable and defined in a
            module, and a script needs `if __name__ == "__main__":` around its main part.
        max_queue_size: how many batches may wait.

    >>> import numpy as np
    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return np.full((2, 1), index), np.full((2, 1), index**2)
    >>> [int(y[0, 0]) for x, y in Squares()]
    [0, 1, 4]
    """

    _workers, _use_multiprocessing, _max_queue_size = 1, False, 10

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    @property
    def workers(self):
        return self._workers

    @workers.setter
    def workers(self, value):
        self._workers = value

    @property
    def use_multiprocessing(self):
        return self._use_multiprocessing

    @use_multiprocessing.setter
    def use_multiprocessing(self, value):
        self._use_multiprocessing = value

    @property
    def max_queue_size(self):
        return self._max_queue_size

    @max_queue_size.setter
    def max_queue_size(self, value):
        self._max_queue_size = value

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__} needs __getitem__(self, index), which returns batch `index`.")

    def __iter__(self):
        count = self.num_batches
        return (self[index] for index in (itertools.count() if count is None else range(count)))

    @property
    def num_batches(self):
        """The number of batches; None if endless."""
        length = getattr(self, "__len__", None)
        if length is not None:
            return length()
        raise NotImplementedError(f"{type(self).__name__} needs __len__(self) or the property num_batches.")

    def on_epoch_begin(self):
        """Called before each epoch."""

    def on_epoch_end(self):
        """Called after each epoch."""


def length_of(dataset):
    """The number of batches that a dataset says it has; None if it is endless or does not know."""
    if hasattr(dataset, "num_batches"):
        return dataset.num_batches
    try:
        length = len(dataset)
    except TypeError:  # no length, or one that its owner cannot tell
        return None
    return length if length < 2**62 else None  # grain says "endless" with the largest int


def _order(count, shuffle):
    indices = list(range(count))
    if shuffle:
        random.shuffle(indices)
    return indices


def batches_in_order(dataset, shuffle=False):
    """One pass over `dataset[0]`, `dataset[1]`, ..., with the dataset's workers making the next ones meanwhile."""
    count = length_of(dataset)
    indices = itertools.count() if count is None else _order(count, shuffle)
    workers = getattr(dataset, "workers", 1)
    in_processes = getattr(dataset, "use_multiprocessing", False)
    if workers > 1 or (workers > 0 and in_processes):
        return _made_ahead(dataset, indices, workers, in_processes, getattr(dataset, "max_queue_size", 10))
    return (dataset[index] for index in indices)


def _made_ahead(dataset, indices, workers, in_processes, limit):
    """The batches in order; at most `limit` wait or are being made."""
    if in_processes:
        # A forked process would inherit JAX's locks without its threads, and may hang.
        spawn = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, mp_context=spawn, initializer=_keep, initargs=(dataset,))
        make = _make
    else:
        pool, make = ThreadPoolExecutor(workers, thread_name_prefix="lamina-data"), dataset.__getitem__
    waiting = deque()
    try:
        indices = iter(indices)
        waiting.extend(pool.submit(make, index) for index in itertools.islice(indices, max(limit, workers)))
        while waiting:
            batch = waiting.popleft().result()
            waiting.extend(pool.submit(make, index) for index in itertools.islice(indices, 1))
            yield batch
    except BrokenProcessPool as error:
        raise DataError(
            f"A process that made batches of {type(dataset).__name__} ended: {error}",
            fix='Put the script\'s main part under `if __name__ == "__main__":`, or use threads: use_multiprocessing=False.',
        ) from error
    finally:
        pool.shutdown(wait=not in_processes, cancel_futures=True)


_kept = {}


def _keep(dataset):
    """In a worker process: the dataset, sent once."""
    _kept["dataset"] = dataset


def _make(index):
    return _kept["dataset"][index]
