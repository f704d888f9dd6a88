"""Fashion-MNIST: 70,000 pictures of clothes of 28x28 grey pixels, ten classes (`target_names`).

Source: H. Xiao, K. Rasul and R. Vollgraf (2017), Fashion-MNIST, arXiv:1708.07747, Zalando SE. Licence: MIT.
"""

from __future__ import annotations

from lamina.datasets.fetch import fetch
from lamina.datasets.images import read_idx
from lamina.datasets.split import Split

__all__ = ["load_data", "target_names"]

target_names: tuple[str, ...] = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load_data() -> Split:
    """The 60,000 training and 10,000 test images with their labels.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x uint8 (n, 28, 28), y uint8 (n,).

    Raises:
        NetworkError: If a file is not in the cache and cannot be downloaded.
    """
    return _part("train"), _part("t10k")


def _part(name):
    images, labels = fetch(f"{name}-images-idx3-ubyte.gz"), fetch(f"{name}-labels-idx1-ubyte.gz")
    return read_idx(images, (28, 28)), read_idx(labels, ())
