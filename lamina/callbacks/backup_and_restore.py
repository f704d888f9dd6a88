"""BackupAndRestore and Resume: a killed run continues where it was, to the bit."""

from __future__ import annotations

import datetime
import os
from typing import Any

from lamina.callbacks.callback import Callback, idle_with_epochs
from lamina.callbacks.logs import Logs, read_logs
from lamina.callbacks.run_record import RunRecord, record_folder
from lamina.callbacks.run_state import (
    ResumePoint,
    Snapshot,
    capture,
    describe,
    is_whole,
    labelled,
    of_each_process,
    watch_data,
)
from lamina.errors import ConfigError, FileError
from lamina.runtime import processes
from lamina.runtime.progress import say
from lamina.runtime.versions import changes_since
from lamina.saving.checkpoints import CheckpointFolder, LatestWriter
from lamina.saving.safety.damage import damaged

__all__ = ["BackupAndRestore", "Resume"]


class RunBackup(Callback):
    """Saves checkpoints of the whole state of `fit` in a folder, and resumes from the newest.

    Args:
        folder: Folder that only this run uses.
        save_freq: "epoch", a number of batches, or a `datetime.timedelta`.
        keep: How many checkpoints are kept.
    """

    comes_last = True  # so that it saves the states that other callbacks have after the epoch or batch

    def __init__(self, folder: str | os.PathLike[str], save_freq: str | int | datetime.timedelta, keep: int):
        count = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not count and not isinstance(save_freq, datetime.timedelta):
            raise ConfigError(
                f"save_freq is 'epoch', a number of batches or a datetime.timedelta; got {save_freq!r}.",
                fix='save_freq="epoch"',
            )
        self.save_freq: Any = save_freq
        self._checkpoints = CheckpointFolder(folder, keep)
        self._epoch = self._trained = self._since_saving = 0

    @property
    def folder(self) -> str:
        """Folder of the checkpoints."""
        return os.fspath(self._checkpoints.folder)

    def find_resume_point(self, others: list[Callback]) -> None:
        """Resume from the newest checkpoint, if there is one. Called before `on_train_begin` of all callbacks.

        Args:
            others: The other callbacks of the run.
        """
        batches = self.model.training_batches
        descriptions = processes.gather(describe(batches), "describing the data")  # of shares that may differ in size
        self._data, self._others = "; ".join(dict.fromkeys(descriptions)), others
        watch_data(batches)
        is_shared = processes.together() is not None and self._checkpoints.is_shared()
        self._writes = processes.is_first() or not is_shared
        if processes.together() is not None and not is_shared:
            self._checkpoints.keep = max(self._checkpoints.keep, 2)  # one may die before its last is written
        record: Any = self._checkpoints.newest()
        if record is None:
            return
        if not is_whole(record):
            raise damaged("The newest backup lacks a part of the state of a run.")
        if record["data"] != self._data:
            raise FileError(
                f"The backup belongs to a run over {record['data']}; this run has {self._data}.",
                fix="Give each run a folder of its own, or delete the backup.",
            )
        self.model.resume_point = ResumePoint(self.model, record)
        changes = changes_since(record.get("versions"))
        if changes:
            say(f"The run goes on with other versions, and its numbers may differ in the last digits: {changes}.")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._since_saving, self._saved_at, self._is_kept = 0, processes.clock(), False
        self._changes = labelled(self._others)
        if self.model.resume_point is not None:
            self.model.resume_point.restore(self._changes)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        resumed = self.model.resume_point
        self._epoch = epoch
        self._trained = 0 if resumed is None else resumed.batch

    @idle_with_epochs
    def on_train_batch_end(self, batch, logs=None):
        trained = min(batch + 1, self.params["steps"] or batch + 1)  # the last execution of an epoch may have fewer
        self._since_saving += trained - self._trained
        self._trained, snapshot = trained, Snapshot()
        self._note(snapshot, batch + 1, logs)
        if self._is_due():
            logs = logs.unread() if isinstance(logs, Logs) else logs or {}
            self._save(snapshot, self._epoch, self._trained, logs, may_wait=False)

    def _is_due(self):
        if isinstance(self.save_freq, datetime.timedelta):
            return processes.clock() - self._saved_at >= self.save_freq.total_seconds()
        return self.save_freq != "epoch" and self._since_saving >= self.save_freq

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        snapshot = Snapshot()
        self._note(snapshot, 0, logs, at_end=True)
        if not isinstance(self.save_freq, int):
            self._save(snapshot, epoch + 1, 0, {})

    def _note(self, snapshot: Snapshot, batch: int, logs: Any, at_end: bool = False) -> None:
        """Called after each step, and after each epoch."""

    def save_now(self, epoch: int, batch: int, logs: Any, position: tuple[Any, int]) -> None:
        """Save the run where it is. The checkpoint is kept after the end of the run.

        Args:
            epoch, batch: Epochs, and batches of the running epoch, that were trained.
            logs: Logs of the last step.
            position: Position in the data after it.
        """
        self._save(Snapshot(), epoch, batch, read_logs(logs), position)
        self._is_kept = True

    def _save(self, snapshot, epoch, batch, logs, position=None, may_wait=True):
        if processes.together() and not all(processes.gather(self._is_ready(may_wait), "saving the run")):
            return  # all save this step, or none does
        self._since_saving, self._saved_at = 0, processes.clock()
        record = {"data": self._data, **capture(self.model, snapshot, self._changes, epoch, batch, logs, position)}
        record |= of_each_process(record, self._writes)
        if self._writes:
            self._write(f"{epoch:06d}-{batch:09d}", record)

    def _is_ready(self, may_wait: bool) -> bool:
        """Whether the last checkpoint is written."""
        return True

    def _write(self, name, record):
        self._checkpoints.write(name, record)


