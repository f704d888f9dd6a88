"""ProgbarLogger: the progress of fit, evaluate and predict as a callback."""

from __future__ import annotations

from typing import Any

from lamina.callbacks.callback import Callback
from lamina.runtime.progress import Progress

__all__ = ["ProgbarLogger"]


class ProgbarLogger(Callback):
    """A progress bar with losses and metrics: live in a terminal or a notebook, else one line for each epoch.

    `fit`, `evaluate` and `predict` show their progress by themselves; this is for training loops of your own.
    """

    def __init__(self) -> None:
        self.progress = Progress()
        self._in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        self.progress: Any = Progress(params.get("verbose", "auto"), params.get("epochs", 1), params.get("steps"))

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.progress.begin_epoch(epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.progress.update(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.progress.end_epoch(logs)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self._in_fit:
            self.progress.begin_epoch()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._in_fit:
            self.progress.update(batch + 1, logs)

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        if not self._in_fit:
            self.progress.end_epoch(logs)

    def on_predict_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.progress.begin_epoch()

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.progress.update(batch + 1)

    def on_predict_end(self, logs: dict[str, Any] | None = None) -> None:
        self.progress.end_epoch()
