"""Handwritten digits, 8x8 pixels: 1,797 images of ten classes.

Each pixel counts the inked dots, 0 to 16, in a block of 4x4 dots of a 32x32 scan.

Source: E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
https://doi.org/10.24432/C50P49 (its test set, 13 writers). Licence: CC BY 4.0.
"""

import numpy as np

from lamina.datasets.packaged import data_path
from lamina.datasets.split import stratified_split

__all__ = ["feature_names", "load_data", "target_names"]

feature_names = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))
target_names = tuple("0123456789")


def load_data(test_split=0.2, seed=113):
    """`(x_train, y_train), (x_test, y_test)`: x uint8 (n, 8, 8) of 0 to 16, y int64 (n,); split class by class.

    >>> import lamina as keras
    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
    >>> x_train.shape, y_train.dtype, int(x_train.max())
    ((1438, 8, 8), dtype('int64'), 16)
    """
    with np.load(data_path("digits.npz"), allow_pickle=False) as file:
        return stratified_split(file["x"], file["y"].astype(np.int64), test_split, seed)
