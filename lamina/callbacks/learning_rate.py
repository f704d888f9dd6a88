"""Callbacks that set the learning rate: by a schedule of epochs, or when a metric stops improving."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.callbacks.callback import Callback
from lamina.callbacks.monitor import MonitorCallback
from lamina.errors import ConfigError
from lamina.legacy import old_names
from lamina.runtime.progress import say
from lamina.spelling.arguments import unknown_arguments

__all__ = ["LearningRateScheduler", "ReduceLROnPlateau"]


def _optimizers(model):
    """The optimizers of a model by the name that their learning rate has in `logs`."""
    many = getattr(model.optimizer, "optimizers", None)
    if many is None:
        return {"learning_rate": model.optimizer}
    return {f"learning_rate_{optimizer.name}": optimizer for optimizer in many}


def _shown(name):
    """The words of Keras for a learning rate, by its name in `logs`."""
    return f"{name.removeprefix('learning_rate').removeprefix('_')} learning rate".strip()


def _log_learning_rates(model, logs):
    if logs is not None:
        logs.update({name: float(optimizer.learning_rate) for name, optimizer in _optimizers(model).items()})


class LearningRateScheduler(Callback):
    """Sets the learning rate to `schedule(epoch, learning_rate)` before each epoch.

    Args:
        schedule: Function of the epoch (from 0) and the current rate, or of only the epoch, that returns a float.
        verbose: 1 prints each new rate.

    Raises:
        ConfigError: If the schedule returns no float.

    >>> import lamina as keras
    >>> halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch > 10 else rate)
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0):
        if not callable(schedule):
            raise ConfigError(
                f"The schedule of LearningRateScheduler is a function of the epoch; got {schedule!r}.",
                fix="keras.callbacks.LearningRateScheduler(lambda epoch, rate: float(rate * 0.9))",
            )
        if not _takes(schedule, 0) and not _takes(schedule, 0, 0.0):
            raise ConfigError(
                "The schedule of LearningRateScheduler is a function of the epoch, or of the epoch and the rate; got "
                f"{getattr(schedule, '__name__', 'a function')}{inspect.signature(schedule)}.",
                fix="def schedule(epoch, rate):",
            )
        self.schedule: Callable[..., Any] = schedule
        self.verbose: int = verbose

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for name, optimizer in _optimizers(self.model).items():
            optimizer.learning_rate = rate = self._next_rate(epoch, float(optimizer.learning_rate))
            if self.verbose:
                say(f"Epoch {epoch + 1}: LearningRateScheduler setting {_shown(name)} to {rate}.")

    def _next_rate(self, epoch, rate):
        rate = self.schedule(epoch, rate) if _takes(self.schedule, 0, 0.0) else self.schedule(epoch)
        if not (isinstance(rate, (float, np.floating)) or (hasattr(rate, "dtype") and np.shape(rate) == ())):
            raise ConfigError(
                f"The schedule of LearningRateScheduler must return a float; got {rate!r}.",
                fix="return rate  # at the end of each branch of the schedule"
                if rate is None
                else "LearningRateScheduler(lambda epoch, rate: float(rate * 0.9))",
            )
        return float(rate)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        _log_learning_rates(self.model, logs)


def _takes(function, *values):
    try:
        inspect.signature(function).bind(*values)
    except TypeError:
        return False
    except ValueError:  # a function of C without a signature
        return len(values) == 1
    return True


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when a loss or metric has not improved for `patience` epochs.

    Args:
        monitor: Name of the loss or metric in `logs`.
        factor: Factor below 1.
        patience: Epochs without an improvement after which the rate is reduced.
        verbose: 1 prints each new rate.
        mode: "min", "max", or "auto": "min" for losses, for metrics their own direction.
        min_delta: Least change that counts as an improvement.
        cooldown: Epochs after a reduction that are not counted.
        min_lr: Least learning rate.
        **kwargs: None are accepted; the error for `epsilon` names `min_delta`.

    Raises:
        ConfigError: If `factor` is 1 or more.

    >>> import lamina as keras
    >>> reduce = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.2, patience=5, min_lr=0.001)
    """

    @old_names("ReduceLROnPlateau")
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ):
        if kwargs:
            raise unknown_arguments(self, kwargs)
        if factor >= 1.0:
            raise ConfigError(f"factor of ReduceLROnPlateau is below 1; got {factor}.", fix="factor=0.1")
        super().__init__(monitor, mode, min_delta=min_delta)
        self.factor: float = factor
        self.patience: int = self.epochs_to_wait(patience)
        self.verbose: int = verbose
        self.cooldown: int = cooldown
        self.min_lr: float = min_lr
        self._reset()

    def _reset(self):
        self.best = None
        self.wait = self.cooldown_counter = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        _log_learning_rates(self.model, logs)
        current = self.monitored(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_improvement(current, self.best):
            self.best: Any = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter: int = self.cooldown
                self.wait: int = 0

    def _reduce(self, epoch):
        """Reduce the learning rates; returns whether one was above min_lr."""
        reduced = False
        for name, optimizer in _optimizers(self.model).items():
            rate = float(optimizer.learning_rate)
            if rate > np.float32(self.min_lr):
                optimizer.learning_rate = rate = max(rate * self.factor, self.min_lr)
                reduced = True
                if self.verbose:
                    say(f"Epoch {epoch + 1}: ReduceLROnPlateau reducing {_shown(name)} to {rate}.")
        return reduced

    def in_cooldown(self) -> bool:
        """Whether epochs are not counted now, after a reduction."""
        return self.cooldown_counter > 0
