"""CIFAR-10: 60,000 colour pictures of 32x32 pixels, ten classes (`target_names`).

Source: A. Krizhevsky (2009), Learning multiple layers of features from tiny images,
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

import numpy as np

from lamina.datasets.fetch import fetch
from lamina.datasets.images import read_cifar
from lamina.datasets.split import Split

__all__ = ["load_data", "target_names"]

target_names: tuple[str, ...] = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def load_data() -> Split:
    """The 50,000 training and 10,000 test images with their labels.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x uint8 (n, 32, 32, 3), or (n, 3, 32, 32) with
        `keras.config.image_data_format()` "channels_first"; y uint8 (n, 1).

    Raises:
        NetworkError: If the archive is not in the cache and cannot be downloaded.
    """
    train, test = [f"data_batch_{i}" for i in range(1, 6)], ["test_batch"]
    parts = [[f"cifar-10-batches-py/{name}" for name in names] for names in (train, test)]
    archive = fetch("cifar-10-batches-py-target_archive")
    (x_train, y_train), (x_test, y_test) = read_cifar(archive, parts, b"labels")
    return (x_train, y_train.astype(np.uint8)), (x_test, y_test.astype(np.uint8))
