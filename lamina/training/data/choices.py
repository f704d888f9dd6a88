"""What `Dataset` can do with groups and several data sets that a function, or chance, chooses from."""

from __future__ import annotations

import bisect
import itertools
import math
import os
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from lamina.errors import ConfigError, DataError
from lamina.training.data.cached_file import cached_elements, while_caching
from lamina.training.data.elements import TensorSpec, Views, array_of, call, leaves_of, map_leaves

__all__ = ["Choices", "shown"]

_FILE = "elements.cache"
_PRIOR = 1.0  # of each class, to the counts from which shares of classes are estimated


class Choices:
    """Methods that sort elements into groups, draw among data sets, and write them to a folder."""

    _open: Callable[[], Iterator[Any]]
    _derive: Any
    _length: Any
    _spec: Any
    passes: int

    def scan(self, initial_state: Any, scan_func: Callable[[Any, Any], Any], name: str | None = None) -> Any:
        """The second results of `state, result = scan_func(state, element)`, which is called for each element.

        Args:
            initial_state: The first state.
            scan_func: Function of the state and an element.
            name: No effect.
        """

        def scanned():
            state = initial_state
            for item in self._open():
                state, result = scan_func(shown(state), shown(item))
                yield result

        return self._derive(scanned, spec=None)

    def group_by_window(
        self,
        key_func: Callable[..., Any],
        reduce_func: Callable[[Any, Any], Any],
        window_size: int | None = None,
        window_size_func: Callable[[Any], Any] | None = None,
        name: str | None = None,
    ) -> Any:
        """The elements of the data sets `reduce_func(key, window)`, for windows of elements of one key.

        Args:
            key_func: Function from the arrays of an element to a whole number.
            reduce_func: Function from a key and a data set of elements to a data set.
            window_size: Number of elements of a window.
            window_size_func: Function from a key to the number of elements of its windows.
            name: No effect.

        Raises:
            ConfigError: Both of the sizes, or neither, are given.
        """
        if (window_size is None) == (window_size_func is None):
            raise ConfigError("group_by_window takes either window_size or window_size_func.", fix="window_size=32")

        def reduced(key, items):
            window = self._derive(lambda: iter(items), lambda _: len(items))
            return reduce_func(shown(np.int64(key)), window)._open()

        def grouped():
            groups: dict[int, list[Any]] = {}
            for item in self._open():
                key = int(call(key_func, item))
                held = groups.setdefault(key, [])
                held.append(item)
                if len(held) >= int(window_size or window_size_func(shown(np.int64(key)))):  # pyright: ignore[reportOptionalCall]
                    yield from reduced(key, groups.pop(key))
            for key in sorted(groups):
                yield from reduced(key, groups[key])

        return self._derive(grouped, None, None, "batch")

    def bucket_by_sequence_length(
        self,
        element_length_func: Callable[..., Any],
        bucket_boundaries: Sequence[int],
        bucket_batch_sizes: Sequence[int],
        padded_shapes: Any = None,
        padding_values: Any = None,
        pad_to_bucket_boundary: bool = False,
        no_padding: bool = False,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Any:
        """Padded batches of elements of similar length.

        Args:
            element_length_func: Function from the arrays of an element to its length.
            bucket_boundaries: Lengths at which the next bucket begins.
            bucket_batch_sizes: Number of elements of a batch of each bucket; there is one bucket more than boundaries.
            padded_shapes: Shapes to pad to, as for `padded_batch`.
            padding_values: Values to pad with, as for `padded_batch`.
            pad_to_bucket_boundary: Whether to pad to the largest length of the bucket.
            no_padding: Whether elements of a batch have one shape already.
            drop_remainder: Whether to leave out last batches that are smaller.
            name: No effect.

        Raises:
            ConfigError: There is not one batch size more than boundaries.
        """
        if len(bucket_batch_sizes) != len(bucket_boundaries) + 1:
            raise ConfigError(
                f"bucket_by_sequence_length needs one batch size more than boundaries; got {len(bucket_batch_sizes)} "
                f"sizes and {len(bucket_boundaries)} boundaries.",
                fix=f"bucket_batch_sizes={[32] * (len(bucket_boundaries) + 1)}",
            )

        def batched(key, window):
            size = bucket_batch_sizes[int(key)]
            if no_padding:
                return window.batch(size, drop_remainder)
            shapes = padded_shapes
            if pad_to_bucket_boundary:
                most = bucket_boundaries[int(key)] - 1
                first = next(window._open())
                shapes = map_leaves(lambda leaf: [most if axis == 0 else None for axis in range(leaf.ndim)],
                                    map_leaves(array_of, first))  # fmt: skip
            return window.padded_batch(size, shapes, padding_values, drop_remainder)

        return self.group_by_window(
            lambda *item: bisect.bisect_right(list(bucket_boundaries), int(element_length_func(*item))),
            batched,
            window_size_func=lambda key: bucket_batch_sizes[int(key)],
        )

    @staticmethod
    def sample_from_datasets(
        datasets: Sequence[Any],
        weights: Any = None,
        seed: int | None = None,
        stop_on_empty_dataset: bool = False,
        rerandomize_each_iteration: bool | None = None,
        name: str | None = None,
    ) -> Any:
        """Elements of several data sets, each drawn at random from one of them.

        Args:
            datasets: Data sets.
            weights: Share of each data set; None means equal shares.
            seed: Seed of the draws; None draws one with Python's `random`.
            stop_on_empty_dataset: Whether to stop at the end of the first data set that ends.
            rerandomize_each_iteration: Whether each pass has other draws; None means yes.
            name: No effect.
        """
        shares = [1.0] * len(datasets) if weights is None else np.asarray(weights, float).tolist()

        def choices():
            number = made.passes if rerandomize_each_iteration in (None, True) else 0
            draw = random.Random(random.getrandbits(64) if seed is None else f"{seed} {number}")
            left = [share > 0 for share in shares]
            while any(left):
                yield (
                    draw.choices(range(len(shares)), [s * here for s, here in zip(shares, left, strict=True)])[0],
                    left,
                )

        made = _chosen(datasets, choices, stop_on_empty_dataset)
        return made

    @staticmethod
    def choose_from_datasets(
        datasets: Sequence[Any], choice_dataset: Any, stop_on_empty_dataset: bool = True, name: str | None = None
    ) -> Any:
        """Elements of several data sets, each from the one whose number comes next in `choice_dataset`.

        Args:
            datasets: Data sets.
            choice_dataset: Data set of whole numbers.
            stop_on_empty_dataset: Whether to stop at the end of the first data set that ends.
            name: No effect.
        """

        def choices():
            left = [True] * len(datasets)
            return ((int(array_of(number)), left) for number in choice_dataset._open())

        return _chosen(datasets, choices, stop_on_empty_dataset)

    def rejection_resample(
        self,
        class_func: Callable[..., Any],
        target_dist: Any,
        initial_dist: Any = None,
        seed: int | None = None,
        name: str | None = None,
    ) -> Any:
        """Pairs (class, element) in which the classes have given shares; of classes that are too frequent, elements are
        left out at random.

        Args:
            class_func: Function from the arrays of an element to its class, a whole number from 0.
            target_dist: Share of each class in the result.
            initial_dist: Share of each class in this data set; None estimates the shares while elements are read.
            seed: Seed of the draws; None draws one with Python's `random`.
            name: No effect.
        """
        target = np.asarray(target_dist, float)

        def resampled():
            draw = random.Random(random.getrandbits(64) if seed is None else f"{seed} {made.passes}")
            counts = np.full(len(target), _PRIOR) if initial_dist is None else np.asarray(initial_dist, float)
            for item in self._open():
                label = int(call(class_func, item))
                if initial_dist is None:
                    counts[label] += 1
                ratio = np.divide(target, counts, out=np.zeros_like(target), where=counts > 0)
                if draw.random() < ratio[label] / ratio.max():
                    yield np.int32(label), item

        made = self._derive(resampled, None, None)
        return made

    def unique(self, name: str | None = None) -> Any:
        """Each element once, where it comes first.

        Args:
            name: No effect.
        """

        def first_ones():
            seen = set()
            for item in self._open():
                key = tuple(np.asarray(leaf).tobytes() if np.asarray(leaf).dtype != object else str(leaf)
                            for leaf in leaves_of(item))  # fmt: skip
                if key not in seen:
                    seen.add(key)
                    yield item

        return self._derive(first_ones, length=None)

    def ragged_batch(self, batch_size: int, *args: Any, **kwargs: Any) -> Any:
        """Refused: batches are arrays.

        Args:
            batch_size: Number of elements of a batch.
            *args: Not used.
            **kwargs: Not used.

        Raises:
            DataError: Always; the fix pads.
        """
        raise DataError("Dataset.ragged_batch is not part of lamina: batches are arrays.",
                        fix=f"dataset.padded_batch({batch_size})")  # fmt: skip

    def snapshot(self, path: str, *args: Any, **kwargs: Any) -> Any:
        """Keep the elements in a folder, as `cache` does in a file.

        Args:
            path: Folder.
            *args: No effect.
            **kwargs: No effect.
        """
        return self.cache(os.path.join(os.fspath(path), _FILE))  # pyright: ignore[reportAttributeAccessIssue]

    def save(self, path: str, *args: Any, **kwargs: Any) -> None:
        """Write all elements into a folder, for `Dataset.load`.

        Args:
            path: Folder.
            *args: No effect.
            **kwargs: No effect.
        """
        for _ in while_caching(self._open(), os.path.join(os.fspath(path), _FILE)):
            pass

    @classmethod
    def load(cls, path: str, *args: Any, **kwargs: Any) -> Any:
        """The data set that `save` wrote.

        Args:
            path: Folder.
            *args: No effect.
            **kwargs: No effect.
        """
        file = os.path.join(os.fspath(path), _FILE)
        made: Any = cls
        return made(lambda: cached_elements(file), sum(1 for _ in cached_elements(file)))

    @classmethod
    def random(cls, seed: int | None = None, name: str | None = None, **kwargs: Any) -> Any:
        """An endless data set of whole numbers from 0 to 2**32 - 1.

        Args:
            seed: Seed; None draws one with Python's `random`.
            name: No effect.
            **kwargs: No effect.
        """
        fixed = random.getrandbits(64) if seed is None else seed

        def numbers():
            draw = random.Random(fixed)
            return (np.int64(draw.getrandbits(32)) for _ in itertools.count())

        made: Any = cls
        return made(numbers, math.inf, TensorSpec((), "int64"))


def shown(element: Any) -> Any:
    """An element as functions of elements get it.

    Args:
        element: Element, or another structure of arrays.
    """
    return element if Views.to_functions is None else map_leaves(Views.to_functions, element)


def _chosen(datasets, choices, stop_on_empty):
    def elements():
        opened = [dataset._open() for dataset in datasets]
        for place, left in choices():
            for item in opened[place]:
                yield item
                break
            else:
                left[place] = False
                if stop_on_empty:
                    return

    endless = lambda *lengths: math.inf if all(n == math.inf for n in lengths) else None  # noqa: E731
    return datasets[0]._derive(elements, endless, sources=tuple(datasets))
