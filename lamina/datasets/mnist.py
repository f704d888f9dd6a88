"""MNIST: 70,000 handwritten digits of 28x28 grey pixels, ten classes.

Source: Y. LeCun, C. Cortes and C. Burges, http://yann.lecun.com/exdb/mnist/. Licence: CC BY-SA 3.0.
"""

from __future__ import annotations

from lamina.datasets.fetch import fetch
from lamina.datasets.safe_pickle import load_npz
from lamina.datasets.split import Split

__all__ = ["load_data"]


def load_data(path: str = "mnist.npz") -> Split:
    """The 60,000 training and 10,000 test images with their labels.

    Args:
        path: Name of the file in the cache, `~/.keras/datasets` or `$KERAS_HOME/datasets`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x uint8 (n, 28, 28), y uint8 (n,).

    Raises:
        NetworkError: If the file is not in the cache and cannot be downloaded.
    """
    x_train, y_train, x_test, y_test = load_npz(fetch("mnist.npz", path), "x_train", "y_train", "x_test", "y_test")
    return (x_train, y_train), (x_test, y_test)
