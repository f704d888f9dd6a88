"""CIFAR-100: 60,000 colour pictures of 32x32 pixels, a hundred fine classes in twenty coarse ones.

Source: A. Krizhevsky (2009), Learning multiple layers of features from tiny images,
https://www.cs.toronto.edu/~kriz/cifar.html.
"""

from __future__ import annotations

from lamina.core.arguments import choice
from lamina.datasets.fetch import fetch
from lamina.datasets.images import read_cifar
from lamina.datasets.split import Split

__all__ = ["load_data"]


def load_data(label_mode: str = "fine") -> Split:
    """The 50,000 training and 10,000 test images with their labels.

    Args:
        label_mode: "fine" for labels 0 to 99, "coarse" for 0 to 19.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x uint8 (n, 32, 32, 3), or (n, 3, 32, 32) with
        `keras.config.image_data_format()` "channels_first"; y int64 (n, 1).

    Raises:
        NetworkError: If the archive is not in the cache and cannot be downloaded.
        ConfigError: For another label mode.
    """
    choice("cifar100.load_data", "label_mode", label_mode, ("fine", "coarse"))
    parts = ["cifar-100-python/train"], ["cifar-100-python/test"]
    train, test = read_cifar(fetch("cifar-100-python-target_archive"), parts, f"{label_mode}_labels".encode())
    return train, test
