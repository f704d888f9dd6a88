"""Rows of an array."""

import jax
import jax.numpy as jnp

from lamina_native.library import foreign_call

__all__ = ["take_rows"]


def take_rows(x, rows):
    """`x[rows]` along the first axis, for any dtype; rows out of range stand for the first or the last.

    Shapes: x (count, ...), rows (n,) of int32 -> (n, ...).
    """
    if rows.ndim != 1 or rows.dtype != jnp.int32 or x.ndim < 1 or x.shape[0] == 0:
        raise ValueError(
            f"take_rows needs rows of an array and their numbers in int32; got {x.shape} and {rows.dtype}{rows.shape}."
        )
    return foreign_call("take_rows", jax.ShapeDtypeStruct((rows.shape[0], *x.shape[1:]), x.dtype), (x, rows), {})
