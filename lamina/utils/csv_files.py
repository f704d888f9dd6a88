"""A data set from a CSV file: numbers, text and labels by the names of the columns, without pandas."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.core.arguments import choice
from lamina.errors import DataError
from lamina.runtime.progress import say
from lamina.training.data.elements import TensorSpec, map_leaves, row_of, spec_of
from lamina.utils.csv_table import CsvTable
from lamina.utils.parts import parts_of
from lamina.utils.pipeline import Source, make_dataset

__all__ = ["dataset_from_csv"]

_MISSING = ("", "?", "-", "NA", "N/A", "NaN", "NULL", "None", "nan", "na", "n/a", "null")


def dataset_from_csv(
    path: str | os.PathLike[str],
    label_column: str | int | Sequence[str | int] | None = None,
    columns: Sequence[str | int] | None = None,
    batch_size: int | None = 32,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    header: bool = True,
    delimiter: str | None = None,
    dtypes: dict[str, Any] | None = None,
    missing_values: Sequence[str] = _MISSING,
    on_missing: str = "raise",
    as_dict: bool | None = None,
    encoding: str = "utf-8-sig",
    verbose: bool = True,
) -> Any:
    """A `keras.utils.Dataset` of (columns, labels) from a CSV file.

    A column is numbers if all its values that are not missing are. Labels that are text become class numbers, in the
    order of `class_names`, an attribute of the data set as `column_names` is.

    A file of at most 64 MiB is read whole, and so is one that ends in .gz or whose encoding is not built on ASCII. Of a
    larger one each row is looked at once; then a thread reads the rows of each batch from the file, with the same
    results.

    Shapes: batches of (batch, columns), float32, where all columns are numbers; else a dict of arrays (batch,), for
    `keras.utils.FeatureSpace` or a model with an input for each column. Labels of shape (batch,), int32 where they are
    classes or whole numbers, else float32; (batch, labels) for several label columns.

    Args:
        path: Path of the file; one that ends in .gz is unpacked.
        label_column: Name or number of the column with the labels, such as -1 for the last; a list for several; None
            for no labels.
        columns: Names or numbers of the other columns to use; None means all.
        batch_size: Number of rows in a batch; None gives single rows.
        shuffle: Whether to shuffle the rows, anew in each pass; else they come in the order of the file.
        seed: Seed of the shuffling; None draws one.
        validation_split: Share of the rows, from 0 to 1, that is kept for validation.
        subset: Part to return with `validation_split`: "training", "validation", or "both" for two data sets.
        header: Whether the first line has the names of the columns; if not, they are called "0", "1", ...
        delimiter: Character between values; None finds it in the first line.
        dtypes: dtype of columns by name, such as {"zip": "string"}; others are found out.
        missing_values: Texts that stand for a missing value.
        on_missing: "raise" for an error that names column and row, "skip" to leave such rows out and say how many, or
            "keep" for NaN in columns of numbers and "" in text.
        as_dict: Whether the columns come in a dict; None means where one of them is text.
        encoding: Encoding of the file.
        verbose: Whether to print how many rows were found.

    Raises:
        ConfigError: An argument has a value that is not allowed.
        DataError: The file does not fit the arguments, or has a value missing.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "cars.csv")
    >>> _ = path.write_text("power,weight,origin\\n130,3504,usa\\n95,2372,japan\\n46,1835,europe\\n")
    >>> cars = dataset_from_csv(path, label_column="origin", shuffle=False, verbose=False)
    >>> cars
    Dataset(1 batch: float32 (None, 2), int32 (None,); class_names=['europe', 'japan', 'usa'])
    >>> [(x.tolist(), y.tolist()) for x, y in cars.take(1)]
    [([[130.0, 3504.0], [95.0, 2372.0], [46.0, 1835.0]], [2, 1, 0])]
    """
    choice("dataset_from_csv", "on_missing", on_missing, ("raise", "skip", "keep"))
    table = CsvTable(path, header, delimiter, encoding, frozenset(missing_values))
    given: Any = [] if label_column is None else label_column
    labels = [
        table.name_of(label, "label_column=") for label in (given if isinstance(given, (list, tuple)) else [given])
    ]
    names = (
        [name for name in table.names if name not in labels] if columns is None else list(map(table.name_of, columns))
    )
    used = list(dict.fromkeys([*names, *labels]))
    found = table.read(used, labels, dtypes or {}, on_missing, verbose)
    arrays = _Arrays(found, names, labels, as_dict)
    classes, data = arrays.classes, None if table.is_large else arrays.of(table.texts())
    if verbose:
        say(f"Found {table.count} rows of {len(names)} columns{f' and {len(classes)} classes' if classes else ''}.")
    first = arrays.of(table.texts(slice(1))) if data is None else data
    spec = map_leaves(lambda s: TensorSpec(s.shape[1:], s.dtype), spec_of(first))
    made = []
    for name, order, again, number in parts_of(table.count, validation_split, subset, shuffle, seed, "row"):
        if subset and verbose:
            say(f"{len(order)} of them are for {name}.")
        read = _reader(table, arrays, order) if data is None else _row_reader(data, order)
        source = Source(len(order), read, list, spec, read_many=read, is_slow=data is None)
        made.append(make_dataset(source, batch_size, again, number, class_names=classes, column_names=names))
    return made if subset == "both" else made[0]


def _row_reader(data, order):
    return lambda index: row_of(data, order[index])


def _reader(table, arrays, order):
    def read(index):
        rows = arrays.of(table.texts(np.atleast_1d(order[index])))
        return rows if np.ndim(index) else row_of(rows, 0)

    return read


class _Arrays:
    """Texts as columns and labels.

    Args:
        columns: Column objects by name, in the order of the texts.
        names: Names of the columns of the inputs.
        labels: Names of the columns of the labels.
        as_dict: Whether the inputs come in a dict; None means where one of them is text.
    """

    def __init__(self, columns: Any, names: Sequence[str], labels: Sequence[str], as_dict: bool | None):
        self._columns, self._names, self._labels = columns, names, labels
        for name in (*names, *labels):
            columns[name].check()
        text = [name for name in names if columns[name].is_text]
        if as_dict is False and text:
            raise DataError(f"Columns of text cannot be part of one array of numbers: {text}.", fix="as_dict=True")
        self._is_dict = bool(text) if as_dict is None else as_dict
        text = [name for name in labels if columns[name].is_text]
        if text and len(labels) > 1:
            raise DataError(f"Only one label column may be text; {text} are.", fix=f"label_column={text[0]!r}")
        self.classes: Any = sorted(map(str, columns[text[0]].different)) if text else None

    def of(self, texts: Any) -> Any:
        """Inputs, or (inputs, labels).

        Args:
            texts: Texts of some rows.
        """
        values = {name: column.values(texts[:, i]) for i, (name, column) in enumerate(self._columns.items())}
        found = {name: values[name] for name in self._names}
        x: Any = found if self._is_dict else np.stack(list(found.values()), 1).astype("float32")
        if not self._labels:
            return x
        y = [values[name] for name in self._labels]
        if self.classes is not None:
            return x, np.searchsorted(self.classes, y[0].astype(str)).astype("int32")
        return x, y[0] if len(y) == 1 else np.stack(y, 1).astype("float32")
