"""The public names of `lamina.training.data`: the one table that editors and `lamina.core.lazy` read."""

from lamina.training.data.base import Batches as Batches
from lamina.training.data.batches import make_batches as make_batches
from lamina.training.data.leaves import split_validation as split_validation
from lamina.training.data.packing import pack_x_y_sample_weight as pack_x_y_sample_weight
from lamina.training.data.packing import unpack_x_y_sample_weight as unpack_x_y_sample_weight
from lamina.training.data.py_dataset import PyDataset as PyDataset
from lamina.training.data.py_dataset import Sequence as Sequence
from lamina.training.data.weights import class_weights_of as class_weights_of
