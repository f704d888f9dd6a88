"""JAX's `scatter_add` of whole rows, the gradient of an embedding, as a sum of rows."""

import math

import jax
import jax.numpy as jnp

from lamina_native.rows import add_rows
from lamina_native.windows import are_known

__all__ = ["add_rows_program"]

ROWS_PER_SUM = 4  # of rows fewer than a fourth of the array's, XLA adds each where it is, and leaves the others alone


def add_rows_program(operand, indices, updates, *, dimension_numbers, mode, **_):
    """A function of (operand, indices, updates) that computes the primitive with kernels, or None if they do not serve
    it."""
    numbers, width = dimension_numbers, operand.ndim - 1
    rows = tuple(range(updates.ndim - width, updates.ndim))
    of_rows = (numbers.inserted_window_dims, numbers.scatter_dims_to_operand_dims) == ((0,), (0,))
    whole = numbers.update_window_dims == rows and updates.shape[updates.ndim - width :] == operand.shape[1:]
    sizes = (*operand.shape, *updates.shape)
    if not are_known(sizes) or 0 in sizes or operand.shape[0] >= 2**31 - 1:
        return None
    if not (of_rows and whole and width > 0 and operand.dtype == updates.dtype == jnp.float32):
        return None
    if getattr(numbers, "operand_batching_dims", ()) or indices.shape[-1] != 1 or indices.ndim - 1 != rows[0]:
        return None
    if ROWS_PER_SUM * math.prod(updates.shape[: rows[0]]) < operand.shape[0]:
        return None
    return lambda operand, indices, updates: operand + _add_rows(operand.shape, indices, updates, mode)


def _add_rows(shape, indices, updates, mode):
    count = shape[0]
    if indices.dtype.itemsize < 4:
        indices = indices.astype(jnp.int32)
    if mode == jax.lax.GatherScatterMode.CLIP:
        rows = jnp.clip(indices, 0, count - 1)
    else:
        rows = jnp.where((indices < 0) | (indices >= count), count, indices)  # rows that are nowhere are left out
    values = updates.reshape(-1, math.prod(shape[1:]))
    return add_rows(values, rows.astype(jnp.int32).reshape(-1), count).reshape(shape)
