"""MonitorCallback: what watches one figure for improvement."""

import operator
import warnings
from typing import Any

from lamina.callbacks.callback import Callback
from lamina.errors import ConfigError

__all__ = ["MonitorCallback"]


class MonitorCallback(Callback):
    """Base of callbacks that watch the figure `monitor` of each epoch.

    Args:
        monitor: a name in `logs`, such as "val_loss".
        mode: "min", "max", or "auto": min for losses, for metrics their own direction.
        baseline: the best value to begin with.
        min_delta: the least change that counts as better.
    """

    def __init__(self, monitor="val_loss", mode="auto", baseline=None, min_delta: float = 0):
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__}: mode is 'auto', 'min' or 'max'; {mode!r} is taken as 'auto'.", stacklevel=3
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best: Any = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Any = None  # whether one figure is better than another; known from the first figure on

    def is_improvement(self, value, reference):
        """Whether `value` is better than `reference` by more than min_delta. Anything is better than None."""
        if self.monitor_op is None:
            self.monitor_op: Any = {"min": operator.lt, "max": operator.gt}[self._direction()]
        if reference is None:
            return True
        margin = self.min_delta if self.monitor_op is operator.gt else -self.min_delta
        return self.monitor_op(value - margin, reference)

    def monitored(self, logs):
        """The watched figure; a warning and None if there is none."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            names = ", ".join(logs or ()) or "none"
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not there. Figures of this epoch: {names}.",
                stacklevel=3,
            )
        return value

    def _direction(self):
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return "min"
        for metric in _all_metrics(getattr(self.model, "metrics", ())):
            direction = getattr(metric, "_direction", None)
            if direction and (name == metric.name or name.endswith(f"_{metric.name}")):
                return "max" if direction == "up" else "min"
        raise ConfigError(
            f"{type(self).__name__} cannot tell whether {self.monitor!r} should grow or shrink.",
            fix="Pass mode='max' or mode='min'.",
        )


def _all_metrics(metrics):
    for metric in metrics:
        yield metric
        yield from _all_metrics(getattr(metric, "metrics", ()))
