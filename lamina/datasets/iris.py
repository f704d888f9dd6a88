"""Iris: four measures in cm of 150 flowers of three species.

Source: R. A. Fisher (1936), The use of multiple measurements in taxonomic problems, Annals of Eugenics 7(2), 179-188;
UCI Machine Learning Repository, https://doi.org/10.24432/C56C76, with its two wrong rows (35 and 38) as in Fisher's
paper. Licence: CC BY 4.0.
"""

from __future__ import annotations

import numpy as np

from lamina.datasets.packaged import read_table
from lamina.datasets.split import Split, stratified_split

__all__ = ["feature_names", "load_data", "target_names"]

feature_names: tuple[str, ...] = ("sepal length", "sepal width", "petal length", "petal width")
target_names: tuple[str, ...] = ("setosa", "versicolor", "virginica")


def load_data(test_split: float = 0.2, seed: int = 113) -> Split:
    """The flowers in random order, with the same mix of species in both parts.

    Args:
        test_split: Fraction of the rows that are test data, from 0 to below 1.
        seed: Seed of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x float64 (n, 4), y int64 (n,) from 0 to 2.

    >>> import lamina as keras
    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.iris.load_data()
    >>> x_train.shape, x_test.shape
    ((120, 4), (30, 4))
    """
    table = read_table("iris.csv")
    return stratified_split(table[:, :-1], table[:, -1].astype(np.int64), test_split, seed)
