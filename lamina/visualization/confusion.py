"""The confusion matrix: how often each class is taken for each other one."""

from __future__ import annotations

import textwrap
from typing import Any, Literal

import numpy as np

from lamina.drawing.axes import GREY, INK, PALETTE
from lamina.drawing.canvas import Picture
from lamina.drawing.figure import Figure
from lamina.errors import ConfigError, DataError
from lamina.visualization.results import ClassNames, flat, labels_of, names_of, result_table, results_of, shares_of

__all__ = ["plot_confusion_matrix"]

_LINE = 78  # characters of a printed line
_LISTED = 20  # classes that are printed where a matrix does not fit
_SHORT = 24  # characters of a name in a picture
_DRAWN = 40  # classes of a picture that has numbers in its cells


def plot_confusion_matrix(
    y_true: Any,
    y_pred: Any = None,
    y: Any = None,
    *,
    class_names: ClassNames = None,
    normalize: Literal["true", "pred", "all"] = "true",
    threshold: float = 0.5,
    from_logits: bool | None = None,
) -> Figure:
    """How often each class was predicted as each other one, in counts and shares.

    Shapes: y_true (samples,), one-hot (samples, classes), or with more axes for pictures of classes; y_pred
    (samples,) or (samples, classes).

    Args:
        y_true: True classes: numbers, one-hot rows or texts. Or a model, followed by x and y, or by a data set.
        y_pred: Predictions as the model returns them, or classes. After a model: its inputs, or a data set.
        y: True classes, after a model and its inputs.
        class_names: Names of the classes, by number. None means the numbers.
        normalize: What the shares are parts of: the samples of the "true" class (the diagonal is then the recall),
            those of the predicted class ("pred", precision), or "all".
        threshold: Probability from which on a single output means class 1.
        from_logits: Whether the predictions are logits. None means what the model's loss says.

    Returns:
        A Figure. Its `numbers` are "matrix" (counts; row: true, column: predicted), "shares", "classes", "accuracy",
        "recall" and "precision" (an array over the classes; NaN where there are no samples).

    Raises:
        DataError: Targets or predictions are not of this form, or differ in length.

    >>> figure = plot_confusion_matrix([0, 1, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.1, 0.9]])
    >>> figure.numbers["matrix"].tolist()
    [[1, 0], [1, 2]]
    >>> figure
    Confusion matrix: accuracy 0.75 (3 of 4)
    true\\pred       0      1  recall
    0          1 100%   0 0%    100%
    1           1 33%  2 67%     67%
    precision     50%   100%
    """
    if normalize not in ("true", "pred", "all"):
        raise ConfigError(f'normalize is "true", "pred" or "all"; got {normalize!r}.', fix='normalize="true"')
    results = results_of(y_true, y_pred, y)
    true, pred = flat(results.y_true, results.y_pred)
    columns = pred.shape[1] if pred.ndim == 2 and pred.shape[1] > 1 else None
    pred = _predicted_labels(pred, threshold, results.has_logits(from_logits), class_names)
    true = labels_of(true, "y_true", class_names)
    classes = _classes(true, pred, columns, class_names)
    names = names_of(classes, class_names)
    places = {one: place for place, one in enumerate(classes)}
    matrix = np.zeros((len(classes), len(classes)), int)
    np.add.at(matrix, ([places[one] for one in true.tolist()], [places[one] for one in pred.tolist()]), 1)
    total = {"true": matrix.sum(1, keepdims=True), "pred": matrix.sum(0, keepdims=True), "all": matrix.sum()}[normalize]
    right = matrix.diagonal()
    numbers = {
        "matrix": matrix, "shares": _divided(matrix, total), "classes": names,
        "accuracy": float(right.sum() / len(true)),
        "recall": _divided(right, matrix.sum(1)), "precision": _divided(right, matrix.sum(0)),
    }  # fmt: skip
    title = f"Confusion matrix: accuracy {numbers['accuracy']:.4g} ({right.sum():,} of {len(true):,})"
    return Figure(title, _text(title, numbers), lambda: _picture(title, numbers), numbers=numbers)


def _predicted_labels(pred, threshold, logits, class_names):
    if pred.dtype.kind == "f":
        if pred.ndim == 2 and pred.shape[1] > 1:
            return pred.argmax(1)
        pred = pred.reshape(-1)
        if logits:
            return (pred >= np.log(threshold / (1 - threshold))).astype(int)
        if not (pred == np.round(pred)).all():
            return (shares_of(pred) >= threshold).astype(int)
    elif pred.ndim == 2 and pred.shape[1] > 1:
        return pred.argmax(1)
    return labels_of(pred, "y_pred", class_names)


