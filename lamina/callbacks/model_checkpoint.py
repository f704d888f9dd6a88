"""ModelCheckpoint."""

import os
import warnings

import numpy as np

from lamina.callbacks.callback import idle_with_epochs
from lamina.callbacks.monitor import MonitorCallback
from lamina.core.keywords import keywords
from lamina.errors import ConfigError
from lamina.legacy import warn_renamed
from lamina.runtime.progress import say

__all__ = ["ModelCheckpoint"]


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after epochs or batches. A file is written beside and then renamed, so that a
    killed
    run leaves a whole one.

    Args:
        filepath: where; {epoch} (from 1), {batch} and the names in `logs` are filled in:
        "{epoch:02d}-{val_loss:.2f}.keras".
            It ends in .weights.h5 for weights only, else in .keras; the .h5 and .hdf5 of Keras 2 are written in its
            format.
        monitor, mode: what makes a model the best.
        verbose: 1 says what is saved.
        save_best_only: save only when it is the best so far.
        save_weights_only: save weights, not the whole model.
        save_freq: "epoch", or a number of batches; `period`, of Keras 2, a number of epochs.
        initial_value_threshold: the best value to begin with.

    >>> import lamina as keras
    >>> keep = keras.callbacks.ModelCheckpoint("best.weights.h5", save_best_only=True, save_weights_only=True)
    """

    _period = 1  # of Keras 2: save after every so many epochs

    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
        **kwargs,
    ):
        (period,) = keywords("ModelCheckpoint", kwargs, period=1)
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ConfigError(f"save_freq is 'epoch' or a number of batches; got {save_freq!r}.")
        self._period = period
        if period != 1:
            warn_renamed("ModelCheckpoint has no period since Keras 3; save_freq counts batches.")
        endings = (".weights.h5", ".h5", ".hdf5") if save_weights_only else (".keras", ".h5", ".hdf5")
        if not self.filepath.endswith(endings):
            raise ConfigError(
                f"With save_weights_only={save_weights_only}, filepath ends in {' or '.join(endings)}; "
                f"got {self.filepath!r}.",
                fix=f"filepath={os.path.splitext(self.filepath)[0] + endings[0]!r}",
            )
        self._epoch = self._batches_since_saving = 0
        self._last_batch = -1

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._last_batch = -1

    @idle_with_epochs
    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._batches_since_saving += batch - self._last_batch  # more than one where an execution takes several steps
        self._last_batch = batch
        if self._batches_since_saving >= self.save_freq:
            self._batches_since_saving = 0
            self._save(self._epoch, batch, logs or {})

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch" and (epoch + 1) % self._period == 0:
            self._save(epoch, None, logs or {})

    def _save(self, epoch, batch, logs):
        path = self._path(epoch, batch, logs)
        if self.save_best_only and not self._is_best(epoch, logs):
            return
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        if os.path.isdir(path):
            raise ConfigError(f"ModelCheckpoint cannot write {path!r}: it is a folder.", fix="Give the name of a file.")
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path, overwrite=True)
        if self.verbose:
            say(f"Epoch {epoch + 1}: saved model to {path}")

    def _path(self, epoch, batch, logs):
        names = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        try:
            return self.filepath.format(**names)
        except KeyError as error:
            raise ConfigError(
                f"filepath {self.filepath!r} of ModelCheckpoint names {error}, which is not there; there are: "
                f"{', '.join(names)}.",
            ) from None

    def _is_best(self, epoch, logs):
        current = self.monitored(logs)
        if current is None:
            return True
        if np.ndim(current):
            warnings.warn(f"ModelCheckpoint: {self.monitor!r} is no single number; each model is saved.", stacklevel=4)
            return True
        best, better = self.best, self.is_improvement(current, self.best)
        if self.verbose:
            change = f"improved from {best} to {current:.5f}" if better else f"did not improve from {best:.5f}"
            say(f"Epoch {epoch + 1}: {self.monitor} {change}")
        if better:
            self.best = current
        return better
