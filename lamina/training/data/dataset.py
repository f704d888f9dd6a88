"""Dataset: elements that are read when they are needed, with the methods of `tf.data.Dataset`."""

from __future__ import annotations

import glob
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.errors import DataError
from lamina.runtime.random_state import random_states, set_random_states
from lamina.training.data.elements import (
    Composite,
    TensorSpec,
    Views,
    array_of,
    leaves_of,
    map_leaves,
    row_of,
    row_spec,
    spec_of,
    words_of,
)  # fmt: skip
from lamina.training.data.iterator import DatasetIterator, NumpyIterator
from lamina.training.data.transformations import Transformations

__all__ = ["AUTOTUNE", "Dataset", "DatasetSpec"]

AUTOTUNE = -1
_SAME: Any = object()


def _same(length):
    return length


class Dataset(Transformations, Composite):
    """Elements (arrays, or tuples and dicts of arrays) that are read when they are needed. `fit` takes one of batches.

    It has the methods of `tf.data.Dataset`, in plain Python over NumPy arrays. Iterating over it gives arrays of JAX
    (text stays NumPy), `as_numpy_iterator()` arrays of NumPy; functions given to `map` get NumPy arrays. Fewer, larger
    calls are faster, so apply `map` after `batch` if the function allows it. A data set of
    `image_dataset_from_directory` and its siblings also has `class_names`, which later steps keep.

    Args:
        open_pass: Function that returns an iterator over all elements; or an object that can be iterated repeatedly.
        length: Number of elements; `math.inf` if endless, None if unknown.
        spec: TensorSpec of each component of an element; None is found out when it is asked for.

    >>> data = Dataset.from_tensor_slices((np.arange(5.0), np.arange(5))).shuffle(5, seed=0).batch(2)
    >>> len(data), [x.shape for x, y in data.map(lambda x, y: (x / 5, y))]
    (3, [(2,), (2,), (1,)])
    >>> data
    Dataset(3 batches: float64 (None,), int64 (None,))
    """

    def __init__(self, open_pass: Any, length: Any = None, spec: Any = None) -> None:
        self._open_pass: Callable[[], Any] = open_pass if callable(open_pass) else open_pass.__iter__
        self._count, self._spec = length, spec
        self._count_from_sources: Callable[..., Any] | None = None
        self._sources: tuple[Dataset, ...] = ()
        self._unit = "element"
        self._has_full_batches = False  # whether all batches have the same size
        self.passes: int = 0
        """How many passes were begun, which the order of a shuffled data set depends on."""
        self._source_states: Any = None

    def _derive(self, open_pass, length=_same, spec=_SAME, unit=None, sources=None):
        """A data set that is read from this one, or from `sources`; `length` is a function of their lengths."""
        made = Dataset(open_pass, None, self._spec if spec is _SAME else spec)
        made._has_full_batches = self._has_full_batches and unit is None
        made._sources, made._unit, made._count_from_sources = sources or (self,), unit or self._unit, length
        if hasattr(self, "class_names"):
            made.class_names = self.class_names  # pyright: ignore[reportAttributeAccessIssue]
        return made

    @property
    def _length(self):
        if self._count_from_sources is None:
            return self._count
        lengths = [source._length for source in self._sources]
        return None if None in lengths else self._count_from_sources(*lengths)

    # Sources of elements

    @classmethod
    def from_tensor_slices(cls, tensors: Any, name: str | None = None) -> Dataset:
        """A data set of the slices of arrays along the first axis.

        Args:
            tensors: Array, or tuple or dict of arrays of one length.
            name: No effect.

        Raises:
            DataError: The arrays have different lengths.
        """
        arrays = map_leaves(array_of, tensors)
        if any(not leaf.ndim for leaf in leaves_of(arrays)):
            raise DataError("from_tensor_slices takes arrays; got a single number.", fix="Dataset.from_tensors(5)")
        lengths = {len(leaf) for leaf in leaves_of(arrays)}
        if len(lengths) != 1:
            raise DataError(
                f"from_tensor_slices takes arrays of one length; got {sorted(lengths)}.",
                fix=f"tuple(one[:{min(lengths)}] for one in tensors)",
            )
        count = lengths.pop()
        spec = map_leaves(row_spec, spec_of(arrays))
        return cls(lambda: (row_of(arrays, row) for row in range(count)), count, spec)

    @classmethod
    def from_tensors(cls, tensors: Any, name: str | None = None) -> Dataset:
        """A data set with a single element.

        Args:
            tensors: The element.
            name: No effect.
        """
        arrays = map_leaves(array_of, tensors)
        return cls(lambda: iter([arrays]), 1, spec_of(arrays))

    @classmethod
    def from_generator(
        cls,
        generator: Callable[..., Any],
        output_types: Any = None,
        output_shapes: Any = None,
        args: Sequence[Any] | None = None,
        output_signature: Any = None,
        name: str | None = None,
    ) -> Dataset:
        """A data set of the elements of the iterable that a function returns. The function is called once per pass.

        Args:
            generator: Function that returns an iterable, such as a generator function.
            output_types: dtype of each component, or None.
            output_shapes: Accepted; no effect.
            args: Arguments of the function.
            output_signature: TensorSpec of each component, or None.
            name: No effect.
        """
        if not callable(generator):
            raise DataError(
                f"from_generator takes a function that returns a generator; got {type(generator).__name__}.",
                fix="Dataset.from_generator(lambda: generator)",
            )
        types = output_types if output_signature is None else map_leaves(lambda s: s.dtype, output_signature)
        fit = _typed if types is None else lambda item: map_leaves(_typed_leaf, types, _as_structure(types, item))
        spec = (
            None if output_signature is None else map_leaves(lambda s: TensorSpec(s.shape, s.dtype), output_signature)
        )
        return cls(lambda: map(fit, iter(generator(*(args or ())))), None, spec)

    @classmethod
    def range(cls, *args: int, **kwargs: Any) -> Dataset:
        """A data set of integers.

        Args:
            *args: Arguments of Python's `range`.
            **kwargs: `output_type`, a dtype; `name` has no effect.
        """
        numbers, dtype = range(*args), np.dtype(kwargs.get("output_type") or "int64")
        return cls(lambda: map(dtype.type, numbers), len(numbers), TensorSpec((), dtype))

    @classmethod
    def zip(cls, *args: Any, datasets: Any = None, name: str | None = None) -> Dataset:
        """A data set of tuples with one element from each data set. It is as long as the shortest of them.

        Args:
            *args: Data sets, also in a tuple or dict.
            datasets: The same by keyword.
            name: No effect.
        """
        given = args if datasets is None else (datasets,)
        given = given[0] if len(given) == 1 and isinstance(given[0], (tuple, list, dict)) else given
        given = tuple(given) if isinstance(given, list) else given
        parts = leaves_of(given)
        specs = [dataset._spec for dataset in parts]

        def zipped():
            return (_filled(given, items) for items in zip(*(dataset._open() for dataset in parts), strict=False))

        spec = None if None in specs else _filled(given, specs)
        return parts[0]._derive(zipped, lambda *lengths: min(lengths), spec, sources=tuple(parts))

    @classmethod
    def list_files(
        cls, file_pattern: Any, shuffle: bool | None = None, seed: int | None = None, name: str | None = None
    ) -> Dataset:
        """A data set of the paths that match a pattern, in another order in each pass.

        Args:
            file_pattern: Pattern such as "images/*.png", or a list of patterns.
            shuffle: False keeps the paths sorted.
            seed: Seed of the order.
            name: No effect.

        Raises:
            DataError: No file matches.
        """
        patterns = [file_pattern] if isinstance(file_pattern, str) else list(map(str, np.atleast_1d(file_pattern)))
        paths = sorted(path for pattern in patterns for path in glob.glob(pattern))
        if not paths:
            fix = f"Give a pattern of files that are there; the folder in use is {os.getcwd()}."
            raise DataError(f"No file matches {file_pattern!r}.", fix=fix)
        files = cls(lambda: iter(paths), len(paths), TensorSpec((), "string"))
        return files if shuffle is False else files.shuffle(len(paths), seed)

    # Iteration

    def _open(self):
        items = self._open_pass()
        self.passes += 1
        return items

    def __iter__(self) -> Iterator[Any]:
        return DatasetIterator(self)

    def as_numpy_iterator(self) -> Iterator[Any]:
        """Iterate over the elements as arrays of NumPy."""
        return NumpyIterator(map_leaves(Views.to_numpy, item) for item in self._open())

    def get_state(self) -> dict[str, Any]:
        """How many passes were begun, here and in the data sets that this one is read from: what `fit` saves."""
        return {"passes": self.passes, "sources": self._source_states or [s.get_state() for s in self._sources]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go to the pass of another run.

        Args:
            state: What `get_state` returned.
        """
        self.passes = state["passes"]
        for source, of_source in zip(self._sources, state["sources"], strict=True):
            source.set_state(of_source)

    # What it holds

    def cardinality(self, name: str | None = None) -> Any:
        """The number of elements; -1 if endless, -2 if unknown.

        Args:
            name: No effect.
        """
        return jnp.asarray({None: -2, math.inf: -1}.get(self._length, self._length))

    def __len__(self) -> int:
        if self._length is None or self._length == math.inf:
            raise TypeError(f"The length of this data set is {'unknown' if self._length is None else 'infinite'}.")
        return int(self._length)

    def __bool__(self) -> bool:
        return True

    @property
    def element_spec(self) -> Any:
        """The TensorSpec (shape and dtype) of each component of an element; where it is not known, of the first."""
        if self._spec is None:
            before, drawn = self.get_state(), random_states()
            try:
                first = next(self._open(), None)
            finally:
                self.set_state(before)
                set_random_states(drawn)
            if first is None:
                raise DataError("The data set is empty, so the shapes of its elements are unknown.",
                                fix="Make it of one element or more; filter and skip may have left none.")  # fmt: skip
            self._spec = spec_of(first)
            if self._unit == "batch" and not self._has_full_batches:
                self._spec = map_leaves(
                    lambda s: TensorSpec((None, *s.shape[1:]), s.dtype) if s.shape else s, self._spec
                )
        return self._spec

    @property
    def spec(self) -> Any:
        """The `element_spec`, for a data set that is an element itself."""
        return DatasetSpec(self.element_spec)

    def __repr__(self) -> str:
        unit = {"batch": "batches", "element": "elements"}[self._unit]
        known = self._length is not None and self._length != math.inf
        count = f"{self._length} {unit if self._length != 1 else self._unit}" if known else (
            f"endless {unit}" if self._length == math.inf else f"{unit}, how many is unknown"
        )  # fmt: skip
        holds = "not read yet" if self._spec is None else words_of(self._spec)
        classes = getattr(self, "class_names", None)
        return f"Dataset({count}: {holds}{f'; class_names={_shortened(classes)}' if classes else ''})"


@dataclass(frozen=True)
class DatasetSpec:
    """The spec of an element that is a data set.

    Attributes:
        element_spec: TensorSpec of each component of its elements.
    """

    element_spec: Any


def _filled(structure, values):
    """The same structure, with other values in the place of the leaves."""
    remaining = iter(values)
    return map_leaves(lambda _: next(remaining), structure)


def _shortened(names, most=6):
    return str(list(names)) if len(names) <= most else f"{str(list(names[:most]))[:-1]}, ... {len(names)} in all]"


def _typed(item):
    return map_leaves(lambda leaf: leaf if isinstance(leaf, str) else array_of(leaf), item)


def _as_structure(types, item):
    """A list in the place of a tuple counts as a tuple, as in TensorFlow."""
    return tuple(item) if isinstance(types, tuple) and isinstance(item, list) else item


def _typed_leaf(dtype, leaf):
    if isinstance(leaf, Composite) or dtype is None or dtype is str or str(dtype) in ("string", "object", "<U0"):
        return leaf
    return array_of(leaf).astype(dtype, copy=False)
