"""Training curves: for a notebook, a file or a terminal."""

from __future__ import annotations

import itertools
import math
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from lamina.drawing.axes import PALETTE, Axes, padded, sparkline
from lamina.drawing.canvas import Picture
from lamina.drawing.figure import Figure
from lamina.errors import DataError

__all__ = ["Curves"]

WIDTH, HEIGHT = 340, 220  # of one plot, in pixels
COLOURS = {"": PALETTE[0], "val_": PALETTE[1]}


class Curves(Figure):
    """The curves of a history: a plot for each loss or metric, with training and validation. A notebook shows
    them; printed, they are lines of text.

    Args:
        history: Name of each loss or metric -> its values by epoch.
        epochs: Numbers of the epochs, from 0. None counts the values.

    Raises:
        DataError: If the history is empty.

    >>> print(Curves({"loss": [4.0, 2.0, 1.0], "val_loss": [4.0, 3.0, 3.5]}))
    loss      4 -> 1  █▃▁  best 1 in epoch 3
    val_loss  4 -> 3.5  █▁▅  best 3 in epoch 2
    """

    title: str
    numbers: dict[str, Any]

    def __init__(self, history: Mapping[str, Sequence[Any]], epochs: Sequence[int] | None = None):
        history = {name: [float(value) for value in values] for name, values in history.items() if _is_row(values)}
        if not history:
            raise DataError("There is nothing to draw: the history is empty.", fix="Call fit first.")
        self.title, self.numbers = "Training curves", dict(history)
        self.history: dict[str, list[float]] = history
        longest = max(map(len, history.values()))
        epochs = list(epochs or [])
        self.epochs: list[int] = (
            [epoch + 1 for epoch in epochs] if len(epochs) == longest else list(range(1, longest + 1))
        )

    @property
    def names(self) -> list[str]:
        """The names of the losses and metrics, without val_."""
        return list(dict.fromkeys(name.removeprefix("val_") for name in self.history))

    @property
    def label(self) -> str:
        """The curves in words."""
        ends = [f"{name} from {values[0]:.4g} to {values[-1]:.4g}" for name, values in self.history.items()]
        return f"Training curves over {len(self.epochs)} epochs: {'; '.join(ends)}."

    @property
    def text(self) -> str:
        """What is printed: a line for each loss or metric."""
        width = max(map(len, self.history))
        room = shutil.get_terminal_size((120, 24)).columns - width - 2
        lines = {name: _line(name, values, self.epochs, room) for name, values in self.history.items()}
        return "\n".join(f"{name:{width}}  {line}" for name, line in lines.items())

    def picture(self, columns: int = 2) -> Picture:
        """The plots as one Picture.

        Args:
            columns: Plots side by side.
        """
        columns = min(columns, len(self.names))
        rows = math.ceil(len(self.names) / columns)
        picture = Picture(columns * WIDTH, rows * HEIGHT, self.label)
        for place, name in enumerate(self.names):
            self._plot(picture, name, (place % columns * WIDTH, place // columns * HEIGHT))
        return picture

    def _plot(self, picture, name, corner):
        curves = {mark: self.history[mark + name] for mark in COLOURS if mark + name in self.history}
        first, last = self.epochs[0], self.epochs[-1]
        axes = Axes(
            picture, corner, (WIDTH, HEIGHT), (first, max(last, first + 1)), padded(itertools.chain(*curves.values())),
            name, "epoch", x_ticks=sorted({first, self.epochs[len(self.epochs) // 2], last}),
        )  # fmt: skip
        for mark, values in reversed(curves.items()):
            points = [(e, v) for e, v in zip(self.epochs, values, strict=False) if math.isfinite(v)]
            axes.line(points, COLOURS[mark])
            axes.points(points if len(points) <= 12 else points[-1:], COLOURS[mark], diamond=bool(mark))
            if len(curves) > 1:
                axes.legend("validation" if mark else "training", COLOURS[mark])


def _is_row(values):
    return isinstance(values, (list, tuple)) and len(values) > 0 and all(hasattr(v, "__float__") for v in values)


def _line(name, values, epochs, room=120):
    """`4 -> 1  █▃▁  best 1 in epoch 3`."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return "never finite"
    best = min(finite) if _falls(name) else max(finite)
    when = "" if "learning_rate" in name else f"  best {best:.4g} in epoch {epochs[values.index(best)]}"
    ends = f"{values[0]:.4g} -> {values[-1]:.4g}  "
    return f"{ends}{sparkline(values, max(8, min(60, room - len(ends + when))))}{when}"


def _falls(name):
    """Whether lower values are better."""
    return any(word in name for word in ("loss", "error", "mae", "mse", "absolute", "squared", "perplexity", "entropy"))
