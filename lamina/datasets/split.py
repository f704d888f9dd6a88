"""Seeded splits into training and test data. `RandomState` has a frozen stream: a seed means the same rows for ever."""

import numpy as np

from lamina.errors import CallError

__all__ = ["cut", "shuffled_split", "stratified_split"]


def cut(x, y, test_split):
    """The last `test_split` of the rows are the test data. Returns `(x_train, y_train), (x_test, y_test)`."""
    _check(test_split)
    end = int(len(x) * (1 - test_split))
    return (x[:end], y[:end]), (x[end:], y[end:])


def shuffled_split(x, y, test_split, seed):
    """Shuffle the rows, then `cut`."""
    order = np.random.RandomState(seed).permutation(len(x))
    return cut(x[order], y[order], test_split)


def stratified_split(x, y, test_split, seed):
    """Shuffle the rows; `test_split` of every class (rounded) are the test data, so both parts have the same mix."""
    _check(test_split)
    order = np.random.RandomState(seed).permutation(len(x))
    is_test = np.zeros(len(x), bool)
    for label in np.unique(y):
        rows = order[y[order] == label]
        is_test[rows[: round(len(rows) * test_split)]] = True
    train, test = order[~is_test[order]], order[is_test[order]]
    return (x[train], y[train]), (x[test], y[test])


def _check(test_split):
    if not 0 <= test_split < 1:
        raise CallError(
            f"test_split is the part of the rows kept for testing, from 0 to below 1; got {test_split!r}.",
            fix="test_split=0.2 keeps a fifth.",
        )
