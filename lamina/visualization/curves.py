"""ROC, precision-recall and calibration curves."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.drawing.axes import FAINT, GREY, INK, PALETTE, Axes, sparkline
from lamina.drawing.canvas import Picture
from lamina.drawing.figure import Figure
from lamina.errors import ConfigError, DataError
from lamina.visualization.results import ClassNames, result_table, results_of, samples, scores_of, shares_of

__all__ = ["plot_calibration", "plot_precision_recall", "plot_roc"]

_SIDE = 380  # of a plot, in pixels
_DRAWN = 8  # classes with a colour of their own
_POINTS = 400  # of a drawn line


def plot_roc(
    y_true: Any, y_pred: Any = None, y: Any = None, *, class_names: ClassNames = None, from_logits: bool | None = None
) -> Figure:
    """The receiver operating characteristic: the share of the positives that are found (true positive rate) against
    that of the negatives that are taken for them (false positive rate), for every threshold. With more than two
    classes, or several labels, there is a curve for each against the rest.

    Shapes: y_true (samples,), or one-hot or several labels (samples, classes); y_pred (samples,) or (samples, classes).

    Args:
        y_true: True classes. Or a model, followed by x and y, or by a data set.
        y_pred: Probabilities, or other scores that are higher for the class. After a model: its inputs, or a data set.
        y: True classes, after a model and its inputs.
        class_names: Names of the classes, by number. None means the numbers.
        from_logits: Whether the predictions are logits. None means what the model's loss says.

    Returns:
        A Figure. Its `numbers` are "area" (over several classes their mean), "areas" (by class) and "curves" (by class:
        a dict of "fpr", "tpr" and "thresholds", the first of which is infinite); for two classes also these three.

    Raises:
        DataError: Targets or predictions are not of this form, or all samples are of one class.

    Source: Fawcett, An introduction to ROC analysis (2006).

    >>> figure = plot_roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> figure.numbers["area"], figure.numbers["thresholds"].tolist()
    (0.75, [inf, 0.8, 0.4, 0.35, 0.1])
    """

    def curve(truth, scores):
        hits, misses, thresholds = _counts(truth, scores)
        tpr, fpr = np.append(0, hits) / hits[-1], np.append(0, misses) / misses[-1]
        area = float(np.sum(np.diff(fpr) * (tpr[1:] + tpr[:-1]) / 2))
        return {"fpr": fpr, "tpr": tpr, "thresholds": np.append(np.inf, thresholds)}, area, np.argmax(tpr - fpr)

    axes = "false positive rate", "true positive rate"
    return _curves("ROC curve", axes, ("fpr", "tpr"), curve, results_of(y_true, y_pred, y), class_names, from_logits)


def plot_precision_recall(
    y_true: Any, y_pred: Any = None, y: Any = None, *, class_names: ClassNames = None, from_logits: bool | None = None
) -> Figure:
    """Precision (the share of the samples taken for the class that are of it) against recall (the share of the samples
    of the class that are found), for every threshold. It tells more than the ROC curve where the class is rare.

    Shapes: y_true (samples,), or one-hot or several labels (samples, classes); y_pred (samples,) or (samples, classes).

    Args:
        y_true: True classes. Or a model, followed by x and y, or by a data set.
        y_pred: Probabilities, or other scores that are higher for the class. After a model: its inputs, or a data set.
        y: True classes, after a model and its inputs.
        class_names: Names of the classes, by number. None means the numbers.
        from_logits: Whether the predictions are logits. None means what the model's loss says.

    Returns:
        A Figure. Its `numbers` are "area" (the average precision; over several classes their mean), "areas" (by class)
        and "curves" (by class: a dict of "precision", "recall" and "thresholds", with rising thresholds and a last
        point of recall 0); for two classes also these three.

    Raises:
        DataError: Targets or predictions are not of this form, or all samples are of one class.

    >>> figure = plot_precision_recall([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> round(figure.numbers["area"], 4), figure.numbers["recall"].tolist()
    (0.8333, [1.0, 1.0, 0.5, 0.5, 0.0])
    """

    def curve(truth, scores):
        hits, misses, thresholds = _counts(truth, scores)
        precision = np.append(1, hits / (hits + misses))[::-1]
        recall = np.append(0, hits / hits[-1])[::-1]
        area = float(-np.sum(np.diff(recall) * precision[:-1]))
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
        return {"precision": precision, "recall": recall, "thresholds": thresholds[::-1]}, area, np.argmax(f1[:-1])

    axes, keys = ("recall", "precision"), ("recall", "precision")
    return _curves("Precision-recall curve", axes, keys, curve, results_of(y_true, y_pred, y), class_names, from_logits)


def _counts(truth, scores):
    """(true positives, false positives, threshold) at each distinct score, from the highest."""
    order = np.argsort(-scores, kind="stable")
    truth, scores = truth[order], scores[order]
    ends = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    hits = np.cumsum(truth)[ends]
    return hits, 1 + ends - hits, scores[ends]


def _curves(title, axes, keys, curve, results, class_names, from_logits):
    truth, scores, names = scores_of(results, class_names, from_logits)
    curves, areas, best, absent = {}, {}, {}, []
    for column, name in enumerate(names):
        if truth[:, column].all() or not truth[:, column].any():
            absent.append(name)
        else:
            curves[name], areas[name], best[name] = curve(truth[:, column], scores[:, column])
    if not curves:
        raise DataError(
            f"All {len(truth)} samples of y_true are of one class; a curve needs both.",
            fix="Pass samples of both classes.",
        )
    area = float(np.mean(list(areas.values())))
    single = len(names) == 1
    what = "average precision" if "recall" in keys[0] else "area"
    numbers = {"area": area, "areas": areas, "curves": curves, **(curves[names[0]] if single else {})}
    head = f"{title} of {'class ' + names[0] if single else f'{len(curves)} classes, each against the rest'}"
    head += f": {'' if single else 'mean '}{what} {area:.4g} ({samples(len(truth))})"
    text = _curve_text(head, keys, curves, areas, best, truth, names, absent, what)
    return Figure(head, text, lambda: _curve_picture(head, axes, keys, curves, areas, best, truth), numbers=numbers)


def _curve_text(head, keys, curves, areas, best, truth, names, absent, what):
    if len(names) == 1:
        curve, place = curves[names[0]], best[names[0]]
        shown = sorted({*_round_thresholds(curve), int(place)}, key=lambda at: -curve["thresholds"][at])
        goal = "highest F1" if "recall" in keys else "furthest from chance"
        rows = [["threshold", *keys, ""]]
        for at in shown:
            rows.append(
                [
                    f"{curve['thresholds'][at]:.4g}",
                    *(f"{curve[key][at]:.4f}" for key in keys),
                    goal if at == place else "",
                ]
            )
        return f"{head}\n{result_table(rows)}"
    rows = [["class", "samples", what, "best threshold", *keys, "curve"]]
    for name, curve in curves.items():
        at = best[name]
        x, y = (curve[key] for key in keys)
        way = 1 if x[-1] >= x[0] else -1
        line = sparkline(np.interp(np.linspace(0, 1, 16), x[::way], y[::way]).tolist(), ends=(0, 1))
        numbers = f"{areas[name]:.4g}", f"{curve['thresholds'][at]:.4g}", f"{x[at]:.4f}", f"{y[at]:.4f}"
        rows.append([name, int(truth[:, names.index(name)].sum()), *numbers, line])
    notes = [f"No curve for {', '.join(absent)}: y_true has no sample of it, or no other."] if absent else []
    return "\n".join([head, result_table(rows), *notes])


def _round_thresholds(curve):
    """Places of the curve whose thresholds are nearest below round numbers."""
    thresholds = curve["thresholds"]
    finite = np.flatnonzero(np.isfinite(thresholds))
    values = thresholds[finite]
    if values.min() >= 0 and values.max() <= 1:
        wanted = np.arange(9, 0, -1) / 10
    else:
        wanted = np.quantile(values, np.arange(9, 0, -1) / 10)
    return {
        int(finite[np.argmin(np.where(values >= one, values - one, np.inf))]) for one in wanted if values.max() >= one
    }


def _curve_picture(head, axes, keys, curves, areas, best, truth):
    several = len(curves) > 1
    picture = Picture(max(_SIDE + (240 if several else 0), 7 * len(head)) + 20, _SIDE + 26)
    picture.words(10, 16, head, INK, 13)
    plot = Axes(picture, (0, 26), (_SIDE, _SIDE), (0, 1), (0, 1), axes[1], axes[0])
    share = truth.mean()
    plot.line([(0, 0), (1, 1)] if keys[0] == "fpr" else [(0, share), (1, share)] * (not several), FAINT, 1.5)
    worst = sorted(curves, key=areas.__getitem__)[:_DRAWN]
    for name, curve in reversed(curves.items()):
        colour = PALETTE[worst.index(name)] if name in worst else FAINT
        x, y = (curve[key] for key in keys)
        some = np.unique(np.linspace(0, len(x) - 1, _POINTS).astype(int))
        plot.line(zip(x[some], y[some], strict=True), colour)
    for place, name in enumerate(worst if several else ()):
        picture.area(
            [
                (_SIDE, 60 + 20 * place),
                (_SIDE + 12, 60 + 20 * place),
                (_SIDE + 12, 66 + 20 * place),
                (_SIDE, 66 + 20 * place),
            ],
            PALETTE[place],
        )
        picture.words(_SIDE + 18, 63 + 20 * place, f"{name[:22]}  {areas[name]:.4g}", INK, 12)
    if len(curves) > len(worst):
        picture.words(_SIDE, 66 + 20 * len(worst), f"and {len(curves) - len(worst)} classes with more", GREY, 11)
    if not several:
        (name, curve), *_ = curves.items()
        _mark_thresholds(picture, plot, curve, keys, int(best[name]))
    return picture


def _mark_thresholds(picture, plot, curve, keys, best):
    """Marks on the curve with their thresholds, where there is space: below the curve."""
    placed, anchor, aside = [], *(("start", 8) if keys[0] == "fpr" else ("end", -8))
    for at in [best, *sorted(_round_thresholds(curve))]:
        point = curve[keys[0]][at], curve[keys[1]][at]
        x, y = plot.at(*point)
        if all(abs(x - other[0]) > 34 or abs(y - other[1]) > 14 for other in placed):
            placed.append((x, y))
            colour = PALETTE[1] if at == best else PALETTE[0]
            plot.points([point], colour, diamond=at == best)
            words = f"{curve['thresholds'][at]:.2g}"
            picture.words(x + aside, y + 10, words, colour if at == best else GREY, 11, anchor)


def plot_calibration(
    y_true: Any,
    y_pred: Any = None,
    y: Any = None,
    *,
    class_names: ClassNames = None,
    bins: int = 10,
    from_logits: bool | None = None,
) -> Figure:
    """The reliability diagram: in each bin of predicted probability, how often the prediction was right. A model
    whose probabilities can be taken at their word is on the diagonal. The expected calibration error is the mean
    distance from it, weighted by the samples of the bins.

    With two classes it is the probability of class 1, against the share of class 1; with more, that of the class with
    the highest probability, against the share of samples where that class is right.

    Shapes: y_true (samples,) or one-hot (samples, classes); y_pred (samples,) or (samples, classes).

    Args:
        y_true: True classes. Or a model, followed by x and y, or by a data set.
        y_pred: Probabilities. After a model: its inputs, or a data set.
        y: True classes, after a model and its inputs.
        class_names: Names of the classes, by number, where y_true has texts.
        bins: Number of bins, each as wide as the others.
        from_logits: Whether the predictions are logits. None means what the model's loss says.

    Returns:
        A Figure. Its `numbers` are "error" (the expected calibration error), and for the bins that have samples
        "confidence" (mean predicted probability), "share" (that are right), "counts" and "edges" (of all bins).

    Raises:
        DataError: Targets are no classes, or predictions are no probabilities.

    Source: Guo et al., On Calibration of Modern Neural Networks (2017).

    >>> figure = plot_calibration([0, 1, 1, 1], [0.1, 0.6, 0.9, 0.9], bins=2)
    >>> figure
    Calibration: expected calibration error 0.175 (4 samples)
    probability  samples  mean  share   gap
    0.0 to 0.5         1   0.1      0  -0.1
    0.5 to 1.0         3   0.8      1  +0.2
    """
    if not isinstance(bins, (int, np.integer)) or bins < 1:
        raise ConfigError(f"bins is a number of bins, 1 or more; got {bins!r}.", fix="bins=10")
    truth, scores, names = scores_of(results_of(y_true, y_pred, y), class_names, from_logits)
    scores = shares_of(scores)
    if len(names) > 1:
        if not (truth.sum(1) == 1).all():
            raise DataError(
                "y_true has several labels for a sample.", fix="Look at one label: y_true[:, 0], y_pred[:, 0]."
            )
        chosen = scores.argmax(1)[:, None]
        truth, scores = np.take_along_axis(truth, chosen, 1), np.take_along_axis(scores, chosen, 1)
    truth, scores = truth[:, 0], scores[:, 0]
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], scores)
    counts = np.bincount(place, minlength=bins)
    kept = counts > 0
    confidence, share = (np.bincount(place, values, bins)[kept] / counts[kept] for values in (scores, truth))
    error = float(np.sum(counts[kept] * np.abs(confidence - share)) / len(scores))
    numbers = {"error": error, "confidence": confidence, "share": share, "counts": counts[kept], "edges": edges}
    title = f"Calibration: expected calibration error {error:.4g} ({samples(len(scores))})"
    rows = [["probability", "samples", "mean", "share", "gap"]]
    for at, count, mean, right in zip(np.flatnonzero(kept), counts[kept], confidence, share, strict=True):
        rows.append(
            [f"{edges[at]:.4} to {edges[at + 1]:.4}", count, f"{mean:.4g}", f"{right:.4g}", f"{right - mean:+.2g}"]
        )
    label = "probability of class 1" if len(names) == 1 else "probability of the predicted class"
    return Figure(
        title,
        f"{title}\n{result_table(rows)}",
        lambda: _calibration_picture(title, numbers, kept, label),
        numbers=numbers,
    )


def _calibration_picture(title, numbers, kept, label):
    picture = Picture(_SIDE + 10, _SIDE + 126)
    picture.words(10, 16, title, INK, 13)
    plot = Axes(picture, (0, 26), (_SIDE, _SIDE), (0, 1), (0, 1), "share that is true", label)
    edges, counts = numbers["edges"], numbers["counts"]
    for at, share in zip(np.flatnonzero(kept), numbers["share"], strict=True):
        plot.bar((edges[at], edges[at + 1]), share, f"{PALETTE[0]}50")
    plot.line([(0, 0), (1, 1)], GREY, 1.5)
    points = list(zip(numbers["confidence"], numbers["share"], strict=True))
    plot.line(points)
    plot.points(points)
    below = Axes(picture, (0, _SIDE + 16), (_SIDE, 110), (0, 1), (0, counts.max()), "samples", x_ticks=())
    for at, count in zip(np.flatnonzero(kept), counts, strict=True):
        below.bar((edges[at], edges[at + 1]), count, f"{PALETTE[0]}90")
    return picture
