"""A data set from a CSV file: numbers, text and labels by the names of the columns, without pandas."""

from __future__ import annotations

import csv
import difflib
import gzip
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.core.arguments import choice
from lamina.errors import DataError
from lamina.runtime.progress import say
from lamina.training.data.elements import TensorSpec, map_leaves, row_of, spec_of
from lamina.training.data.unfit import rows_text
from lamina.utils.parts import parts_of
from lamina.utils.pipeline import Source, make_dataset

__all__ = ["dataset_from_csv"]

_MISSING = ("", "?", "-", "NA", "N/A", "NaN", "NULL", "None", "nan", "na", "n/a", "null")
_DELIMITERS = ",;\t|"


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
    order of `class_names`, an attribute of the data set as `column_names` is. The file is read whole.

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
    table = _Table(path, header, delimiter, encoding, frozenset(missing_values))
    given: Any = [] if label_column is None else label_column
    labels = [table.name_of(label) for label in (given if isinstance(given, (list, tuple)) else [given])]
    names = (
        [name for name in table.names if name not in labels] if columns is None else list(map(table.name_of, columns))
    )
    table.drop_missing([*names, *labels], on_missing, verbose)
    found = {name: table.column(name, (dtypes or {}).get(name)) for name in names}
    classes, y = _labels(table, labels, dtypes or {}, on_missing)
    is_text = any(column.dtype.kind == "O" for column in found.values())
    if as_dict is False and is_text:
        text = [name for name, column in found.items() if column.dtype.kind == "O"]
        raise DataError(f"Columns of text cannot be part of one array of numbers: {text}.", fix="as_dict=True")
    x: Any = found if (is_text if as_dict is None else as_dict) else np.stack(list(found.values()), 1).astype("float32")
    data = x if y is None else (x, y)
    if verbose:
        say(f"Found {table.count} rows of {len(names)} columns{f' and {len(classes)} classes' if classes else ''}.")
    spec = map_leaves(lambda s: TensorSpec(s.shape[1:], s.dtype), spec_of(data))
    made = []
    for name, order, again, number in parts_of(table.count, validation_split, subset, shuffle, seed, "row"):
        if subset and verbose:
            say(f"{len(order)} of them are for {name}.")
        source = Source(len(order), _reader(data, order), list, spec, read_many=_reader(data, order))
        made.append(make_dataset(source, batch_size, again, number, class_names=classes, column_names=names))
    return made if subset == "both" else made[0]


def _reader(data, order):
    return lambda index: row_of(data, order[index])


def _labels(table, names, dtypes, on_missing):
    """(names of the classes, labels); None where there are none."""
    if not names:
        return None, None
    columns = [table.column(name, dtypes.get(name)) for name in names]
    text = [name for name, column in zip(names, columns, strict=True) if column.dtype.kind == "O"]
    if not text:
        return None, columns[0] if len(columns) == 1 else np.stack(columns, 1).astype("float32")
    if len(names) > 1:
        raise DataError(f"Only one label column may be text; {text} are.", fix=f"label_column={text[0]!r}")
    classes, numbers = np.unique(columns[0].astype(str), return_inverse=True)
    return classes.tolist(), numbers.astype("int32")


