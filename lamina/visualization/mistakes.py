"""What a classifier confuses: pairs of classes, precision and recall of each, and the mistakes it is surest of."""

from __future__ import annotations

import itertools
import textwrap
from typing import Any

import numpy as np

from lamina.drawing.figure import Figure
from lamina.errors import ConfigError, DataError
from lamina.visualization.results import ClassNames, flat, labels_of, names_of, result_table, results_of
from lamina.visualization.results import samples as count_in_words
from lamina.visualization.worst_samples import draw_samples, line_of_sample, shown_samples

__all__ = ["plot_mistakes"]

_LISTED, _WIDTH = 20, 78  # classes, and characters of a line, that are printed


def plot_mistakes(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    count: int = 5,
    class_names: ClassNames = None,
    from_logits: bool | None = None,
    show: Any = None,
) -> Figure:
    """What a classifier confuses: the pairs of classes that it takes for each other most often, precision and recall of
    each class, and the samples with the highest confidence in a wrong class. For two classes (one output or two),
    several exclusive classes, and several labels at once (targets with any number of ones in a row).

    Args:
        model: Model. Or the true classes, followed by predictions.
        x: Its inputs, or a data set that yields (x, y); or predictions.
        y: Targets: numbers, one-hot or multi-hot rows, texts. None where x is a data set or holds predictions.
        count: Number of samples and of pairs that are shown.
        class_names: Names of the classes, by number. None means the numbers.
        from_logits: Whether the predictions are logits. None means what the model's loss says.
        show: Function from one sample of x to what is shown of it: an array (a picture) or a text. None shows the
            sample itself.

    Returns:
        A Figure. Its `numbers` are "kind" ("binary", "multi-class" or "multi-label"), "classes", "samples",
        "precision" and "recall" (arrays over the classes; NaN where there are no samples), "pairs" (a list of (true,
        predicted, samples, share of the true class)), "wrong" (number of samples with a mistake), and "index",
        "confidence", "true", "predicted" of the surest mistakes.

    Raises:
        ConfigError: count is not positive.
        DataError: Targets and predictions are not those of a classifier, or differ in length.

    >>> plot_mistakes([0, 1, 2, 2], [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.0, 0.99, 0.01], [0.3, 0.1, 0.6]])
    Mistakes: 1 of 4 samples wrong
    class  samples  precision  recall
    2            2       100%     50%
    0            1       100%    100%
    1            1        50%    100%
    Most often: 2 as 1 (1 of 2)
    Surest mistakes:
     1. sample 2: 99% sure, true 2, predicted 1
    """
    if not isinstance(count, (int, np.integer)) or count < 1:
        raise ConfigError(f"count is a number of samples, 1 or more; got {count!r}.", fix="count=5")
    results = results_of(model, x, y)
    true, pred = flat(results.y_true, results.y_pred)
    if pred.dtype.kind not in "fiub" or (pred.ndim > 1 and pred.shape[-1] > 1 and pred.dtype.kind != "f"):
        raise DataError(
            f"Predictions of a classifier are scores of classes, or classes; got {pred.dtype} of shape {pred.shape}.",
            fix="Pass the probabilities: model.predict(x) as it is.",
        )
    logits = results.has_logits(from_logits)
    if _has_labels(true, pred, results.loss):
        numbers, lines = _labels(true.astype(bool), _shares(pred, logits), class_names, count)
    else:
        numbers, lines = _classes(true, pred, logits, class_names, count)
    samples = [] if results.x is None or len(results.y_true) != len(true) else shown_samples(
        results.x, numbers["index"], show)  # fmt: skip
    title = f"Mistakes: {numbers['wrong']:,} of {count_in_words(len(true))} wrong"
    shown = samples or [None] * len(numbers["index"])
    said = [line_of_sample(place, numbers, sample) for place, sample in enumerate(shown)]
    text = "\n".join([title, *lines, *(["Surest mistakes:", *said] if said else [])])
    head = list(itertools.dropwhile(lambda line: not line.startswith("Most often"), lines))
    return Figure(title, text, lambda: draw_samples(title, numbers, samples, head), numbers=numbers)


def _has_labels(true, pred, loss):
    """Whether several classes may be true of one sample."""
    if true.ndim != 2 or true.shape != pred.shape or true.shape[1] < 2 or not np.isin(true, (0, 1)).all():
        return False
    return bool((true.sum(1) != 1).any()) or "binary" in str(getattr(loss, "name", loss)).lower()


