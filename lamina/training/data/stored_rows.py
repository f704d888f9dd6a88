"""Large data sets of Hugging Face, read from their files batch by batch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from lamina.training.data.base import ahead
from lamina.training.data.leaves import as_arrays, count_samples
from lamina.training.data.streams import StreamBatches
from lamina.training.data.tables import arrays_of_rows

__all__ = ["RowBatches"]


class RowBatches(StreamBatches):
    """Batches of a data set that has rows by index; a thread reads the next ones.

    Args:
        rows: Dataset of Hugging Face.
        y: Targets; None takes a column.
        sample_weight: Weights of the samples.
        batch_size: Samples of a batch. None means 32, or what `steps` implies.
        steps: Batches of an epoch. None means all.
        shuffle: True for a new order in each epoch, "batch" to shuffle only inside each batch.
        class_weight: Dict from label to weight.
        inputs: Names of the inputs of the model.

    Raises:
        DataError: There are more or fewer targets than rows.
    """

    can_share = True  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]
    can_skip = True  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]

    def __init__(
        self,
        rows: Any,
        y: Any,
        sample_weight: Any,
        batch_size: int | None,
        steps: int | None,
        shuffle: bool | str,
        class_weight: dict[int, float] | None,
        inputs: Sequence[str],
    ):
        self.rows: Any = rows
        self.inputs: Any = inputs
        self.shuffle: Any = shuffle
        self.targets: Any = (as_arrays(y, "y"), as_arrays(sample_weight, "sample_weight"))
        self.num_samples: Any = count_samples((np.empty((len(rows), 0)), *self.targets))
        size = min(batch_size or (math.ceil(len(rows) / steps) if steps else 32), len(rows))
        super().__init__(self._read_pass, math.ceil(len(rows) / size), steps, size, class_weight)

    def _read_pass(self, first: int = 0) -> Iterator[Any]:
        count, size = self.num_samples, self.batch_size or 1
        order = np.random.permutation(count) if self.shuffle is True else np.arange(count)
        indices = [order[start : start + size] for start in range(0, count, size)]
        if self.shuffle == "batch":
            indices = list(map(np.random.permutation, indices))
        if self._reads is not None:
            indices = list(map(self._reads.of, indices))
        return ahead(indices[first:], self._read)

    def _read(self, index):
        y, sample_weight = jax.tree_util.tree_map(lambda leaf: leaf[index], self.targets)
        x, labels = arrays_of_rows(self.rows, index, self.inputs, y is None)
        return x, labels if y is None else y, sample_weight
