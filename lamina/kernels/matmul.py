"""Matrix products of rows and a kernel, `inputs @ kernel`, as a primitive of JAX with programs of its own for CPUs."""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp
from jax.interpreters import ad

from lamina.kernels.native import kernels

__all__ = ["column_sums", "contract", "matmul", "multiply"]

MIN_OPERATIONS = 20_000  # XLA computes smaller products as fast


def matmul(inputs: jax.Array, kernel: jax.Array) -> jax.Array:
    """`inputs @ kernel`, where all axes of the inputs except the last are rows.

    Shapes: inputs (..., n), kernel (n, m) -> (..., m).
    """
    if inputs.dtype != kernel.dtype or not jnp.issubdtype(inputs.dtype, jnp.floating) or inputs.ndim < 2:
        return jnp.matmul(inputs, kernel)
    rows = inputs.reshape(-1, inputs.shape[-1]) if inputs.ndim > 2 else inputs
    outputs = multiply(rows, kernel)
    return outputs.reshape(*inputs.shape[:-1], kernel.shape[-1]) if inputs.ndim > 2 else outputs


def contract(equation: str, inputs: jax.Array, kernel: jax.Array) -> jax.Array:
    """`einsum(equation, inputs, kernel)`, as a matrix product if the last axes of the inputs are the first of the
    kernel.

    >>> contract("bti,inh->btnh", jnp.ones((2, 3, 4)), jnp.ones((4, 5, 6))).shape
    (2, 3, 5, 6)
    """
    left, right, result = equation.replace(" ", "").replace("->", ",").split(",")
    for inner in range(1, len(right) + 1):
        if left.endswith(right[:inner]) and result == left[:-inner] + right[inner:]:
            matrix = kernel.reshape(math.prod(kernel.shape[:inner]), -1)
            outputs = matmul(inputs.reshape(*inputs.shape[:-inner], -1), matrix)
            return outputs.reshape(*outputs.shape[:-1], *kernel.shape[inner:])
    return jnp.einsum(equation, inputs, kernel)


def column_sums(left: jax.Array, right: jax.Array) -> jax.Array:
    """`left.T @ right` for left (..., n) and right (..., m) as rows: (n, m), the gradient of a kernel."""
    return multiply(left.reshape(-1, left.shape[-1]), right.reshape(-1, right.shape[-1]), transpose_left=True)


def multiply(
    left: jax.Array, right: jax.Array, transpose_left: bool = False, transpose_right: bool = False
) -> jax.Array:
    """`left @ right` for two matrices of one dtype, either of them transposed first."""
    return _primitive().bind(left, right, transpose_left=transpose_left, transpose_right=transpose_right)


def _shape(left, right, transpose_left, transpose_right):
    inner, columns = right.shape[::-1] if transpose_right else right.shape
    rows, other = left.shape[::-1] if transpose_left else left.shape
    if inner != other:
        raise TypeError(f"A matrix product needs equal inner sizes; got shapes {left.shape} and {right.shape}.")
    return rows, columns


def _program(left, right, transpose_left, transpose_right):
    return jnp.matmul(left.T if transpose_left else left, right.T if transpose_right else right)


def _cpu_program(program, left, right, transpose_left, transpose_right):
    native = kernels(left, right) if _is_large(left, right.shape[0 if transpose_right else 1]) else None
    if native is not None:
        return native.matmul(left, right, transpose_x=transpose_left, transpose_w=transpose_right)
    if not transpose_left or transpose_right:
        return program(left, right, transpose_left, transpose_right)
    # XLA fuses a transposition of the left side into the product, which then takes up to five times as long as the two
    # apart; the barriers prevent it. The side with fewer columns is transposed if the result is smaller than that side.
    barrier = jax.lax.optimization_barrier
    if left.shape[1] <= right.shape[1] or left.shape[0] < right.shape[1]:
        return jnp.matmul(barrier(left.T), right)
    return barrier(jnp.matmul(barrier(right.T), left)).T


def _is_large(left, columns):
    sizes = (*left.shape, columns)
    return all(isinstance(size, int) for size in sizes) and 2 * math.prod(sizes) >= MIN_OPERATIONS


def _left_cotangent(cotangent, left, right, transpose_left, transpose_right):
    if transpose_left:
        return multiply(right, cotangent, transpose_right, True)
    return multiply(cotangent, right, False, not transpose_right)


def _right_cotangent(cotangent, left, right, transpose_left, transpose_right):
    if transpose_right:
        return multiply(cotangent, left, True, transpose_left)
    return multiply(left, cotangent, not transpose_left, False)


@functools.cache
def _primitive():
    """The primitive, defined at first use because the modules of JAX that it needs take long to import."""
    from lamina.kernels.primitive import define_primitive

    primitive = define_primitive("product", ("transpose_left", "transpose_right"), _shape, _program, _cpu_program)
    ad.defbilinear(primitive, _left_cotangent, _right_cotangent)
    return primitive
