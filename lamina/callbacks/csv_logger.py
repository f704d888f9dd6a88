"""CSVLogger: losses and metrics as rows of a CSV file."""

from __future__ import annotations

import csv
import os
from typing import Any

import numpy as np

from lamina.callbacks.callback import Callback
from lamina.runtime import processes
from lamina.runtime.atomic_files import atomic_write
from lamina.runtime.terminal import one_line

__all__ = ["CSVLogger"]

_FORMULAS = tuple("=+-@\t＝＋－＠")  # noqa: RUF001  # begin a formula in spreadsheets, the wide ones in some languages


class CSVLogger(Callback):
    """Writes the losses and metrics of each epoch as a row of a CSV file, which is complete after each epoch.

    Args:
        filename: Path of the file.
        separator: Text between the columns.
        append: Whether to append to an existing file. A run that resumes from a backup always does; it
            first removes the rows of the epochs that it trains again.

    >>> import lamina as keras
    >>> log = keras.callbacks.CSVLogger("training.csv", append=True)
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False):
        self.filename: str = os.fspath(filename)
        self.sep = separator
        self.append: bool = append
        self.keys: Any = None
        self.writer: Any = None
        self.csv_file: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._close()
        self.keys = self.writer = None
        resumed = getattr(self.model, "resume_point", None)
        path = self.filename if processes.is_first() else os.devnull
        if resumed is not None and os.path.exists(path) and path != os.devnull:
            self._remove_rows(resumed.epoch)
        append = self.append or resumed is not None
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        self.csv_file = open(path, "a" if append else "w", newline="", encoding="utf-8")  # noqa: SIM115

    def _remove_rows(self, epoch):
        """Remove the rows of `epoch` and later."""
        with open(self.filename, newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file, delimiter=self.sep) if row]
        with atomic_write(self.filename) as beside, open(beside, "w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=self.sep).writerows(
                row for row in rows if not row[0].isdigit() or int(row[0]) < epoch
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        self.writer = self.writer or self._begin(logs)
        self.writer.writerow({"epoch": epoch, **{key: _cell(logs.get(key, "NA")) for key in self.keys}})
        self.csv_file.flush()

    def _begin(self, logs):
        self.keys = sorted(logs)
        if not any(key.startswith("val_") for key in self.keys):
            self.keys += [f"val_{key}" for key in self.keys]  # the first validation may be in a later epoch
        writer = csv.DictWriter(self.csv_file, ["epoch", *self.keys], delimiter=self.sep)
        if self.csv_file.tell() == 0:
            writer.writerow({key: _text(key) for key in ("epoch", *self.keys)})
        return writer

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._close()
        self.writer = None

    def _close(self):
        if self.csv_file is not None:
            self.csv_file.close()


def _text(text):
    """A text that no spreadsheet takes for a formula."""
    text = one_line(text)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _cell(value):
    if isinstance(value, str):
        return _text(value)
    return value if np.ndim(value) == 0 else f'"[{", ".join(map(str, value))}]"'
