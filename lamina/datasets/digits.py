"""Handwritten digits, 8x8 pixels: 1,797 images of ten classes.

Each pixel is the number of inked dots, 0 to 16, in a block of 4x4 dots of a 32x32 scan.

Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
https://doi.org/10.24432/C50P49 (its test set, 13 writers). Licence: CC BY 4.0.
"""

from __future__ import annotations

import numpy as np

from lamina.datasets.packaged import data_path
from lamina.datasets.split import Split, stratified_split

__all__ = ["feature_names", "load_data", "target_names"]

feature_names: tuple[str, ...] = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
target_names: tuple[str, ...] = tuple("0123456789")


def load_data(test_split: float = 0.2, seed: int = 113) -> Split:
    """The images in random order, with the same mix of classes in both parts.

    Args:
        test_split: Fraction of the rows that are test data, from 0 to below 1.
        seed: Seed of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x uint8 (n, 8, 8) from 0 to 16, y int64 (n,).

    >>> import lamina as keras
    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    >>> x_train.shape, y_train.dtype, int(x_train.max())
    ((1438, 8, 8), dtype('int64'), 16)
    """
    with np.load(data_path("digits.npz"), allow_pickle=False) as file:
        return stratified_split(file["x"], file["y"].astype(np.int64), test_split, seed)
