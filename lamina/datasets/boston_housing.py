"""Boston Housing: 13 attributes of 506 towns near Boston in the 1970s, and the median house value in k$.

One attribute, "B", assumes that racial segregation moves house prices: use `california_housing` unless that flaw
itself is your subject.

Source: D. Harrison and D. Rubinfeld (1978), Hedonic housing prices and the demand for clean air, Journal of
Environmental Economics and Management 5, 81-102; StatLib, http://lib.stat.cmu.edu/datasets/boston.
"""

from lamina.datasets.fetch import fetch
from lamina.datasets.safe_pickle import load_npz
from lamina.datasets.split import shuffled_split

__all__ = ["load_data"]


def load_data(path="boston_housing.npz", test_split=0.2, seed=113):
    """`(x_train, y_train), (x_test, y_test)`: x float64 (n, 13), y float64 (n,) in k$.

    `path`: the file's name in the cache, `~/.keras/datasets` or below `$KERAS_HOME`.
    Raises NetworkError if the file is not there and cannot be downloaded.
    """
    x, y = load_npz(fetch("boston_housing.npz", path), "x", "y")
    return shuffled_split(x, y, test_split, seed)
