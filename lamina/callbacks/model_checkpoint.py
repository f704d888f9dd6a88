"""ModelCheckpoint: the model, or its weights, saved after epochs or batches."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np

from lamina.callbacks.callback import idle_with_epochs
from lamina.callbacks.monitor import MonitorCallback
from lamina.core.keywords import keywords
from lamina.core.placement import is_locally_complete
from lamina.errors import ConfigError, warn
from lamina.legacy import warn_renamed
from lamina.runtime import processes
from lamina.runtime.atomic_files import make_folder
from lamina.runtime.progress import say
from lamina.saving.formats.further import further

__all__ = ["ModelCheckpoint"]


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after epochs or batches. A file replaces an earlier one when it is complete.

    Args:
        filepath: Path, in which {epoch} (from 1), {batch} and the names in `logs` are replaced, such as
            "{epoch:02d}-{val_loss:.2f}.keras". It ends in .weights.h5 for weights only, else in .keras; .h5 and .hdf5
            mean the format of Keras 2.
        monitor: Name of the loss or metric in `logs` that makes a model the best.
        verbose: 1 prints what is saved.
        save_best_only: Whether to save only when the model is the best so far.
        save_weights_only: Whether to save the weights instead of the whole model.
        mode: "min", "max", or "auto": "min" for losses, for metrics their own direction.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: Value that the first model must exceed to be the best. None means no such value.
        **kwargs: `period`, of Keras 2: the number of epochs after which to save.

    Raises:
        ConfigError: If the ending of `filepath` does not fit, or it has a name that `logs` does not have.

    >>> import lamina as keras
    >>> keep = keras.callbacks.ModelCheckpoint("best.weights.h5", save_best_only=True, save_weights_only=True)
    """

    _period = 1  # of Keras 2: save after every so many epochs

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        **kwargs: Any,
    ):
        (period,) = keywords("ModelCheckpoint", kwargs, period=1)
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath: str = os.fspath(filepath)
        self.verbose: int = verbose
        self.save_best_only: bool = save_best_only
        self.save_weights_only: bool = save_weights_only
        self.save_freq: Any = save_freq
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ConfigError(
                f"save_freq is 'epoch' or a number of batches; got {save_freq!r}.", fix='save_freq="epoch"'
            )
        self._period = period
        if period != 1:
            warn_renamed("ModelCheckpoint has no period since Keras 3; save_freq counts batches.")
        endings = (".weights.h5", ".h5", ".hdf5") if save_weights_only else (".keras", ".h5", ".hdf5")
        if not self.filepath.endswith(endings) and not further:
            raise ConfigError(
                f"With save_weights_only={save_weights_only}, filepath ends in {' or '.join(endings)}; "
                f"got {self.filepath!r}.",
                fix=f"filepath={os.path.splitext(self.filepath)[0] + endings[0]!r}",
            )
        self._epoch = self._batches_since_saving = 0
        self._last_batch = -1
        self.last_saved: str | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch
        self._last_batch = -1

    @idle_with_epochs
    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._batches_since_saving += batch - self._last_batch  # more than one if an execution has several steps
        self._last_batch = batch
        if self._batches_since_saving >= self.save_freq:
            self._batches_since_saving = 0
            self._save(self._epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.save_freq == "epoch" and (epoch + 1) % self._period == 0:
            self._save(epoch, None, logs or {})

    def _save(self, epoch, batch, logs):
        path = self._path(epoch, batch, logs)
        if self.save_best_only and not self._is_best(epoch, logs):
            return
        if processes.is_first():
            make_folder(os.path.dirname(path) or ".")
        if os.path.isdir(path) and not further:
            raise ConfigError(f"ModelCheckpoint cannot write {path!r}: it is a folder.", fix="Give the name of a file.")
        save = self.model.save_weights if self.save_weights_only else self.model.save
        if processes.is_first():
            save(path, overwrite=True)
        elif not self._is_whole():
            with tempfile.TemporaryDirectory() as folder:  # all take part in gathering what is split
                save(os.path.join(folder, os.path.basename(path)), overwrite=True)
        self.last_saved = path
        if self.verbose:
            say(f"Epoch {epoch + 1}: saved model to {path}")

    def _is_whole(self):
        """Whether this process has all values of the model."""
        slots = [] if self.model.optimizer is None else self.model.optimizer.variables
        return all(is_locally_complete(variable.read()) for variable in [*self.model.variables, *slots])

    def _path(self, epoch, batch, logs):
        names = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**names)
        except KeyError as error:
            raise ConfigError(
                f"filepath {self.filepath!r} of ModelCheckpoint has the name {error}, which is not in logs; there are: "
                f"{', '.join(names)}." + " fit(validation_data=...) adds those of validation." * ("val_" in str(error)),
                fix=f"filepath='model-{{epoch}}{os.path.splitext(self.filepath)[1]}'",
            ) from None

    def _is_best(self, epoch, logs):
        current = self.monitored(logs)
        if current is None:
            return True
        if np.ndim(current):
            warn(f"ModelCheckpoint: {self.monitor!r} is not a single number; each model is saved.")
            return True
        best, better = self.best, self.is_improvement(current, self.best)
        if self.verbose:
            before = best if best is None else f"{best:.5f}"
            change = f"improved from {before} to {current:.5f}" if better else f"did not improve from {before}"
            say(f"Epoch {epoch + 1}: {self.monitor} {change}")
        if better:
            self.best = current
        return better
