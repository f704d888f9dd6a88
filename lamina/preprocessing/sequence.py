"""keras.preprocessing.sequence: padded sequences, windows of time series, and pairs of words."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.core.arguments import whole
from lamina.core.typing import Config
from lamina.errors import CallError, DataError
from lamina.legacy import warn_renamed
from lamina.training.data import PyDataset
from lamina.utils.sequences import pad_sequences

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a time series, each with the target of the step after it, as in Keras 2.

    Today: `keras.utils.timeseries_dataset_from_array(data[:-1], targets[length:], sequence_length=length)`.

    Shapes: (steps, ...) -> batches of (batch, length / sampling_rate, ...), with targets of shape (batch, ...).

    Args:
        data: Time series, with the steps along the first axis.
        targets: Targets of the steps, of the same length.
        length: Number of steps in a window.
        sampling_rate: Number of steps between two rows of a window.
        stride: Number of steps between two windows.
        start_index: First step of the data to use.
        end_index: Last step of the data to use; None means the last of all.
        shuffle: Whether windows are drawn at random, each from all windows.
        reverse: Whether the rows of a window are in reverse order.
        batch_size: Number of windows in a batch.
        **kwargs: Arguments of PyDataset.

    Raises:
        DataError: `data` and `targets` have different lengths, or no window fits.
        ConfigError: A number is not positive.

    >>> import warnings; warnings.simplefilter("ignore")
    >>> windows = TimeseriesGenerator(np.arange(5), np.arange(5) * 10, length=3, batch_size=2)
    >>> x, y = windows[0]
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2], [1, 2, 3]], [30, 40])
    """

    data: Any
    targets: Any
    length: int
    sampling_rate: int
    stride: int
    batch_size: int
    shuffle: bool
    reverse: bool

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        warn_renamed(
            f"TimeseriesGenerator(data, targets, {length}) is keras.utils.timeseries_dataset_from_array(data[:-1], "
            f"targets[{length}:], sequence_length={length}) since Keras 2.6."
        )
        if len(data) != len(targets):
            raise DataError(
                f"data and targets must have one length; got {len(data)} and {len(targets)}.",
                fix=f"data, targets = data[:{min(len(data), len(targets))}], targets[:{min(len(data), len(targets))}]",
            )
        for name, value in (
            ("length", length), ("sampling_rate", sampling_rate), ("stride", stride), ("batch_size", batch_size),
        ):  # fmt: skip
            whole(self, name, value)
        self.data, self.targets, self.length = data, targets, length
        self.sampling_rate, self.stride, self.batch_size = sampling_rate, stride, batch_size
        self.start_index: int = start_index + length
        self.end_index: int = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse = shuffle, reverse
        if self.start_index > self.end_index:
            raise DataError(
                f"No window fits: start_index + length is {self.start_index}, and the last step is {self.end_index}.",
                fix=f"length={max(self.end_index - start_index, 1)}",
            )

    def __len__(self) -> int:
        return -(-(self.end_index - self.start_index + 1) // (self.batch_size * self.stride))

    def __repr__(self) -> str:
        return f"TimeseriesGenerator({len(self)} batches of windows of {self.length} steps)"

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"There are {len(self)} batches; batch {index} was asked for.")
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            reach = self.batch_size * self.stride
            first = self.start_index + reach * (index % len(self))
            rows = np.arange(first, min(first + reach, self.end_index + 1), self.stride)
        samples = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        return samples[:, ::-1] if self.reverse else samples, np.array([self.targets[row] for row in rows])

    def get_config(self) -> Config:
        """The arguments, with the data as JSON.

        Raises:
            CallError: The data cannot be written as JSON.
        """
        names = ("length", "sampling_rate", "stride", "start_index", "end_index", "shuffle", "reverse", "batch_size")
        return {
            "data": _as_json(self.data), "targets": _as_json(self.targets),
            **{name: getattr(self, name) for name in names},
        }  # fmt: skip

    def to_json(self, **kwargs: Any) -> str:
        """The config as JSON.

        Args:
            **kwargs: Arguments of `json.dumps`.
        """
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def _as_json(data):
    try:
        return json.dumps(data.tolist() if hasattr(data, "tolist") else data)
    except TypeError as error:
        raise CallError(f"{type(data).__name__} cannot be written as JSON.", fix="data.tolist()") from error


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """The probability to keep each word of a vocabulary that is sorted by frequency, for `skipgrams`.

    Frequencies are those of Zipf's law. Source: Mikolov et al., "Distributed representations of words" (2013).

    Args:
        size: Number of words.
        sampling_factor: Frequency below which words are always kept.

    >>> make_sampling_table(3).round(4).tolist()
    [0.0032, 0.0032, 0.0055]
    """
    rank = np.arange(size)
    rank[0] = 1
    inverse_frequency = rank * (np.log(rank) + 0.577) + 0.5 - 1.0 / (12.0 * rank)
    scaled = sampling_factor * inverse_frequency
    return np.minimum(1.0, scaled / np.sqrt(scaled))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Pairs (word, word nearby) with label 1, and (word, random word) with label 0.

    Args:
        sequence: Numbers of words; 0 is no word.
        vocabulary_size: Number of words, 0 included.
        window_size: Number of words on each side that count as nearby.
        negative_samples: Number of random pairs for each true pair.
        shuffle: Whether to shuffle the pairs.
        categorical: Whether labels are [0, 1] and [1, 0].
        sampling_table: Probability to keep each word, or None.
        seed: Seed of the shuffling, or None.

    >>> skipgrams([1, 2], vocabulary_size=3, negative_samples=0, shuffle=False)
    ([[1, 2], [2, 1]], [1, 1])
    """
    yes, no = ([0, 1], [1, 0]) if categorical else (1, 0)
    couples = []
    for i, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        nearby = range(max(0, i - window_size), min(len(sequence), i + window_size + 1))
        couples += [[word, sequence[j]] for j in nearby if j != i and sequence[j]]
    labels = [yes] * len(couples)
    if negative_samples > 0 and couples:
        count, words = int(len(labels) * negative_samples), [couple[0] for couple in couples]
        random.shuffle(words)
        couples += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)]
        labels += [no] * count
    if shuffle:
        seed = random.randint(0, 10_000_000) if seed is None else seed
        for part in (couples, labels):
            random.seed(seed)
            random.shuffle(part)
    return couples, labels
