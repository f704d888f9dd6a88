"""Division of a dataset into two parts."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from lamina.core import tree
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, DataError
from lamina.training.data.dataset import Dataset

__all__ = ["split_dataset"]


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:
    """Two data sets of single samples, the first ones and the last ones; `.batch(32)` of a data set makes batches.

    Args:
        dataset: An array, a tuple, list or dict of arrays of one length, or an iterable of samples.
        left_size: Size of the first part: a number of samples (int) or a fraction (float); None means the rest.
        right_size: Size of the second part: a number of samples (int) or a fraction (float); None means the rest.
        shuffle: Whether to shuffle the samples before the split.
        seed: Seed of the shuffling; None draws one.
        preferred_backend: No effect; both parts are a `keras.utils.Dataset`.

    Raises:
        ConfigError: The sizes do not fit the number of samples.
        DataError: The dataset is neither arrays of one length nor an iterable.

    >>> left, right = split_dataset(np.arange(5), left_size=0.6)
    >>> [int(sample) for sample in left], [int(sample) for sample in right]
    ([0, 1, 2], [3, 4])
    """
    count, sample = _samples(dataset)
    left, right = _sizes(count, left_size, right_size)
    order = np.arange(count)
    if shuffle:
        np.random.RandomState(np.random.randint(1_000_000) if seed is None else seed).shuffle(order)
    return _part(sample, order[:left]), _part(sample, order[count - right :])


def _part(sample, order):
    return Dataset(lambda: map(sample, order), len(order))


def _samples(dataset):
    """(number of samples, function from an index to a sample)."""
    if isinstance(dataset, (np.ndarray, jax.Array, list, tuple, dict)):
        arrays = tree.map_structure(lambda leaf: np.asarray(unwrap(leaf)), dataset)
        lengths = {len(leaf) for leaf in tree.flatten(arrays)}
        if len(lengths) != 1:
            raise DataError(
                f"The arrays to split must have one length; got {sorted(lengths)}.",
                fix=f"tuple(one[:{min(lengths)}] for one in dataset)",
            )
        return lengths.pop(), lambda index: tree.map_structure(lambda leaf: leaf[index], arrays)
    if not hasattr(dataset, "__iter__") and not hasattr(dataset, "__getitem__"):
        raise DataError(
            f"split_dataset takes arrays or a dataset; got {type(dataset).__name__}.",
            fix="split_dataset(np.arange(10), left_size=0.8)",
        )
    samples = list(dataset)
    return len(samples), samples.__getitem__


def _sizes(count, left_size, right_size):
    if left_size is None and right_size is None:
        raise ConfigError("left_size or right_size is needed.", fix="left_size=0.8")
    left, right = (_size(name, size, count) for name, size in (("left_size", left_size), ("right_size", right_size)))
    left, right = count - right if left is None else left, count - left if right is None else right
    if left + right > count:
        raise ConfigError(
            f"left_size={left_size} and right_size={right_size} are more than the {count} samples.",
            fix="left_size=0.8, right_size=None",
        )
    if not left or not right:
        raise ConfigError(
            f"Of {count} samples, {left} would be left and {right} right: one part is empty.", fix="left_size=0.5"
        )
    return left, right


def _size(name, size, count):
    if size is None:
        return None
    if not 0 < size < (1 if isinstance(size, float) else count + 1):
        raise ConfigError(
            f"{name} is a fraction between 0 and 1 or a number of the {count} samples; got {size!r}.", fix=f"{name}=0.5"
        )
    return round(size * count) if isinstance(size, float) else int(size)
