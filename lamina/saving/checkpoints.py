"""A folder of checkpoints of one run: the newest few, each whole or not there, each with a checksum."""

from __future__ import annotations

import os
import pathlib
import threading
from typing import Any

from lamina.core.records import read_record, write_record
from lamina.errors import FileError, warn
from lamina.runtime.atomic_files import atomic_write

__all__ = ["CheckpointFolder", "LatestWriter"]

_ENDING = ".checkpoint"


class CheckpointFolder:
    """Checkpoints in `folder`, the newest `keep` of them; their names order them."""

    def __init__(self, folder: str | os.PathLike[str], keep: int) -> None:
        self.folder, self.keep = pathlib.Path(folder), keep

    def paths(self) -> Any:
        """The checkpoints that are there, oldest first."""
        return sorted(path for path in self.folder.glob(f"*{_ENDING}") if not path.name.startswith("."))

    def write(self, name: Any, record: Any) -> None:
        """Write a checkpoint, then delete those that are too many."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.folder / f"{name}{_ENDING}") as beside, open(beside, "wb") as file:
            write_record(record, file)
        for path in self.paths()[: -self.keep]:
            path.unlink(missing_ok=True)

    def newest(self) -> Any:
        """The newest checkpoint that is whole, and None where there is none. A damaged one is named in a warning.

        Raises:
            FileError: when there are some, and all are damaged.
        """
        self._sweep()
        paths = self.paths()[::-1]
        for path in paths:
            try:
                record = read_record(path.read_bytes(), str(path))
            except (OSError, FileError) as error:
                message = getattr(error, "message", str(error))
                if path is paths[-1]:
                    raise FileError(message, fix=f"Delete {self.folder} to begin anew.") from error
                warn(f"{message} The run goes on from the checkpoint before it.")
            else:
                return record
        return None

    def clear(self) -> None:
        """Delete the checkpoints, and the folder if nothing else is in it."""
        for path in self.paths():
            path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _sweep(self):
        """Delete what runs left that were killed while they wrote."""
        for path in self.folder.glob(f".*{_ENDING}"):
            path.unlink(missing_ok=True)


class LatestWriter:
    """Calls `write` in a thread, one value at a time. Of the values that came while it was busy, the last is written;
    a failure is a warning at the next call, for what was written before is still there."""

    def __init__(self, write: Any) -> None:
        self._write, self._changed = write, threading.Condition()
        self._waiting = self._thread = self._failure = None

    def put(self, *value: Any) -> None:
        """Write `value` soon."""
        self._tell()
        with self._changed:
            self._waiting = value
            if self._thread is None:
                # not a daemon: the interpreter waits for a file that is half written
                self._thread = threading.Thread(target=self._run, name="lamina-checkpoint")
                self._thread.start()

    def finish(self) -> None:
        """Wait until everything is written."""
        with self._changed:
            self._changed.wait_for(lambda: self._thread is None)
        self._tell()

    def _tell(self):
        failure, self._failure = self._failure, None
        if failure is not None:
            warn(f"A checkpoint could not be written: {failure}. The one before it is kept; training goes on.")

    def _run(self):
        while (value := self._next()) is not None:
            try:
                self._write(*value)
            except OSError as error:
                self._failure = error

    def _next(self):
        with self._changed:
            value, self._waiting = self._waiting, None
            if value is None:
                self._thread = None
                self._changed.notify_all()
            return value