class BackupAndRestore(RunBackup):
    """Saves the whole state of `fit`; the same `fit` called again after a crash resumes from the last backup.

    A backup holds all variables (weights, seeds, optimizer, metrics), the random states of NumPy, Python and lamina,
    the epoch and the batch, the order of the data and the states of the other callbacks. So the run ends with the same
    weights, to the bit, as one that was never killed. What a generator yielded before is read again and skipped.

    Args:
        backup_dir: Folder that only this run uses.
        save_freq: "epoch", or a number of batches.
        double_checkpoint: Whether to keep the backup before the last one, in case the last one cannot be read.
        delete_checkpoint: Whether to delete the backups when the run has ended.

    Raises:
        FileError: If the backup belongs to a run with other data or another model.

    >>> import lamina as keras
    >>> backup = keras.callbacks.BackupAndRestore("backup", save_freq=100)
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int | datetime.timedelta = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        if not backup_dir:
            raise ConfigError(f"backup_dir is a folder; got {backup_dir!r}.", fix='BackupAndRestore("backup")')
        super().__init__(backup_dir, save_freq, keep=2 if double_checkpoint else 1)
        self.backup_dir: str = os.fspath(backup_dir)
        self.double_checkpoint: bool = double_checkpoint
        self.delete_checkpoint: bool = delete_checkpoint

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.delete_checkpoint and not self._is_kept and self._writes:
            self._checkpoints.clear()


class Resume(RunBackup):
    """Saves a run in a folder; the same program started again resumes there. `fit(resume=folder)` adds this callback.

    It saves what `BackupAndRestore` saves, and a record (program, versions, data, seeds, and what its steps gave) with
    which `lamina reproduce folder` runs the program again and says whether the bits agree. A thread writes the
    checkpoints while training continues. They are kept when the run has ended: the same program started once more
    trains nothing and has the same model and history.

    Args:
        folder: Folder that only this run uses.
        save_freq: "epoch", a number of batches, or a `datetime.timedelta`, which saves after each epoch as well.
        max_to_keep: How many checkpoints are kept. If the checksum of one is wrong, the one before is used.

    >>> import datetime
    >>> import lamina as keras
    >>> often = keras.callbacks.Resume("run1", save_freq=datetime.timedelta(seconds=30))  # fit(..., resume=often)
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        save_freq: str | int | datetime.timedelta = datetime.timedelta(minutes=5),
        max_to_keep: int = 3,
    ):
        if isinstance(max_to_keep, bool) or not isinstance(max_to_keep, int) or max_to_keep < 1:
            raise ConfigError(f"max_to_keep is at least 1; got {max_to_keep!r}.", fix="max_to_keep=3")
        super().__init__(record_folder(folder), save_freq, max_to_keep)
        self._record = RunRecord(record_folder(folder))
        self.max_to_keep = max_to_keep
        self._writer = LatestWriter(self._write_after_notes)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        resumed = self.model.resume_point
        if resumed is None:
            self._record.begin(self.model)
        else:
            with resumed.whole_or_as_before():
                self._record.go_on(resumed.epoch, resumed.batch)
            where = "it was stopped there" if resumed.stopped else "continuing"
            done = f"{resumed.epoch} epochs and {resumed.batch} batches"
            say(f"Resume: {self.folder} has {done} of this run; {where}.")

    def _note(self, snapshot: Snapshot, batch: int, logs: Any, at_end: bool = False) -> None:
        self._record.note(self.model, snapshot, self._epoch, batch, logs or {}, at_end)

    def settle(self) -> None:
        """Wait until the last checkpoint is written."""
        self._record.settle()
        self._writer.finish()

    def _is_ready(self, may_wait: bool) -> bool:
        if may_wait:
            self._writer.finish()
        return self._writer.is_idle

    def _write(self, name, record):
        self._writer.put(name, record)

    def _write_after_notes(self, name, record):
        self._record.wait()  # so that the record of a run has what a checkpoint has
        self._checkpoints.write(name, record)
