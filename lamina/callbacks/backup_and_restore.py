"""BackupAndRestore: a killed run goes on where it was, to the bit."""

import os
import pathlib
import zipfile

import numpy as np

from lamina.callbacks.callback import Callback
from lamina.core import context
from lamina.core.dtypes import numpy_dtype
from lamina.core.files import replacing
from lamina.core.global_random import random_states, set_random_states
from lamina.errors import ConfigError, FileError, warn

__all__ = ["BackupAndRestore"]


class BackupAndRestore(Callback):
    """Backs up the whole state of `fit`; the same `fit` called again after a crash goes on from the last backup.

    A backup holds all variables (weights, seeds, optimizer, metrics), the random states of NumPy, Python and lamina,
    the epoch and the batch, so that the run ends with the weights, to the bit, of one that was never killed. It holds
    no state of other callbacks or of data sets, and what a generator gave before is read again and left out.

    Args:
        backup_dir: a folder for this run alone.
        save_freq: "epoch", or a number of batches.
        double_checkpoint: keep the backup before the last one, for the case that the last cannot be read.
        delete_checkpoint: delete the backups when the run has ended.

    >>> import lamina as keras
    >>> backup = keras.callbacks.BackupAndRestore("backup", save_freq=100)
    """

    def __init__(self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True):
        if not backup_dir:
            raise ConfigError(f"backup_dir is a folder; got {backup_dir!r}.", fix='BackupAndRestore("backup")')
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq <= 0):
            raise ConfigError(
                f"save_freq is 'epoch' or a number of batches; got {save_freq!r}.", fix='save_freq="epoch"'
            )
        self.backup_dir = pathlib.Path(os.fspath(backup_dir))
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._latest, self._previous = self.backup_dir / "latest.npz", self.backup_dir / "previous.npz"
        self._epoch = self._trained = self._since_saving = 0

    def on_train_begin(self, logs=None):
        self._since_saving = 0
        backup = self._read()
        if backup is not None:
            _write_cells(self.model, backup)
            self.model.resume_point = ResumePoint(self.model, backup)

    def on_epoch_begin(self, epoch, logs=None):
        resumed = self.model.resume_point
        self._epoch = epoch
        self._trained = 0 if resumed is None else resumed.batch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._since_saving += batch + 1 - self._trained
        self._trained = batch + 1
        if self._since_saving >= self.save_freq:
            self._since_saving = 0
            self._save(self._epoch, self._trained)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs=None):
        if self.delete_checkpoint:
            for path in (self._latest, self._previous):
                path.unlink(missing_ok=True)
            if self.backup_dir.is_dir() and not any(self.backup_dir.iterdir()):
                self.backup_dir.rmdir()

    def _save(self, epoch, batch):
        opened_at, taken = self.model.training_batches.position()
        arrays = {
            "epoch": np.array(epoch),
            "batch": np.array(batch),
            "taken": np.array(taken),
            **{f"now/{name}": state for name, state in random_states().items()},
            **{f"opened_at/{name}": state for name, state in opened_at.items()},
            **{f"values/{index}": np.asarray(cell.read()) for index, cell in enumerate(_cells(self.model))},
        }
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and self._latest.exists():
            os.replace(self._latest, self._previous)
        with replacing(self._latest) as beside:
            np.savez(beside, **arrays)

    def _read(self):
        """The arrays of the last backup that can be read; None if there is none."""
        for path in (self._latest, self._previous):
            if path.exists():
                try:
                    with np.load(path, allow_pickle=False) as arrays:
                        return dict(arrays)
                except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
                    if path is self._previous or not self._previous.exists():
                        raise FileError(
                            f"The backup {path} cannot be read: {error}.", fix="Delete it to begin anew."
                        ) from error
                    warn(f"The backup {path} cannot be read ({error}); training goes on from {self._previous}.")
        return None


class ResumePoint:
    """Where a run goes on: the epoch, and the batches of it that were trained before."""

    def __init__(self, model, backup):
        self.epoch, self.batch = int(backup["epoch"]), int(backup["batch"])
        self._model, self._backup = model, backup

    def replay(self, batches):
        """The rest of the epoch: batches are drawn as they were, those trained before are left out."""
        batches.resume(_part(self._backup, "opened_at/"), int(self._backup["taken"]))
        set_random_states(_part(self._backup, "now/"))
        if self.batch:  # the metrics in the middle of an epoch; at its start they begin anew
            _write_cells(self._model, self._backup)
        return batches.epoch(self.batch)


def _part(arrays, prefix):
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _cells(model):
    """Every variable that a step of training reads, in a fixed order; and the seeds of the whole process."""
    model._runner.refresh()
    groups = model._runner.groups
    return [*(cell for group in sorted(groups) for cell in groups[group]), *context.ambient_cells()]


def _write_cells(model, backup):
    cells, values = _cells(model), _part(backup, "values/")
    if len(cells) != len(values):
        raise FileError(
            f"The backup holds {len(values)} variables, this run has {len(cells)}: the model is another.",
            fix="Give each run a backup_dir of its own, or delete the backup.",
        )
    for index, cell in enumerate(cells):
        value, dtype = values[str(index)], numpy_dtype(cell.dtype)
        value = value.view(dtype) if value.dtype.kind == "V" else value  # NumPy does not know bfloat16
        if value.shape != cell.shape or value.dtype != dtype:
            raise FileError(
                f"The backup holds {value.dtype}{value.shape} for {cell.path}, which is {cell.dtype}{cell.shape}.",
                fix="Give each run a backup_dir of its own, or delete the backup.",
            )
        cell.assign(value)
