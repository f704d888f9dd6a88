"""make_batches: whatever `fit` takes as data, as Batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from lamina.core.arguments import is_kind
from lamina.errors import DataError, warn
from lamina.training.data.arrays import ArrayBatches
from lamina.training.data.base import Batches
from lamina.training.data.endless import endless_loop
from lamina.training.data.leaves import looks_like_arrays
from lamina.training.data.py_dataset import OrderedBatches, PyDataset, length_of
from lamina.training.data.stored_rows import RowBatches
from lamina.training.data.streams import StreamBatches
from lamina.training.data.tables import columns_for, is_large, is_stream_of_rows, stream_of_rows, without_rows
from lamina.training.data.weights import check_class_weight

if TYPE_CHECKING:
    from lamina.core.typing import PyTree

__all__ = ["make_batches"]


def make_batches(
    x: PyTree,
    y: PyTree = None,
    sample_weight: PyTree = None,
    batch_size: int | None = None,
    steps: int | None = None,
    shuffle: bool | str = False,
    class_weight: Mapping[int, float] | None = None,
    host_step: Callable[[Any], Any] | None = None,
    input_names: Sequence[str] = (),
) -> Batches:
    """The Batches of data of any kind.

    Args:
        x: Arrays (also in lists, tuples and dicts), or something that yields batches: a generator, a PyDataset, a torch
            DataLoader, a tf.data or grain dataset, or any object that can be iterated repeatedly.
        y: Targets, if x is arrays.
        sample_weight: Weights of the samples, if x is arrays.
        batch_size: Samples of a batch, if x is arrays. None means 32, or what `steps` implies.
        steps: Batches of an epoch. None means all.
        shuffle: True for a new order in each epoch, "batch" to shuffle only inside each batch.
        class_weight: Dict from label to weight.
        host_step: Function from the inputs of a batch, which may then be text, to what a step takes. It runs in a
            thread, ahead of the steps.
        input_names: Names of the inputs of the model, which choose columns of a table.

    Raises:
        DataError: If the data or a setting is not valid.

    >>> batches = make_batches(np.arange(5.0), np.arange(5), batch_size=2)
    >>> [x.tolist() for x, y, w in batches.epoch()]
    [[0.0, 1.0], [2.0, 3.0], [4.0]]
    """
    if isinstance(x, Batches):
        return x
    if shuffle not in (True, False, "batch"):
        raise DataError(f"shuffle is True, False or 'batch'; got {shuffle!r}.", fix="shuffle=True")
    if steps is not None and steps < 1:
        raise DataError(f"An epoch has at least 1 step; got {steps}.", fix="steps=None")
    class_weight = None if class_weight is None else check_class_weight(class_weight)
    if is_stream_of_rows(x) and y is None:
        batches = StreamBatches(stream_of_rows(x, batch_size, input_names), None, steps, class_weight=class_weight)
        batches.host_step = host_step
        return batches
    if is_large(x):
        batches = RowBatches(x, y, sample_weight, batch_size, steps, shuffle, class_weight, input_names)
        batches.host_step = host_step
        return batches
    x, y = without_rows(columns_for(x, input_names), y, input_names)
    if _yields_batches(x):
        _refuse_with_batches(x, y=y, sample_weight=sample_weight)
        if batch_size is not None:
            warn(f"batch_size={batch_size} is left aside: {_article(type(x).__name__)} yields batches of its own size.")
        batches = _stream(x, steps, bool(shuffle), class_weight)
    else:
        batches = ArrayBatches(x, y, sample_weight, batch_size, steps, shuffle, class_weight, host_step is not None)
    batches.host_step = host_step
    return batches


def _yields_batches(x):
    """Whether x yields batches, in contrast to arrays that are divided into batches."""
    if x is None or isinstance(x, (np.ndarray, jax.Array, list, tuple, dict)):
        return False
    if isinstance(x, PyDataset) or is_kind(x, "keras", "PyDataset") or _is_dataset(x):
        return True
    if looks_like_arrays(x) or hasattr(x, "to_tensor"):  # a ragged tensor, which `fit` refuses
        return False
    return hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def _is_dataset(x):
    return (
        is_kind(x, "torch", "DataLoader")
        or is_kind(x, "tensorflow", "DatasetV2", "DistributedDataset")
        or is_kind(x, "grain", "MapDataset", "IterDataset", "DataLoader")
    )


def _refuse_with_batches(x, **given):
    what = {"y": "the targets", "sample_weight": "the sample weights"}
    for name, value in given.items():
        if value is not None:
            raise DataError(
                f"{name} was given with {_article(type(x).__name__)}, which provides {what[name]} itself.",
                fix=f"Leave out {name}; let x yield batches (x, y) or (x, y, sample_weight).",
            )


def _article(name):
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _stream(x, steps, shuffle, class_weight):
    """The StreamBatches of something that yields batches."""
    common = {"steps": steps, "class_weight": class_weight, "loader": x}
    has_index = hasattr(x, "__getitem__") and (hasattr(x, "__len__") or hasattr(x, "num_batches"))
    line = endless_loop(x) if steps is None else None
    if line is not None:
        warn(
            f"The generator {x.__name__} never leaves its loop in line {line}, so the first pass over it does not end: "
            "give fit steps_per_epoch=, evaluate and predict steps=, and validation data validation_steps=."
        )
    if hasattr(x, "__next__") and not has_index:
        batches = StreamBatches(lambda: x, **common)
        batches.can_reopen = False
        return batches
    if is_kind(x, "tensorflow", "DatasetV2", "DistributedDataset"):
        length = int(x.cardinality()) if hasattr(x, "cardinality") else -1  # negative: endless or unknown
        return StreamBatches(getattr(x, "as_numpy_iterator", x.__iter__), length if length >= 0 else None, **common)
    length = length_of(x)
    if length == 0:
        raise DataError(
            f"The data is empty: {type(x).__name__} has 0 batches.", fix="Check the filter or split that made it."
        )
    if is_kind(x, "lamina", "Dataset"):
        return StreamBatches(x.as_numpy_iterator, length, hooks=x, **common)
    if _is_dataset(x):
        size = getattr(x, "batch_size", None)
        return StreamBatches(x.__iter__, length, batch_size=size if isinstance(size, int) else None, **common)
    if hasattr(x, "__getitem__"):  # a PyDataset, or a Sequence of another library
        return StreamBatches(OrderedBatches(x, shuffle), length, hooks=x, **common)
    return StreamBatches(x.__iter__, length, **common)
