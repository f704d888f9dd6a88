"""Functions of the bits of integers and booleans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.ops.arrays import operand, tensor

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike

__all__ = [
    "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift",
    "bitwise_xor", "left_shift", "right_shift",
]  # fmt: skip


@op
def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that are set in both.

    Args:
        x: Tensor of integers or booleans.
        y: Tensor of integers or booleans that broadcasts with x.
    """
    return jnp.bitwise_and(operand(x), operand(y))


@op
def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that are set in at least one.

    Args:
        x: Tensor of integers or booleans.
        y: Tensor of integers or booleans that broadcasts with x.
    """
    return jnp.bitwise_or(operand(x), operand(y))


@op
def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits that are set in exactly one.

    Args:
        x: Tensor of integers or booleans.
        y: Tensor of integers or booleans that broadcasts with x.
    """
    return jnp.bitwise_xor(operand(x), operand(y))


@op
def bitwise_not(x: TensorLike) -> Tensor:
    """All bits inverted.

    Args:
        x: Tensor of integers or booleans.
    """
    return jnp.bitwise_not(tensor(x))


bitwise_invert = bitwise_not


@op
def bitwise_left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits of x moved up by y places.

    Args:
        x: Tensor of integers or booleans.
        y: Number of places, a tensor of integers that broadcasts with x.
    """
    return jnp.left_shift(operand(x), operand(y))


@op
def bitwise_right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """The bits of x moved down by y places.

    Args:
        x: Tensor of integers or booleans.
        y: Number of places, a tensor of integers that broadcasts with x.
    """
    return jnp.right_shift(operand(x), operand(y))


left_shift = bitwise_left_shift
right_shift = bitwise_right_shift
