"""A folder with the latest checkpoints of a run, each complete or absent and with a checksum."""

from __future__ import annotations

import os
import pathlib
import threading
from typing import Any

from lamina.errors import FileError, warn
from lamina.runtime.atomic_files import atomic_write
from lamina.saving.safety.records import read_record, write_record

__all__ = ["CheckpointFolder", "LatestWriter"]

_ENDING = ".checkpoint"


class CheckpointFolder:
    """A folder with the latest `keep` checkpoints, which are ordered by name."""

    def __init__(self, folder: str | os.PathLike[str], keep: int) -> None:
        self.folder: pathlib.Path = pathlib.Path(folder)
        self.keep: int = keep

    def paths(self) -> Any:
        """Paths of the checkpoints, oldest first."""
        return sorted(path for path in self.folder.glob(f"*{_ENDING}") if not path.name.startswith("."))

    def write(self, name: Any, record: Any) -> None:
        """Write a checkpoint, then delete all but the latest `keep`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.folder / f"{name}{_ENDING}") as beside, open(beside, "wb") as file:
            write_record(record, file)
        for path in self.paths()[: -self.keep]:
            path.unlink(missing_ok=True)

    def newest(self) -> Any:
        """The newest complete checkpoint, or None. A damaged one causes a warning.

        Raises:
            FileError: All checkpoints are damaged.
        """
        self._sweep()
        paths = self.paths()[::-1]
        for path in paths:
            try:
                record = read_record(path.read_bytes(), str(path))
            except (OSError, FileError) as error:
                message = getattr(error, "message", str(error))
                if path is paths[-1]:
                    raise FileError(
                        message, fix=f"Delete the folder {self.folder} to start from the beginning."
                    ) from error
                warn(f"{message} Training continues from the checkpoint before it.")
            else:
                return record
        return None

    def clear(self) -> None:
        """Delete the checkpoints, and the folder if it is empty then."""
        for path in self.paths():
            path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _sweep(self):
        """Delete temporary files of runs that were killed while they wrote."""
        for path in self.folder.glob(f".*{_ENDING}"):
            path.unlink(missing_ok=True)


class LatestWriter:
    """Calls `write` in a thread, one value at a time. Of the values put while it is busy, only the last is written.

    A failure causes a warning at the next call: the previous checkpoint is still there.
    """

    def __init__(self, write: Any) -> None:
        self._write, self._changed = write, threading.Condition()
        self._waiting = self._thread = self._failure = None

    def put(self, *value: Any) -> None:
        """Schedule `value` for writing."""
        self._tell()
        with self._changed:
            self._waiting = value
            if self._thread is None:
                # not a daemon: the interpreter waits until a file is complete
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
            warn(f"A checkpoint could not be written: {failure}. The previous one is kept; training continues.")

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
