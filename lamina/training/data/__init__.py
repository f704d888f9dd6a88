"""Any input that `fit` takes, as batches: `make_batches(...).epoch()` gives (x, y, sample_weight) triples."""

from lamina.training.data.batches import Batches, make_batches
from lamina.training.data.leaves import pack_x_y_sample_weight, split_validation, unpack_x_y_sample_weight
from lamina.training.data.py_dataset import PyDataset
from lamina.training.data.weights import class_weights_of

Sequence = PyDataset  # its name before Keras 3

__all__ = [
    "Batches",
    "PyDataset",
    "Sequence",
    "class_weights_of",
    "make_batches",
    "pack_x_y_sample_weight",
    "split_validation",
    "unpack_x_y_sample_weight",
]
