"""Merging layers as functions: `add([x, y])` is `Add()([x, y])`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.errors import CallError
from lamina.layers.merging import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.core.typing import LayerArguments

__all__ = ["add", "average", "concatenate", "dot", "maximum", "minimum", "multiply", "subtract"]


def add(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """`Add(**kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        **kwargs: Arguments of the layer: `name`, `dtype`.
    """
    return Add(**kwargs)(inputs)


def subtract(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """`Subtract(**kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        **kwargs: Arguments of the layer: `name`, `dtype`.
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """`Multiply(**kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        **kwargs: Arguments of the layer: `name`, `dtype`.
    """
    return Multiply(**kwargs)(inputs)


def average(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """`Average(**kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        **kwargs: Arguments of the layer: `name`, `dtype`.
    """
    return Average(**kwargs)(inputs)


def maximum(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """`Maximum(**kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        **kwargs: Arguments of the layer: `name`, `dtype`.
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Any, **kwargs: Unpack[LayerArguments]) -> Any:
    """`Minimum(**kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        **kwargs: Arguments of the layer: `name`, `dtype`.
    """
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Any, axis: int = -1, **kwargs: Unpack[LayerArguments]) -> Any:
    """`Concatenate(axis, **kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        axis: Axis along which the inputs are joined.
        **kwargs: Arguments of the layer: `name`, `dtype`.
    """
    _refuse_several("concatenate", axis)
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Any, axes: int | Sequence[int] = -1, **kwargs: Unpack[LayerArguments]) -> Any:
    """`Dot(axes, **kwargs)(inputs)`.

    Args:
        inputs: List of tensors.
        axes: Axis that is summed over, or one for each input.
        **kwargs: Arguments of the layer: `name`, `dtype`.
    """
    _refuse_several("dot", axes)
    return Dot(axes, **kwargs)(inputs)


def _refuse_several(function, second):
    """Raise the error for tensors that are passed one by one, so that the second is in the place of a setting."""
    if getattr(second, "shape", ()):
        raise CallError(f"{function} takes one list of tensors.", fix=f"keras.layers.{function}([x, y])")
