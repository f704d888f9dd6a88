"""What `Dataset` can do to groups of elements: batch, unbatch, window, interleave."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina.core.arguments import whole
from lamina.errors import DataError
from lamina.training.data.elements import TensorSpec, array_of, call, leaves_of, map_leaves, row_of, row_spec, stack_as
from lamina.training.data.threads import worker_count

__all__ = ["Groups"]


class Groups:
    """Methods that join elements, or split them."""

    _open: Callable[[], Iterator[Any]]
    _derive: Any
    _length: Any
    _spec: Any

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Any:
        """Stack consecutive elements.

        Args:
            batch_size: Number of elements of a batch.
            drop_remainder: Whether to leave out a last batch that is smaller.
            num_parallel_calls: Accepted; no effect.
            deterministic: Accepted; no effect.
            name: No effect.

        Raises:
            DataError: (when it is read) The elements of a batch have different shapes.
        """
        return self._in_groups(batch_size, drop_remainder, stack_as(self._spec), lambda shape: shape)

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Any = None,
        padding_values: Any = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Any:
        """Stack consecutive elements; each array is padded at its ends to the largest of the batch.

        Args:
            batch_size: Number of elements of a batch.
            padded_shapes: Shape to pad to for each array; None in a shape, or for all, means the largest of the batch.
            padding_values: Value to pad with for each array; None means 0, or "" for text.
            drop_remainder: Whether to leave out a last batch that is smaller.
            name: No effect.
        """

        def padded(*elements):
            shapes = itertools.repeat(padded_shapes) if _is_shape(padded_shapes) else leaves_of(padded_shapes)
            values = padding_values if isinstance(padding_values, (tuple, dict)) else None
            fills = itertools.repeat(padding_values) if values is None else leaves_of(values)
            sizes, fills, flat = iter(shapes), iter(fills), zip(*map(leaves_of, elements), strict=True)
            done = iter([_padded(leaves, next(sizes, None), next(fills, None)) for leaves in flat])
            return map_leaves(lambda _: next(done), elements[0])

        return self._in_groups(batch_size, drop_remainder, padded, lambda shape: (None,) * len(shape))

    def _in_groups(self, batch_size, drop_remainder, join, shape_of):
        size = whole("Dataset.batch", "batch_size", batch_size, example=32)

        def batches(items):
            while group := list(itertools.islice(items, size)):
                if len(group) == size or not drop_remainder:
                    yield join(*group)

        first = size if drop_remainder else None
        spec = self._spec and map_leaves(
            lambda s: TensorSpec((first, *shape_of(s.shape)), s.dtype) if isinstance(s, TensorSpec) else
            s.batched(first), self._spec
        )  # fmt: skip
        made = self._derive(
            lambda: batches(self._open()),
            length=lambda n: n if n == math.inf else n // size if drop_remainder else -(-n // size),
            spec=spec,
            unit="batch",
        )
        made._has_full_batches = bool(drop_remainder)
        return made

    def unbatch(self, name: str | None = None) -> Any:
        """Split each element along its first axis.

        Args:
            name: No effect.
        """

        def rows(items):
            for item in items:
                arrays = map_leaves(array_of, item)
                yield from (row_of(arrays, row) for row in range(len(leaves_of(arrays)[0])))

        spec = self._spec and map_leaves(row_spec, self._spec)
        return self._derive(lambda: rows(self._open()), length=None, spec=spec, unit="element")

    def rebatch(self, batch_size: int, drop_remainder: bool = False, name: str | None = None) -> Any:
        """Batches of another size.

        Args:
            batch_size: Number of elements of a batch.
            drop_remainder: Whether to leave out a last batch that is smaller.
            name: No effect.
        """
        return self.unbatch().batch(batch_size, drop_remainder)

    def flat_map(self, map_func: Callable[..., Any], name: str | None = None) -> Any:
        """The elements of the data sets that a function returns, one data set after the other.

        Args:
            map_func: Function from the arrays of an element to a data set.
            name: No effect.
        """
        return self.interleave(map_func, cycle_length=1)

    def interleave(
        self,
        map_func: Callable[..., Any],
        cycle_length: int | None = None,
        block_length: int = 1,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Any:
        """The elements of the data sets that a function returns, from several of them in turn.

        Args:
            map_func: Function from the arrays of an element to a data set.
            cycle_length: Number of data sets that are open at the same time; None means one for each core.
            block_length: Number of elements to take from each before moving on to the next.
            num_parallel_calls: Accepted; no effect.
            deterministic: Accepted; no effect.
            name: No effect.
        """

        width = worker_count() if not cycle_length or cycle_length < 0 else cycle_length

        def elements(items):
            opened = (call(map_func, item)._open() for item in items)
            cycle = list(itertools.islice(opened, width))
            while cycle:
                for place, part in enumerate(cycle):
                    block = list(itertools.islice(part, block_length))
                    yield from block
                    if len(block) < block_length:
                        cycle[place] = next(opened, None)
                cycle = [part for part in cycle if part is not None]

        return self._derive(lambda: elements(self._open()), length=None, spec=None)

    def window(
        self,
        size: int,
        shift: int | None = None,
        stride: int = 1,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Any:
        """Data sets of `size` elements each.

        Args:
            size: Number of elements of a window.
            shift: Number of elements between the starts of two windows; None means `size`.
            stride: Number of elements between two elements of a window.
            drop_remainder: Whether to leave out windows that are smaller.
            name: No effect.
        """
        step, reach = size if shift is None else shift, (size - 1) * stride + 1

        def windows(items):
            held = []
            while True:
                held += itertools.islice(items, max(reach - len(held), 0))
                part = held[:reach:stride]
                if not part or (drop_remainder and len(part) < size):
                    return
                yield _components(self, part)
                for _ in itertools.islice(items, max(step - len(held), 0)):
                    pass
                held = held[step:]

        def count(elements):
            if elements == math.inf:
                return elements
            return max(0, (elements - reach) // step + 1 if drop_remainder else -(-elements // step))

        return self._derive(lambda: windows(self._open()), length=count, spec=None)


def _is_shape(value):
    """Whether it is one shape, or None, and not a structure of shapes."""
    return value is None or all(size is None or isinstance(size, (int, np.integer)) for size in value)


def _padded(leaves, shape, value):
    arrays = [array_of(leaf) for leaf in leaves]
    if len({array.ndim for array in arrays}) > 1:
        shapes = ", ".join(str(array.shape) for array in arrays[:4])
        raise DataError(f"Arrays of different rank cannot be padded to one shape; got {shapes}.",
                        fix="dataset.map(lambda x: keras.ops.reshape(x, (-1,))) gives all one rank.")  # fmt: skip
    largest = tuple(max(sizes) for sizes in zip(*(array.shape for array in arrays), strict=True))
    wanted = [most if size in (None, -1) else size for size, most in zip(shape or largest, largest, strict=True)]
    is_text = arrays[0].dtype.kind in "USO"
    fill = ("" if is_text else 0) if value is None else array_of(value).item()
    batch = np.full((len(arrays), *wanted), fill, object if is_text else arrays[0].dtype)
    for row, array in enumerate(arrays):
        batch[(row, *map(slice, array.shape))] = array
    return batch


def _components(dataset, elements):
    """A window: a data set of the elements, or for tuples and dicts a structure of data sets, as in TensorFlow."""
    made = lambda items: type(dataset)(lambda: iter(items), len(items))  # noqa: E731
    if not elements or not isinstance(elements[0], (tuple, dict)):
        return made(elements)
    columns = map_leaves(lambda *leaves: list(leaves), *elements)
    return _each_list(made, columns)


def _each_list(function, structure):
    if isinstance(structure, dict):
        return {key: _each_list(function, value) for key, value in structure.items()}
    if isinstance(structure, tuple):
        return tuple(_each_list(function, value) for value in structure)
    return function(structure)
