"""The samples that a model gets most wrong, to look at."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from lamina.core.variable import unwrap
from lamina.drawing.axes import GREY, INK, PALETTE
from lamina.drawing.canvas import Picture
from lamina.drawing.figure import Figure
from lamina.errors import ConfigError
from lamina.runtime import settings
from lamina.training.compile import resolve_loss
from lamina.visualization.results import ClassNames, labels_of, names_of, results_of
from lamina.visualization.results import samples as count_in_words

__all__ = ["draw_samples", "line_of_sample", "plot_worst_samples", "shown_samples"]

_TILE, _COLUMNS, _CAPTION = 150, 5, 46
_WIDTH = 78  # characters of a printed line
_TEXT = 240  # characters of a sample that are shown


def plot_worst_samples(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    count: int = 10,
    class_names: ClassNames = None,
    loss: Any = None,
    show: Callable[[Any], Any] | None = None,
) -> Figure:
    """The samples with the highest loss: pictures, texts or rows of numbers, each with what is true, what the model
    said and its loss. Wrong labels and odd data are usually among them.

    Args:
        model: Model.
        x: Its inputs: pictures (samples, height, width, channels), or (samples, height, width) in shades of grey;
            texts; rows of numbers, also as a DataFrame; a list or dict of inputs; or a data set that yields (x, y).
        y: Targets. None where x is a data set.
        count: Number of samples.
        class_names: Names of the classes, by number. None means the numbers.
        loss: Loss to order by. None means the one that the model was compiled with.
        show: Function from one sample of x to what is shown of it: an array (a picture) or a text, such as
            `lambda ids: " ".join(words[i] for i in ids)`. None shows the sample itself.

    Returns:
        A Figure. Its `numbers` are "index" (places in x, the worst first), "loss", "true" and "predicted" of these
        samples, and "losses" of all samples.

    Raises:
        ConfigError: There is no loss, or count is not positive.
        DataError: The model has several outputs, or data and predictions differ in length.

    >>> import lamina as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    >>> plot_worst_samples(model, np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([3.0, 0.0]), loss="mse", count=1)
    The worst of 2 samples by mean_squared_error
     1. sample 1: loss 49, true 0, predicted 7
        0: 3, 1: 4
    """
    if not isinstance(count, (int, np.integer)) or count < 1:
        raise ConfigError(f"count is a number of samples, 1 or more; got {count!r}.", fix="count=10")
    results = results_of(model, x, y)
    name, losses = _losses(results, results.loss if loss is None else loss)
    index = np.argsort(-losses, kind="stable")[:count]
    true, predicted = _described(results, index, class_names)
    samples = shown_samples(results.x, index, show)
    numbers = {"index": index, "loss": losses[index], "true": true, "predicted": predicted, "losses": losses}
    many = len(index) > 1
    title = f"The worst {f'{len(index)} ' if many else ''}of {count_in_words(len(losses))} by {name}"
    text = "\n".join([title, *(line_of_sample(place, numbers, sample) for place, sample in enumerate(samples))])
    return Figure(title, text, lambda: draw_samples(title, numbers, samples), numbers=numbers)


def shown_samples(x: Any, index: Any, show: Callable[[Any], Any] | None) -> list[Any]:
    """Samples as pictures (arrays of bytes) or texts.

    Args:
        x: Inputs.
        index: Places of the samples.
        show: Function from a sample to an array or a text; None for the sample itself.
    """
    found = (_sample(x, place) for place in index)
    return _as_pixels([_shown(sample if show is None else show(sample), show) for sample in found])


def _losses(results, loss):
    """(name of the loss, its value for each sample)."""
    if loss is None or isinstance(loss, (dict, list, tuple)):
        raise ConfigError(
            "Samples are ordered by a loss, and the model was not compiled with one for a single output.",
            fix='Pass it: loss="mse", or loss="sparse_categorical_crossentropy".',
        )
    true, pred = results.y_true, results.y_pred
    loss = cast("Any", resolve_loss(loss, true, pred))
    values = np.asarray(unwrap(loss.call(_for_loss(true, pred), pred)), float)
    if not values.ndim or len(values) != len(pred):
        raise ConfigError(
            f"{loss.name} gives one value for all samples together, of shape {values.shape}.",
            fix='Pass a loss with a value for each sample, such as loss="mse".',
        )
    values = values.reshape(len(values), -1).mean(1)
    return loss.name, np.where(np.isfinite(values), values, np.inf)


def _for_loss(true, pred):
    true = true.astype(pred.dtype) if true.dtype.kind == "b" else true
    return true[:, None] if true.ndim == 1 and pred.ndim == 2 and pred.shape[1] == 1 else true


def _described(results, index, class_names):
    """(true, predicted) of some samples, in words: classes by name and probability, numbers as they are."""
    true, pred = results.y_true[index], results.y_pred[index]
    wide = pred.ndim == 2 and pred.shape[1] > 1
    shares = ((pred >= 0) & (pred <= 1)).all()
    if pred.ndim > 2 or (true.shape == pred.shape and wide and not np.isin(true, (0, 1)).all()):
        return [_number(row) for row in true], [_number(row) for row in pred]
    if wide:
        said = pred.argmax(1)
        named = names_of(said, class_names)
        words = [f"{one} {row.max():.0%}" if shares else one for one, row in zip(named, pred, strict=True)]
        if true.ndim == 2 and true.shape[1] > 1:
            return [", ".join(names_of(np.flatnonzero(row), class_names)) or "none" for row in true], words
        return names_of(labels_of(true, "y", class_names), class_names), words
    single = pred.reshape(len(pred), -1)[:, 0]
    if shares and np.isin(results.y_true, (0, 1)).all():
        named = names_of((single >= 0.5).astype(int), class_names)
        words = [f"{one} {max(p, 1 - p):.0%}" for one, p in zip(named, single, strict=True)]
        return names_of(true.reshape(len(true), -1)[:, 0].astype(int), class_names), words
    return [_number(row) for row in true], [_number(row) for row in pred]


def _number(values):
    values = np.ravel(values)
    return (
        f"{values[0]:.4g}"
        if len(values) == 1
        else f"[{', '.join(f'{one:.4g}' for one in values[:4])}{', ...' * (len(values) > 4)}]"
    )


def _sample(x, place):
    """One sample of the inputs: a dict by column or input, an array or a text."""
    if hasattr(x, "iloc"):
        return dict(x.iloc[place]) if x.ndim == 2 else x.iloc[place]
    if hasattr(x, "columns") and hasattr(x, "row"):
        return x.row(place, named=True)
    if isinstance(x, Mapping):
        return {key: _sample(value, place) for key, value in x.items()}
    if isinstance(x, (list, tuple)) and len(x) and np.ndim(x[0]):
        several = len({np.shape(one)[0] for one in x}) == 1 and hasattr(x[0], "shape")
        return {number: _sample(one, place) for number, one in enumerate(x)} if several else x[place]
    return unwrap(x)[place]


def _shown(sample, show):
    """A sample as a picture (an array) or as text."""
    if isinstance(sample, Mapping):
        shown = {key: _shown(value, show) for key, value in sample.items()}
        pictures = [value for value in shown.values() if isinstance(value, np.ndarray)]
        return pictures[0] if pictures else ", ".join(f"{key}: {value}" for key, value in shown.items())
    if isinstance(sample, (str, bytes)):
        return sample.decode() if isinstance(sample, bytes) else sample
    array = np.asarray(unwrap(sample.toarray() if hasattr(sample, "toarray") else sample))
    if array.dtype.kind in "OUS":
        return " ".join(map(str, array.ravel()))
    if array.ndim == 3 and settings.image_data_format() == "channels_first" and array.shape[0] in (1, 3, 4):
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 2 and min(array.shape) >= 8 and (show is not None or max(array.shape) <= 2 * min(array.shape)):
        array = array[..., None]
    if array.ndim == 3 and array.shape[-1] in (1, 3, 4):
        return array
    if array.ndim == 0:
        return f"{array.item():.4g}" if array.dtype.kind in "iuf" else str(array)
    flat = array.ravel()
    return ", ".join(f"{number}: {value:.4g}" for number, value in enumerate(flat[:12])) + ", ..." * (len(flat) > 12)


def _as_pixels(samples):
    """Pictures among the samples as uint8: numbers of bytes and shares as they are, others stretched to their range."""
    pictures = [sample for sample in samples if isinstance(sample, np.ndarray)]
    low = min((float(np.nanmin(picture)) for picture in pictures), default=0)
    high = max((float(np.nanmax(picture)) for picture in pictures), default=1)
    if low >= 0 and (high <= 1 or 128 <= high <= 255):
        low, high = 0, 1 if high <= 1 else 255
    return [_stretched(sample, low, high) if isinstance(sample, np.ndarray) else sample for sample in samples]


def _stretched(picture, low, high):
    return (
        np.clip((np.nan_to_num(picture.astype(float)) - low) / ((high - low) or 1) * 255, 0, 255)
        .round()
        .astype("uint8")
    )


def line_of_sample(place: int, numbers: Mapping[str, Any], sample: Any) -> str:
    """What is printed of a sample: a head with its place, what is true and what was said, and its text.

    Args:
        place: Place among the samples that are shown.
        numbers: "index", "true", "predicted", and "loss" or "confidence" of each.
        sample: Text; anything else is not printed.
    """
    true, predicted = (numbers[key][place] for key in ("true", "predicted"))
    sample_number, measure = numbers["index"][place], _measure(numbers, place)
    head = f"{place + 1:2}. sample {sample_number}: {measure}, true {true}, predicted {predicted}"
    if not isinstance(sample, str):
        return head
    short = textwrap.shorten(sample, _TEXT, placeholder=" ...")
    return "\n".join([head, *textwrap.wrap(short, _WIDTH, initial_indent="    ", subsequent_indent="    ")])


def _measure(numbers, place):
    return f"loss {numbers['loss'][place]:.4g}" if "loss" in numbers else f"{numbers['confidence'][place]:.0%} sure"


def draw_samples(title: str, numbers: Mapping[str, Any], samples: Sequence[Any], head: Sequence[str] = ()) -> Picture:
    """The samples as tiles, or as lines where all are texts.

    Args:
        title: Title.
        numbers: As for `line_of_sample`.
        samples: Pictures and texts.
        head: Lines below the title.
    """
    pictures = any(isinstance(sample, np.ndarray) for sample in samples)
    if not pictures:
        return _texts(title, numbers, samples, head)
    begin = 34 + 18 * len(head)
    columns = min(_COLUMNS, len(samples))
    rows = math.ceil(len(samples) / columns)
    cell = _TILE + 20
    width = max(columns * cell, 7 * max(map(len, (title, *head)))) + 20
    picture = Picture(width, begin + rows * (_TILE + _CAPTION + 12))
    _heads(picture, title, head)
    for place, sample in enumerate(samples):
        left, top = 10 + place % columns * cell, begin + place // columns * (_TILE + _CAPTION + 12)
        if isinstance(sample, np.ndarray):
            height, width = sample.shape[:2]
            scale = _TILE / max(height, width)
            picture.pixels((left, top, left + width * scale, top + height * scale), sample)
        else:
            for number, line in enumerate(textwrap.wrap(sample, 24)[:9]):
                picture.words(left, top + 10 + 15 * number, line, INK, 11)
        _captions(picture, left, top + _TILE + 12, numbers, place, 24)
    return picture


def _heads(picture, title, head):
    picture.words(10, 16, title, INK, 14)
    for number, line in enumerate(head):
        picture.words(10, 38 + 18 * number, line, INK, 12)


def _captions(picture, left, top, numbers, place, width):
    true, predicted = (
        textwrap.shorten(numbers[key][place], width - 6, placeholder="…") or numbers[key][place]
        for key in ("true", "predicted")
    )
    picture.words(left, top, f"true {true}", PALETTE[2], 12)
    picture.words(left, top + 15, f"said {predicted}", PALETTE[1], 12)
    picture.words(left, top + 30, f"{_measure(numbers, place)}, sample {numbers['index'][place]}", GREY, 11)


def _texts(title, numbers, samples, head):
    wrapped = [textwrap.wrap(textwrap.shorten(sample, _TEXT, placeholder=" ..."), 76) or [""] for sample in samples]
    heights = [max(54, 15 * len(lines) + 10) for lines in wrapped]
    top = 40 + 18 * len(head)
    picture = Picture(760, top + sum(heights))
    _heads(picture, title, head)
    for place, (lines, height) in enumerate(zip(wrapped, heights, strict=True)):
        _captions(picture, 10, top + 6, numbers, place, 30)
        for number, line in enumerate(lines):
            picture.words(220, top + 6 + 15 * number, line, INK, 12)
        top += height
    return picture
