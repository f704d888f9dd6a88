"""find_learning_rate: the range test of Smith (2017, arXiv 1506.01186)."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina.callbacks.logs import read_logs
from lamina.core.typing import PyTree
from lamina.core.variable import unwrap
from lamina.drawing.axes import GREY, PALETTE, Axes, padded, sparkline
from lamina.drawing.canvas import Picture
from lamina.drawing.figure import Figure
from lamina.errors import ConfigError
from lamina.optimizers.schedules.learning_rate_schedule import as_float
from lamina.utils.kept_state import on_trial

__all__ = ["LearningRates", "find_learning_rate"]

_WIDTH, _HEIGHT = 520, 300
_MEMORY = 0.9  # share of the mean so far in the next one


class LearningRates(Figure):
    """The losses of a range test. Printed, it is text; a notebook shows the curve; `save` writes it to a file.

    Args:
        rates: Learning rate of each step.
        losses: Loss of each step.

    Attributes:
        suggestion: The rate around which the loss falls fastest, or None where it never fell.
        rates: Learning rate of each step.
        losses: Loss of each step.
        smoothed: Mean of the losses around each step.

    >>> rates = [10.0 ** (power / 4) for power in range(-20, 1)]
    >>> found = LearningRates(rates, [1 / (1 + 1e3 * rate) + rate**2 for rate in rates])
    >>> 1e-4 < found.suggestion < 1e-1
    True
    """

    def __init__(self, rates: Any, losses: Any):
        self.rates: np.ndarray = np.asarray(rates, "float64")
        self.losses: np.ndarray = np.asarray(losses, "float64")
        self.smoothed: np.ndarray = _smoothed(self.losses)
        self.suggestion: float | None = _steepest(self.rates, self.losses)
        found = (
            "no learning rate to suggest: the loss never fell" if self.suggestion is None else f"{self.suggestion:.3g}"
        )
        title = f"Learning rate: {found}"
        ends = f"{self.rates[0]:.3g} to {self.rates[-1]:.3g}, {len(self.rates)} steps"
        text = f"{title}\nloss over rates {ends}  {sparkline(self.smoothed.tolist())}"
        numbers = {name: getattr(self, name) for name in ("suggestion", "rates", "losses", "smoothed")}
        super().__init__(title, text, self._curve, numbers=numbers)

    def _curve(self):
        picture = Picture(_WIDTH, _HEIGHT)
        ends = self.rates[0], max(self.rates[-1], 1.01 * self.rates[0])
        heights = padded([*self.smoothed, *np.minimum(self.losses, np.nanmax(self.smoothed))])
        axes = Axes(picture, (0, 0), (_WIDTH, _HEIGHT), ends, heights, "loss", "learning rate", log_x=True)
        axes.line(zip(self.rates, np.minimum(self.losses, heights[1]), strict=True), f"{GREY}80", 1)
        axes.line(zip(self.rates, self.smoothed, strict=True), PALETTE[0], 2)
        if self.suggestion is not None:
            height = float(self.smoothed[np.searchsorted(self.rates, self.suggestion)])
            axes.points([(self.suggestion, height)], PALETTE[1])
            axes.legend(f"suggested: {self.suggestion:.3g}", PALETTE[1])
        return picture


def find_learning_rate(
    model: Any,
    x: PyTree,
    y: PyTree = None,
    sample_weight: PyTree = None,
    batch_size: int | None = None,
    min_learning_rate: float = 1e-7,
    max_learning_rate: float = 10.0,
    steps: int = 100,
    stop_factor: float = 4.0,
) -> LearningRates:
    """Train with a learning rate that grows from step to step, and suggest one: where the loss falls fastest.

    Afterwards the model, its optimizer, its metrics and all seeds are as before, to the bit: a `fit` that follows gives
    the same weights as without this call.

    Args:
        model: Compiled model.
        x: Inputs as an array, or a list or dict of arrays; or data that yield batches and can be read again.
        y: Targets as arrays.
        sample_weight: Weights of the samples.
        batch_size: Samples per step. None means 32, or the size of the batches that `x` yields.
        min_learning_rate: Rate of the first step.
        max_learning_rate: Rate of the last step.
        steps: Number of steps; the data are read again where they are shorter.
        stop_factor: The test ends where the running mean of the loss is this many times its least value, or not finite.

    Returns:
        A LearningRates, a Figure with `suggestion`, `rates`, `losses` and `smoothed`.

    Raises:
        CallError: If the model is not compiled.
        ConfigError: For rates that are not 0 < min < max, or fewer than 2 steps.
        DataError: If the data does not fit the model, or can be read only once.

    Source: Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017 (arXiv 1506.01186).

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x = np.linspace(0, 1, 64)[:, None]
    >>> found = find_learning_rate(model, x, 3 * x + 1, steps=40)
    >>> found.suggestion > 1e-3
    True
    """
    if not 0 < min_learning_rate < max_learning_rate or steps < 2:
        raise ConfigError(
            "The learning rates must grow, in two steps or more; got"
            f" {min_learning_rate} to {max_learning_rate} in {steps} steps.",
            fix="find_learning_rate(model, x, y, min_learning_rate=1e-7, max_learning_rate=10.0, steps=100)",
        )
    ratio = (max_learning_rate / min_learning_rate) ** (1 / (steps - 1))
    with on_trial(model, x, y, sample_weight, batch_size, "find_learning_rate") as batches:
        runner = model._runner
        runner.refresh()
        with _growing(model.optimizer, min_learning_rate, ratio):
            shardings = None if runner.sharded is None else runner.sharded.results("train", runner.groups)
            step = runner.build_step("train", "find_learning_rate", "lamina_find_learning_rate")
            program = runner._compile(step, "lamina_find_learning_rate", shardings)
            losses = []
            for batch in _endless(batches, steps):
                runner.reset_metrics()
                losses.append(read_logs(runner.train(batch, program))["loss"])
                means = _running_mean(losses)
                if not math.isfinite(losses[-1]) or means[-1] > stop_factor * min(means) > 0:
                    break
    finite = [loss for loss in losses if math.isfinite(loss)]
    return LearningRates(min_learning_rate * ratio ** np.arange(len(finite)), finite)


@contextlib.contextmanager
def _growing(optimizer, first, ratio) -> Iterator[None]:
    """Inside the block the learning rate is `first * ratio ** steps`, with steps counted from here."""
    parts = [optimizer, *(getattr(optimizer, "optimizers", None) or ()), getattr(optimizer, "inner_optimizer", None)]
    parts = [part for part in parts if hasattr(part, "_learning_rate")]
    kept = [part._learning_rate for part in parts]
    for part in parts:
        begin = int(unwrap(part._iterations))
        part._learning_rate = lambda part=part, begin=begin: first * ratio ** as_float(unwrap(part._iterations) - begin)
    try:
        yield
    finally:
        for part, rate in zip(parts, kept, strict=True):
            part._learning_rate = rate


def _endless(batches, steps) -> Iterator[Any]:
    """`steps` batches, of as many epochs as it takes."""
    taken = 0
    while True:
        before = taken
        for batch in batches.epoch():
            yield batch
            taken += 1
            if taken == steps:
                return
        if taken == before:
            return


def _running_mean(losses):
    """Means that follow the losses, with their bias to 0 at the start corrected, as Adam corrects its moments."""
    mean, result = 0.0, []
    for count, loss in enumerate(losses, 1):
        mean = _MEMORY * mean + (1 - _MEMORY) * loss
        result.append(mean / (1 - _MEMORY**count))
    return result


def _width(losses):
    """Steps of the window in which losses are smoothed: about an eighth of all."""
    return max(len(losses) // 8, 2)


def _smoothed(losses):
    """The mean of the losses around each step."""
    half = _width(losses) // 2
    return np.array([losses[max(place - half, 0) : place + half + 1].mean() for place in range(len(losses))])


def _steepest(rates, losses) -> float | None:
    """The middle of the window in which the loss falls fastest per decade, before its least smoothed value."""
    width, least = _width(losses), int(np.argmin(_smoothed(losses))) if len(losses) else 0
    windows = [slice(start, start + width + 1) for start in range(max(least - width // 2, 0))]
    slopes = [np.polyfit(np.log(rates[part]), losses[part], 1)[0] for part in windows if len(losses[part]) > 2]
    if not slopes or min(slopes) >= 0:
        return None
    return float(rates[int(np.argmin(slopes)) + width // 2])
