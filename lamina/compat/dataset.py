"""A small `tf.data.Dataset`: what notebooks use of it, in plain Python over NumPy arrays."""

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
    """An iterable of elements: arrays, or tuples and dicts of them. `fit` takes a dataset of batches.

    A function given to `map` is called for each element with NumPy arrays, in this thread. So map after `batch` where
    the function allows it: fewer, larger calls.

    Args:
        open_pass: a function that gives an iterator over all elements.
        length: how many there are; `math.inf`, or None where it is not known.

    >>> data = Dataset.from_tensor_slices((np.arange(5.0), np.arange(5))).shuffle(5, seed=0).batch(2)
    >>> len(data), [x.shape for x, y in data.map(lambda x, y: (x / 5, y))]
    (3, [(2,), (2,), (1,)])
    """

    def __init__(self, open_pass: Any, length: Any = None) -> None:
        self._open, self._length = open_pass, length

    # Where elements come from

    @classmethod
    def of(cls, source: Any) -> Any:
        """The elements of an iterable that can be iterated repeatedly and has a length."""
        return cls(source.__iter__, len(source))

    @classmethod
    def from_tensor_slices(cls, tensors: Any, name: Any = None) -> Any:
        """The entries of the first axis of arrays."""
        arrays = _map(_array, tensors)
        lengths = {len(leaf) for leaf in tree.flatten(arrays)}
        if len(lengths) != 1:
            raise DataError(f"from_tensor_slices takes arrays of one length; got {sorted(lengths)}.")
        count = lengths.pop()
        return cls(lambda: (_row(arrays, row) for row in range(count)), count)

    @classmethod
    def from_tensors(cls, tensors: Any, name: Any = None) -> Any:
        """One element."""
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
        """The elements of the iterable that a function returns; each epoch calls it again."""
        return cls(lambda: iter(generator(*(args or ()))))

    @classmethod
    def range(cls, *args: Any, **kwargs: Any) -> Any:
        """Integers, as of Python's `range`."""
        numbers = range(*args)
        return cls(lambda: map(np.int64, numbers), len(numbers))

    @classmethod
    def zip(cls, *datasets: Any, name: Any = None) -> Any:
        """Tuples of elements of several datasets, as many as the shortest has."""
        parts = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], (tuple, list)) else datasets
        lengths = [dataset._length for dataset in parts]
        return cls(lambda: zip(*(dataset._open() for dataset in parts), strict=False),
                   None if None in lengths else min(lengths))  # fmt: skip

    @classmethod
    def list_files(cls, file_pattern: Any, shuffle: Any = None, seed: Any = None, name: Any = None) -> Any:
        """The paths that match a pattern, in another order in each epoch unless shuffle=False."""
        patterns = [file_pattern] if isinstance(file_pattern, str) else file_pattern
        paths = sorted(path for pattern in patterns for path in glob.glob(str(pattern)))
        if not paths:
            raise DataError(f"No file fits {file_pattern!r}.")
        files = cls(lambda: iter(paths), len(paths))
        return files if shuffle is False else files.shuffle(len(paths), seed)

    # What is done with them

    def map(self, map_func: Any, num_parallel_calls: Any = None, deterministic: Any = None, name: Any = None) -> Any:
        """A function applied to each element; the parts of a tuple become its arguments."""
        return Dataset(lambda: (_call(map_func, item) for item in self._open()), self._length)

    def filter(self, predicate: Any, name: Any = None) -> Any:
        """The elements for which the function is true."""
        return Dataset(lambda: (item for item in self._open() if bool(_call(predicate, item))))

    def shuffle(
        self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: Any = True, name: Any = None
    ) -> Any:
        """Elements in a random order, each drawn from the next `buffer_size`."""
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
        """Elements stacked, `batch_size` at a time."""
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
        """The entries of the first axis of each element, one by one."""
        return Dataset(lambda: (part for item in self._open() for part in Dataset.from_tensor_slices(item)._open()))

    def take(self, count: Any, name: Any = None) -> Any:
        """The first elements; all for -1."""
        if count < 0:
            return self
        return Dataset(lambda: itertools.islice(self._open(), count), _bounded(self._length, lambda n: min(n, count)))

    def skip(self, count: Any, name: Any = None) -> Any:
        """All but the first elements."""
        length = _bounded(self._length, lambda n: max(n - count, 0))
        return Dataset(lambda: itertools.islice(self._open(), count, None), length)

    def repeat(self, count: Any = None, name: Any = None) -> Any:
        """The elements repeated `count` times, or without end."""
        endless = count is None or count < 0
        passes = itertools.count if endless else lambda: range(int(count or 0))
        length = _bounded(self._length, lambda n: math.inf if endless else n * count)
        return Dataset(lambda: (item for _ in passes() for item in self._open()), length)

    def cache(self, filename: Any = "", name: Any = None) -> Any:
        """The elements, kept in memory from the first complete epoch on."""
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
        """These elements, then those of another."""
        first, second = self._length, dataset._length
        return Dataset(
            lambda: itertools.chain(self._open(), dataset._open()),
            None if first is None or second is None else first + second,
        )

    def enumerate(self, start: Any = 0, name: Any = None) -> Any:
        """(number, element)."""
        return Dataset(lambda: enumerate(self._open(), start), self._length)

    def apply(self, transformation_func: Any) -> Any:
        """The result of a function of the dataset."""
        return transformation_func(self)

    def prefetch(self, buffer_size: Any = None, name: Any = None) -> Any:
        """The dataset itself: Python prepares the next batch while the device computes a step anyway."""
        return self

    def with_options(self, options: Any, name: Any = None) -> Any:
        """The dataset itself."""
        return self

    # What reads them

    def __iter__(self) -> Any:
        return (_map(_on_device, item) for item in self._open())

    def as_numpy_iterator(self) -> Any:
        """The elements as NumPy arrays."""
        return (_map(_array, item) for item in self._open())

    def cardinality(self, name: Any = None) -> Any:
        """The number of elements: -1 if it is infinite, -2 if it is unknown."""
        return jnp.asarray({None: -2, math.inf: -1}.get(self._length, self._length))

    def __len__(self) -> int:
        if self._length in (None, math.inf):
            raise TypeError("The data set has no length that is known.")
        return self._length

    @property
    def element_spec(self) -> Any:
        """Shape and type of the parts of the first element, as text."""
        return _map(lambda leaf: f"{_array(leaf).dtype}{_array(leaf).shape}", next(self._open()))


def _bounded(length, function):
    return None if length is None else function(length)


def _map(function, first, *others):
    """Apply a function to each array in tuples and dicts; a list is one array, as in TensorFlow."""
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