def _classes(true, pred, columns, class_names):
    """The classes in order: all that are named or have an output; else those that occur."""
    found = set(true.tolist()) | set(pred.tolist())
    if any(isinstance(one, str) for one in found) and not all(isinstance(one, str) for one in found):
        text = next(one for one in found if isinstance(one, str))
        raise DataError(
            f"One of y_true and y_pred has texts ({text!r}), the other has numbers.",
            fix=f"class_names={sorted(one for one in found if isinstance(one, str))}",
        )
    if columns is not None:
        wrong = np.flatnonzero((true < 0) | (true >= columns))
        if len(wrong):
            raise DataError(
                f"y_true has class {true[wrong[0]]} in row {wrong[0]}, but y_pred has the classes 0 to {columns - 1}"
                f" ({len(wrong)} such rows).",
                fix="Number the classes from 0, as for fit.",
            )
        return list(range(columns))
    named = (
        range(len(class_names)) if class_names is not None and not isinstance(class_names, dict) else class_names or ()
    )
    return sorted(found if any(isinstance(one, str) for one in found) else found | set(named))


def _divided(part, whole):
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _share(value):
    return "-" if np.isnan(value) else f"{value:.0%}"


def _text(title, numbers):
    matrix, shares, names = numbers["matrix"], numbers["shares"], numbers["classes"]
    recall, precision = ([_share(value) for value in numbers[key]] for key in ("recall", "precision"))
    tables = []
    if len(names) <= _DRAWN:
        both = [[f"{n} {_share(p)}" for n, p in zip(*row, strict=True)] for row in zip(matrix, shares, strict=True)]
        tables = [
            [["true\\pred", *heads, "recall"]]
            + [[name, *row, part] for name, row, part in zip(names, cells, recall, strict=True)]
            + [["precision", *precision]]
            for cells, heads in ((both, names), (matrix, [name[:7] for name in names]))
        ]
    lists = sorted(zip(numbers["recall"], names, matrix.sum(1), recall, precision, strict=True), key=lambda row: row[0])
    tables.append([["class", "samples", "recall", "precision"], *([*row[1:]] for row in lists[:_LISTED])])
    if len(lists) > _LISTED:
        tables[-1].append([f"and {len(lists) - _LISTED} with more"])
    texts = [result_table(table) for table in tables]
    lines = [title, next((text for text in texts if max(map(len, text.splitlines())) <= _LINE), texts[-1])]
    wrong = [(int(matrix[i, j]), i, j) for i, j in np.argwhere(matrix * (1 - np.eye(len(names), dtype=int)))]
    wrong.sort(key=lambda entry: (-entry[0], *entry[1:]))
    if len(names) > 2 and wrong:
        said = ", ".join(f"{names[i]} as {names[j]} ({count})" for count, i, j in wrong[:5])
        lines += textwrap.wrap(f"Most often wrong: {said}", _LINE, subsequent_indent="    ")
    return "\n".join(lines)


def _picture(title, numbers):
    matrix, names = numbers["matrix"], numbers["classes"]
    count, named = len(names), len(names) <= _DRAWN
    size = 72 if count <= 8 else min(72, max(4, 900 / count))
    short = [name if len(name) <= _SHORT else f"{name[: _SHORT - 1]}…" for name in names if named]
    space = max(map(len, short), default=0) * 7.5
    left, top = 40 + space, 60
    turned = space > size
    width = max(left + count * size, 7.4 * len(title)) + 20
    picture = Picture(width, top + count * size + (space if turned else 16) + 40)
    picture.words(10, 16, title, INK, 14)
    picture.box((left, top, left + count * size, top + count * size), f"{GREY}14")
    for i, j in np.argwhere(matrix):
        _cell(
            picture, (left + j * size, top + i * size), size, int(matrix[i, j]), float(numbers["shares"][i, j]), i == j
        )
    for place, name in enumerate(short):
        middle = (place + 0.5) * size
        picture.words(left - 8, top + middle, name, INK, min(13, size), "end")
        below = top + count * size + (6 if turned else 14)
        picture.words(left + middle, below, name, INK, min(13, size), "end" if turned else "middle", turned)
    picture.words(left - 8, top - 12, "true", GREY, 11, "end")
    picture.words(left + count * size / 2, picture.height - 14, "predicted", GREY, 11, "middle")
    return picture


def _cell(picture, corner, size, count, share, right):
    (x, y), colour = corner, PALETTE[0] if right else PALETTE[1]
    picture.box((x + 0.5, y + 0.5, x + size - 0.5, y + size - 0.5), f"{colour}{round(20 + 235 * share):02x}")
    if size >= 22:
        ink, both = "#ffffff" if share > 0.55 else INK, size >= 44
        picture.words(x + size / 2, y + size * (0.4 if both else 0.5), count, ink, min(15, size / 3), "middle")
        picture.words(x + size / 2, y + size * 0.68, f"{share:.0%}" if both else "", ink, 11, "middle")
