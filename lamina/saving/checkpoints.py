"""A folder with the latest checkpoints of a run, each complete or absent and with a checksum."""

from __future__ import annotations

import os
import pathlib
import sys
import threading
import time
from typing import Any

from lamina.errors import FileError, warn
from lamina.runtime import processes
from lamina.runtime.atomic_files import atomic_write, make_folder
from lamina.saving.safety.damage import contents_of
from lamina.saving.safety.records import read_record, write_record

__all__ = ["CheckpointFolder", "LatestWriter"]

_ENDING = ".checkpoint"
_NICE = 5  # priority of the thread that writes: beside busy threads it gets a quarter of a core
_LOSS = "A checkpoint could not be written: {}. The previous one is kept; training continues."


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
        make_folder(self.folder)
        with atomic_write(self.folder / f"{name}{_ENDING}") as beside, open(beside, "wb") as file:
            write_record(record, file)
        for path in self.paths()[: -self.keep]:
            path.unlink(missing_ok=True)

    def newest(self) -> Any:
        """The newest checkpoint that is complete, in all processes that train together, or None. A damaged one causes a
        warning.

        Raises:
            FileError: All checkpoints are damaged, or the processes have none in common.
        """
        self._sweep()
        paths = self._common_paths()
        for path in paths:
            record = message = None
            try:
                record = read_record(contents_of(path), str(path))
            except (OSError, FileError) as error:
                message = getattr(error, "message", str(error))
            messages = [text for text in processes.gather(message, "reading a checkpoint") if text]
            if not messages:
                return record
            if path is paths[-1]:
                raise FileError(messages[0], fix=f"Delete the folder {self.folder} to start from the beginning.")
            warn(f"{messages[0]} Training continues from the checkpoint before it.")
        return None

    def _common_paths(self):
        """Paths of the checkpoints that all processes have, newest first."""
        mine = [path.name for path in self.paths()]
        names = processes.gather(mine, "listing the checkpoints")
        common = set(names[0]).intersection(*names)
        if not common and any(names):
            lists = "; ".join(
                f"process {index} has {', '.join(name.removesuffix(_ENDING) for name in one) or 'none'}"
                for index, one in enumerate(names)
            )
            raise FileError(
                f"The processes have no checkpoint (epochs-batches) in common in {self.folder}: {lists}.",
                fix=f"Copy {self.folder} from a process that has the newest, or delete it everywhere to start anew.",
            )
        return [self.folder / name for name in sorted(common, reverse=True)]

    def is_shared(self) -> bool:
        """Whether the first of the processes that train together writes into the same folder as this one."""
        marker = processes.agree(f".{os.getpid()}-{time.time_ns()}{_ENDING}", "making the folder of checkpoints")
        make_folder(self.folder)
        if processes.is_first():
            (self.folder / marker).touch()
        processes.gather(None, "marking the folder of checkpoints")
        shared = (self.folder / marker).exists()
        processes.gather(None, "looking for the marked folder of checkpoints")
        if processes.is_first():
            (self.folder / marker).unlink(missing_ok=True)
        return shared

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

    A failure of the disk causes a warning at the next call. Any other exception is raised at the next call.

    Args:
        write: Function that is called with each value.
        loss: Words of the warning, with `{}` in place of the failure.
    """

    def __init__(self, write: Any, loss: str = _LOSS) -> None:
        self._write, self._loss, self._lock = write, loss, threading.Lock()
        self._waiting = self._thread = self._failure = None

    @property
    def is_idle(self) -> bool:
        """Whether everything is written."""
        return self._thread is None

    def put(self, *value: Any) -> None:
        """Schedule `value` for writing."""
        self._tell()
        with self._lock:
            self._waiting = value
            if self._thread is None:
                # not a daemon: the interpreter waits until a file is complete
                self._thread = threading.Thread(target=self._run, name="lamina-checkpoint")
                self._thread.start()

    def finish(self) -> None:
        """Wait until everything is written, and tell what failed."""
        self.wait()
        self._tell()

    def wait(self) -> None:
        """Wait until everything is written. What failed is told by the next other call."""
        with self._lock:  # which `put` holds until the thread has started
            thread = self._thread
        if thread is not None:
            thread.join()

    def _tell(self):
        failure, self._failure = self._failure, None
        if isinstance(failure, OSError):
            warn(self._loss.format(failure), everywhere=True)
        elif failure is not None:
            raise failure

    def _run(self):
        if sys.platform == "linux":  # where each thread has a priority: training comes first
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while (value := self._next()) is not None:
            try:
                self._write(*value)
            except BaseException as error:  # raised where the next value is put
                self._failure = error

    def _next(self):
        with self._lock:
            value, self._waiting = self._waiting, None
            if value is None:
                self._thread = None
            return value
