"""Auto MPG: fuel consumption of 392 cars of 1970 to 1982, in miles per gallon, from nine features.

The file holds all 398 cars; six whose horsepower is unknown are left out, as in most programs on these data.

Source: R. Quinlan (1993), Auto MPG, UCI Machine Learning Repository, https://doi.org/10.24432/C5859H, from the StatLib
library of Carnegie Mellon University. Licence: CC BY 4.0.
"""

import numpy as np

from lamina.datasets.packaged import read_table
from lamina.datasets.split import shuffled_split

__all__ = ["feature_names", "load_data", "target_names"]

feature_names = (
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
target_names = ("MPG",)


def load_data(test_split=0.2, seed=113):
    """`(x_train, y_train), (x_test, y_test)`: x float64 (n, 9), not scaled, origin one-hot; y float64 (n,) in MPG.

    >>> import lamina as keras
    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.auto_mpg.load_data()
    >>> x_train.shape, x_test.shape
    ((313, 9), (79, 9))
    """
    table = read_table("auto_mpg.csv", columns=8)  # the ninth is the car's name
    table = table[~np.isnan(table).any(axis=1)]
    mpg, numbers, origin = table[:, 0], table[:, 1:7], table[:, 7:]
    return shuffled_split(np.hstack([numbers, origin == [1, 2, 3]]), mpg, test_split, seed)
