"""What `Dataset` can do to its elements, by the names of `tf.data`: map, filter, shuffle, take, and the like."""

from __future__ import annotations

import itertools
import math
import os
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.core.arguments import whole
from lamina.errors import DataError
from lamina.training.data.cached_file import cached_elements, while_caching
from lamina.training.data.choices import Choices, shown
from lamina.training.data.elements import TensorSpec, Views, call, map_leaves, on_device
from lamina.training.data.groups import Groups
from lamina.training.data.threads import in_threads_if_slow, prefetched, worker_count

__all__ = ["Transformations"]


class Transformations(Groups, Choices):
    """Methods that return another data set. None of them reads an element before the result is iterated.

    The argument `name`, which TensorFlow gives to its nodes, is accepted and has no effect.
    """

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Any:
        """Apply a function to each element. The components of a tuple are passed as separate arguments.

        Args:
            map_func: Function of the arrays (NumPy) of an element, such as `lambda x, y: (x / 255, y)`.
            num_parallel_calls: Number of threads that may call it at the same time, where a call takes long; -1
                (AUTOTUNE) means one for each core, None means no thread.
            deterministic: Accepted; elements keep their order.
            name: No effect.
        """

        def result(item):
            found = call(map_func, item)
            return tuple(found) if isinstance(found, list) and Views.to_functions is not None else found

        def mapped():
            items = self._open()
            if num_parallel_calls in (None, 0, 1):
                return map(result, items)
            return in_threads_if_slow(result, items, worker_count(num_parallel_calls))

        return self._derive(mapped, spec=None)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Any:
        """Keep the elements for which a function returns true.

        Args:
            predicate: Function of the arrays of an element.
            name: No effect.
        """
        return self._derive(lambda: (item for item in self._open() if bool(call(predicate, item))), length=None)

    def take_while(self, predicate: Callable[..., Any], name: str | None = None) -> Any:
        """Stop at the first element for which a function returns false.

        Args:
            predicate: Function of the arrays of an element.
            name: No effect.
        """
        return self._derive(
            lambda: itertools.takewhile(lambda item: bool(call(predicate, item)), self._open()), length=None
        )

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = True,
        name: str | None = None,
    ) -> Any:
        """Shuffle the elements: each is drawn at random from a buffer of `buffer_size` elements.

        Args:
            buffer_size: Number of elements that wait in memory; as many as there are give a uniform order.
            seed: Seed of the order; None draws one with Python's `random`.
            reshuffle_each_iteration: Whether each pass has another order.
            name: No effect.
        """
        whole("Dataset.shuffle", "buffer_size", buffer_size, example=1000)
        fixed = random.getrandbits(32) if seed is None and reshuffle_each_iteration is False else seed

        def shuffled():
            number = 0 if reshuffle_each_iteration is False else made.passes
            seed_of_pass = random.getrandbits(64) if fixed is None else f"{fixed} {number}"
            return _shuffled(self._open(), int(buffer_size), random.Random(seed_of_pass))

        made = self._derive(shuffled)
        return made

    def take(self, count: int, name: str | None = None) -> Any:
        """Keep the first elements.

        Args:
            count: Number of elements; -1 keeps all.
            name: No effect.
        """
        count = int(count)
        if count < 0:
            return self
        return self._derive(lambda: itertools.islice(self._open(), count), length=lambda n: min(n, count))

    def skip(self, count: int, name: str | None = None) -> Any:
        """Leave out the first elements.

        Args:
            count: Number of elements; -1 leaves out all.
            name: No effect.
        """
        first = int(count) if count >= 0 else None
        return self._derive(
            lambda: iter(()) if first is None else itertools.islice(self._open(), first, None),
            length=lambda n: 0 if first is None else max(n - first, 0),
        )

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Any:
        """Keep each `num_shards`-th element, from `index` on.

        Args:
            num_shards: Number of parts.
            index: Number of the part, from 0.
            name: No effect.
        """
        return self._derive(
            lambda: itertools.islice(self._open(), index, None, num_shards),
            length=lambda n: n if n == math.inf else len(range(index, n, num_shards)),
        )

    def repeat(self, count: int | None = None, name: str | None = None) -> Any:
        """Repeat the elements.

        Args:
            count: Number of passes; None or -1 means without end.
            name: No effect.
        """
        endless = count is None or int(count) < 0
        passes = itertools.count if endless else lambda: range(int(count or 0))
        return self._derive(
            lambda: (item for _ in passes() for item in self._open()),
            length=lambda n: (math.inf if n else 0) if endless else n * int(count or 0),
        )

    def enumerate(self, start: int = 0, name: str | None = None) -> Any:
        """Pair each element with its index.

        Args:
            start: Index of the first element.
            name: No effect.
        """
        spec = self._spec and (TensorSpec((), np.dtype("int64")), self._spec)
        return self._derive(lambda: ((np.int64(i), item) for i, item in enumerate(self._open(), start)), spec=spec)

    def cache(self, filename: str | os.PathLike[str] = "", name: str | None = None) -> Any:
        """Keep the elements after the first complete pass, in memory or in a file.

        A file is written beside `filename` and renamed when the pass is complete. One that is there already is read,
        also if another program wrote it, whatever this data set would give now: delete it when the data change.

        Args:
            filename: File for the elements, which are then read from it a few at a time; "" keeps them in memory.
            name: No effect.

        Raises:
            FileError: The file is damaged, or no cache. It contains numbers and text, and never code.
        """
        kept, path = [], os.fspath(filename or "")

        def cached():
            if path and os.path.exists(path):
                return cached_elements(path)
            if kept:
                return iter(kept[0])
            made._source_states = [self.get_state()]  # pyright: ignore[reportAttributeAccessIssue]
            return while_caching(self._open(), path) if path else filled(self._open())

        def filled(items):
            read = []
            for item in items:
                read.append(item)
                yield item
            kept[:] = [read]

        made = self._derive(cached)
        return made

    def prefetch(self, buffer_size: int | None = None, name: str | None = None) -> Any:
        """Make the next elements in a thread while the current one is used.

        Args:
            buffer_size: Number of elements that may wait; None or -1 (AUTOTUNE) means 2.
            name: No effect.
        """
        count = 2 if buffer_size is None or buffer_size < 0 else int(buffer_size)
        return self._derive(lambda: prefetched(self._open(), count)) if count else self

    def concatenate(self, dataset: Any, name: str | None = None) -> Any:
        """Append the elements of another data set.

        Args:
            dataset: The other data set.
            name: No effect.
        """
        return self._derive(
            lambda: (item for part in (self, dataset) for item in part._open()),
            length=lambda first, second: first + second,
            sources=(self, dataset),
        )

    def apply(self, transformation_func: Callable[[Any], Any]) -> Any:
        """A function of this data set.

        Args:
            transformation_func: Function from a data set to a data set.
        """
        return transformation_func(self)

    def with_options(self, options: Any, name: str | None = None) -> Any:
        """This data set.

        Args:
            options: No effect.
            name: No effect.
        """
        return self

    def reduce(self, initial_state: Any, reduce_func: Callable[[Any, Any], Any], name: str | None = None) -> Any:
        """`state = reduce_func(state, element)` over all elements.

        Args:
            initial_state: The first state.
            reduce_func: Function of the state and an element.
            name: No effect.
        """
        state = initial_state
        for item in self._open():
            state = reduce_func(shown(state), shown(item))
        return map_leaves(on_device, state)

    def get_single_element(self, name: str | None = None) -> Any:
        """The only element.

        Args:
            name: No effect.

        Raises:
            DataError: There is no element, or more than one.
        """
        items = list(itertools.islice(iter(self), 2))  # pyright: ignore[reportArgumentType, reportCallIssue]
        if len(items) != 1:
            count = "no" if not items else "more than one"
            raise DataError(f"The data set has {count} element.", fix="dataset.take(1)" if items else None)
        return items[0]


def _shuffled(items, buffer_size, draw):
    buffer = list(itertools.islice(items, buffer_size))
    for item in items:
        place = draw.randrange(len(buffer))
        yield buffer[place]
        buffer[place] = item
    draw.shuffle(buffer)
    yield from buffer
