"""Tables of other libraries: Hugging Face `datasets`, polars, pyarrow, and what speaks Arrow's protocol.

None is imported here but pyarrow, which whoever passes such a table has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.errors import DataError
from lamina.training.data.pictures import refuse_sizes
from lamina.training.data.unfit import columns_of

__all__ = [
    "arrays_of_rows",
    "as_known_table",
    "column_names",
    "columns_for",
    "is_large",
    "is_rows",
    "is_stream_of_rows",
    "stream_of_rows",
    "without_rows",
]

MAX_BYTES_READ = 128 * 2**20
"""Size of the arrays of a data set of Hugging Face above which it is read batch by batch, and not whole."""

LABELS = ("label", "labels", "target", "targets", "y")
"""Names of the column with the targets, in rows that have no other."""


def _is_hugging_face(value, *names):
    return any(kind.__name__ in names and kind.__module__.startswith("datasets.") for kind in type(value).__mro__)


def _is_column(value):
    return _is_hugging_face(value, "Column")


def is_rows(value: Any) -> bool:
    """Whether it is a data set of Hugging Face, which has columns by name.

    Args:
        value: Anything.

    Raises:
        DataError: It is a dict of several data sets.
    """
    if _is_hugging_face(value, "DatasetDict", "IterableDatasetDict"):
        names = ", ".join(map(repr, value))
        raise DataError(
            f"This DatasetDict has the data sets {names}; one is needed.", fix=f"x = x[{next(iter(value))!r}]"
        )
    return _is_hugging_face(value, "Dataset")


def is_large(value: Any) -> bool:
    """Whether it is a data set of Hugging Face whose arrays, by the size of its first rows, exceed `MAX_BYTES_READ`.

    Args:
        value: Anything.
    """
    if not is_rows(value) or not len(value):
        return False
    first = min(8, len(value))
    return sum(map(_bytes_of, _columns(value, slice(first)).values())) * len(value) > MAX_BYTES_READ * first


def _bytes_of(column):
    if column.dtype != object:
        return column.nbytes
    return sum(len(value) if isinstance(value, (str, bytes)) else np.asarray(value).nbytes for value in column)


def arrays_of_rows(rows: Any, index: Any, inputs: Sequence[str], has_targets: bool) -> tuple[Any, Any]:
    """(x, y) of some rows; y is None without `has_targets`, or where no column is called like targets.

    Args:
        rows: Dataset of Hugging Face.
        index: Indices of the rows.
        inputs: Names of the inputs of the model.
        has_targets: Whether a column may be the targets.
    """
    return _split(_columns(rows, index), inputs, has_targets)


def is_stream_of_rows(value: Any) -> bool:
    """Whether it is an IterableDataset of Hugging Face.

    Args:
        value: Anything.
    """
    return _is_hugging_face(value, "IterableDataset")


def stream_of_rows(rows: Any, batch_size: int | None, inputs: Sequence[str] = ()) -> Callable[[], Any]:
    """The function that opens a pass over batches (x, y) of an IterableDataset.

    Args:
        rows: IterableDataset.
        batch_size: Rows of a batch; None means 32.
        inputs: Names of the inputs of the model.
    """

    def batches():
        for columns in rows.with_format("numpy").iter(batch_size=batch_size or 32):
            x, y = _split(dict(columns), inputs, True)
            yield (x,) if y is None else (x, y)

    return batches


def without_rows(x: Any, y: Any, inputs: Sequence[str] = ()) -> tuple[Any, Any]:
    """(x, y) as arrays, where x is a data set of Hugging Face; else both unchanged.

    Columns with the names of the inputs of the model are the inputs; else all columns but the targets. The targets are
    y, or the column "label", "labels", "target", "targets" or "y".

    Args:
        x: Inputs.
        y: Targets, or None.
        inputs: Names of the inputs of the model.
    """
    y = as_known_table(y) if is_rows(y) or _is_column(y) else y
    if not is_rows(x):
        return as_known_table(x) if _is_column(x) else x, y
    found, labels = _split(_columns(x), inputs, y is None)
    if isinstance(found, dict) and len(inputs) < 2 and all(column.ndim == 1 for column in found.values()):
        found = x.select_columns(list(found)).with_format("arrow")[:]  # whose text is refused with a repair
    return found, labels if y is None else y


def columns_for(x: Any, inputs: Sequence[str]) -> Any:
    """A table as a dict of columns, where the model has several inputs, all with names of columns; else x.

    Args:
        x: Inputs.
        inputs: Names of the inputs of the model.
    """
    if len(inputs) < 2 or isinstance(x, (np.ndarray, list, tuple, dict)) or is_rows(x):
        return x
    names = column_names(x)
    return {name: x[name] for name in inputs} if names and set(inputs) <= set(names) else x


def column_names(x: Any) -> list[Any] | None:
    """The names of the columns of a table, or None.

    Args:
        x: Anything.
    """
    return None if is_stream_of_rows(x) else columns_of(x)[0]


def as_known_table(value: Any) -> Any:
    """What a table of another library is as an array or a table that NumPy can read; None where it is no table.

    Args:
        value: A LazyFrame of polars, a column of Hugging Face, or what has `__arrow_c_stream__` or `__dataframe__`.
    """
    if hasattr(value, "collect") and hasattr(value, "collect_schema"):  # LazyFrame
        return value.collect()
    if _is_column(value):
        return _array(value[:])
    if is_rows(value):
        return _joined(_columns(value))
    if hasattr(value, "__array__"):
        return None
    if hasattr(value, "__arrow_c_stream__"):
        import pyarrow

        return pyarrow.table(value)
    if hasattr(value, "__dataframe__"):
        import pandas

        return pandas.api.interchange.from_dataframe(value)
    return None


def _columns(rows, index=slice(None)):
    return {name: _array(values) for name, values in rows.with_format("numpy")[index].items()}


def _array(values):
    """Values as one array: rows of one shape are stacked, and text is an array of objects."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values) if _is_even(values) else _objects(values)
    if array.dtype.kind == "O" and len(array) and isinstance(array[0], (np.ndarray, list)) and _is_even(array):
        array = np.stack([np.asarray(row) for row in array])
    return array.astype(object) if array.dtype.kind in "US" else array


def _is_even(values):
    return len({np.shape(row) for row in values}) <= 1


def _objects(values):
    array = np.empty(len(values), object)
    array[:] = list(values)
    return array


def _split(columns, inputs, has_targets):
    columns = {name: _array(values) for name, values in columns.items()}
    for name, values in columns.items():
        if values.dtype == object:
            resized = f"x = x.map(lambda row: {{{name!r}: row[{name!r}].resize((224, 224))}})"
            refuse_sizes(values, f"x[{name!r}]", resized)
    label = next((name for name in LABELS if name in columns and name not in inputs), None) if has_targets else None
    y = None if label is None else columns.pop(label)
    if inputs and set(inputs) <= set(columns):
        columns = {name: columns[name] for name in inputs}
        return columns if len(columns) > 1 else _joined(columns), y
    return _joined(columns), y


def _joined(columns):
    """Columns of numbers as one array (rows, columns); one column as it is; others by name."""
    if len(columns) == 1:
        (column,) = columns.values()
        return column[:, None] if column.ndim == 1 else column
    if all(column.ndim == 1 and column.dtype.kind in "biuf" for column in columns.values()):
        return np.stack(list(columns.values()), axis=1)
    return columns
