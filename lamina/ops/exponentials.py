"""Exponentials and logarithms of each element. Integers become floats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.ops.arrays import float_operands, floating, operand

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike

__all__ = [
    "exp", "exp2", "expm1", "ldexp", "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2",
]  # fmt: skip


@op
def exp(x: TensorLike) -> Tensor:
    """e to the power x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.exp(floating(x))


@op
def exp2(x: TensorLike) -> Tensor:
    """2 to the power x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.exp2(floating(x))


@op
def expm1(x: TensorLike) -> Tensor:
    """exp(x) - 1, accurate for small x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.expm1(floating(x))


@op
def log(x: TensorLike) -> Tensor:
    """The natural logarithm of x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.log(floating(x))


@op
def log10(x: TensorLike) -> Tensor:
    """The logarithm of x to base 10.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.log10(floating(x))


@op
def log1p(x: TensorLike) -> Tensor:
    """log(1 + x), accurate for small x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.log1p(floating(x))


@op
def log2(x: TensorLike) -> Tensor:
    """The logarithm of x to base 2.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.log2(floating(x))


@op
def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log(exp(x1) + exp(x2)), without overflow.

    Args:
        x1, x2: Tensors that broadcast to one shape; integers become floats.
    """
    return jnp.logaddexp(*float_operands(x1, x2))


@op
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """log2(2**x1 + 2**x2), without overflow.

    Args:
        x1, x2: Tensors that broadcast to one shape; integers become floats.
    """
    return jnp.logaddexp2(*float_operands(x1, x2))


@op
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """x1 * 2**x2.

    Args:
        x1: Tensor; integers become floats.
        x2: Tensor of integers that broadcasts with x1.
    """
    return jnp.ldexp(floating(x1), operand(x2))
