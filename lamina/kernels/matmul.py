"""Rows times a kernel, `inputs @ kernel`: a primitive of JAX, with programs of its own for CPUs and for gradients."""

import functools
import math

import jax
import jax.numpy as jnp
from jax.interpreters import ad

from lamina.kernels.native import kernels

__all__ = ["column_sums", "contract", "matmul", "multiply"]

LITTLE = 20_000  # operations that XLA does as fast


def matmul(inputs, kernel):
    """`inputs @ kernel`, all axes of the inputs but the last being rows.

    Shapes: inputs (..., n), kernel (n, m) -> (..., m).
    """
    if inputs.dtype != kernel.dtype or not jnp.issubdtype(inputs.dtype, jnp.floating) or inputs.ndim < 2:
        return jnp.matmul(inputs, kernel)
    rows = inputs.reshape(-1, inputs.shape[-1]) if inputs.ndim > 2 else inputs
    outputs = multiply(rows, kernel)
    return outputs.reshape(*inputs.shape[:-1], kernel.shape[-1]) if inputs.ndim > 2 else outputs


def contract(equation, inputs, kernel):
    """`einsum(equation, inputs, kernel)`: a product where the last axes of the inputs are the first of the kernel.

    >>> contract("bti,inh->btnh", jnp.ones((2, 3, 4)), jnp.ones((4, 5, 6))).shape
    (2, 3, 5, 6)
    """
    own, its, result = equation.replace(" ", "").replace("->", ",").split(",")
    for inner in range(1, len(its) + 1):
        if own.endswith(its[:inner]) and result == own[:-inner] + its[inner:]:
            matrix = kernel.reshape(math.prod(kernel.shape[:inner]), -1)
            outputs = matmul(inputs.reshape(*inputs.shape[:-inner], -1), matrix)
            return outputs.reshape(*outputs.shape[:-1], *kernel.shape[inner:])
    return jnp.einsum(equation, inputs, kernel)


def column_sums(left, right):
    """The sum over all rows of left (..., n) times right (..., m): (n, m), the gradient of a kernel."""
    return multiply(left.reshape(-1, left.shape[-1]), right.reshape(-1, right.shape[-1]), transpose_left=True)


def multiply(left, right, transpose_left=False, transpose_right=False):
    """`left @ right` for two matrices of one dtype, either of them transposed first."""
    return _product().bind(left, right, transpose_left=transpose_left, transpose_right=transpose_right)


def _shape(left, right, transpose_left, transpose_right):
    inner, columns = right.shape[::-1] if transpose_right else right.shape
    rows, other = left.shape[::-1] if transpose_left else left.shape
    if inner != other:
        raise TypeError(f"A product needs rows as long as the kernel's columns; got {left.shape} and {right.shape}.")
    return rows, columns


def _program(left, right, transpose_left, transpose_right):
    return jnp.matmul(left.T if transpose_left else left, right.T if transpose_right else right)


def _cpu_program(program, left, right, transpose_left, transpose_right):
    native = kernels(left, right) if _is_much(left, right.shape[0 if transpose_right else 1]) else None
    if native is not None:
        return native.matmul(left, right, transpose_x=transpose_left, transpose_w=transpose_right)
    if not transpose_left or transpose_right:
        return program(left, right, transpose_left, transpose_right)
    # XLA's product with a transposed left side takes up to five times as long as the two apart, and XLA puts them
    # together where it can. The side with fewer columns is the one to transpose, if the result is small beside it.
    apart = jax.lax.optimization_barrier
    if left.shape[1] <= right.shape[1] or left.shape[0] < right.shape[1]:
        return jnp.matmul(apart(left.T), right)
    return apart(jnp.matmul(apart(right.T), left)).T


def _is_much(left, columns):
    sizes = (*left.shape, columns)
    return all(isinstance(size, int) for size in sizes) and 2 * math.prod(sizes) >= LITTLE


def _left_cotangent(cotangent, left, right, transpose_left, transpose_right):
    if transpose_left:
        return multiply(right, cotangent, transpose_right, True)
    return multiply(cotangent, right, False, not transpose_right)


def _right_cotangent(cotangent, left, right, transpose_left, transpose_right):
    if transpose_right:
        return multiply(cotangent, left, True, transpose_left)
    return multiply(left, cotangent, not transpose_left, False)


@functools.cache
def _product():
    """The primitive, made when it is first used: the part of JAX it comes from takes long to import."""
    from lamina.kernels.primitive import primitive_of

    primitive = primitive_of("product", ("transpose_left", "transpose_right"), _shape, _program, _cpu_program)
    ad.defbilinear(primitive, _left_cotangent, _right_cotangent)
    return primitive
