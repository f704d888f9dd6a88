"""A small `tf.data.Dataset` with the methods that notebooks use, in plain Python over NumPy arrays."""

from __future__ import annotations

import glob
import itertools
import math
import random as python_random
from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina import tree
from lamina.core.variable import unwrap
from lamina.errors import DataError

__all__ = ["AUTOTUNE", "Dataset"]

AUTOTUNE = -1


class Dataset:
    """An iterable of elements: arrays, or tuples and dicts of arrays. `fit` accepts a dataset of batches.

    `map` calls its function once per element, with NumPy arrays, in the current thread. Fewer, larger calls are faster,
    so apply `map` after `batch` if the function allows it.

    Args:
        open_pass: Function that returns an iterator over all elements.
        length: Number of elements; `math.inf` if infinite, or None if unknown.

    >>> data = Dataset.from_tensor_slices((np.arange(5.0), np.arange(5))).shuffle(5, seed=0).batch(2)
    >>> len(data), [x.shape for x, y in data.map(lambda x, y: (x / 5, y))]
    (3, [(2,), (2,), (1,)])
    """

    def __init__(self, open_pass: Any, length: Any = None) -> None:
        self._open, self._length = open_pass, length

    # Sources of elements

    @classmethod
    def of(cls, source: Any) -> Any:
        """A dataset of the elements of an iterable that has a length and can be iterated repeatedly."""
        return cls(source.__iter__, len(source))

    @classmethod
    def from_tensor_slices(cls, tensors: Any, name: Any = None) -> Any:
        """A dataset of the slices of arrays along the first axis."""
        arrays = _map(_array, tensors)
        lengths = {len(leaf) for leaf in tree.flatten(arrays)}
        if len(lengths) != 1:
            raise DataError(f"from_tensor_slices takes arrays of one length; got {sorted(lengths)}.")
        count = lengths.pop()
        return cls(lambda: (_row(arrays, row) for row in range(count)), count)

    @classmethod
    def from_tensors(cls, tensors: Any, name: Any = None) -> Any:
        """A dataset with a single element."""
        return cls(lambda: iter([_map(_array, tensors)]), 1)

    @classmethod
    def from_generator(
        cls,
        generator: Any,
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: Any = None,
    ) -> Any:
        """A dataset of the elements of the iterable that a function returns. The function is called once per epoch."""
        return cls(lambda: iter(generator(*(args or ()))))

    @classmethod
    def range(cls, *args: Any, **kwargs: Any) -> Any:
        """A dataset of integers, with the arguments of Python's `range`."""
        numbers = range(*args)
        return cls(lambda: map(np.int64, numbers), len(numbers))

    @classmethod
    def zip(cls, *datasets: Any, name: Any = None) -> Any:
        """A dataset of tuples with one element from each dataset. It is as long as the shortest of them."""
        parts = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], (tuple, list)) else datasets
        lengths = [dataset._length for dataset in parts]
        return cls(lambda: zip(*(dataset._open() for dataset in parts), strict=False),
                   None if None in lengths else min(lengths))  # fmt: skip

    @classmethod
    def list_files(cls, file_pattern: Any, shuffle: Any = None, seed: Any = None, name: Any = None) -> Any:
        """A dataset of the paths that match a pattern, reshuffled in each epoch unless shuffle=False."""
        patterns = [file_pattern] if isinstance(file_pattern, str) else file_pattern
        paths = sorted(path for pattern in patterns for path in glob.glob(str(pattern)))
        if not paths:
            raise DataError(f"No file fits {file_pattern!r}.")
        files = cls(lambda: iter(paths), len(paths))
        return files if shuffle is False else files.shuffle(len(paths), seed)

    # Transformations

    def map(self, map_func: Any, num_parallel_calls: Any = None, deterministic: Any = None, name: Any = None) -> Any:
        """Apply a function to each element. The components of a tuple are passed as separate arguments."""
        return Dataset(lambda: (_call(map_func, item) for item in self._open()), self._length)

    def filter(self, predicate: Any, name: Any = None) -> Any:
        """Keep the elements for which the predicate is true."""
        return Dataset(lambda: (item for item in self._open() if bool(_call(predicate, item))))

    def shuffle(
        self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: Any = True, name: Any = None
    ) -> Any:
        """Shuffle the elements: each is drawn at random from a buffer of `buffer_size` elements."""
        fixed = python_random.Random(seed) if seed is not None else None
        again = python_random.Random().getrandbits(32) if seed is None and reshuffle_each_iteration is False else seed

        def shuffled():
            draw = fixed or python_random
            if reshuffle_each_iteration is False:
                draw = python_random.Random(again)
            items = self._open()
            buffer = list(itertools.islice(items, int(buffer_size)))
            for item in items:
                place = draw.randrange(len(buffer))
                yield buffer[place]
                buffer[place] = item
            draw.shuffle(buffer)
            yield from buffer

        return Dataset(shuffled, self._length)

    def batch(
        self,
        batch_size: Any,
        drop_remainder: Any = False,
        num_parallel_calls: Any = None,
        deterministic: Any = None,
        name: Any = None,
    ) -> Any:
        """Stack `batch_size` consecutive elements."""
        size = int(batch_size)

        def batches():
            items = self._open()
            while group := list(itertools.islice(items, size)):
                if len(group) == size or not drop_remainder:
                    yield _map(lambda *leaves: np.stack(list(map(_array, leaves))), *group)

        length = self._length
        if length not in (None, math.inf):
            length = length // size if drop_remainder else -(-length // size)
        return Dataset(batches, length)

    def unbatch(self, name: Any = None) -> Any:
        """Split each element along its first axis."""
        return Dataset(lambda: (part for item in self._open() for part in Dataset.from_tensor_slices(item)._open()))

    def take(self, count: Any, name: Any = None) -> Any:
        """Keep the first `count` elements; -1 keeps all."""
        if count < 0:
            return self
        return Dataset(lambda: itertools.islice(self._open(), count), _bounded(self._length, lambda n: min(n, count)))

    def skip(self, count: Any, name: Any = None) -> Any:
        """Drop the first `count` elements."""
        length = _bounded(self._length, lambda n: max(n - count, 0))
        return Dataset(lambda: itertools.islice(self._open(), count, None), length)

    def repeat(self, count: Any = None, name: Any = None) -> Any:
        """Repeat the elements `count` times, or infinitely if `count` is None or negative."""
        endless = count is None or count < 0
        passes = itertools.count if endless else lambda: range(int(count or 0))
        length = _bounded(self._length, lambda n: math.inf if endless else n * count)
        return Dataset(lambda: (item for _ in passes() for item in self._open()), length)

    def cache(self, filename: Any = "", name: Any = None) -> Any:
        """Keep the elements in memory after the first complete epoch."""
        kept = []

        def cached():
            if kept:
                yield from kept[0]
                return
            items = []
            for item in self._open():
                items.append(item)
                yield item
            kept.append(items)

        return Dataset(cached, self._length)

    def concatenate(self, dataset: Any, name: Any = None) -> Any:
        """Append the elements of another dataset."""
        first, second = self._length, dataset._length
        return Dataset(
            lambda: itertools.chain(self._open(), dataset._open()),
            None if first is None or second is None else first + second,
        )

    def enumerate(self, start: Any = 0, name: Any = None) -> Any:
        """Pair each element with its index."""
        return Dataset(lambda: enumerate(self._open(), start), self._length)

    def apply(self, transformation_func: Any) -> Any:
        """Apply a function to the dataset."""
        return transformation_func(self)

    def prefetch(self, buffer_size: Any = None, name: Any = None) -> Any:
        """Return the dataset unchanged: Python prepares the next batch while the device computes a step anyway."""
        return self

    def with_options(self, options: Any, name: Any = None) -> Any:
        """Return the dataset unchanged."""
        return self

    # Iteration

    def __iter__(self) -> Any:
        return (_map(_on_device, item) for item in self._open())

    def as_numpy_iterator(self) -> Any:
        """Iterate over the elements as NumPy arrays."""
        return (_map(_array, item) for item in self._open())

    def cardinality(self, name: Any = None) -> Any:
        """The number of elements; -1 if infinite, -2 if unknown."""
        return jnp.asarray({None: -2, math.inf: -1}.get(self._length, self._length))

    def __len__(self) -> int:
        if self._length in (None, math.inf):
            raise TypeError("The data set has no length that is known.")
        return self._length

    @property
    def element_spec(self) -> Any:
        """A text with the shape and dtype of each component of the first element."""
        return _map(lambda leaf: f"{_array(leaf).dtype}{_array(leaf).shape}", next(self._open()))


def _bounded(length, function):
    return None if length is None else function(length)


def _map(function, first, *others):
    """Apply a function to each array in tuples and dicts. As in TensorFlow, a list is treated as one array."""
    if isinstance(first, dict):
        return {key: _map(function, value, *(other[key] for other in others)) for key, value in first.items()}
    if isinstance(first, tuple):
        parts = [_map(function, *same) for same in zip(first, *others, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    return function(first, *others)


def _row(arrays, row):
    return _map(lambda leaf: leaf[row], arrays)


def _array(value):
    return np.asarray(unwrap(value))


def _on_device(leaf):
    array = _array(leaf)
    return array if array.dtype.kind in "USO" else jnp.asarray(array)


def _call(function, item):
    return function(*item) if isinstance(item, tuple) else function(item)
