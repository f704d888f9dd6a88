"""Training curves: for a notebook, a file or a terminal."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from lamina.drawing.canvas import Picture
from lamina.errors import DataError
from lamina.runtime.atomic_files import atomic_write

if TYPE_CHECKING:
    import os

__all__ = ["Curves"]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 340, 220, 52, 14, 30, 34  # of one plot, in pixels
GREY, FAINT = "#757575", "#75757540"  # legible on white and on black
COLOURS = {"": "#1f78d1", "val_": "#d96b0b"}
_BARS = "▁▂▃▄▅▆▇█"


class Curves:
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

    def __init__(self, history: Mapping[str, Sequence[Any]], epochs: Sequence[int] | None = None):
        history = {name: [float(value) for value in values] for name, values in history.items() if _is_row(values)}
        if not history:
            raise DataError("There is nothing to draw: the history is empty.", fix="Call fit first.")
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

    def picture(self, columns: int = 2, ground: str | None = None) -> Picture:
        """The plots as one Picture.

        Args:
            columns: Plots side by side.
            ground: Colour of the background. None leaves it transparent.
        """
        columns = min(columns, len(self.names))
        rows = math.ceil(len(self.names) / columns)
        picture = Picture(columns * WIDTH, rows * HEIGHT, self.label, ground)
        for place, name in enumerate(self.names):
            self._plot(picture, name, place % columns * WIDTH, place // columns * HEIGHT)
        return picture

    @property
    def label(self) -> str:
        """The curves in words."""
        ends = [f"{name} from {values[0]:.4g} to {values[-1]:.4g}" for name, values in self.history.items()]
        return f"Training curves over {len(self.epochs)} epochs: {'; '.join(ends)}."

    def svg(self, columns: int = 2) -> str:
        """The curves as SVG.

        Args:
            columns: Plots side by side.
        """
        return self.picture(columns).svg("system-ui, sans-serif")

    def html(self) -> str:
        """The curves as an HTML page."""
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Training curves</title>'
            "<style>:root { color-scheme: light dark }</style>"
            f"<body><main><h1>Training curves</h1><p>{escape(self.label)}</p>{self.svg()}</main></body></html>"
        )

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the curves into a file.

        Args:
            path: Path that ends in .svg or .html, or in the ending of an image, such as .png (which needs Pillow).
        """
        kind = pathlib.Path(path).suffix[1:].lower()
        if kind == "html":
            with atomic_write(path) as beside:
                pathlib.Path(beside).write_text(self.html(), encoding="utf-8")
        else:
            self.picture(ground="#ffffff").write(path, kind, 2.0)

    def _repr_svg_(self):
        return self.svg()

    def __str__(self) -> str:
        width = max(map(len, self.history))
        return "\n".join(f"{name:{width}}  {_line(name, values, self.epochs)}" for name, values in self.history.items())

    __repr__ = __str__

    def _plot(self, picture, name, left, top):
        curves = {mark: self.history[mark + name] for mark in COLOURS if mark + name in self.history}
        finite = [value for values in curves.values() for value in values if math.isfinite(value)]
        low, high = _range(finite)
        box = left + LEFT, top + TOP, left + WIDTH - RIGHT, top + HEIGHT - BOTTOM
        first, last = self.epochs[0], max(self.epochs[-1], self.epochs[0] + 1)

        def at(epoch, value):
            across, up = (epoch - first) / (last - first), (value - low) / (high - low)
            return box[0] + across * (box[2] - box[0]), box[3] - up * (box[3] - box[1])

        picture.words(box[0], top + 14, name, GREY, 13)
        for value in _ticks(low, high):
            y = at(first, value)[1]
            picture.line([(box[0], y), (box[2], y)], FAINT)
            picture.words(box[0] - 6, y, f"{value:.4g}", GREY, 11, "end")
        for epoch in sorted({first, self.epochs[len(self.epochs) // 2], self.epochs[-1]}):
            picture.words(at(epoch, low)[0], box[3] + 13, epoch, GREY, 11, "middle")
        picture.words((box[0] + box[2]) / 2, box[3] + 27, "epoch", GREY, 11, "middle")
        for number, (mark, values) in enumerate(curves.items()):
            points = [at(e, v) for e, v in zip(self.epochs, values, strict=False) if math.isfinite(v)]
            if len(points) > 1:
                picture.line(points, COLOURS[mark], 2)
            for x, y in points if len(points) <= 12 else points[-1:]:
                picture.area(_diamond(x, y) if mark else _square(x, y), COLOURS[mark])
            if len(curves) > 1:
                words = "validation" if mark else "training"
                picture.words(box[2] - 70 * (len(curves) - 1 - number), top + 14, words, COLOURS[mark], 11, "end")


def _is_row(values):
    return isinstance(values, (list, tuple)) and len(values) > 0 and all(hasattr(v, "__float__") for v in values)


def _range(values):
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    return low - margin, high + margin


def _ticks(low, high, wanted=5):
    """Round numbers between low and high, `wanted` or fewer."""
    step = 10 ** math.floor(math.log10((high - low) / wanted))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= wanted)
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _square(x, y):
    return [(x - 3, y - 3), (x + 3, y - 3), (x + 3, y + 3), (x - 3, y + 3)]


def _diamond(x, y):
    return [(x, y - 4), (x + 4, y), (x, y + 4), (x - 4, y)]


def _line(name, values, epochs):
    """`4 -> 1  █▃▁  best 1 in epoch 3`."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return "never finite"
    low, high = min(finite), max(finite)
    some = [values[round(place * (len(values) - 1) / 59)] for place in range(60)] if len(values) > 60 else values
    bars = "".join(
        _BARS[round((value - low) / (high - low or 1.0) * 7)] if math.isfinite(value) else "!" for value in some
    )
    best = min(finite) if _falls(name) else max(finite)
    when = "" if "learning_rate" in name else f"  best {best:.4g} in epoch {epochs[values.index(best)]}"
    return f"{values[0]:.4g} -> {values[-1]:.4g}  {bars}{when}"


def _falls(name):
    """Whether lower values are better."""
    return any(word in name for word in ("loss", "error", "mae", "mse", "absolute", "squared", "perplexity", "entropy"))
