"""Batches made ahead of the step by grain's threads (`pip install lamina[grain]`)."""

import functools
import os

import numpy as np

from lamina.errors import ConfigError

__all__ = ["dataset", "engine"]

faces = {}  # "tf" -> a function of a data set and its attributes that gives it the methods of tf.data: by `as_keras`
AHEAD = 4  # batches that wait ready: enough to hide decoding, few enough for memory


def engine():
    """The grain package, or an error that says how to get it."""
    try:
        import grain
    except ImportError as error:
        raise ImportError("Data sets from files and arrays run on grain: pip install grain.") from error
    return grain


def dataset(count, fetch, batch_size, shuffle, seed, dataset_format="grain", **attributes):
    """A `grain.IterDataset` of `fetch(indices)` for `count` samples in batches; of `fetch(index)` without a batch size.

    Threads make the next batches while the caller works on one. With `shuffle` each pass has another order, the first
    that of `seed`. `attributes` are set on the data set.
    """
    if dataset_format not in ("tf", "grain"):
        raise ConfigError(f"format is 'tf' or 'grain' (both give a grain data set); got {dataset_format!r}.")
    if batch_size is not None and batch_size < 1:
        raise ConfigError(f"batch_size is a positive integer or None; got {batch_size!r}.")
    made = _dataset_class()(count, fetch, batch_size, seed if shuffle else None)
    made = faces[dataset_format](made) if dataset_format in faces else made
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


@functools.cache
def _dataset_class():
    """The class; inside a function, for grain is there only where it is used."""
    grain = engine()

    class Dataset(grain.IterDataset):
        """Samples or batches in an order that changes with each pass."""

        def __init__(self, count, fetch, batch_size, seed):
            super().__init__()
            self.count, self.fetch, self.batch_size, self.order = count, fetch, batch_size, seed
            self.passes = 0

        def __len__(self):
            return -(-self.count // (self.batch_size or 1))

        def __iter__(self):
            indices = grain.MapDataset.source(range(self.count))
            if self.order is not None:
                indices = indices.shuffle(seed=(self.order + self.passes) % 2**32)
                self.passes += 1
            if self.batch_size is not None:
                indices = indices.batch(self.batch_size, batch_fn=np.array)
            threads = min(os.cpu_count() or 1, AHEAD)
            options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=AHEAD)
            return iter(indices.map(self.fetch).to_iter_dataset(options))

    return Dataset
