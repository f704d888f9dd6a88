"""CIFAR-100: 60,000 colour pictures of 32x32 pixels, a hundred fine classes in twenty coarse ones.

Source: A. Krizhevsky (2009), Learning multiple layers of features from tiny images,
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from lamina.datasets.fetch import fetch
from lamina.datasets.images import read_cifar
from lamina.errors import CallError

__all__ = ["load_data"]


def load_data(label_mode="fine"):
    """`(x_train, y_train), (x_test, y_test)`: x uint8 (50000 or 10000, 32, 32, 3), y int64 (n, 1).

    `label_mode`: 'fine' (0 to 99) or 'coarse' (0 to 19). With `image_data_format()` channels_first x is (n, 3, 32, 32).
    Raises NetworkError if the archive is not in the cache and cannot be downloaded.
    """
    if label_mode not in ("fine", "coarse"):
        raise CallError(f"label_mode is 'fine' or 'coarse'; got {label_mode!r}.")
    parts = ["cifar-100-python/train"], ["cifar-100-python/test"]
    return read_cifar(fetch("cifar-100-python-target_archive"), parts, f"{label_mode}_labels".encode())
