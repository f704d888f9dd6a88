"""Results: targets and predictions as arrays, from arrays or from a model with its data."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from lamina.core import tree
from lamina.core.variable import unwrap
from lamina.errors import CallError, DataError
from lamina.training.data import unpack_x_y_sample_weight

__all__ = [
    "ClassNames", "Results", "flat", "labels_of", "names_of", "result_table", "results_of", "samples", "scores_of",
    "shares_of",
]  # fmt: skip

ClassNames: TypeAlias = "Sequence[str] | Mapping[int, str] | None"
"""Names of the classes: by number, in a list or a dict."""

_OUTPUT = "The model's output"
_NAME = 24  # characters of a class name that is shown


@dataclasses.dataclass
class Results:
    """Targets and predictions.

    Attributes:
        y_true: Targets.
        y_pred: Predictions.
        x: Inputs of the model; None where only arrays were given.
        loss: Loss that the model was compiled with; None for none.
    """

    y_true: np.ndarray[Any, Any]
    y_pred: np.ndarray[Any, Any]
    x: Any = None
    loss: Any = None

    def has_logits(self, said: bool | None) -> bool:
        """Whether the predictions are logits.

        Args:
            said: What the user said; None means what the loss says.
        """
        return bool(getattr(self.loss, "from_logits", False)) if said is None else said


def results_of(y_true: Any, y_pred: Any = None, y: Any = None) -> Results:
    """Results of `(y_true, y_pred)`, `(model, x, y)` or `(model, dataset)`.

    Args:
        y_true: Targets, or a model.
        y_pred: Predictions, or the inputs of the model, or a data set that yields batches (x, y).
        y: Targets, after a model and its inputs.

    Raises:
        CallError: The arguments are none of the three.
        DataError: The predictions or targets are not one array each, or differ in length.
    """
    if not callable(getattr(y_true, "predict", None)):
        if y_pred is None or y is not None:
            raise CallError(
                "Expected (y_true, y_pred), (model, x, y) or (model, dataset).", fix="Pass y_true and y_pred."
            )
        return _checked(Results(_array(y_true, "y_true"), _array(y_pred, "y_pred")))
    model, x = y_true, y_pred
    if x is None:
        raise CallError("A model needs data: (model, x, y) or (model, dataset).", fix="Pass x and y after the model.")
    if y is None:
        x, y, predicted = _predicted(model, x)
    else:
        predicted = model.predict(x, verbose=0)
    return _checked(Results(_array(y, "y"), _array(predicted, _OUTPUT), x, getattr(model, "loss", None)))


def _predicted(model, dataset):
    """(x, y, predictions) of a data set, which is read once: its order may change with each pass."""
    parts = []
    for batch in _batches(dataset):
        x, y, _ = unpack_x_y_sample_weight(batch)
        if y is None:
            raise DataError("The data set yields only inputs; targets are needed as well.", fix="Let it yield (x, y).")
        parts.append(tree.map_structure(_plain, (x, y, model.predict(x, verbose=0))))
    if not parts:
        raise DataError("The data set is empty: it yielded no batch.", fix="Check its files or its filter.")
    return tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)


def _batches(dataset) -> Iterator[Any]:
    if isinstance(dataset, (np.ndarray, list, tuple, dict)) or hasattr(dataset, "__array__"):
        raise CallError("A model and x were passed, but no targets.", fix="Pass y as the third argument.")
    if hasattr(dataset, "__getitem__") and hasattr(dataset, "__len__"):  # a PyDataset, whose iterator may be endless
        return (dataset[index] for index in range(len(dataset)))
    return iter(dataset)


def _plain(value) -> np.ndarray[Any, Any]:
    value = unwrap(value)
    if hasattr(value, "detach"):  # a tensor of torch
        value = value.detach().cpu()
    try:
        return np.asarray(value)
    except ValueError:
        raise DataError(
            "Rows of different length cannot become an array.", fix="keras.utils.pad_sequences(rows)"
        ) from None


def _array(value, name) -> np.ndarray[Any, Any]:
    if isinstance(value, dict) or (isinstance(value, (list, tuple)) and len(value) and np.ndim(value[0]) > 1):
        key = repr(next(iter(value))) if isinstance(value, dict) else "0"
        raise DataError(
            f"{name} has several arrays; a figure shows one output.",
            fix="Look at one output: model = keras.Model(model.inputs, model.outputs[0]), with its targets."
            if name == _OUTPUT
            else f"Pass one of them, such as {name}[{key}].",
        )
    array = _plain(value)
    if array.ndim == 0:
        raise DataError(f"{name} is a single value; one for each sample is needed.", fix=f"Pass [{array.item()!r}].")
    return array


def _checked(results):
    true, pred = results.y_true, results.y_pred
    if len(true) != len(pred):
        raise DataError(
            f"y_true has {len(true)} samples and y_pred {len(pred)}; they must be the same samples.",
            fix=f"Pass the targets of the same samples, such as y_true[:{len(pred)}]." if len(pred) < len(true)
            else "Predict only the samples of y_true.",
        )  # fmt: skip
    if not len(true):
        raise DataError("There are no samples.", fix="Pass at least one sample.")
    for name, array in (("y_true", true), ("y_pred", pred)):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            wrong = np.argwhere(~np.isfinite(array))
            place = ", ".join(map(str, wrong[0]))
            raise DataError(
                f"{name} has {len(wrong)} values that are not finite: {array[tuple(wrong[0])]} at [{place}].",
                fix="Leave them out: keep = np.isfinite(y_pred.reshape(len(y_pred), -1)).all(1)",
            )
    return results


def flat(true: Any, pred: Any) -> tuple[Any, Any]:
    """One row for each label: pictures of classes and sequences of them have their places as samples.

    Args:
        true: Targets.
        pred: Predictions.
    """
    if pred.ndim > 2 and true.shape == pred.shape[:-1]:
        return true.reshape(-1), pred.reshape(-1, pred.shape[-1])
    if pred.ndim > 2 and true.ndim == pred.ndim:
        return true.reshape(-1, true.shape[-1]), pred.reshape(-1, pred.shape[-1])
    return true, pred


def _squeezed(array):
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def names_of(classes: Iterable[Any], class_names: ClassNames) -> list[str]:
    """The name of each class.

    Args:
        classes: Numbers of classes, or their names.
        class_names: Names by number; None means the numbers.

    Raises:
        DataError: A class has no name.
    """
    given = (
        {} if class_names is None else class_names if isinstance(class_names, Mapping) else dict(enumerate(class_names))
    )
    classes = [one.item() if isinstance(one, np.generic) else one for one in classes]
    missing = [one for one in classes if given and not isinstance(one, str) and one not in given]
    if missing:
        raise DataError(
            f"class_names has no name for class {missing[0]}; it names {', '.join(map(str, given))}.",
            fix=f"class_names={[str(given.get(one, one)) for one in classes]}",
        )
    return [str(given.get(one, one)) for one in classes]


def labels_of(values: np.ndarray[Any, Any], name: str, class_names: ClassNames) -> np.ndarray[Any, Any]:
    """Class numbers (or texts, where there are no names) of targets: numbers, one-hot rows, texts.

    Args:
        values: Targets.
        name: What errors call them.
        class_names: Names of the classes.
    """
    values = _squeezed(values)
    if values.ndim == 2:
        if not (np.isin(values, (0, 1)).all() and (values.sum(1) == 1).all()):
            raise DataError(
                f"{name} of shape {values.shape} has rows that are not one-hot: several classes, or none, are true.",
                fix="Look at one label at a time: y_true[:, 0], y_pred[:, 0].",
            )
        return values.argmax(1)
    if values.ndim != 1:
        raise DataError(
            f"{name} has shape {values.shape}; one class for each sample is needed.", fix="y_true.reshape(-1)"
        )
    if values.dtype.kind in "OUS":
        return _numbers_of_texts(values, name, class_names)
    if values.dtype.kind == "f" and (values != np.round(values)).any():
        row = int(np.flatnonzero(values != np.round(values))[0])
        raise DataError(
            f"{name} must have class numbers; got {values[row]} in row {row}.",
            fix="keras.visualization.plot_residuals(y_true, y_pred) is for numbers that are no classes.",
        )
    return values.astype(int)


def _numbers_of_texts(values, name, class_names):
    texts = np.array([value.decode() if isinstance(value, bytes) else str(value) for value in values])
    if class_names is None:
        return texts
    numbers = {
        text: number
        for number, text in (class_names.items() if isinstance(class_names, Mapping) else enumerate(class_names))
    }
    unknown = sorted(set(texts.tolist()) - set(numbers))
    if unknown:
        raise DataError(
            f"{name} has classes that class_names has not: {', '.join(unknown[:5])}.",
            fix=f"class_names={[*numbers, *unknown]}",
        )
    return np.array([numbers[text] for text in texts])


def scores_of(results: Results, class_names: ClassNames, from_logits: bool | None = None) -> tuple[Any, Any, list[str]]:
    """(truth, scores, names): a column for each class, or the one of the positive class where there are two.

    Args:
        results: Results, whose predictions are numbers from a model.
        class_names: Names of the classes.
        from_logits: Whether the predictions are logits; None means what the model's loss says.

    Returns:
        truth: Booleans of shape (samples, columns).
        scores: Numbers of the same shape; probabilities where `from_logits` is true.
        names: Name of each column.
    """
    true, pred = flat(results.y_true, results.y_pred)
    if pred.dtype.kind not in "fiub" or (pred.dtype.kind in "iu" and pred.ndim == 1):
        raise DataError(
            f"y_pred must have a score for each sample; got classes ({pred.dtype}).",
            fix="Pass the probabilities: model.predict(x) as it is, without argmax or rounding.",
        )
    pred = pred.astype(float).reshape(len(pred), -1)
    if results.has_logits(from_logits):
        pred = _probabilities(pred)
    columns: int = pred.shape[-1]
    if true.ndim == 2 and true.shape[1] == columns and columns > 1 and np.isin(true, (0, 1)).all():
        truth = true.astype(bool)
    else:
        truth = _membership(labels_of(true, "y_true", class_names), max(columns, 2), class_names)
        if columns == 1:
            truth = truth[:, 1:]
    if columns <= 2 and (columns == 1 or (truth.sum(1) == 1).all()):
        name = names_of([1], class_names)[0] if class_names else "1"
        return truth[:, -1:], pred[:, -1:], [name]
    return truth, pred, names_of(range(columns), class_names)


def _membership(labels, columns, class_names):
    if labels.dtype.kind == "U":
        found = sorted(set(labels.tolist()))
        raise DataError(
            "y_true has texts; which column of y_pred is which class is not known.", fix=f"class_names={found}"
        )
    if set(np.unique(labels)) == {-1, 1} and columns == 2:
        labels = (labels + 1) // 2
    wrong = np.flatnonzero((labels < 0) | (labels >= columns))
    if len(wrong):
        raise DataError(
            f"y_true has class {labels[wrong[0]]} in row {wrong[0]}, but y_pred has the classes 0 to {columns - 1}"
            f" ({len(wrong)} such rows).",
            fix="Number the classes from 0, as for fit.",
        )
    return labels[:, None] == np.arange(columns)


def _probabilities(logits):
    if logits.shape[1] == 1:
        return 0.5 * (1 + np.tanh(0.5 * logits))
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def shares_of(scores: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The scores, checked to be probabilities.

    Args:
        scores: Predictions.

    Raises:
        DataError: Some are below 0 or above 1.
    """
    wrong = np.argwhere((scores < -1e-6) | (scores > 1 + 1e-6))
    if len(wrong):
        raise DataError(
            f"y_pred must have probabilities from 0 to 1; got {scores[tuple(wrong[0])]:.4g} in row {wrong[0][0]}.",
            fix="from_logits=True",
        )
    return np.clip(scores, 0, 1)


def samples(count: int) -> str:
    """A number of samples in words.

    Args:
        count: The number.
    """
    return f"{count:,} sample{'s' * (count != 1)}"


def result_table(rows: Sequence[Sequence[Any]]) -> str:
    """Rows as aligned lines of text; the first column is aligned to the left.

    Args:
        rows: Cells of each row.
    """
    columns = list(itertools.zip_longest(*([str(cell)[:_NAME] for cell in row] for row in rows), fillvalue=""))
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in zip(*columns, strict=True)
    ]
    return "\n".join(line.rstrip() for line in lines)
