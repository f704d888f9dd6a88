"""Datasets whose batches threads of grain prepare ahead of the training step (`pip install lamina[grain]`)."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.errors import ConfigError

__all__ = ["grain_module", "make_dataset"]

# format -> function that gives a dataset the methods of that format, such as those of tf.data; filled by `as_keras`.
dataset_adapters: dict[str, Callable[[Any], Any]] = {}
PREFETCH = 4  # prepared batches: enough to hide decoding, few enough for memory


def grain_module() -> Any:
    """The package grain, or an ImportError that says how to install it."""
    try:
        import grain
    except ImportError as error:
        raise ImportError("Datasets from files and arrays need grain: pip install grain.") from error
    return grain


def make_dataset(
    count: int,
    fetch: Callable[[Any], Any],
    batch_size: int | None,
    shuffle: bool,
    seed: int | None,
    dataset_format: str = "grain",
    **attributes: Any,
) -> Any:
    """A `grain.IterDataset` of `count` samples. Threads prepare the next batches while the caller works on one.

    Args:
        count: Number of samples.
        fetch: Function from an array of indices to a batch, or from an index to a sample without a batch size.
        batch_size: Number of samples in a batch; None gives single samples.
        shuffle: Whether each epoch has another order.
        seed: Seed of the order of the first epoch.
        dataset_format: "tf" or "grain"; both give a grain dataset.
        **attributes: Attributes that are set on the dataset.
    """
    if dataset_format not in ("tf", "grain"):
        raise ConfigError(f"format is 'tf' or 'grain' (both give a grain dataset); got {dataset_format!r}.")
    if batch_size is not None and batch_size < 1:
        raise ConfigError(f"batch_size is a positive integer or None; got {batch_size!r}.")
    made = _dataset_class()(count, fetch, batch_size, seed if shuffle else None)
    made = dataset_adapters.get(dataset_format, lambda plain: plain)(made)
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


@functools.cache
def _dataset_class():
    """The class of the datasets. It is made when it is first used, so that grain is optional."""
    grain = grain_module()

    class Dataset(grain.IterDataset):
        """Samples or batches in an order that changes with each epoch."""

        def __init__(self, count, fetch, batch_size, seed):
            super().__init__()
            self.count, self.fetch, self.batch_size, self.order = count, fetch, batch_size, seed
            self.epochs = 0

        def __len__(self) -> int:
            return -(-self.count // (self.batch_size or 1))

        def __iter__(self):
            indices = grain.MapDataset.source(range(self.count))
            if self.order is not None:
                indices = indices.shuffle(seed=(self.order + self.epochs) % 2**32)
                self.epochs += 1
            if self.batch_size is not None:
                indices = indices.batch(self.batch_size, batch_fn=np.array)
            threads = min(os.cpu_count() or 1, PREFETCH)
            options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=PREFETCH)
            return iter(indices.map(self.fetch).to_iter_dataset(options))

    return Dataset
