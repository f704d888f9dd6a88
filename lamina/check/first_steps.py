"""The cheap half of a probe, which `fit` makes by itself: what its first steps do to loss and weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.callbacks.logs import read_logs
from lamina.check.findings import Finding
from lamina.check.rule import RULES
from lamina.check.watch_rules import layer_of
from lamina.facts.heads import uses_builtin_step
from lamina.runtime import settings
from lamina.runtime.progress import say
from lamina.training.state import peek

__all__ = ["FirstSteps", "watch_first_steps"]

_STEPS = 16  # after which the judgement falls
_NUMBERS = 2**16  # of each kernel


def watch_first_steps(model: Any, verbose: Any) -> FirstSteps | None:
    """The FirstSteps of a run of `fit`; None where nothing would be said, or weights are not on one device.

    Args:
        model: Model that is about to be trained.
        verbose: Whether findings are printed.
    """
    quiet = not verbose or settings.checks() == "off" or model._runner.sharded is not None
    return None if quiet or model.optimizer is None else FirstSteps(model)


class FirstSteps:
    """Compares the kernels after some steps with those before, by a part of their numbers, and says what is wrong. No
    program is compiled for it.

    Args:
        model: Model that is about to be trained.
    """

    def __init__(self, model: Any):
        self.model: Any = model
        self.steps: int = 0
        self.first: float | None = None
        self.kernels: list[Any] = [one for one in model.trainable_variables if len(one.shape) > 1 and one.size > 1]
        self.before: list[np.ndarray] = self._numbers()

    def after(self, logs: Any, steps: int = 1) -> FirstSteps | None:
        """Note steps and judge them when it is time. Returns itself, or None where all was said.

        Args:
            logs: Logs of the last of the steps.
            steps: How many steps were made.
        """
        self.steps += steps
        if self.first is None:
            self.first = _loss(logs)
        if self.steps < _STEPS:
            return self
        for code, layer, value, message, fix in self._judge(_loss(logs)):
            rule = RULES[code]
            say(str(Finding(code, rule.severity, layer, value, message, rule.why, fix)))
        return None

    def _judge(self, loss: float | None) -> Iterator[tuple[str, str | None, Any, str, str]]:
        if loss is not None and not np.isfinite(loss):
            if self.model._runner.guard is not None:
                return  # it says more
            yield (
                "LAM509", None, loss, f"After {self.steps} steps the loss is {loss}.",
                "Use fit(..., stop_on_nonfinite=True), which names the first tensor that is not finite.",
            )  # fmt: skip
            return
        if loss is not None and self.first is not None and loss > 1e3 * max(abs(self.first), 1.0):
            yield (
                "LAM526", None, loss, f"In {self.steps} steps the loss went from {self.first:.3g} to {loss:.3g}.",
                "model.check(x, y, probe=True) tries other learning rates; scale inputs and targets.",
            )  # fmt: skip
        if not uses_builtin_step(self.model):
            return
        changes = [_norm(new - old) for new, old in zip(self._numbers(), self.before, strict=True)]
        for kernel, change, old in zip(self.kernels, changes, self.before, strict=True):
            size, layer = _norm(old), layer_of(kernel.path)
            if change == 0 and any(changes):
                yield (
                    "LAM506", layer, 0.0, f"{kernel.path} has not changed in {self.steps} steps.",
                    f"Check that {layer} reaches the loss: no stop_gradient, dead ReLU or integers in between.",
                )  # fmt: skip
            elif size > 1e-3 * np.sqrt(old.size) and change > 10 * size:
                yield (
                    "LAM505", layer, change / size,
                    f"In {self.steps} steps the kernel of {layer} has changed by {change / size:.3g} times its size.",
                    "Try a learning rate ten times smaller; model.check(x, y, probe=True) tries several.",
                )  # fmt: skip

    def _numbers(self):
        arrays = (np.asarray(value) for value in peek(self.kernels))
        return [np.array(array.ravel()[:: max(array.size // _NUMBERS, 1)], "float32") for array in arrays]


def _loss(logs):
    loss = read_logs({"loss": logs["loss"]})["loss"] if "loss" in logs else None
    return None if loss is None else float(loss)


def _norm(values):
    return float(np.linalg.norm(values))