class _Table:
    """The text of a CSV file, by column.

    Args:
        path: Path of the file.
        header: Whether the first line has the names.
        delimiter: Character between values, or None.
        encoding: Encoding of the file.
        missing: Texts that stand for a missing value.
    """

    def __init__(self, path: Any, header: bool, delimiter: str | None, encoding: str, missing: frozenset[str]):
        self.path, self.missing = path, missing
        if not os.path.isfile(path):
            raise DataError(f"There is no file {path} (in {os.getcwd()}).")
        opened: Any = gzip.open if str(path).endswith(".gz") else open
        try:
            with opened(path, "rt", encoding=encoding, newline="") as file:
                first = file.readline()
                file.seek(0)
                self.delimiter: str = delimiter or max(_DELIMITERS, key=first.count)
                reader = csv.reader(file, delimiter=self.delimiter, skipinitialspace=True)
                lines = [(reader.line_num, [value.strip() for value in line]) for line in reader if line]
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not text in {encoding}: {error}.", fix="encoding='latin-1'") from error
        if not lines:
            raise DataError(f"{path} is empty.")
        self.names: list[str] = lines[0][1] if header else list(map(str, range(len(lines[0][1]))))
        self._check(lines, header)
        rows = lines[1:] if header else lines
        self.lines: Any = np.array([number for number, _ in rows], int)
        self.texts: Any = np.array([row for _, row in rows], object).reshape(len(rows), len(self.names))
        if not len(rows):
            raise DataError(f"{path} has a line of names and no rows.", fix="header=False" if header else None)

    def _check(self, lines, header):
        wrong = next(((number, row) for number, row in lines if len(row) != len(self.names)), None)
        if wrong:
            raise DataError(
                f"{self.path}, line {wrong[0]} has {len(wrong[1])} values; the first line has {len(self.names)}.",
                fix=f"Put text that contains {self.delimiter!r} in quotes, or pass another delimiter.",
            )
        if header and all(map(_is_number, self.names)):
            message = f"The first line of {self.path} has numbers, not names: {self.names[:4]}."
            raise DataError(message, fix="header=False")
        twice = {name for name in self.names if self.names.count(name) > 1}
        if twice:
            raise DataError(f"{self.path} has two columns called {sorted(twice)[0]!r}.", fix="header=False")

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.texts)

    def name_of(self, column: str | int) -> str:
        """The name of a column.

        Args:
            column: Name or number.
        """
        if isinstance(column, int) and -len(self.names) <= column < len(self.names):
            return self.names[column]
        if column in self.names:
            return str(column)
        near = difflib.get_close_matches(str(column), self.names, 1, 0.5) or self.names[-1:]
        listed = ", ".join(map(repr, self.names))
        raise DataError(f"{self.path} has no column {column!r}; it has {listed}.", fix=repr(near[0]))

    def drop_missing(self, names: list[str], on_missing: str, verbose: bool) -> None:
        """Leave out rows with missing values, or raise an error.

        Args:
            names: Names of the columns that are used.
            on_missing: "raise", "skip" or "keep".
            verbose: Whether to print how many were left out.
        """
        places = [self.names.index(name) for name in names]
        gone = np.array([[text in self.missing for text in row] for row in self.texts[:, places]], bool)
        if on_missing == "keep" or not gone.any():
            return
        told = []
        for is_gone, name in zip(gone.T, names, strict=True):
            if is_gone.any():
                row, *more = np.flatnonzero(is_gone)
                value = self.texts[row, self.names.index(name)]
                place = f"row {row} (line {self.lines[row]}: {value!r}){rows_text(more)}"
                told.append(f"Column {name!r} has no value in {place}.")
        if on_missing == "raise":
            fix = "on_missing='skip' leaves such rows out; on_missing='keep' makes them NaN."
            raise DataError(" ".join(told[:3]), fix=fix)
        keep = ~gone.any(axis=1)
        if not keep.any():
            raise DataError(f"No row of {self.path} is complete. {told[0]}", fix="on_missing='keep'")
        if verbose:
            say(f"{int((~keep).sum())} of {self.count} rows have a value missing and are left out.")
        self.texts, self.lines = self.texts[keep], self.lines[keep]

    def column(self, name: str, dtype: Any = None) -> Any:
        """A column as int32, float32 or text.

        Args:
            name: Its name.
            dtype: Its dtype; None finds it out.
        """
        texts = self.texts[:, self.names.index(name)]
        gone = np.array([text in self.missing for text in texts], bool)
        fits = np.array([_is_number(text) for text in texts], bool) | gone
        if dtype in ("string", str, object) or (dtype is None and (fits.mean() <= 0.5 or gone.all())):
            return np.where(gone, "", texts)
        if not fits.all():
            row, *more = np.flatnonzero(~fits)
            raise DataError(
                f"Column {name!r} has numbers in {int((fits & ~gone).sum())} of {len(texts)} rows, but row {row} (line "
                f"{self.lines[row]}) is {texts[row]!r}{rows_text(more)}.",
                fix=f"missing_values=['', {texts[row]!r}], on_missing='skip'; or dtypes={{{name!r}: 'string'}}",
            )
        numbers = np.array([np.nan if is_gone else float(text) for text, is_gone in zip(texts, gone, strict=True)])
        whole = not gone.any() and (numbers == np.round(numbers)).all() and np.abs(numbers).max() < 2**31
        return numbers.astype(dtype or ("int32" if whole else "float32"))


def _is_number(text):
    try:
        return np.isfinite(float(text)) or True
    except ValueError:
        return False
