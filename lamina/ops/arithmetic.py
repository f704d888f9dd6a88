"""Arithmetic of each element, or of each pair of elements after broadcasting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.ops.arrays import float_operands, floating, operand, tensor

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike

__all__ = [
    "abs", "absolute", "add", "cbrt", "divide", "divide_no_nan", "fabs", "floor_divide", "fmod", "gcd", "lcm",
    "mod", "multiply", "negative", "power", "reciprocal", "sign", "sqrt", "square", "subtract", "true_divide",
]  # fmt: skip


@op
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 + x2.

    Args:
        x1, x2: Tensors that broadcast to one shape.

    >>> import lamina as keras
    >>> keras.ops.add([1, 2], [3, 4])
    Array([4, 6], dtype=int32)
    """
    return jnp.add(operand(x1), operand(x2))


@op
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 - x2.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.subtract(operand(x1), operand(x2))


@op
def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 * x2.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.multiply(operand(x1), operand(x2))


@op
def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 / x2, a float also for integers.

    Args:
        x1, x2: Tensors that broadcast to one shape; integers become floats.
    """
    return jnp.true_divide(*float_operands(x1, x2))


@op
def true_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 / x2, a float also for integers.

    Args:
        x1, x2: Tensors that broadcast to one shape; integers become floats.
    """
    return jnp.true_divide(*float_operands(x1, x2))


@op
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 / x2, and 0 where x2 is 0.

    Args:
        x1, x2: Tensors that broadcast to one shape.

    >>> import lamina as keras
    >>> keras.ops.divide_no_nan(1.0, 0.0)
    Array(0., dtype=float32, weak_type=True)
    """
    x1, x2 = tensor(x1), tensor(x2)
    safe = jnp.where(x2 == 0, jnp.ones_like(x2), x2)
    return jnp.where(x2 == 0, 0, jnp.true_divide(x1, safe))


@op
def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The largest whole number that is at most x1 / x2.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.floor_divide(operand(x1), operand(x2))


@op
def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 - x2 * floor(x1 / x2): the remainder, with the sign of x2.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.mod(operand(x1), operand(x2))


@op
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder of x1 / x2, with the sign of x1.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.fmod(operand(x1), operand(x2))


@op
def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 to the power x2.

    Args:
        x1, x2: Tensors that broadcast to one shape.
    """
    return jnp.power(operand(x1), operand(x2))


@op
def negative(x: TensorLike) -> Tensor:
    """-x.

    Args:
        x: Tensor.
    """
    return jnp.negative(tensor(x))


@op
def reciprocal(x: TensorLike) -> Tensor:
    """1 / x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.reciprocal(floating(x))


@op
def absolute(x: TensorLike) -> Tensor:
    """|x|, for complex numbers their modulus.

    Args:
        x: Tensor.
    """
    return jnp.absolute(tensor(x))


abs = absolute


@op
def fabs(x: TensorLike) -> Tensor:
    """|x| as a float.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.fabs(floating(x))


@op
def sign(x: TensorLike) -> Tensor:
    """The sign of x: -1, 0 or 1.

    Args:
        x: Tensor.
    """
    return jnp.sign(tensor(x))


@op
def square(x: TensorLike) -> Tensor:
    """x * x.

    Args:
        x: Tensor.
    """
    return jnp.square(tensor(x))


@op
def sqrt(x: TensorLike) -> Tensor:
    """The square root of x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.sqrt(floating(x))


@op
def cbrt(x: TensorLike) -> Tensor:
    """The real cube root of x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.cbrt(floating(x))


@op
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The greatest common divisor of two integers.

    Args:
        x1, x2: Tensors of integers that broadcast to one shape.
    """
    return jnp.gcd(operand(x1), operand(x2))


@op
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The least common multiple of two integers.

    Args:
        x1, x2: Tensors of integers that broadcast to one shape.
    """
    return jnp.lcm(operand(x1), operand(x2))
