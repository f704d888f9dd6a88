"""CIFAR-10: 60,000 colour pictures of 32x32 pixels, ten classes (`target_names`).

Source: A. Krizhevsky (2009), Learning multiple layers of features from tiny images,
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

import numpy as np

from lamina.datasets.fetch import fetch
from lamina.datasets.images import read_cifar

__all__ = ["load_data", "target_names"]

target_names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def load_data():
    """`(x_train, y_train), (x_test, y_test)`: x uint8 (50000 or 10000, 32, 32, 3), y uint8 (n, 1).

    With `image_data_format()` channels_first x is (n, 3, 32, 32).
    Raises NetworkError if the archive is not in the cache and cannot be downloaded.
    """
    train, test = [f"data_batch_{i}" for i in range(1, 6)], ["test_batch"]
    parts = [[f"cifar-10-batches-py/{name}" for name in names] for names in (train, test)]
    parts = read_cifar(fetch("cifar-10-batches-py-target_archive"), parts, b"labels")
    return tuple((x, y.astype(np.uint8)) for x, y in parts)
