"""Breast Cancer Wisconsin (Diagnostic): thirty measures of cell nuclei in 569 images; malignant (0) or benign (1).

Each of ten measures has a mean, a standard error and a worst value. `csv_path()` is a CSV file with a header row, the
first twenty columns and the label, for programs that read CSV files.

Source: W. Wolberg, O. Mangasarian, N. Street and W. Street (1993), UCI Machine Learning Repository,
https://doi.org/10.24432/C5DW2B. Licence: CC BY 4.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lamina.datasets.packaged import data_path, read_table
from lamina.datasets.split import Split, stratified_split

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["csv_path", "feature_names", "load_data", "target_names"]

_measures = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)
feature_names: tuple[str, ...] = (
    *(f"mean {measure}" for measure in _measures),
    *(f"{measure} error" for measure in _measures),
    *(f"worst {measure}" for measure in _measures),
)
target_names: tuple[str, ...] = ("malignant", "benign")


def load_data(test_split: float = 0.2, seed: int = 113) -> Split:
    """The samples in random order, with the same mix of classes in both parts.

    Args:
        test_split: Fraction of the rows that are test data, from 0 to below 1.
        seed: Seed of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x float64 (n, 30), y int64 (n,) 0 or 1.

    >>> import lamina as keras
    >>> (x_train, y_train), (x_test, y_test) = keras.datasets.breast_cancer.load_data()
    >>> x_train.shape, x_test.shape
    ((456, 30), (113, 30))
    """
    table = read_table("breast_cancer.csv")
    return stratified_split(table[:, :-1], table[:, -1].astype(np.int64), test_split, seed)


def csv_path() -> Path:
    r"""The path of a CSV file with a header row, twenty feature columns and the column `benign` (0 or 1); 569 rows.

    >>> import lamina as keras
    >>> header = keras.datasets.breast_cancer.csv_path().read_text().split("\n")[0].split(",")
    >>> len(header), header[0], header[-1]
    (21, 'mean_radius', 'benign')
    """
    return data_path("breast_cancer_20.csv")
