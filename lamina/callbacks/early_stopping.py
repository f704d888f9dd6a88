"""EarlyStopping: the end of training when a metric stops improving."""

from __future__ import annotations

from typing import Any

from lamina.callbacks.monitor import MonitorCallback
from lamina.runtime.progress import say

__all__ = ["EarlyStopping"]


class EarlyStopping(MonitorCallback):
    """Stops training when a loss or metric has not improved for `patience` epochs.

    Args:
        monitor: Name of the loss or metric in `logs`.
        min_delta: Least change that counts as an improvement.
        patience: Epochs without an improvement after which training stops.
        verbose: 1 prints the message of Keras; with 0, a `fit` that prints its epochs also says why it stopped.
        mode: "min", "max", or "auto": "min" for losses, for metrics their own direction.
        baseline: Value that an improvement must exceed as well to restart the count. None means no such value.
        restore_best_weights: Whether the model has the weights of the best epoch at the end.
        start_from_epoch: Epochs before this one, counted from 0, are ignored.

    >>> import lamina as keras
    >>> stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience: int = self.epochs_to_wait(patience)
        self.verbose: int = verbose
        self.baseline: float | None = baseline
        self.restore_best_weights: bool = restore_best_weights
        self.start_from_epoch: int = start_from_epoch
        self._reset()

    def _reset(self):
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = self.best_weights = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)  # a metric that is always NaN never improves
        self.wait += 1
        if self.is_improvement(current, self.best):
            self.best: Any = current
            self._keep(epoch)
            if self.baseline is None or self.is_improvement(current, self.baseline):
                self.wait: int = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch: int = epoch
            self.model.stop_training = True

    def get_monitor_value(self, logs: dict[str, Any] | None) -> Any:
        """The monitored value; a warning and None if there is none.

        Args:
            logs: Losses and metrics of an epoch by name.
        """
        return self.monitored(logs)

    def _keep(self, epoch):
        self.best_epoch: int = epoch
        if self.restore_best_weights:
            self.best_weights: None = self.model.get_weights()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        elif self.stopped_epoch and (self.params or {}).get("verbose"):
            waited = f"{self.wait} epoch{'s' * (self.wait != 1)}"
            best = "" if self.best is None else f"; the best value was {self.best:.4g}, in epoch {self.best_epoch + 1}"
            least = f" by {self.min_delta:g} or more" if self.min_delta else ""
            say(f"Stopped early: {self.monitor} did not improve{least} for {waited}{best}.")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
