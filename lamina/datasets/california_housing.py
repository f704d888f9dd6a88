"""California Housing: eight attributes (`feature_names`) of 20,640 districts in 1990, and the median house value in $.

Source: R. Pace and R. Barry (1997), Sparse spatial autoregressions, Statistics and Probability Letters 33, 291-297;
StatLib, https://www.dcc.fc.up.pt/~ltorgo/Regression/cal_housing.html.
"""

from __future__ import annotations

from lamina.core.arguments import choice
from lamina.datasets.fetch import fetch
from lamina.datasets.safe_pickle import load_npz
from lamina.datasets.split import Split, shuffled_split

__all__ = ["feature_names", "load_data"]

feature_names: tuple[str, ...] = (
    "MedInc",
    "HouseAge",
    "AveRooms",
    "AveBedrms",
    "Population",
    "AveOccup",
    "Latitude",
    "Longitude",
)
_ROWS = {"small": 600, "large": None}


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Split:
    """The districts in random order: eight attributes and the median house value.

    Args:
        version: "large" for all districts, "small" for the first 600.
        path: Name of the file in the cache, `~/.keras/datasets` or `$KERAS_HOME/datasets`.
        test_split: Fraction of the rows that are test data, from 0 to below 1.
        seed: Seed of the shuffle.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x (n, 8), y (n,) in $.

    Raises:
        NetworkError: If the file is not in the cache and cannot be downloaded.
        ConfigError: For another version.
    """
    choice("california_housing.load_data", "version", version, _ROWS)
    x, y = load_npz(fetch("california_housing.npz", path), "x", "y")
    return shuffled_split(x[: _ROWS[version]], y[: _ROWS[version]], test_split, seed)
