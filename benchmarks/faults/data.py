"""Small data of the characters that the programs need, drawn by seed; each can be learned."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["choices", "draw", "images", "one_hot", "quantity", "rows", "series", "texts", "yes_no"]

ROWS = 512


def draw(seed: int = 0) -> np.random.Generator:
    """A generator of random numbers.

    Args:
        seed: Its seed.
    """
    return np.random.default_rng(seed)


def _kept(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: the arrays are drawn once, and cannot be changed."""

    @functools.cache
    @functools.wraps(function)
    def drawn(*args, **kwargs):
        found = function(*args, **kwargs)
        for array in found if isinstance(found, tuple) else (found,):
            array.flags.writeable = False
        return found

    return drawn


@_kept
def rows(features: int, count: int = ROWS, seed: int = 0) -> np.ndarray:
    """(count, features) of a standard normal distribution.

    Args:
        features: Number of columns.
        count: Number of rows.
        seed: Seed.
    """
    return draw(seed).normal(size=(count, features)).astype("float32")


def quantity(x: np.ndarray, targets: int = 1, seed: int = 1) -> np.ndarray:
    """A smooth function of the rows with some noise, of unit scale: (count,), or (count, targets).

    Args:
        x: Rows.
        targets: Number of columns.
        seed: Seed.
    """
    flat = x.reshape(len(x), -1)
    flat = (flat - flat.mean()) / (flat.std() + 1e-6)
    numbers = draw(seed)
    values = flat @ numbers.normal(size=(flat.shape[1], targets)) / np.sqrt(flat.shape[1])
    values = (values + np.tanh(2 * values) + 0.1 * numbers.normal(size=values.shape)).astype("float32")
    return values[:, 0] if targets == 1 else values


def yes_no(x: np.ndarray, seed: int = 1) -> np.ndarray:
    """A class of two for each row, 0 or 1: (count,).

    Args:
        x: Rows.
        seed: Seed.
    """
    return (quantity(x, seed=seed) > 0).astype("int64")


def choices(x: np.ndarray, classes: int, seed: int = 1) -> np.ndarray:
    """A class for each row: (count,) of 0 to classes - 1, all of which occur.

    Args:
        x: Rows.
        classes: Number of classes, two or more.
        seed: Seed.
    """
    labels = quantity(x, max(classes, 2), seed).argmax(axis=-1)
    labels[:classes] = np.arange(classes)
    return labels


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """(..., classes) of 0 and 1.

    Args:
        labels: Class numbers.
        classes: Number of classes.
    """
    return np.eye(classes, dtype="float32")[labels]


@_kept
def images(size: int, channels: int = 3, classes: int = 10, count: int = ROWS, seed: int = 0) -> Any:
    """(pictures of 0 to 1 with a bright square whose place tells the class, labels).

    Args:
        size: Height and width.
        channels: Colours.
        classes: Number of classes.
        count: Number of pictures.
        seed: Seed.
    """
    numbers = draw(seed)
    labels = np.concatenate([np.arange(classes), numbers.integers(0, classes, count - classes)])
    x = (0.4 * numbers.random((count, size, size, channels))).astype("float32")
    wide = max(size // 4, 2)
    places = draw(99).integers(0, size - wide + 1, (classes, 2))
    for row, label in enumerate(labels):
        top, left = places[label]
        x[row, top : top + wide, left : left + wide, label % channels] += 0.6
    return x, labels


@_kept
def texts(length: int = 20, vocabulary: int = 200, classes: int = 2, count: int = ROWS, padded: bool = False) -> Any:
    """(token numbers from 1 to vocabulary - 1, of which some tell the class; labels). Padding at the end is 0.

    Args:
        length: Tokens in a row.
        vocabulary: Number of tokens, with 0 for padding.
        classes: Number of classes.
        count: Number of rows.
        padded: Whether rows end in padding of different lengths.
    """
    numbers = draw(0)
    labels = np.concatenate([np.arange(classes), numbers.integers(0, classes, count - classes)])
    x = numbers.integers(classes + 1, vocabulary, (count, length))
    told = numbers.random((count, length)) < 0.2
    x = np.where(told, labels[:, None] + 1, x)
    x[0, 0] = vocabulary - 1
    if padded:
        x = np.where(np.arange(length) < numbers.integers(length // 3, length + 1, count)[:, None], x, 0)
    return x, labels


@_kept
def series(steps: int = 24, features: int = 1, ahead: int = 1, count: int = ROWS, seed: int = 0) -> Any:
    """(count, steps, features) of waves of unit scale with noise, and the next `ahead` values of the first one.

    Args:
        steps: Length of a window.
        features: Columns.
        ahead: How many values follow.
        count: Number of windows.
        seed: Seed.
    """
    numbers = draw(seed)
    time = np.arange(steps + ahead)[None, :, None]
    phase, pace = (numbers.uniform(low, high, (count, 1, features)) for low, high in ((0, 6.28), (0.2, 0.6)))
    waves = np.sin(pace * time + phase) * 1.4 + 0.05 * numbers.normal(size=(count, steps + ahead, features))
    waves = waves.astype("float32")
    return waves[:, :steps], waves[:, steps:, 0]
