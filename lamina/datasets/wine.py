"""Wine: thirteen chemical measures of 178 wines from three cultivars.

Source: S. Aeberhard and M. Forina (1992), Wine, UCI Machine Learning Repository, https://doi.org/10.24432/C5PC7J.
Licence: CC BY 4.0.
"""

from __future__ import annotations

import numpy as np

from lamina.datasets.packaged import read_table
from lamina.datasets.split import Split, stratified_split

__all__ = ["feature_names", "load_data", "target_names"]

feature_names: tuple[str, ...] = (
    "alcohol",
    "malic acid",
    "ash",
    "alcalinity of ash",
    "magnesium",
    "total phenols",
    "flavanoids",
    "nonflavanoid phenols",
    "proanthocyanins",
    "color intensity",
    "hue",
    "od280/od315 of diluted wines",
    "proline",
)
target_names: tuple[str, ...] = ("cultivar 1", "cultivar 2", "cultivar 3")


def load_data(test_split: float = 0.2, seed: int = 113) -> Split:
    """The wines in random order, with the same mix of cultivars in both parts.

    Args:
        test_split: Fraction of the rows that are test data, from 0 to below 1.
        seed: Seed of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x float64 (n, 13), y int64 (n,) from 0 to 2.

    >>> import lamina as keras
    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.wine.load_data()
    >>> x_train.shape, x_test.shape
    ((142, 13), (36, 13))
    """
    table = read_table("wine.csv")
    return stratified_split(table[:, :-1], table[:, -1].astype(np.int64), test_split, seed)
