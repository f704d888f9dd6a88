"""California Housing: eight attributes (`feature_names`) of 20,640 districts in 1990, and the median house value in $.

Source: R. Pace and R. Barry (1997), Sparse spatial autoregressions, Statistics and Probability Letters 33, 291-297;
StatLib, https://www.dcc.fc.up.pt/~ltorgo/Regression/cal_housing.html.
"""

from lamina.datasets.fetch import fetch
from lamina.datasets.safe_pickle import load_npz
from lamina.datasets.split import shuffled_split
from lamina.errors import CallError

__all__ = ["feature_names", "load_data"]

feature_names = ("MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude")
_ROWS = {"small": 600, "large": None}


def load_data(version="large", path="california_housing.npz", test_split=0.2, seed=113):
    """`(x_train, y_train), (x_test, y_test)`: x (n, 8), y (n,) in $; `version` 'small' is the first 600 districts.

    `path`: the file's name in the cache, `~/.keras/datasets` or below `$KERAS_HOME`.
    Raises NetworkError if the file is not there and cannot be downloaded.
    """
    if version not in _ROWS:
        raise CallError(f"version is 'small' or 'large'; got {version!r}.")
    x, y = load_npz(fetch("california_housing.npz", path), "x", "y")
    return shuffled_split(x[: _ROWS[version]], y[: _ROWS[version]], test_split, seed)
