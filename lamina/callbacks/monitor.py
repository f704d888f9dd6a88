"""MonitorCallback: the base of callbacks that monitor one loss or metric for improvement."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import numpy as np

from lamina.callbacks.callback import Callback
from lamina.callbacks.logs import name_in
from lamina.errors import ConfigError, warn

__all__ = ["MonitorCallback", "direction_of"]


def waits(kind: type) -> bool:
    """Whether a class of callbacks has a `patience`.

    Args:
        kind: Class.
    """
    return "patience" in inspect.signature(kind).parameters


class MonitorCallback(Callback):
    """Base of callbacks that monitor a loss or metric.

    Args:
        monitor: Name of the loss or metric in `logs`, such as "val_loss".
        mode: "min", "max", or "auto": "min" for losses, for metrics their own direction.
        baseline: Best value at the start. None means that the first value is an improvement.
        min_delta: Least change that counts as an improvement.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0
    ):
        if mode not in ("auto", "min", "max"):
            warn(f"{type(self).__name__}: mode is 'auto', 'min' or 'max'; {mode!r} is taken as 'auto'.")
            mode = "auto"
        if isinstance(monitor, (int, float)):
            name = type(self).__name__
            fix = f"keras.callbacks.{name}(patience={monitor})" if waits(type(self)) else "monitor='val_loss'"
            raise ConfigError(f"{name} monitors a loss or metric by its name; got the number {monitor}.", fix=fix)
        self.monitor: str = monitor
        self.mode: str = mode
        self.best: Any = baseline
        self.min_delta: float = abs(min_delta)
        self.monitor_op: Any = None  # function (value, reference) -> whether it is better; found with the first value

    def epochs_to_wait(self, patience: int) -> int:
        """The number of epochs without an improvement that `patience` says, with a warning for one below 0.

        Args:
            patience: Argument of the callback.
        """
        if patience < 0:
            warn(f"{type(self).__name__}: patience is a number of epochs, 0 or more; {patience} is taken as 0.")
        return max(patience, 0)

    def is_improvement(self, value: Any, reference: Any) -> bool:
        """Whether a value is better than another by more than `min_delta`.

        Args:
            value: New value.
            reference: Value to exceed. None counts as worse than any value.
        """
        if self.monitor_op is None:
            self.monitor_op = {"min": np.less, "max": np.greater}[self._direction()]
        if reference is None:
            return True
        margin = self.min_delta if self.monitor_op is np.greater else -self.min_delta
        return bool(self.monitor_op(value - margin, reference))

    def monitored(self, logs: dict[str, Any] | None) -> Any:
        """The monitored value; a warning and None if there is none.

        Args:
            logs: Losses and metrics of an epoch by name.
        """
        self.monitor = name_in(logs or {}, self.monitor)
        value = (logs or {}).get(self.monitor)
        if value is None:
            names = ", ".join(logs or ()) or "none"
            warn(f"{type(self).__name__} monitors {self.monitor!r}, which is not in logs. Names in logs: {names}.")
        return value

    def _direction(self):
        if self.mode != "auto":
            return self.mode
        direction = direction_of(self.monitor, getattr(self.model, "metrics", ()))
        if direction is not None:
            return direction
        raise ConfigError(
            f"{type(self).__name__} does not know whether {self.monitor!r} should increase or decrease.",
            fix="Pass mode='max' or mode='min'.",
        )


def direction_of(monitor: str, metrics: Iterable[Any]) -> str | None:
    """Which way a loss or metric is better: "min" or "max"; None where this is not known.

    Args:
        monitor: Name in the logs.
        metrics: Metrics of the model.
    """
    name = monitor.removeprefix("val_")
    if name == "loss" or name.endswith("_loss"):
        return "min"
    for metric in _all_metrics(metrics):
        direction = getattr(metric, "_direction", None)
        if direction and (name == metric.name or name.endswith(f"_{metric.name}")):
            return "max" if direction == "up" else "min"
    return None


def _all_metrics(metrics):
    for metric in metrics:
        yield metric
        yield from _all_metrics(getattr(metric, "metrics", ()))
