"""What layers over 1 to 3 spatial axes share: the rank, the data format, and settings for each axis."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from lamina.core.arguments import is_whole
from lamina.errors import ConfigError
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.runtime.settings import standardize_data_format

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.core.typing import DataFormat, LayerArguments


class SpatialLayer(Layer):
    """A layer on (batch, *space, channels), or (batch, channels, *space) with data_format='channels_first'.

    Subclasses set `rank`, the number of spatial axes.
    """

    rank: int

    def __init__(self, data_format: DataFormat = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.data_format: str = standardize_data_format(data_format)
        self.input_spec: Any = InputSpec(ndim=self.rank + 2)

    @property
    def space(self) -> tuple[int, ...]:
        """The spatial axes of the inputs."""
        first = 2 if self.data_format == "channels_first" else 1
        return tuple(range(first, first + self.rank))

    @property
    def channel_axis(self) -> int:
        """The axis of the channels: 1 or -1."""
        return 1 if self.data_format == "channels_first" else -1

    def _over_all_axes(self, spatial: Any, other: Any) -> tuple[Any, ...]:
        """A setting for every axis: those of `spatial`, and `other` for the batch and the channels."""
        return (other, other, *spatial) if self.data_format == "channels_first" else (other, *spatial, other)

    def _shape_of_windows(self, input_shape, window, strides, padding, channels):
        """The shape of what windows that slide over the inputs give; None where one does not fit."""
        sizes = [input_shape[axis] for axis in self.space]
        if padding == "valid":
            if any(size is not None and size < length for size, length in zip(sizes, window, strict=True)):
                return None
            sizes = [size and size - length + 1 for size, length in zip(sizes, window, strict=True)]
        sizes = [size and -(-size // stride) for size, stride in zip(sizes, strides, strict=True)]
        return self._shape(input_shape, sizes, channels)

    def _shape(self, input_shape, sizes, channels):
        """(batch, *sizes, channels), in the order of the data format."""
        return (input_shape[0], channels, *sizes) if self.channel_axis == 1 else (input_shape[0], *sizes, channels)

    def _per_axis(self, name: str, value: Any, least: int = 1) -> tuple[int, ...]:
        """A whole number for each spatial axis, from one number or one for each; none below `least`."""
        values = (value,) * self.rank if is_whole(value) else value
        fits = isinstance(values, (tuple, list)) and len(values) == self.rank
        if not fits or not all(is_whole(one, least) for one in values):
            several = f", or {self.rank} of them" if self.rank > 1 else ""
            raise ConfigError(
                f"{type(self).__name__} needs {name}: a whole number of {least} or more{several}; got {value!r}.",
                fix=f"{name}={_near(value, self.rank, least)}",
            )
        return tuple(map(int, values))

    def _pairs_per_axis(self, name: str, value: Any) -> Any:
        """(before, after) of each spatial axis, from one number, one for each axis, or one pair for each axis."""
        entries: Any = (value,) * self.rank if is_whole(value) else value
        if self.rank == 1:
            entries = (value if isinstance(value, (tuple, list)) else (value, value),)
        if isinstance(entries, (tuple, list)) and len(entries) == self.rank:
            pairs: list[Any] = [(one, one) if is_whole(one) else one for one in entries]
            if all(isinstance(pair, (tuple, list)) and len(pair) == 2 and all(map(is_whole, pair)) for pair in pairs):
                return tuple((int(before), int(after)) for before, after in pairs)
        forms = ("1", "(1, 2)") if self.rank == 1 else ("1", f"{(1,) * self.rank}", f"{((1, 2),) * self.rank}")
        raise ConfigError(
            f"{type(self).__name__} needs {name}: whole numbers from 0 up, like {' or '.join(forms)}; got {value!r}.",
            fix=f"{name}={forms[-1]}",
        )


def _near(value, rank, least):
    """A number, or `rank` of them, that is allowed and near what was given."""
    if isinstance(value, (list, tuple)) and value and all(is_whole(one, least) for one in value):
        return tuple((*value, *[value[-1]] * rank)[:rank])
    text = value.strip() if isinstance(value, str) else ""
    if rank > 1 and len(sizes := [int(one) for one in re.findall(r"\d+", text)]) == rank and min(sizes) >= least:
        return tuple(sizes)
    number = (
        int(text) if text.isdecimal() else int(value) if isinstance(value, float) and math.isfinite(value) else None
    )
    return number if number is not None and number >= max(least, 1) else 2
