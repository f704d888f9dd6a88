"""StreamBatches: batches that something else yields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import jax
import numpy as np

from lamina.errors import DataError
from lamina.training.data.base import Batches, refuse_both_weights
from lamina.training.data.leaves import as_arrays, count_samples, is_scipy_sparse
from lamina.training.data.packing import unpack_x_y_sample_weight
from lamina.training.data.weights import broadcast_to_outputs, class_weights_of

__all__ = ["StreamBatches"]


class StreamBatches(Batches):
    """Batches that something else yields.

    Args:
        source: Callable without arguments that opens one pass over the batches.
        pass_length: Batches of one pass. None if unknown or endless.
        steps: Batches of an epoch. None means a whole pass.
        batch_size: Samples of a batch. None if unknown.
        class_weight: Dict from label to weight.
        hooks: Object with `on_epoch_begin` and `on_epoch_end`, or with neither.

    Attributes:
        look: Function of the number of a batch and the batch, called with each of the first epoch; None for none.
    """

    def __init__(
        self,
        source: Callable[[], Iterable[Any]],
        pass_length: int | None = None,
        steps: int | None = None,
        batch_size: int | None = None,
        class_weight: dict[int, float] | None = None,
        hooks: Any = None,
    ):
        super().__init__(pass_length, steps)
        self.source = source
        self.batch_size = batch_size
        self.class_weight = class_weight
        self.hooks = hooks
        self._checked = False
        self.look: Callable[[int, Any], None] | None = None

    @property
    def can_skip(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether the source has indices, so that it can leave out batches without reading them."""
        return getattr(self.source, "can_skip", False)

    def open(self) -> Iterator[Any]:
        first = self._skipped
        return self._standardized(self.source(first) if first else self.source(), first)  # pyright: ignore[reportCallIssue]

    def _standardized(self, batches, first):
        for number, given in enumerate(batches, first):
            try:
                batch = self._standard(given)
            except DataError as error:
                error.message += f" This is in batch {number}, counted from 0."
                raise
            if self.look is not None and number:  # `peek` shows the first batch
                self.look(number, batch)
            if number + 1 == self.steps:
                self.look = None
            yield batch
        self.look = None

    def begin_epoch(self) -> None:
        getattr(self.hooks, "on_epoch_begin", _nothing)()

    def end_epoch(self) -> None:
        getattr(self.hooks, "on_epoch_end", _nothing)()

    def _standard(self, batch):
        x, y, weight = unpack_x_y_sample_weight(batch)
        x, y, weight = _fit(x, "x", self.host_step is not None), _fit(y, "y"), _fit(weight, "sample_weight")
        if self.class_weight is not None:
            refuse_both_weights(weight)
            weight = class_weights_of(y, self.class_weight)
        if y.__class__ in (list, tuple, dict):
            weight = broadcast_to_outputs(y, weight)
        if not self._checked:
            count_samples((x, y, weight))
            self._checked = True
        return x, y, weight


def _nothing():
    pass


_READY = frozenset(map(np.dtype, ("float32", "int32", "uint8", "bool")))


def _fit(value, name, text=False):
    """A part of a batch as arrays; a plain array is returned at once."""
    if value is None or (value.__class__ is np.ndarray and value.dtype in _READY) or isinstance(value, jax.Array):
        return value
    if np.isscalar(value):
        raise DataError(
            f"The data yields single samples: {name} of one is {value!r}, without an axis for the batch.",
            fix="yield x[None], np.array([y]) is a batch of one sample; with arrays of all samples: model.fit(x, y).",
        )
    value = as_arrays(value, name, text)
    return jax.tree_util.tree_map(lambda leaf: leaf.toarray() if is_scipy_sparse(leaf) else leaf, value)
