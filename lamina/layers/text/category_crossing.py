"""CategoryCrossing of Keras 2: categories of several columns, joined to new ones."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.errors import DataError
from lamina.layers.categories import Categorical, values_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import LayerArguments, Shape

__all__ = ["CategoryCrossing"]


class CategoryCrossing(Categorical):
    """Each combination of the categories of several columns as a text, "a_X_b", for a lookup or `Hashing` after it.

    Shapes: a list of (batch, columns) -> (batch, combinations), an array of texts.

    Args:
        depth: Number of columns that are joined at most, from one on; or a tuple of numbers. None joins all.
        separator: What stands between two categories; None means "_X_".
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> CategoryCrossing()([[["a"], ["b"]], [["c"], ["d"]]]).tolist()
    [['a_X_c'], ['b_X_d']]
    """

    def __init__(
        self,
        depth: int | Sequence[int] | None = None,
        separator: str | None = "_X_",
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self.depth, self.separator = depth, separator

    def _values_of(self, inputs):
        return [values_of(value) for value in (inputs if isinstance(inputs, (list, tuple)) else [inputs])]

    def _depths(self, count):
        if self.depth is None:
            return [count]
        return [*range(1, self.depth + 1)] if isinstance(self.depth, int) else [*self.depth]

    def call(self, inputs: Any) -> Any:
        columns = [np.asarray(value).astype(str) for value in inputs]
        columns = [value[:, None] if value.ndim == 1 else value for value in columns]
        depths = self._depths(len(columns))
        if max(depths) > len(columns):
            raise DataError(
                f"{self.name} joins {max(depths)} columns; got {len(columns)}.", fix=f"CategoryCrossing({len(columns)})"
            )
        chosen = [one for depth in depths for one in itertools.combinations(columns, depth)]
        separator = "_X_" if self.separator is None else self.separator
        rows = [
            [separator.join(parts) for group in chosen for parts in itertools.product(*(one[row] for one in group))]
            for row in range(len(columns[0]))
        ]
        return np.asarray(rows)

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        """The batch, and the number of combinations."""
        sizes = [shape[1] if len(shape) > 1 else 1 for shape in input_shape]
        groups = [one for depth in self._depths(len(sizes)) for one in itertools.combinations(sizes, depth)]
        counts = [None if None in group else math.prod(filter(None, group)) for group in groups]
        return input_shape[0][0], None if None in counts else sum(counts)  # pyright: ignore[reportCallIssue, reportArgumentType]
