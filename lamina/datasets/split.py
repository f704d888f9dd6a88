"""Seeded splits into training and test data. `RandomState` has a frozen stream: a seed always gives the same rows."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from lamina.errors import CallError

Split: TypeAlias = "tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]"
"""`(x_train, y_train), (x_test, y_test)`."""

__all__ = ["Split", "cut", "shuffled_split", "stratified_split"]


def cut(x: np.ndarray, y: np.ndarray, test_split: float) -> Split:
    """`(x_train, y_train), (x_test, y_test)`: the last rows are the test data.

    Args:
        x: Inputs.
        y: Targets.
        test_split: Fraction of the rows that are test data, from 0 to below 1.
    """
    _check(test_split)
    end = int(len(x) * (1 - test_split))
    return (x[:end], y[:end]), (x[end:], y[end:])


def shuffled_split(x: np.ndarray, y: np.ndarray, test_split: float, seed: int) -> Split:
    """`(x_train, y_train), (x_test, y_test)`, in random order.

    Args:
        x: Inputs.
        y: Targets.
        test_split: Fraction of the rows that are test data, from 0 to below 1.
        seed: Seed of the shuffle.
    """
    order = np.random.RandomState(seed).permutation(len(x))
    return cut(x[order], y[order], test_split)


def stratified_split(x: np.ndarray, y: np.ndarray, test_split: float, seed: int) -> Split:
    """`(x_train, y_train), (x_test, y_test)`, in random order, with the same mix of classes in both parts.

    Args:
        x: Inputs.
        y: Targets.
        test_split: Fraction of the rows that are test data, from 0 to below 1.
        seed: Seed of the shuffle.
    """
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
            f"test_split must be a fraction of the rows from 0 to below 1; got test_split={test_split!r}.",
            fix="test_split=0.2",
        )
