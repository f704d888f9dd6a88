"""Windows of a time series as a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.core.typing import ArrayLike
from lamina.core.variable import unwrap
from lamina.errors import ConfigError
from lamina.training.data.elements import TensorSpec
from lamina.utils.pipeline import Source, make_dataset

__all__ = ["timeseries_dataset_from_array"]


def timeseries_dataset_from_array(
    data: ArrayLike,
    targets: ArrayLike | None,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Any:
    """A `keras.utils.Dataset` of windows of a time series, with the targets of the windows if there are any.

    The window at step i is `data[i : i + sequence_length * sampling_rate : sampling_rate]`, and its target
    `targets[i]`.

    Shapes: (steps, ...) -> batches of (batch, sequence_length, ...), with targets of shape (batch, ...).

    Args:
        data: Time series, with the steps along the first axis.
        targets: Targets of the windows that start at each step, or None.
        sequence_length: Number of rows in a window.
        sequence_stride: Number of steps between the starts of two windows.
        sampling_rate: Number of steps between two rows of a window.
        batch_size: Number of windows in a batch; None gives single windows.
        shuffle: Whether to shuffle the windows, anew in each epoch.
        seed: Seed of the shuffling; None draws one.
        start_index: First step of the data to use; None means the first of all.
        end_index: Step that ends the data to use, itself excluded; None means the end.
        format: "tf" for a `keras.utils.Dataset`, which has the methods of tf.data; "grain" for a `grain.IterDataset`.

    Raises:
        ConfigError: A number does not fit the length of the data.

    >>> windows = timeseries_dataset_from_array(np.arange(7), None, sequence_length=3, sequence_stride=2, batch_size=2)
    >>> [batch.tolist() for batch in windows]
    [[[0, 1, 2], [2, 3, 4]], [[4, 5, 6]]]
    """
    rows = np.asarray(unwrap(data))
    first, last = _part(len(rows), start_index, end_index)
    for name, value in (
        ("sequence_length", sequence_length), ("sequence_stride", sequence_stride), ("sampling_rate", sampling_rate),
    ):  # fmt: skip
        if not 0 < value < len(rows):
            raise ConfigError(
                f"{name} is above 0 and below the {len(rows)} steps of the data; got {value!r}.", fix=f"{name}=1"
            )
    windows = last - first - (sequence_length - 1) * sampling_rate
    labels = None if targets is None else np.asarray(unwrap(targets))
    if labels is not None:
        windows = min(windows, len(labels) - first)  # each window needs a target
    starts = np.arange(0, max(windows, 0), sequence_stride)
    offsets = first + np.arange(sequence_length) * sampling_rate
    seed = np.random.randint(1_000_000) if seed is None else seed
    if shuffle:
        np.random.RandomState(seed).shuffle(starts)

    def fetch(index):
        at = starts[index]
        window = rows[np.expand_dims(at, -1) + offsets]
        return window if labels is None else (window, labels[at + first])

    spec = TensorSpec((sequence_length, *rows.shape[1:]), rows.dtype)
    spec = spec if labels is None else (spec, TensorSpec(labels.shape[1:], labels.dtype))
    source = Source(len(starts), fetch, list, spec, read_many=fetch)
    return make_dataset(source, batch_size, shuffle, seed, format)


def _part(steps, start_index, end_index):
    first, last = start_index or 0, steps if end_index is None else end_index
    if not 0 <= first < steps:
        raise ConfigError(f"start_index is from 0 to {steps - 1}; got {start_index!r}.", fix="start_index=0")
    if not first < last <= steps:
        raise ConfigError(
            f"end_index is above start_index={first} and at most {steps}; got {end_index!r}.", fix="end_index=None"
        )
    return first, last
