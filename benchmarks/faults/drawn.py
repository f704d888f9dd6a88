"""Small data that strangers' programs are written with, drawn by seed: clouds, pictures, waves, texts."""

import numpy as np

__all__ = ["blobs", "next_words", "reviews", "shapes", "waves"]


def blobs(count, features, kinds, seed=0, spread=1.0):
    """Clouds of points around one centre for each class."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(kinds, features)) * 2
    y = rng.integers(0, kinds, count)
    return (centres[y] + spread * rng.normal(size=(count, features))).astype("float32"), y


def shapes(count, size, kinds=4, channels=1, seed=0):
    """Pictures with a bright square in one of the corners."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, kinds, count)
    x = 0.1 * rng.random((count, size, size, channels))
    half = size // 2
    for one, kind in zip(x, y, strict=True):
        top, left = half * (kind // 2 % 2), half * (kind % 2)
        one[top : top + half, left : left + half] += 0.6
    return x.astype("float32"), y


def waves(count, steps, seed=0):
    """Noisy sines, and the value that follows."""
    rng = np.random.default_rng(seed)
    at = np.arange(steps + 1) * 0.3 + rng.uniform(0, 6, (count, 1))
    both = np.sin(at) + 0.05 * rng.normal(size=at.shape)
    return both[:, :-1, None].astype("float32"), both[:, -1:].astype("float32")


def reviews(count, steps, words, seed=0, before=False, longest=None):
    """Token numbers of 1 to words - 1, padded with 0, and whether an even word leads."""
    rng = np.random.default_rng(seed)
    x = rng.integers(1, words, (count, steps))
    y = (x[:, 0] % 2).astype("int32")
    for row, length in zip(x, rng.integers(max(2, steps // 4), (longest or steps) + 1, count), strict=True):
        row[length:] = 0
        if before:
            row[:] = np.roll(row, steps - length)
    return x.astype("int32"), y


def next_words(count=128, steps=12, words=24, shift=1, seed=0):
    """Counting sequences, and the words that follow."""
    rng = np.random.default_rng(seed)
    start, by = rng.integers(0, words, (count, 1)), rng.integers(1, 4, (count, 1))
    both = (start + by * np.arange(steps + 3)) % (words - 1) + 1
    return both[:, :steps].astype("int32"), both[:, shift : steps + shift].astype("int32")
