"""Names for the types of arguments that take many things, used in annotations throughout lamina.

Aliases that need a class of a higher floor stand beside that class: `InitializerLike` in `lamina.initializers`,
`LossLike` in `lamina.losses`, and so on.
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
"""Whatever becomes an array: arrays of NumPy and JAX, variables, numbers, and (nested) lists of numbers."""

TensorLike: TypeAlias = "ArrayLike | KerasTensor"
"""An array-like value, or a symbolic tensor, of which an op or a layer makes a node of a graph."""

Size: TypeAlias = "int | Sequence[int]"
"""A size for each spatial axis, or one number for all of them."""

Axis: TypeAlias = "int | None"
"""One axis, counted from the end if negative; None stands for all axes or the flattened array."""

Axes: TypeAlias = "int | Sequence[int] | None"
"""One axis or several, counted from the end if negative; None stands for all axes."""

DataFormat: TypeAlias = "str | None"
"""Where the channels are, "channels_last" or "channels_first"; None means `keras.config.image_data_format()`."""

SeedLike: TypeAlias = Any
"""A whole number, a `keras.random.SeedGenerator`, or None for a seed of its own."""

PyTree: TypeAlias = Any
"""Nested dicts, lists and tuples of leaves."""

Config: TypeAlias = "dict[str, Any]"
"""What `get_config` returns: the arguments by name, as values that JSON can hold."""


class CommonLayerArguments(TypedDict, total=False):
    """The keyword arguments of every layer, for those that list `activity_regularizer` among their own."""

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
    """The keyword arguments that every layer takes."""

    activity_regularizer: Any