def _shares(pred, logits):
    return 0.5 * (1 + np.tanh(0.5 * pred)) if logits else pred


def _classes(true, pred, logits, class_names, count):
    """(numbers, lines) of exclusive classes."""
    true = labels_of(true, "y", class_names)
    if pred.ndim == 1 or pred.shape[1] == 1:
        pred = pred.reshape(-1)
        if pred.dtype.kind in "iub":
            pred = np.eye(int(max(pred.max(), true.max())) + 1)[pred.astype(int)]
        else:
            share = _shares(pred, logits)
            pred = np.stack([1 - share, share], 1)
    elif logits:
        powers = np.exp(pred - pred.max(1, keepdims=True))
        pred = powers / powers.sum(1, keepdims=True)
    size = pred.shape[1]
    if true.dtype.kind not in "iu" or true.min() < 0 or true.max() >= size:
        raise DataError(
            f"Class numbers for {size} outputs are 0 to {size - 1}; y has {true.min()} to {true.max()}.",
            fix="Number the classes from 0, as for fit.",
        )
    names, said = names_of(range(size), class_names), pred.argmax(1)
    matrix = np.zeros((size, size), int)
    np.add.at(matrix, (true, said), 1)
    wrong = np.flatnonzero(said != true)
    sure = wrong[np.argsort(-pred[wrong, said[wrong]], kind="stable")][:count]
    pairs = [(i, j, int(matrix[i, j]), int(matrix[i].sum())) for i, j in np.argwhere(matrix) if i != j]
    numbers = {
        "kind": "binary" if size == 2 else "multi-class", "classes": names, "wrong": len(wrong),
        **_rates(matrix.diagonal(), matrix.sum(1), matrix.sum(0)), "index": sure, "confidence": pred[sure, said[sure]],
        "true": [names[one] for one in true[sure]], "predicted": [names[one] for one in said[sure]],
    }  # fmt: skip
    return _told(numbers, pairs, count, "as")


def _labels(true, shares, class_names, count):
    """(numbers, lines) of labels that do not exclude each other."""
    names, said = names_of(range(true.shape[1]), class_names), shares >= 0.5
    differs = np.where(true != said, np.abs(shares - true), 0)
    wrong = np.flatnonzero((true != said).any(1))
    sure = wrong[np.argsort(-differs[wrong].max(1), kind="stable")][:count]
    together = (true & ~said).astype(int).T @ (said & ~true).astype(int)  # missed one, and said another
    pairs = [(i, j, int(together[i, j]), int(true[:, i].sum())) for i, j in np.argwhere(together)]
    listed = lambda rows: [", ".join(names[one] for one in np.flatnonzero(row)) or "none" for row in rows]  # noqa: E731
    numbers = {
        "kind": "multi-label", "classes": names, "wrong": len(wrong),
        **_rates((true & said).sum(0), true.sum(0), said.sum(0)), "index": sure, "confidence": differs[sure].max(1),
        "true": listed(true[sure]), "predicted": listed(said[sure]),
    }  # fmt: skip
    return _told(numbers, pairs, count, "missed where it said")


def _rates(right, true, said):
    with np.errstate(invalid="ignore", divide="ignore"):
        return {"samples": true, "precision": right / said, "recall": right / true}


def _told(numbers, pairs, count, words):
    names = numbers["classes"]
    pairs = sorted(pairs, key=lambda pair: -pair[2])
    numbers["pairs"] = [(names[i], names[j], many, many / of) for i, j, many, of in pairs]
    share = lambda value: "-" if np.isnan(value) else f"{value:.0%}"  # noqa: E731
    rows = sorted(zip(numbers["recall"], names, numbers["samples"], numbers["precision"], strict=True),
                  key=lambda row: (np.nan_to_num(row[0], nan=2), row[1]))  # fmt: skip
    table = [["class", "samples", "precision", "recall"]]
    table += [[name, many, share(precision), share(recall)] for recall, name, many, precision in rows[:_LISTED]]
    table += [[f"and {len(rows) - _LISTED} with more recall"]] if len(rows) > _LISTED else []
    lines = result_table(table).splitlines()
    if pairs:
        said = ", ".join(f"{names[i]} {words} {names[j]} ({many} of {of})" for i, j, many, of in pairs[:count])
        lines += textwrap.wrap(f"Most often: {said}", _WIDTH, subsequent_indent="    ")
    return numbers, lines
