"""Windows of a time series as a data set."""

import numpy as np

from lamina.core.variable import unwrap
from lamina.errors import ConfigError
from lamina.utils.pipeline import dataset

__all__ = ["timeseries_dataset_from_array"]


def timeseries_dataset_from_array(
    data, targets, sequence_length, sequence_stride=1, sampling_rate=1, batch_size=128, shuffle=False, seed=None,
    start_index=None, end_index=None, format="tf",
):  # fmt: skip
    """Windows `data[i : i + sequence_length * sampling_rate : sampling_rate]` with `targets[i]`, as a grain data set.

    Shapes: (steps, ...) -> batches of (batch, sequence_length, ...), with (batch, ...) of the targets if there are any.

    Args:
        targets: of the windows that start at each step, or None.
        sequence_stride: steps between the starts of two windows.
        sampling_rate: steps between two rows of a window.
        batch_size: None gives single windows.
        shuffle: mix the windows, anew in each pass; `seed` fixes how.
        start_index, end_index: the part of the data to use.
        format: "tf" or "grain"; both give a grain data set, for there is no other engine.

    >>> windows = timeseries_dataset_from_array(np.arange(7), None, sequence_length=3, sequence_stride=2, batch_size=2)
    >>> [batch.tolist() for batch in windows]
    [[[0, 1, 2], [2, 3, 4]], [[4, 5, 6]]]
    """
    data = np.asarray(unwrap(data))
    first, last = _part(len(data), start_index, end_index)
    for name, value in (
        ("sequence_length", sequence_length), ("sequence_stride", sequence_stride), ("sampling_rate", sampling_rate),
    ):  # fmt: skip
        if not 0 < value < len(data):
            raise ConfigError(f"{name} is above 0 and below the {len(data)} steps of the data; got {value!r}.")
    windows = last - first - (sequence_length - 1) * sampling_rate
    if targets is not None:
        targets = np.asarray(unwrap(targets))
        windows = min(windows, len(targets) - first)  # no window without a target
    starts = np.arange(0, max(windows, 0), sequence_stride)
    offsets = first + np.arange(sequence_length) * sampling_rate
    seed = np.random.randint(1_000_000) if seed is None else seed
    if shuffle:
        np.random.RandomState(seed).shuffle(starts)

    def fetch(index):
        at = starts[index]
        window = data[np.expand_dims(at, -1) + offsets]
        return window if targets is None else (window, targets[at + first])

    return dataset(len(starts), fetch, batch_size, shuffle, seed, format)


def _part(steps, start_index, end_index):
    first, last = start_index or 0, steps if end_index is None else end_index
    if not 0 <= first < steps:
        raise ConfigError(f"start_index is from 0 to {steps - 1}; got {start_index!r}.")
    if not first < last <= steps:
        raise ConfigError(f"end_index is above start_index={first} and at most {steps}; got {end_index!r}.")
    return first, last
