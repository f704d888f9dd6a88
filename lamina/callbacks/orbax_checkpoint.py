"""OrbaxCheckpoint, and reading what it wrote."""

import json
import os
from typing import Any

import numpy as np

from lamina.callbacks.model_checkpoint import ModelCheckpoint
from lamina.callbacks.monitor import MonitorCallback
from lamina.core.configurable import serialize
from lamina.core.progress import say
from lamina.errors import ConfigError, FileError

__all__ = ["OrbaxCheckpoint", "load_orbax_checkpoint"]


class OrbaxCheckpoint(ModelCheckpoint):
    """Saves the state of training with Orbax (the package orbax-checkpoint), in the background, in the layout of Keras.

    Args:
        directory: a folder; each checkpoint is a folder in it, named by the epoch (from 0) or the number of batches.
        monitor, mode: what makes a model the best.
        verbose: 1 says what is saved.
        save_best_only: save only when it is the best so far.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: the best value to begin with.
        max_to_keep: how many of the last checkpoints stay; None: all.
        save_on_background: go on training while a checkpoint is written.
        save_weights_only: leave out the optimizer, the metrics and the config.

    >>> import lamina as keras
    >>> keep = keras.callbacks.OrbaxCheckpoint("checkpoints", monitor="val_accuracy", save_best_only=True)
    """

    def __init__(
        self,
        directory,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
        max_to_keep=1,
        save_on_background=True,
        save_weights_only=False,
    ):
        MonitorCallback.__init__(self, monitor, mode, initial_value_threshold)
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ConfigError(f"save_freq is 'epoch' or a number of batches; got {save_freq!r}.")
        self.directory = os.path.abspath(os.fspath(directory))
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_freq = save_freq
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self.save_weights_only = save_weights_only
        self.checkpointer: Any = None
        self._epoch = self._batches_since_saving = self._batches = 0
        self._last_batch = -1

    def on_train_begin(self, logs=None):
        training = _orbax().training
        policies = training.preservation_policies
        policy = policies.PreserveAll() if self.max_to_keep is None else policies.LatestN(self.max_to_keep)
        self.checkpointer = training.Checkpointer(self.directory, preservation_policy=policy)
        self._batches = 0

    def on_train_batch_end(self, batch, logs=None):
        self._batches += batch - self._last_batch
        super().on_train_batch_end(batch, logs)
        self._last_batch = batch

    def on_train_end(self, logs=None):
        self.wait_until_finished()
        self.checkpointer.close()
        self.checkpointer = None

    def wait_until_finished(self):
        """Wait until the checkpoints being written are whole."""
        if self.checkpointer is not None:
            self.checkpointer.wait()

    def _save(self, epoch, batch, logs):
        if self.save_best_only and not self._is_best(epoch, logs):
            return
        step = epoch if batch is None else self._batches
        self.wait_until_finished()  # Orbax leaves out what comes while it still writes
        parts: dict[str, Any] = {"pytree": _tree(self.model, self.save_weights_only)}
        if not self.save_weights_only:
            parts["model_config"] = {"config": json.dumps(serialize(self.model))}
        save = self.checkpointer.save_checkpointables
        if self.save_on_background:
            save = self.checkpointer.save_checkpointables_async
        save(step, parts, overwrite=True)
        if self.verbose:
            say(f"Epoch {epoch + 1}: saved checkpoint {os.path.join(self.directory, str(step))}")


def load_orbax_checkpoint(model, directory):
    """Give `model` the values of the last checkpoint in `directory`, or of the checkpoint that `directory` is.

    Raises:
        FileError: when there is none, or its variables are not those of the model.
    """
    orbax = _orbax()
    steps = [name for name in os.listdir(directory) if name.isdigit()]
    directory = os.path.join(directory, max(steps, key=int)) if steps else directory
    if not os.path.isdir(os.path.join(directory, "pytree")):
        raise FileError(f"{directory} holds no checkpoint of Orbax.")
    saved = orbax.load_checkpointables(os.path.abspath(directory))["pytree"]
    groups = {name: group for name, group in _groups(model, False).items() if name in saved}
    pairs = [(variable, _at(saved[name], variable, directory)) for name in groups for variable in groups[name]]
    for variable, value in pairs:
        variable.assign(value)


def _at(saved: Any, variable, directory):
    for part in variable.path.split("/"):
        saved = saved.get(part) if isinstance(saved, dict) else None
    if getattr(saved, "shape", None) != variable.shape:
        raise FileError(f"{directory} holds no {variable.path} of shape {variable.shape}, which the model needs.")
    return np.asarray(saved)


def _groups(model, weights_only):
    """The variables of a model, as Keras divides them."""
    groups = {
        "trainable_variables": model.trainable_variables,
        "non_trainable_variables": model.non_trainable_variables,
    }
    if not weights_only:
        groups["optimizer_variables"] = model.optimizer.variables if model.optimizer is not None else []
        groups["metrics_variables"] = model.metrics_variables
    return {name: group for name, group in groups.items() if group}


def _tree(model, weights_only):
    """group -> the parts of a variable's path, nested -> its array."""
    tree: dict[str, Any] = {}
    for name, variables in _groups(model, weights_only).items():
        for variable in variables:
            *folders, last = (name, *variable.path.split("/"))
            place = tree
            for folder in folders:
                place = place.setdefault(folder, {})
            place[last] = variable.read()
    return tree


def _orbax() -> Any:
    try:
        from orbax.checkpoint import v1  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ConfigError("OrbaxCheckpoint needs orbax-checkpoint.", fix="pip install orbax-checkpoint") from error
    return v1
