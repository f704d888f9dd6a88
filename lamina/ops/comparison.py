"""Comparison, logic and kinds of numbers, for each element or pair of elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.ops.arrays import float_operands, operand, tensor

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike

__all__ = [
    "allclose", "equal", "greater", "greater_equal", "heaviside", "isclose", "isfinite", "isinf", "isnan",
    "isneginf", "isposinf", "isreal", "less", "less_equal", "logical_and", "logical_not", "logical_or",
    "logical_xor", "nextafter", "not_equal", "signbit",
]  # fmt: skip


@op
def equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 == x2, as booleans.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.equal(operand(x1), operand(x2))


@op
def not_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 != x2, as booleans.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.not_equal(operand(x1), operand(x2))


@op
def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 < x2, as booleans.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.less(operand(x1), operand(x2))


@op
def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 <= x2, as booleans.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.less_equal(operand(x1), operand(x2))


@op
def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 > x2, as booleans.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.greater(operand(x1), operand(x2))


@op
def greater_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether x1 >= x2, as booleans.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.greater_equal(operand(x1), operand(x2))


@op
def isclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether |x1 - x2| <= atol + rtol * |x2|, as booleans.

    Args:
        x1, x2: Tensors that broadcast to one shape.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
        equal_nan: Whether NaN is close to NaN.
    """
    return jnp.isclose(tensor(x1), tensor(x2), rtol, atol, equal_nan)


@op
def allclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether |x1 - x2| <= atol + rtol * |x2| for all elements.

    Args:
        x1, x2: Tensors that broadcast to one shape.
        rtol: Relative tolerance.
        atol: Absolute tolerance.
        equal_nan: Whether NaN is close to NaN.
    """
    return jnp.allclose(tensor(x1), tensor(x2), rtol, atol, equal_nan)


@op
def logical_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether both are true (not zero).

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.logical_and(operand(x1), operand(x2))


@op
def logical_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether at least one is true (not zero).

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.logical_or(operand(x1), operand(x2))


@op
def logical_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Whether exactly one is true (not zero).

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.logical_xor(operand(x1), operand(x2))


@op
def logical_not(x: TensorLike) -> Tensor:
    """Whether x is false (zero).

    Args:
        x: Tensor.
    """
    return jnp.logical_not(tensor(x))


@op
def isfinite(x: TensorLike) -> Tensor:
    """Whether x is neither infinite nor NaN.

    Args:
        x: Tensor.
    """
    return jnp.isfinite(tensor(x))


@op
def isinf(x: TensorLike) -> Tensor:
    """Whether x is infinite.

    Args:
        x: Tensor.
    """
    return jnp.isinf(tensor(x))


@op
def isnan(x: TensorLike) -> Tensor:
    """Whether x is NaN.

    Args:
        x: Tensor.
    """
    return jnp.isnan(tensor(x))


@op
def isneginf(x: TensorLike) -> Tensor:
    """Whether x is -inf.

    Args:
        x: Tensor.
    """
    return jnp.isneginf(tensor(x))


@op
def isposinf(x: TensorLike) -> Tensor:
    """Whether x is inf.

    Args:
        x: Tensor.
    """
    return jnp.isposinf(tensor(x))


@op
def isreal(x: TensorLike) -> Tensor:
    """Whether the imaginary part of x is zero.

    Args:
        x: Tensor.
    """
    return jnp.isreal(tensor(x))


@op
def signbit(x: TensorLike) -> Tensor:
    """Whether the sign bit of x is set, as it is also for -0.0.

    Args:
        x: Tensor.
    """
    return jnp.signbit(tensor(x))


@op
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The next representable number after x1 in the direction of x2.

    Args:
        x1, x2: Tensors that broadcast to one shape; integers become floats.
    """
    return jnp.nextafter(*float_operands(x1, x2))


@op
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """0 where x1 is negative, 1 where it is positive, and x2 where it is 0.

    Args:
        x1, x2: Tensors that broadcast to one shape; integers become floats.
    """
    return jnp.heaviside(*float_operands(x1, x2))
