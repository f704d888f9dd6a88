"""The rows of a CSV file: found, checked and typed in one reading; of a large file, read again when they are needed."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lamina.errors import DataError
from lamina.runtime.progress import say
from lamina.spelling.nearest import nearest
from lamina.spelling.paths import nearest_path
from lamina.training.data.unfit import rows_text

__all__ = ["MAX_BYTES_READ", "CsvTable"]

MAX_BYTES_READ = 64 * 2**20
"""Size of a file above which its rows are read when they are needed."""

_DELIMITERS = ",;\t|"
_ROWS = 2**14  # that are looked at together
_TEXT = ("string", str, object)


class CsvTable:
    """The text of a CSV file, by row and column.

    Args:
        path: Path of the file.
        header: Whether the first line has the names.
        delimiter: Character between values, or None.
        encoding: Encoding of the file.
        missing: Texts that stand for a missing value.
    """

    def __init__(self, path: Any, header: bool, delimiter: str | None, encoding: str, missing: frozenset[str]):
        self.path, self.header, self.encoding, self.missing = path, header, encoding, missing
        if not os.path.isfile(path):
            raise DataError(f"There is no file {path} (in {os.getcwd()}).", fix=nearest_path(path))
        self._codec = "utf-8" if encoding.lower().replace("_", "-") == "utf-8-sig" else encoding
        self._text = self._whole_text()
        self._stamp = self._stamped()
        self.is_large: bool = self._text is None and self._stamp[0] > MAX_BYTES_READ
        self.delimiter: Any = delimiter or ","
        with self._open() as file:
            first = self._decoded(file.readline())
            self.delimiter = delimiter or max(_DELIMITERS, key=first.count)
            file.seek(0)
            first = next(self._records(file), None)
        if first is None:
            raise DataError(f"{path} is empty.", fix="A CSV file has a line of names and a line for each row.")
        self.names: list[str] = first[2] if header else list(map(str, range(len(first[2]))))
        self._check_names()

    def _whole_text(self):
        """The text in UTF-8, of files whose lines cannot be found in their bytes; None for others."""
        opened: Any = gzip.open if str(self.path).endswith(".gz") else open
        with opened(self.path, "rb") as file:
            head = file.read(2**16)
        if opened is open and "\n,".encode(self._codec) == b"\n," and (b"\n" in head or b"\r" not in head):
            return None
        try:
            with opened(self.path, "rt", encoding=self.encoding) as file:
                return file.read().encode()
        except UnicodeDecodeError as error:
            raise self._not_text(error) from error

    def _stamped(self):
        found = os.stat(self.path)
        return found.st_size, found.st_mtime_ns

    def _open(self):
        return open(self.path, "rb") if self._text is None else io.BytesIO(self._text)

    def _decoded(self, line):
        try:
            return line.decode(self._codec if self._text is None else "utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise self._not_text(error) from error

    def _not_text(self, error):
        return DataError(f"{self.path} is not text in {self.encoding}: {error}.", fix="encoding='latin-1'")

    def _records(self, file, start=0) -> Iterator[tuple[int, int, list[str]]]:
        """(place of its first byte, number of its last line, values) of each record from `start` on."""
        place = start

        def lines():
            nonlocal place
            for line in file:
                place += len(line)
                yield self._decoded(line)

        reader = csv.reader(lines(), delimiter=self.delimiter, skipinitialspace=True)
        for values in reader:
            if values:
                yield start, reader.line_num, [value.strip() for value in values]
            start = place

    def _check_names(self):
        if self.header and all(map(is_number, self.names)):
            raise DataError(f"The first line of {self.path} has numbers: {self.names[:4]}.", fix="header=False")
        twice = {name for name in self.names if self.names.count(name) > 1}
        if twice:
            raise DataError(f"{self.path} has two columns called {sorted(twice)[0]!r}.", fix="header=False")

    def name_of(self, column: str | int, argument: str = "") -> str:
        """The name of a column.

        Args:
            column: Name or number.
            argument: Beginning of the fix: "label_column=".
        """
        if isinstance(column, int) and -len(self.names) <= column < len(self.names):
            return self.names[column]
        if column in self.names:
            return str(column)
        listed, other = ", ".join(map(repr, self.names)), max(_DELIMITERS, key=self.names[0].count)
        near = argument + repr((nearest(str(column), self.names) or self.names[-1:])[0])
        near = f"delimiter={other!r}" if len(self.names) == 1 and other in self.names[0] else near
        raise DataError(f"{self.path} has no column {column!r}; it has {listed}.", fix=near)

    def read(self, names: Sequence[str], labels: Sequence[str], dtypes: Any, on_missing: str, verbose: bool) -> Any:
        """Read all rows, and keep those without missing values, or all. Returns the columns, by name.

        Args:
            names: Names of the columns that are used.
            labels: Names of those among them that are labels.
            dtypes: dtype of columns by name.
            on_missing: "raise", "skip" or "keep".
            verbose: Whether to print how many rows were left out.
        """
        columns = [Column(self, name, dtypes.get(name), name in labels) for name in names]
        self._places = [self.names.index(name) for name in names]
        kept, skipped = [], 0
        for lines, starts, texts in self._chunks():
            gone = [column.find_missing(values, lines) for column, values in zip(columns, texts.T, strict=True)]
            whole = ~np.any(gone, axis=0)
            if on_missing == "skip" and not whole.all():
                skipped += int((~whole).sum())
                lines, starts, texts, gone = lines[whole], starts[whole], texts[whole], np.array(gone)[:, whole]
            for column, values, missing in zip(columns, texts.T, gone, strict=True):
                column.add(values, lines, missing)
            kept.append(starts if self.is_large else texts)
        self._tell_missing(columns, on_missing, sum(map(len, kept)), skipped, verbose)
        self._rows: Any = np.concatenate(kept)
        return {column.name: column for column in columns}

    def _chunks(self):
        with self._open() as file:
            records = self._records(file)
            if self.header:
                next(records)
            group = None
            while rows := list(itertools.islice(records, _ROWS)):
                group = [np.array([row[i] for row in rows], int) for i in (1, 0)]
                wrong = next((row for row in rows if len(row[2]) != len(self.names)), None)
                if wrong:
                    raise DataError(
                        f"{self.path}, line {wrong[1]} has {len(wrong[2])} values; the first line has "
                        f"{len(self.names)}.",
                        fix=f"Put text that contains {self.delimiter!r} in quotes, or pass another delimiter.",
                    )
                yield *group, self._texts([row[2] for row in rows])
        if group is None:
            raise DataError(f"{self.path} has a line of names and no rows.", fix="header=False")

    def _texts(self, rows):
        return np.array([[row[i] for i in self._places] for row in rows], object).reshape(len(rows), len(self._places))

    def _tell_missing(self, columns, on_missing, count, skipped, verbose):
        told = [column.missing_text() for column in columns if column.missing.count and on_missing != "keep"]
        if told and on_missing == "raise":
            fix = "on_missing='skip' leaves such rows out; on_missing='keep' makes them NaN."
            raise DataError(" ".join(told[:3]), fix=fix)
        if told and not count:
            raise DataError(f"No row of {self.path} is complete. {told[0]}", fix="on_missing='keep'")
        if told and verbose:
            say(f"{skipped} of {count + skipped} rows have a value missing and are left out.")

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self._rows)

    def texts(self, index: Any = slice(None)) -> Any:
        """The texts of some rows, (rows, columns), in the order of the names that `read` was given.

        Args:
            index: Indices of the rows.

        Raises:
            DataError: The file was changed since it was opened.
        """
        if not self.is_large:
            return self._rows[index]
        if self._stamped() != self._stamp:
            raise DataError(f"{self.path} was changed while it was in use.", fix="Make the data set anew.")
        rows = []
        with self._open() as file:
            for start in self._rows[index].tolist():
                file.seek(start)
                rows.append(next(self._records(file, start))[2])
        return self._texts(rows)


class _Places:
    """Rows: the first with its line and text, the others by their number.

    Attributes:
        first: (row, line, text).
        count: Number of rows.
    """

    first: Any = None
    count: int = 0

    def __init__(self) -> None:
        self._rows: list[Any] = []

    def add(self, where: Any, offset: int, texts: Any, lines: Any) -> None:
        """Take more rows.

        Args:
            where: Which of these rows.
            offset: Rows before them.
            texts: Their values.
            lines: Numbers of their lines.
        """
        rows = np.flatnonzero(where)
        if len(rows) and self.first is None:
            self.first = offset + rows[0], lines[rows[0]], texts[rows[0]]
        self.count += len(rows)
        self._rows.append(rows + offset)

    def others(self) -> str:
        """The rows after the first, in words."""
        return rows_text(np.concatenate(self._rows)[1:])


class Column:
    """What is known of a column after all its values were looked at.

    Args:
        table: The table.
        name: Name of the column.
        dtype: Its dtype; None finds it out.
        is_label: Whether its different texts are kept.
    """

    def __init__(self, table: CsvTable, name: str, dtype: Any, is_label: bool):
        self.name, self.dtype, self._missing, self.is_label = name, dtype, table.missing, is_label
        self.different: set[str] = set()
        self.missing, self.misfits = _Places(), _Places()
        self._looked = self._count = self._gone = 0
        self._is_whole = True

    def find_missing(self, texts: Any, lines: Any) -> Any:
        """Where values are missing.

        Args:
            texts: Values of some rows.
            lines: Numbers of their lines.
        """
        gone = self._is_gone(texts)
        self.missing.add(gone, self._looked, texts, lines)
        self._looked += len(texts)
        return gone

    def _is_gone(self, texts):
        return np.array([text in self._missing for text in texts], bool)

    def missing_text(self) -> str:
        """A sentence that says which values are missing."""
        (row, line, text), more = self.missing.first, self.missing.others()
        return f"Column {self.name!r} has no value in row {row} (line {line}: {text!r}){more}."

    def add(self, texts: Any, lines: Any, gone: Any) -> None:
        """Look at the values of rows that are kept.

        Args:
            texts: Values.
            lines: Numbers of their lines.
            gone: Where they are missing.
        """
        if self.dtype not in _TEXT:
            fits = gone | _are_numbers(texts)
            numbers = texts[fits & ~gone].astype("float64")
            self._is_whole &= bool((numbers == np.round(numbers)).all() and (np.abs(numbers) < 2**31).all())
            self.misfits.add(~fits, self._count, texts, lines)
        if self.is_label:
            self.different.update(np.where(gone, "", texts))
        self._count += len(texts)
        self._gone += int(gone.sum())

    @property
    def is_text(self) -> bool:
        """Whether the column is text: by its `dtype`, or where at most half of the values are numbers."""
        fits = self._count - self.misfits.count
        return self.dtype in _TEXT or (self.dtype is None and (2 * fits <= self._count or self._gone == self._count))

    def check(self) -> None:
        """Raise a DataError where a column of numbers has a value that is none."""
        if self.is_text or not self.misfits.count:
            return
        (row, line, text), more = self.misfits.first, self.misfits.others()
        raise DataError(
            f"Column {self.name!r} has numbers in {self._count - self.misfits.count - self._gone} of {self._count} "
            f"rows, but row {row} (line {line}) is {text!r}{more}.",
            fix=f"missing_values=['', {text!r}], on_missing='skip'; or dtypes={{{self.name!r}: 'string'}}",
        )

    def values(self, texts: Any) -> Any:
        """Texts as int32, float32, the dtype that was given, or text.

        Args:
            texts: Values of some rows.
        """
        gone = self._is_gone(texts)
        if self.is_text:
            return np.where(gone, "", texts)
        numbers = np.where(gone, "nan", texts).astype("float64")
        return numbers.astype(self.dtype or ("int32" if self._is_whole and not self._gone else "float32"))


def _are_numbers(texts):
    try:
        texts.astype("float64")
    except ValueError:
        return np.array([is_number(text) for text in texts], bool)
    return np.ones(len(texts), bool)


def is_number(text: str) -> bool:
    """Whether a text is a number.

    Args:
        text: The text.
    """
    try:
        float(text)
    except ValueError:
        return False
    return True
