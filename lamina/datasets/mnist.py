"""MNIST: 70,000 handwritten digits of 28x28 grey pixels, ten classes.

Source: Y. LeCun, C. Cortes and C. Burges, http://yann.lecun.com/exdb/mnist/. Licence: CC BY-SA 3.0.
"""

from lamina.datasets.fetch import fetch
from lamina.datasets.safe_pickle import load_npz

__all__ = ["load_data"]


def load_data(path="mnist.npz"):
    """`(x_train, y_train), (x_test, y_test)`: x uint8 (60000 or 10000, 28, 28), y uint8 (n,).

    `path`: the file's name in the cache, `~/.keras/datasets` or below `$KERAS_HOME`.
    Raises NetworkError if the file is not there and cannot be downloaded.
    """
    x_train, y_train, x_test, y_test = load_npz(fetch("mnist.npz", path), "x_train", "y_train", "x_test", "y_test")
    return (x_train, y_train), (x_test, y_test)
