"""OrbaxCheckpoint: the state of training in folders of Orbax, for any number of devices."""

from __future__ import annotations

import json
import os
from typing import Any

import jax

from lamina.callbacks.model_checkpoint import ModelCheckpoint
from lamina.callbacks.monitor import MonitorCallback
from lamina.core.serialization import serialize
from lamina.errors import ConfigError
from lamina.runtime import processes
from lamina.runtime.progress import say
from lamina.saving.formats.orbax import assets_of, orbax_v1
from lamina.saving.state_tree import WEIGHTS, groups_of, state_tree

__all__ = ["OrbaxCheckpoint"]


class OrbaxCheckpoint(ModelCheckpoint):
    """Saves the state of training with Orbax (the package orbax-checkpoint), in the background, in the layout of Keras.
    `load_model(directory)` and `load_weights(directory)` read the last checkpoint, onto as many devices as there are.

    Args:
        directory: Folder; each checkpoint is a folder in it, named by the epoch (from 0) or the number of batches.
        monitor: Name of the loss or metric in `logs` that makes a model the best.
        verbose: 1 prints what is saved.
        save_best_only: Whether to save only when the model is the best so far.
        mode: "min", "max", or "auto": "min" for losses, for metrics their own direction.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: Value that the first model must exceed to be the best. None means no such value.
        max_to_keep: How many of the last checkpoints are kept. None means all.
        save_on_background: Whether training continues while a checkpoint is written.
        save_weights_only: Whether to leave out the optimizer, the metrics and the config.

    >>> import lamina as keras
    >>> keep = keras.callbacks.OrbaxCheckpoint("checkpoints", monitor="val_accuracy", save_best_only=True)
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ):
        MonitorCallback.__init__(self, monitor, mode, initial_value_threshold)
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ConfigError(
                f"save_freq is 'epoch' or a number of batches; got {save_freq!r}.", fix='save_freq="epoch"'
            )
        self.directory: Any = os.path.abspath(os.fspath(directory))
        self.verbose: int = verbose
        self.save_best_only: bool = save_best_only
        self.save_freq: Any = save_freq
        self.max_to_keep: int | None = max_to_keep
        self.save_on_background: bool = save_on_background
        self.save_weights_only: bool = save_weights_only
        self.checkpointer: Any = None
        self._epoch = self._batches_since_saving = self._batches = 0
        self.last_saved: str | None = None
        self._last_batch = -1

    def is_multihost_enabled(self) -> bool:
        """Whether several processes write one checkpoint together."""
        return jax.process_count() > 1

    def is_primary_host(self) -> bool:
        """Whether this is the first of the processes."""
        return jax.process_index() == 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        orbax, settings = orbax_v1(), {}
        training = orbax.training
        if processes.together() is not None:  # one may fail, for which the others wait
            settings["context"] = orbax.Context()
            settings["context"].asynchronous.timeout_secs = round(processes.limit())
        policies = training.preservation_policies
        policy = policies.PreserveAll() if self.max_to_keep is None else policies.LatestN(self.max_to_keep)
        self.checkpointer = training.Checkpointer(self.directory, preservation_policy=policy, **settings)
        optimizer = self.model.optimizer
        self._batches = 0 if optimizer is None else int(optimizer.iterations)  # continue the count after a restart

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches += batch - self._last_batch
        super().on_train_batch_end(batch, logs)
        self._last_batch = batch

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.wait_until_finished()
        self.checkpointer.close()
        self.checkpointer = None

    def wait_until_finished(self) -> None:
        """Wait until the checkpoint in progress is written."""
        if self.checkpointer is not None:
            self.checkpointer.wait()

    def _save(self, epoch, batch, logs):
        if self.save_best_only and not self._is_best(epoch, logs):
            return
        step = epoch if batch is None else self._batches
        self.wait_until_finished()  # Orbax ignores a checkpoint while it writes another
        groups = groups_of(self.model)
        if self.save_weights_only:
            groups = {name: groups[name] for name in WEIGHTS}
        parts: dict[str, Any] = {"pytree": state_tree(groups, lambda variable: variable.read())}
        if not self.save_weights_only:
            parts["model_config"] = {"config": json.dumps(serialize(self.model))}
            assets = assets_of(self.model)
            parts.update({"assets": assets} if assets else {})
        save = self.checkpointer.save_checkpointables
        if self.save_on_background:
            save = self.checkpointer.save_checkpointables_async
        save(step, parts, overwrite=True)
        self.last_saved = os.path.join(self.directory, str(step))
        if self.verbose:
            say(f"Epoch {epoch + 1}: saved checkpoint {self.last_saved}")
