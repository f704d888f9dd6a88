"""Residuals of a regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.drawing.axes import GREY, INK, PALETTE, Axes, padded, sparkline
from lamina.drawing.canvas import Picture
from lamina.drawing.figure import Figure
from lamina.errors import DataError
from lamina.visualization.results import flat, result_table, results_of, samples

__all__ = ["plot_residuals"]

_WIDTH, _HEIGHT, _HEAD = 360, 320, 26
_POINTS = 2000  # that are drawn
_DRAWN = 4  # targets that are drawn


def plot_residuals(
    y_true: Any, y_pred: Any = None, y: Any = None, *, names: Sequence[str] | None = None, bins: int = 24
) -> Figure:
    """How far the predictions of a regression are from the targets: predicted against true values, and the histogram of
    the residuals (predicted - true).

    Shapes: y_true and y_pred (samples,) or (samples, targets).

    Args:
        y_true: True values. Or a model, followed by x and y, or by a data set.
        y_pred: Predicted values. After a model: its inputs, or a data set.
        y: True values, after a model and its inputs.
        names: Names of the targets, where there are several. None numbers them.
        bins: Bars of the histogram.

    Returns:
        A Figure. Its `numbers` are "r2" (coefficient of determination), "rmse", "mae", "bias" (mean residual), and
        "residuals"; with several targets an array over them, and residuals of shape (samples, targets).

    Raises:
        DataError: Targets and predictions are not numbers, or have different shapes.

    >>> figure = plot_residuals([1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 3.0, 3.5])
    >>> round(figure.numbers["r2"], 3), round(figure.numbers["rmse"], 4)
    (0.9, 0.3536)
    >>> print(str(figure).splitlines()[0])
    Residuals: R2 0.9, RMSE 0.3536 (4 samples)
    """
    results = results_of(y_true, y_pred, y)
    for name, values in (("y_true", results.y_true), ("y_pred", results.y_pred)):
        if values.dtype.kind not in "fiub":
            raise DataError(
                f"{name} must have numbers; got {values.dtype}.",
                fix="keras.visualization.plot_confusion_matrix(y_true, y_pred) is for classes.",
            )
    true, pred = (values.astype(float).reshape(len(values), -1) for values in flat(results.y_true, results.y_pred))
    if true.shape != pred.shape:
        raise DataError(
            f"y_true has shape {results.y_true.shape} and y_pred {results.y_pred.shape}; they must be the same.",
            fix="Pass the target of each output: y_pred[:, 0] for one of several.",
        )
    targets = true.shape[1]
    names = [str(name) for name in (range(targets) if names is None else names)]
    if len(names) != targets:
        raise DataError(
            f"{len(names)} names were given for {targets} targets.", fix=f"names={[*map(str, range(targets))]}"
        )
    residuals = pred - true
    squares, spread = (residuals**2).sum(0), ((true - true.mean(0)) ** 2).sum(0)
    r2 = np.where(spread > 0, 1 - squares / np.where(spread > 0, spread, 1), np.where(squares > 0, 0.0, 1.0))
    numbers = {
        "r2": r2, "rmse": np.sqrt((residuals**2).mean(0)), "mae": np.abs(residuals).mean(0),
        "bias": residuals.mean(0), "residuals": residuals,
    }  # fmt: skip
    rows = [["target", "R2", "RMSE", "MAE", "bias", "lowest", "highest", "residuals"]]
    for place, name in enumerate(names):
        column = residuals[:, place]
        cells = [numbers[key][place] for key in ("r2", "rmse", "mae", "bias")] + [column.min(), column.max()]
        rows.append([name, *(f"{cell:.4g}" for cell in cells), sparkline(np.histogram(column, 16)[0].tolist())])
    if targets == 1:
        rows = [row[1:] for row in rows]
        numbers = {key: value[..., 0] if key == "residuals" else float(value[0]) for key, value in numbers.items()}
        title = f"Residuals: R2 {numbers['r2']:.4g}, RMSE {numbers['rmse']:.4g} ({samples(len(true))})"
    else:
        title = f"Residuals of {targets} targets: mean R2 {r2.mean():.4g} ({samples(len(true))})"
    text = f"{title}\n{result_table(rows)}"
    return Figure(title, text, lambda: _picture(title, true, pred, names, bins), numbers=numbers)


def _picture(title, true, pred, names, bins):
    drawn = names[:_DRAWN]
    picture = Picture(2 * _WIDTH, _HEAD + len(drawn) * _HEIGHT)
    picture.words(10, 16, title, INK, 13)
    some = np.unique(np.linspace(0, len(true) - 1, _POINTS).astype(int))
    left_out = "" if len(some) == len(true) else f" ({len(some):,} of {len(true):,} points)"
    for place, name in enumerate(drawn):
        of = f" of {name}" if len(names) > 1 else ""
        top, x, y = _HEAD + place * _HEIGHT, true[:, place], pred[:, place]
        ends = padded([*x, *y])
        plot = Axes(picture, (0, top), (_WIDTH, _HEIGHT), ends, ends, f"predicted{of}", f"true{of}{left_out}")
        plot.line([(ends[0], ends[0]), (ends[1], ends[1])], GREY, 1.5)
        plot.points(zip(x[some], y[some], strict=True), f"{PALETTE[0]}80")
        counts, edges = np.histogram(y - x, bins)
        plot = Axes(
            picture, (_WIDTH, top), (_WIDTH, _HEIGHT), (edges[0], edges[-1]), (0, counts.max() * 1.05), f"samples{of}",
            "residual (predicted - true)",
        )  # fmt: skip
        for count, start, end in zip(counts, edges[:-1], edges[1:], strict=True):
            plot.bar((start, end), count, f"{PALETTE[0]}b0")
        if edges[0] < 0 < edges[-1]:
            plot.line([(0, 0), (0, counts.max() * 1.05)], GREY, 1.5)
    return picture
