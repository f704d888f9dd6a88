"""Boston Housing: 13 attributes of 506 towns near Boston in the 1970s, and the median house value in k$.

The attribute "B" assumes that racial segregation influences house prices. Use `california_housing` unless this flaw is
your subject.

Source: D. Harrison and D. Rubinfeld (1978), Hedonic housing prices and the demand for clean air, Journal of
Environmental Economics and Management 5, 81-102; StatLib, http://lib.stat.cmu.edu/datasets/boston.
"""

from __future__ import annotations

from lamina.datasets.fetch import fetch
from lamina.datasets.safe_pickle import load_npz
from lamina.datasets.split import Split, shuffled_split

__all__ = ["load_data"]


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """The towns in random order: 13 attributes and the median house value.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets` or `$KERAS_HOME/datasets`.
        test_split: Fraction of the rows that are test data, from 0 to below 1.
        seed: Seed of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x float64 (n, 13), y float64 (n,) in k$.

    Raises:
        NetworkError: If the file is not in the cache and cannot be downloaded.
    """
    x, y = load_npz(fetch("boston_housing.npz", path), "x", "y")
    return shuffled_split(x, y, test_split, seed)
