"""Data sets whose samples threads read ahead of the training step; for `format="grain"`, data sets of grain."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamina.core.arguments import choice, whole
from lamina.errors import DataError, warn
from lamina.runtime.packages import MissingPackageError
from lamina.training.data.dataset import Dataset
from lamina.training.data.elements import TensorSpec, map_leaves
from lamina.training.data.threads import in_threads, prefetched, worker_count
from lamina.utils.permutation import permutation

__all__ = ["Source", "make_dataset"]

PREFETCH = 2  # batches that are read ahead: enough to hide decoding, few enough for memory
_NAMED = 3  # files that a warning names


@dataclass
class Source:
    """Samples by index.

    Attributes:
        count: Number of samples.
        read: Function from an index to a sample.
        join: Function from a list of samples to a batch.
        spec: TensorSpec of each component of a sample, or None.
        read_many: Function from an array of indices to a batch, where one call is fast; else threads call `read`.
        is_slow: Whether a thread calls `read_many` ahead of the use of its batches.
        skips: Whether samples that cannot be read (DataError) are left out.
    """

    count: int
    read: Callable[[Any], Any]
    join: Callable[[list[Any]], Any]
    spec: Any = None
    read_many: Callable[[Any], Any] | None = None
    skips: bool = False
    is_slow: bool = False

    def fetch(self, index: Any) -> Any:
        """A sample, or the batch of several.

        Args:
            index: Index, or array of indices.
        """
        if np.ndim(index) == 0:
            return self.read(index)
        return self.join([self.read(i) for i in index]) if self.read_many is None else self.read_many(index)


def make_dataset(
    source: Source,
    batch_size: int | None,
    shuffle: bool,
    seed: int | None,
    dataset_format: str = "tf",
    **attributes: Any,
) -> Any:
    """A Dataset of samples or batches. Threads read the next ones while the caller works on one.

    Args:
        source: The samples.
        batch_size: Number of samples in a batch; None gives single samples.
        shuffle: Whether each pass has another order, that of grain for the same seed.
        seed: Seed of the order of the first pass; later passes count up.
        dataset_format: "tf" for a Dataset, "grain" for a `grain.IterDataset`.
        **attributes: Attributes that are set on the data set.

    Raises:
        ConfigError: An argument has a value that is not allowed.
        ImportError: `dataset_format` is "grain", which is not installed.
    """
    choice("dataset", "format", dataset_format, ("tf", "grain"))
    if batch_size is not None:
        whole("dataset", "batch_size", batch_size, example=32)
    order = seed if shuffle else None
    make = _dataset if dataset_format == "tf" else _grain_dataset
    made = make(source, batch_size, order)
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def _dataset(source, batch_size, seed):
    skipped: dict[int, str] = {}

    def open_pass():
        numbers = np.arange(source.count) if seed is None else permutation(source.count, seed + made.passes)
        return _elements(source, numbers, batch_size, skipped)

    size = batch_size or 1
    spec = source.spec
    if spec is not None and batch_size is not None:
        spec = map_leaves(lambda s: TensorSpec((None, *s.shape), s.dtype), spec)
    made = Dataset(open_pass, None, spec)
    made._count_from_sources = lambda: -(-(source.count - sum(index >= 0 for index in skipped)) // size)
    made._unit = "element" if batch_size is None else "batch"
    return made


def _elements(source, numbers, batch_size, skipped) -> Iterator[Any]:
    """Samples, or batches of them, in this order. Samples that cannot be read are left out before batches are made."""
    if source.read_many is not None:
        starts = range(0, len(numbers), batch_size or 1)
        batches = (source.fetch(numbers[i : i + batch_size] if batch_size else numbers[i]) for i in starts)
        yield from prefetched(batches, PREFETCH) if source.is_slow else batches
        return
    workers = worker_count()
    read = functools.partial(_read_or_error, source) if source.skips else source.read
    samples = in_threads(read, numbers, workers, max(PREFETCH * (batch_size or 1), 2 * workers))
    samples = (sample for sample in samples if not _is_broken(sample, skipped)) if source.skips else samples
    if batch_size is None:
        yield from samples
    else:
        while group := list(itertools.islice(samples, batch_size)):
            yield source.join(group)
    if skipped and not skipped.get(-1):
        _tell_skipped(skipped, source.count)


class _Broken(tuple):
    """(index, message) of a sample that could not be read."""


def _read_or_error(source, index):
    try:
        return source.read(index)
    except DataError as error:
        return _Broken((int(index), error.message))


def _is_broken(sample, skipped):
    if isinstance(sample, _Broken):
        skipped[sample[0]] = sample[1]
        return True
    return False


def _tell_skipped(skipped, count):
    """Say once how many samples were left out."""
    messages = [skipped[index] for index in sorted(skipped)]
    more = "" if len(messages) <= _NAMED else f"\n... and {len(messages) - _NAMED} more."
    skipped[-1] = "told"
    were = "was" if len(messages) == 1 else "were"
    warn(f"{len(messages)} of {count} files {were} skipped:\n" + "\n".join(messages[:_NAMED]) + more)


def _grain_dataset(source, batch_size, seed):
    try:
        return _grain_class()(source, batch_size, seed)
    except ImportError as error:
        raise MissingPackageError("format='grain', but not format='tf',", "grain") from error


@functools.cache
def _grain_class():
    """The class of the data sets of grain. It is made when it is first used, so that grain is optional."""
    import grain

    class GrainDataset(grain.IterDataset):
        """Samples or batches in an order that changes with each pass."""

        def __init__(self, source, batch_size, seed):
            super().__init__()
            self.source, self.batch_size, self.order, self.passes = source, batch_size, seed, 0

        def __len__(self) -> int:
            return -(-self.source.count // (self.batch_size or 1))

        def __iter__(self):
            indices = grain.MapDataset.source(range(self.source.count))
            if self.order is not None:
                indices = indices.shuffle(seed=(self.order + self.passes) % 2**32)
                self.passes += 1
            if self.batch_size is not None:
                indices = indices.batch(self.batch_size, batch_fn=np.array)
            options = grain.ReadOptions(num_threads=worker_count(), prefetch_buffer_size=PREFETCH)
            return iter(indices.map(self.source.fetch).to_iter_dataset(options))

    return GrainDataset
