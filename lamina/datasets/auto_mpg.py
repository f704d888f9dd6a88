"""Auto MPG: fuel consumption of 392 cars of 1970 to 1982, in miles per gallon, from nine features.

The file holds all 398 cars; six with unknown horsepower are removed, as usual.

Source: R. Quinlan (1993), Auto MPG, UCI Machine Learning Repository, https://doi.org/10.24432/C5859H, from the StatLib
library of Carnegie Mellon University. Licence: CC BY 4.0.
"""

from __future__ import annotations

import numpy as np

from lamina.datasets.packaged import read_table
from lamina.datasets.split import Split, shuffled_split

__all__ = ["feature_names", "load_data", "target_names"]

feature_names: tuple[str, ...] = (
    "Cylinders",
    "Displacement",
    "Horsepower",
    "Weight",
    "Acceleration",
    "Model Year",
    "USA",
    "Europe",
    "Japan",
)
target_names: tuple[str, ...] = ("MPG",)


def load_data(test_split: float = 0.2, seed: int = 113) -> Split:
    """The cars in random order: nine features and the miles per gallon.

    Args:
        test_split: Fraction of the rows that are test data, from 0 to below 1.
        seed: Seed of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x float64 (n, 9), not scaled, the origin one-hot; y float64 (n,) in MPG.

    >>> import lamina as keras
    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.auto_mpg.load_data()
    >>> x_train.shape, x_test.shape
    ((313, 9), (79, 9))
    """
    table = read_table("auto_mpg.csv", columns=8)  # the ninth is the name of the car
    table = table[~np.isnan(table).any(axis=1)]
    mpg, numbers, origin = table[:, 0], table[:, 1:7], table[:, 7:]
    return shuffled_split(np.hstack([numbers, origin == [1, 2, 3]]), mpg, test_split, seed)
