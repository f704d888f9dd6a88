"""PyDataset: batches by index, made in this thread, in threads, or in processes of their own."""

import itertools
import os
import pathlib
import pickle
import random
import shutil
import tempfile
import weakref
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from lamina.errors import DataError

__all__ = ["OrderedBatches", "PyDataset", "Sequence", "length_of"]


class PyDataset:
    """Data of the user's own: `dataset[i]` is batch i, `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Write `__getitem__` and `__len__` (the number of batches), or the property `num_batches` (None: endless).
    `on_epoch_begin`
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


Sequence = PyDataset  # its name before Keras 3


def length_of(dataset):
    """The number of batches that a dataset says it has; None if it is endless or does not know."""
    if hasattr(dataset, "num_batches"):
        return dataset.num_batches
    try:
        length = len(dataset)
    except TypeError:  # no length, or one that its owner cannot tell
        return None
    return length if length < 2**62 else None  # grain says "endless" with the largest int


class OrderedBatches:
    """Called, it gives one pass over `dataset[0]`, `dataset[1]`, ..., while the dataset's workers make the next
    ones."""

    def __init__(self, dataset, shuffle=False):
        self.dataset = dataset
        self.shuffle = shuffle
        workers = getattr(dataset, "workers", 1)
        in_processes = getattr(dataset, "use_multiprocessing", False)
        ahead = workers > 1 or (workers > 0 and in_processes)
        self.pool = (Processes if in_processes else Threads)(dataset, workers) if ahead else None

    def __call__(self):
        count = length_of(self.dataset)
        indices = itertools.count() if count is None else _order(count, self.shuffle)
        if self.pool is None:
            return (self.dataset[index] for index in indices)
        limit = max(getattr(self.dataset, "max_queue_size", 10), self.pool.workers)
        return self._made_ahead(map(self.pool.start(), indices), limit)

    def _made_ahead(self, futures, limit):
        """The batches in order; at most `limit` wait or are being made."""
        waiting = deque()
        try:
            waiting.extend(itertools.islice(futures, limit))
            while waiting:
                batch = waiting.popleft().result()
                waiting.extend(itertools.islice(futures, 1))
                yield batch
        except BrokenProcessPool as error:
            raise DataError(
                f"A process that made batches of {type(self.dataset).__name__} ended: {error}",
                fix='Put the script\'s main part under `if __name__ == "__main__":`, or use threads: '
                "use_multiprocessing=False.",
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def _order(count, shuffle):
    indices = list(range(count))
    if shuffle:
        random.shuffle(indices)
    return indices


class Threads:
    """Makes batches in threads."""

    def __init__(self, dataset, workers):
        self.dataset, self.workers = dataset, workers
        self.pool = ThreadPoolExecutor(workers, thread_name_prefix="lamina-data")

    def start(self):
        """The function that submits an index, for one pass."""
        return lambda index: self.pool.submit(self.dataset.__getitem__, index)


class Processes:
    """Makes batches in processes, which live as long as this object. Each pass sends the dataset anew, through a file,
    since hooks of the epoch may have changed it."""

    def __init__(self, dataset, workers):
        import multiprocessing  # here, as few data sets ask for it and it takes long
        from concurrent.futures import ProcessPoolExecutor

        self.dataset, self.workers = dataset, workers
        # A forked process would inherit JAX's locks without its threads, and may hang.
        self.pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
        self.folder = tempfile.mkdtemp(prefix="lamina-data-")
        weakref.finalize(self, _end, self.pool, self.folder)
        self.passes = 0

    def start(self):
        """The function that submits an index, for one pass."""
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
        return lambda index: self.pool.submit(_make, path, index)


def _end(pool, folder):
    pool.shutdown(wait=False, cancel_futures=True)
    shutil.rmtree(folder, ignore_errors=True)


_kept = {}


def _make(path, index):
    """In a worker process: batch `index` of the dataset in the file, which is read once."""
    if path not in _kept:
        _kept.clear()
        with open(path, "rb") as file:
            _kept[path] = pickle.load(file)
    return _kept[path][index]
