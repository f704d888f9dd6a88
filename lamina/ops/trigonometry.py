"""Trigonometric and hyperbolic functions of each element, and the parts of complex numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.ops.arrays import float_operands, floating, tensor

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike

__all__ = [
    "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "conj", "conjugate", "cos",
    "cosh", "deg2rad", "hypot", "i0", "imag", "rad2deg", "real", "sin", "sinc", "sinh", "tan", "tanh",
]  # fmt: skip


@op
def sin(x: TensorLike) -> Tensor:
    """The sine of x.

    Args:
        x: Angles in radians; integers become floats.
    """
    return jnp.sin(floating(x))


@op
def cos(x: TensorLike) -> Tensor:
    """The cosine of x.

    Args:
        x: Angles in radians; integers become floats.
    """
    return jnp.cos(floating(x))


@op
def tan(x: TensorLike) -> Tensor:
    """The tangent of x.

    Args:
        x: Angles in radians; integers become floats.
    """
    return jnp.tan(floating(x))


@op
def arcsin(x: TensorLike) -> Tensor:
    """The angle in [-pi/2, pi/2], in radians, whose sine is x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.arcsin(floating(x))


@op
def arccos(x: TensorLike) -> Tensor:
    """The angle in [0, pi], in radians, whose cosine is x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.arccos(floating(x))


@op
def arctan(x: TensorLike) -> Tensor:
    """The angle in (-pi/2, pi/2), in radians, whose tangent is x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.arctan(floating(x))


@op
def arctan2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The angle in (-pi, pi], in radians, of the point (x2, x1).

    Args:
        x1, x2: Tensors that broadcast to one shape; integers become floats.
    """
    return jnp.arctan2(*float_operands(x1, x2))


@op
def sinh(x: TensorLike) -> Tensor:
    """The hyperbolic sine of x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.sinh(floating(x))


@op
def cosh(x: TensorLike) -> Tensor:
    """The hyperbolic cosine of x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.cosh(floating(x))


@op
def tanh(x: TensorLike) -> Tensor:
    """The hyperbolic tangent of x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.tanh(floating(x))


@op
def arcsinh(x: TensorLike) -> Tensor:
    """The number whose hyperbolic sine is x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.arcsinh(floating(x))


@op
def arccosh(x: TensorLike) -> Tensor:
    """The positive number whose hyperbolic cosine is x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.arccosh(floating(x))


@op
def arctanh(x: TensorLike) -> Tensor:
    """The number whose hyperbolic tangent is x.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.arctanh(floating(x))


@op
def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """sqrt(x1**2 + x2**2), without overflow.

    Args:
        x1, x2: Tensors that broadcast to one shape; integers become floats.
    """
    return jnp.hypot(*float_operands(x1, x2))


@op
def sinc(x: TensorLike) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.sinc(floating(x))


@op
def deg2rad(x: TensorLike) -> Tensor:
    """Degrees converted to radians.

    Args:
        x: Angles in degrees; integers become floats.
    """
    return jnp.deg2rad(floating(x))


@op
def rad2deg(x: TensorLike) -> Tensor:
    """Radians converted to degrees.

    Args:
        x: Angles in radians; integers become floats.
    """
    return jnp.rad2deg(floating(x))


@op
def i0(x: TensorLike) -> Tensor:
    """The modified Bessel function of the first kind, of order 0.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.i0(floating(x))


@op
def conjugate(x: TensorLike) -> Tensor:
    """The complex conjugate of x.

    Args:
        x: Tensor.
    """
    return jnp.conjugate(tensor(x))


conj = conjugate


@op
def real(x: TensorLike) -> Tensor:
    """The real part of x.

    Args:
        x: Tensor.
    """
    return jnp.real(tensor(x))


@op
def imag(x: TensorLike) -> Tensor:
    """The imaginary part of x.

    Args:
        x: Tensor.
    """
    return jnp.imag(tensor(x))


@op
def angle(x: TensorLike) -> Tensor:
    """The angle of complex numbers in the plane, in radians.

    Args:
        x: Tensor; integers become floats.
    """
    return jnp.angle(floating(x))
