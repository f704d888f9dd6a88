"""A plot inside a picture: its frame, ticks and legend, and lines, points and bars in the units of the data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lamina.drawing.canvas import INK

if TYPE_CHECKING:
    from lamina.drawing.canvas import Picture

__all__ = ["FAINT", "GREY", "INK", "PALETTE", "Axes", "padded", "sparkline", "ticks"]

GREY, FAINT = "#757575", "#75757540"  # legible on white and on black
PALETTE: tuple[str, ...] = ("#1f78d1", "#d96b0b", "#2a9461", "#9a5fd0", "#d2484c", "#1493a5", "#9a7b1c", "#c2509a")
_BARS = "▁▂▃▄▅▆▇█"
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 30, 34


class Axes:
    """A plot with axes.

    Args:
        picture: Picture to draw in.
        corner: (left, top) of the plot with its labels, in pixels.
        size: (width, height) of the same.
        x: (lowest, highest) value across.
        y: (lowest, highest) value upwards.
        title: Text above.
        labels: Texts below and, above the y axis, of what is drawn.
        x_ticks: Values with a number below; None means round ones.
        log_x: Whether the values across are drawn by their logarithms.
    """

    def __init__(
        self,
        picture: Picture,
        corner: tuple[float, float],
        size: tuple[float, float],
        x: tuple[float, float],
        y: tuple[float, float],
        title: str = "",
        label: str = "",
        x_ticks: Sequence[float] | None = None,
        log_x: bool = False,
    ):
        self._picture, self._x, self._y, self._log = picture, x, y, log_x
        left, top = corner
        self.box: tuple[float, float, float, float] = (
            left + _LEFT, top + _TOP, left + size[0] - _RIGHT, top + size[1] - _BOTTOM,
        )  # fmt: skip
        self._legend = self.box[2]
        picture.words(self.box[0], top + 14, title, INK, 13)
        for value in ticks(*y):
            height = self.at(x[0], value)[1]
            picture.line([(self.box[0], height), (self.box[2], height)], FAINT)
            picture.words(self.box[0] - 6, height, f"{value:.4g}", GREY, 11, "end")
        for value in (_decades(*x) if log_x else ticks(*x)) if x_ticks is None else x_ticks:
            picture.words(self.at(value, y[0])[0], self.box[3] + 13, f"{value:.4g}", GREY, 11, "middle")
        picture.words((self.box[0] + self.box[2]) / 2, self.box[3] + 27, label, GREY, 11, "middle")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a point.

        Args:
            x, y: The point.
        """
        low, high = map(math.log10, self._x) if self._log else self._x
        across = ((math.log10(x) if self._log else x) - low) / (high - low)
        up = (y - self._y[0]) / (self._y[1] - self._y[0])
        left, top, right, bottom = self.box
        return left + across * (right - left), bottom - up * (bottom - top)

    def line(self, points: Iterable[tuple[float, float]], colour: str = PALETTE[0], width: float = 2) -> None:
        """Draw a line through points; those that are not finite are left out.

        Args:
            points: (x, y) of each.
            colour: Colour of the line.
            width: Its width in pixels.
        """
        finite = [self.at(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        if len(finite) > 1:
            self._picture.line(finite, colour, width)

    def points(self, points: Iterable[tuple[float, float]], colour: str = PALETTE[0], diamond: bool = False) -> None:
        """Draw a mark at each point that is finite.

        Args:
            points: (x, y) of each.
            colour: Colour of the marks.
            diamond: Whether the marks are diamonds, not squares.
        """
        for x, y in points:
            if math.isfinite(x) and math.isfinite(y):
                self._picture.area((_diamond if diamond else _square)(*self.at(x, y)), colour)

    def bar(self, x: tuple[float, float], y: float, colour: str = PALETTE[0]) -> None:
        """Draw a bar that stands on the x axis.

        Args:
            x: Where it begins and ends.
            y: How high it is.
            colour: Its colour.
        """
        left, bottom = self.at(x[0], self._y[0])
        right, top = self.at(x[1], y)
        self._picture.box((left + 0.5, top, max(right - 0.5, left + 1), bottom), colour)

    def legend(self, words: str, colour: str) -> None:
        """Name a colour above the plot, at its right end; the next name stands to the left of it.

        Args:
            words: What is drawn in the colour.
            colour: The colour.
        """
        self._picture.words(self._legend, self.box[1] - 16, words, colour, 11, "end")
        self._legend -= 6 * len(words) + 12


def sparkline(values: Sequence[float], width: int = 60, ends: tuple[float, float] | None = None) -> str:
    """A line of bars; "!" is a value that is not finite.

    Args:
        values: Numbers.
        width: Characters at most.
        ends: Values of the lowest and the highest bar. None means those of the numbers.

    >>> sparkline([4.0, 2.0, 1.0])
    '█▃▁'
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = ends or (min(finite, default=0.0), max(finite, default=1.0))
    last = len(values) - 1
    some = [values[round(place * last / (width - 1))] for place in range(width)] if last >= width else values
    return "".join(_BARS[round((v - low) / (high - low or 1.0) * 7)] if math.isfinite(v) else "!" for v in some)


def padded(values: Iterable[float]) -> tuple[float, float]:
    """(lowest, highest) of the finite values, with a margin.

    Args:
        values: Numbers.
    """
    values = [value for value in values if math.isfinite(value)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
    return low - margin, high + margin


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers between two, at most `wanted`.

    Args:
        low: Lowest number.
        high: Highest number.
        wanted: How many at most.

    >>> ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    step = 10 ** math.floor(math.log10((high - low) / wanted))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= wanted)
    return [float(f"{number * step:.12g}") for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _decades(low, high):
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    return [10.0**power for power in powers][:: max(1, len(powers) // 5)]


def _square(x, y):
    return [(x - 3, y - 3), (x + 3, y - 3), (x + 3, y + 3), (x - 3, y + 3)]


def _diamond(x, y):
    return [(x, y - 4), (x + 4, y), (x, y + 4), (x - 4, y)]
