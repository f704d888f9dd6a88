"""Type aliases for arguments that accept several types, used in annotations throughout lamina.

Aliases that need a class of a higher-level module are defined next to that class: `InitializerLike` in
`lamina.initializers`, `LossLike` in `lamina.losses`, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from lamina.core.array_types import DTypeLike, Shape, ShapeLike, Tensor

if TYPE_CHECKING:
    from jax.typing import ArrayLike as JaxArrayLike

    from lamina.core.keras_tensor import KerasTensor
    from lamina.core.variable import Variable

__all__ = [
    "ArrayLike", "Axes", "Axis", "CommonLayerArguments", "Config", "DTypeLike", "DataFormat", "LayerArguments",
    "PyTree", "SeedLike", "Shape", "ShapeLike", "Size", "Tensor", "TensorLike",
]  # fmt: skip

ArrayLike: TypeAlias = "JaxArrayLike | Variable | Sequence[Any]"
"""Anything that can be converted to an array: NumPy and JAX arrays, variables, numbers, (nested) lists of numbers."""

TensorLike: TypeAlias = "ArrayLike | KerasTensor"
"""An array-like value, or a symbolic tensor, for which an op or a layer records a node of a graph."""

Size: TypeAlias = "int | Sequence[int]"
"""A size per spatial axis, or a single number for all spatial axes."""

Axis: TypeAlias = "int | None"
"""An axis, counted from the end if negative. None means all axes, or the flattened array."""

Axes: TypeAlias = "int | Sequence[int] | None"
"""One or more axes, counted from the end if negative. None means all axes."""

DataFormat: TypeAlias = "str | None"
"""The position of the channels: "channels_last", "channels_first", or None for `keras.config.image_data_format()`."""

SeedLike: TypeAlias = Any
"""An int, a `keras.random.SeedGenerator`, or None for a new seed."""

PyTree: TypeAlias = Any
"""Nested dicts, lists and tuples of leaves."""

Config: TypeAlias = "dict[str, Any]"
"""The result of `get_config`: the arguments by name, as JSON-able values."""


class CommonLayerArguments(TypedDict, total=False):
    """The keyword arguments common to all layers, for layers that have their own `activity_regularizer` argument."""

    name: str | None
    dtype: Any
    trainable: bool
    autocast: bool
    input_shape: Any
    batch_input_shape: Any
    input_dim: int
    batch_size: int | None
    weights: Any


class LayerArguments(CommonLayerArguments, total=False):
    """The keyword arguments common to all layers."""

    activity_regularizer: Any
