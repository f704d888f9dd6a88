"""Where in the data a value stands: in which part, column, row and batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from lamina.training.data.unfit import columns_of

__all__ = ["Part", "parts_of"]

_ROWS = 4096  # the most rows of a sample


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """One array of the data.

    Attributes:
        name: Python for it: "x", "x['a']", "y[0]".
        values: The array.
        columns: Names of its columns, where it came as a table of another library.
        index: Labels of its rows, where they are not their numbers.
        is_series: Whether it came as a Series, whose rows are read by `iloc`.
        batch: Number of the batch; None where it is all of the data.
        first: Number of its first row in the data.
        step: Distance of its rows in the data.
        origin: The Part of all rows, if this one is a sample.
        is_filtered: Whether its library selects rows by `filter(keep)` and not by `[keep]`, as polars and pyarrow do.
        is_nullable: Whether it is a table of pandas with columns that may hold pandas.NA.
    """

    name: str
    values: Any
    columns: list[Any] | None = None
    index: Any = None
    is_series: bool = False
    batch: int | None = None
    first: int = 0
    step: int = 1
    origin: Part | None = None
    is_filtered: bool = False
    is_nullable: bool = False

    @property
    def kept(self) -> str:
        """Python for the rows that an array of booleans `keep` keeps."""
        return f"{self.name}.filter(keep)" if self.is_filtered else f"{self.name}[keep]"

    def sample(self, numbers: int) -> Part:
        """Evenly spaced rows as NumPy: enough to judge by, quickly.

        Args:
            numbers: How many values are kept at most.
        """
        values = self.values if isinstance(self.values, (np.ndarray, jax.Array)) else np.asarray(self.values)
        if not values.ndim or not values.size:
            return dataclasses.replace(self, values=np.asarray(values))
        wanted = max(min(_ROWS, numbers * len(values) // values.size), 1)
        step = 1 if values.size <= 16 * _ROWS else max(-(-len(values) // wanted), 1)
        return dataclasses.replace(self, values=np.asarray(values)[::step], step=step, origin=self)

    def outside(self, least: float, most: float, but: float | None = None) -> tuple[Part, Any] | None:
        """(the part of all rows where that is in memory, which of its values are outside a range); None if none is.

        Args:
            least, most: The range.
            but: A number that is allowed.
        """
        part = self.origin if self.origin is not None and _is_in_memory(self.origin.values) else self
        values = np.asarray(part.values)
        if not values.size or (values.min() >= least and values.max() <= most):
            return None
        wrong = (values < least) | (values > most)
        wrong = wrong if but is None else wrong & (values != but)
        return (part, wrong) if wrong.any() else None

    def place(self, position: tuple[int, ...]) -> str:
        """The place of a value as text.

        Args:
            position: Its index in `values`.
        """
        row, *rest = (int(number) for number in position)
        row = row * self.step
        label = "" if self.index is None else f" (index {self.index[row]!r})"
        row += self.first
        if self.columns is not None and len(rest) == 1:
            name = f"{self.name}[{self.columns[rest[0]]!r}]"
            return f"{name}, row {row}{label}" if self.batch is None else f"{name} (batch {self.batch}, row {row})"
        if self.is_series:
            return f"{self.name}.iloc[{row}]"
        batch = "" if self.batch is None else f" (batch {self.batch}, row {row})"
        return f"{self.name}[{', '.join(map(str, (row, *rest)))}]{batch}"

    def first_is(self, wrong: Any) -> str:
        """ "y[7] is 3": the first wrong value.

        Args:
            wrong: Array of booleans in the shape of `values`.
        """
        position = tuple(np.argwhere(wrong)[0]) if np.ndim(wrong) else ()
        value = np.asarray(self.values)[position]
        written = "NaN" if value != value else "infinite" if np.isinf(value) else f"{value:g}"
        return f"{self.place(position)} is {written}"

    def first_of(self, wrong: Any) -> str:
        """ "y[7] is 3 (5 more)": the first wrong value, and how many more there are.

        Args:
            wrong: Array of booleans in the shape of `values`.
        """
        more = int(np.sum(wrong)) - 1
        return f"{self.first_is(wrong)}{f' ({more} more{self.examined})' if more else ''}"

    @property
    def examined(self) -> str:
        """What counts are followed by, where rows are left out."""
        return "" if self.step == 1 else " of those examined"


def _is_in_memory(values):
    return isinstance(values, np.ndarray) and not isinstance(values, np.memmap)


def parts_of(given: Any, arrays: Any, name: str, batch: int | None = None, first: int = 0) -> Iterator[Part]:
    """The parts of data, in the order of its structure.

    Args:
        given: Data as the user passed it.
        arrays: The same as arrays.
        name: Name of the data.
        batch: Number of the batch.
        first: Number of the first row.
    """
    if isinstance(arrays, (dict, list, tuple)):
        for key in arrays if isinstance(arrays, dict) else range(len(arrays)):
            alike = isinstance(given, dict) if isinstance(arrays, dict) else isinstance(given, (list, tuple))
            yield from parts_of(given[key] if alike else None, arrays[key], f"{name}[{key!r}]", batch, first)
    elif arrays is not None:
        columns, index = columns_of(given)
        series = type(given).__name__ == "Series" and hasattr(given, "iloc")
        filtered = hasattr(given, "filter") and not hasattr(given, "iloc") and not isinstance(given, np.ndarray)
        kinds = [given.dtype] if series else getattr(given, "dtypes", ())
        nullable = hasattr(given, "iloc") and not all(isinstance(kind, np.dtype) for kind in kinds)
        yield Part(name, arrays, columns, index, series, batch, first, is_filtered=filtered, is_nullable=nullable)
