"""What users pass to `fit`, `evaluate` and `predict`, looked at before anything is computed."""

from __future__ import annotations

import contextlib
import inspect
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from lamina import callbacks as callbacks_module
from lamina.core.arguments import is_kind, whole
from lamina.errors import ConfigError, DataError, LaminaError, warn

__all__ = ["callbacks_with_options", "check_given", "in_validation"]


@contextlib.contextmanager
def in_validation() -> Iterator[None]:
    """A block whose errors are about the validation data, and say so."""
    try:
        yield
    except LaminaError as error:
        error.message += " This is in the validation data."
        error.fix = error.fix and error.fix.removeprefix("evaluate(x, y), ")
        if str(error.fix).startswith("model.fit(x, y):"):
            error.fix = "validation_data=(x_val, y_val): inputs and targets are a tuple of two."
        raise


_TAKEN_OUT = {  # (package, class of tables) -> code that makes a column of the inputs the targets
    ("pandas", "DataFrame"): "y = x.pop({name!r})  # a column of the table x",
    ("polars", "DataFrame"): "y = x[{name!r}]; x = x.drop({name!r})",
    ("pyarrow", "Table"): "y = x[{name!r}].to_numpy(); x = x.drop_columns({name!r})",
    ("datasets", "Dataset"): "y = np.asarray(x[{name!r}]); x = x.remove_columns({name!r})",
}


def _gives_samples(iterator):
    """Whether a part of a `zip` is an array or a list, and no generator of batches."""
    if inspect.isgenerator(iterator):
        return iterator.gi_frame is not None and iterator.gi_frame.f_globals["__name__"].startswith("jax.")
    return type(iterator).__module__ == "builtins"


def check_given(
    x: Any,
    y: Any,
    class_weight: Any = None,
    epochs: Any = 1,
    initial_epoch: int = 0,
    validation_data: Any = None,
    batch_size: Any = None,
) -> None:
    """Raise an error for data that no model can read, for class weights that are a word, and for epochs that do not
    count.

    Args:
        x: Inputs.
        y: Targets.
        class_weight: Weights of classes.
        epochs: Number of the last epoch.
        initial_epoch: Number of epochs before the first.
        validation_data: Data for validation.
        batch_size: Samples per step.

    Raises:
        ConfigError: For epochs="10" and epochs=10.0.
        DataError: For a `zip` of samples, a set, and class_weight="balanced".
    """
    if hasattr(batch_size, "__len__") and not isinstance(batch_size, str):
        from lamina.training.data.misplaced import refuse_data

        refuse_data(batch_size, epochs)
    if isinstance(x, zip) and any(map(_gives_samples, x.__reduce__()[1])):
        raise DataError(
            "x is a zip object: it yields pairs of single samples, and `fit` takes arrays or batches.",
            fix="model.fit(x, y), with the two arrays that were zipped.",
        )
    if isinstance(x, (set, frozenset)):
        raise DataError(
            "x is a set, which has no order: its rows cannot be matched to y.", fix="x = [1, 2, 3] is a list."
        )
    if isinstance(y, str) and not isinstance(x, str):
        taken = next((code for kind, code in _TAKEN_OUT.items() if is_kind(x, *kind)), None)
        raise DataError(
            f"y is an array with a target for each row of x; got the name {y!r}.",
            fix=taken.format(name=y) if taken else "model.fit(x, y), where y is an array.",
        )
    if isinstance(class_weight, str):
        raise DataError(
            f"class_weight is a dict of integer labels to numbers; got {class_weight!r}.",
            fix=f"class_weight={_balanced(y)}",
        )
    try:
        operator.index(epochs)
    except TypeError:
        whole("fit", "epochs", epochs, example=10)
    if isinstance(initial_epoch, int) and initial_epoch > epochs:
        warn(
            f"Nothing is trained: epochs={epochs} is the number of the last epoch, and initial_epoch={initial_epoch} "
            f"is above it. epochs={initial_epoch + epochs} trains {epochs} more."
        )
    if isinstance(validation_data, str):
        raise DataError(
            f"validation_data is (x, y), or batches of them; got the text {validation_data!r}.",
            fix="validation_data=(x, y), with the arrays that are held out.",
        )


def callbacks_with_options(callbacks: Any, stop_on_nonfinite: bool, resume: Any) -> Any:
    """The callbacks, plus those that correspond to arguments of `fit`.

    Args:
        callbacks: The callbacks that were passed.
        stop_on_nonfinite, resume: Arguments of `fit`.
    """
    if stop_on_nonfinite:
        callbacks = [callbacks, callbacks_module.StopOnNonFinite()]
    if isinstance(resume, bool):
        raise ConfigError(
            f"resume is the path where the run is kept; got {resume}.", fix=f"resume={'run' if resume else None!r}"
        )
    if resume is not None:
        kept = resume if isinstance(resume, callbacks_module.Resume) else callbacks_module.Resume(resume)
        callbacks = [callbacks, kept]
    return callbacks


def _balanced(y):
    """The weights that give each class the same sum, as scikit-learn's "balanced"."""
    labels = np.asarray(y) if hasattr(y, "shape") or isinstance(y, (list, tuple)) else np.arange(2)
    labels = labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.reshape(-1)
    if labels.dtype.kind not in "iufb":
        return {0: 1.0, 1: 5.0}
    values, counts = np.unique(labels, return_counts=True)
    weights = len(labels) / (len(values) * counts)
    return {int(value): round(float(weight), 4) for value, weight in zip(values, weights, strict=True)}
