"""Gather, scatter-add and sum rows of an array."""

import jax
import jax.numpy as jnp

from lamina_native.library import call_all, foreign_call

__all__ = ["add_rows", "sum_rows", "take_rows"]


def take_rows(x, rows, *, fill=False):
    """`x[rows]` along the first axis, for any dtype. Indices out of range are clipped to the first or last row.

    Shapes: x (count, ...), rows (n,) of int32 -> (n, ...).

    Args:
        fill: Negative indices count from the end, and rows of indices still out of range are NaN, as in
            `jax.numpy.take`. x must have a float dtype.
    """
    if rows.ndim != 1 or rows.dtype != jnp.int32 or x.ndim < 1 or x.shape[0] == 0:
        raise ValueError(
            f"take_rows needs rows of an array and their numbers in int32; got {x.shape} and {rows.dtype}{rows.shape}."
        )
    if fill and not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"take_rows fills with NaN, which {x.dtype} does not have.")
    result = jax.ShapeDtypeStruct((rows.shape[0], *x.shape[1:]), x.dtype)
    return foreign_call("take_rows", result, (x, rows), dict(fill=bool(fill)))


def add_rows(values, rows, count):
    """`zeros((count, n)).at[rows].add(values)` in float32: the gradient of `take_rows` with `fill`.

    Shapes: values (m, n), rows (m,) of int32 -> (count, n).
    """
    if values.ndim != 2 or rows.shape != values.shape[:1] or rows.dtype != jnp.int32 or values.dtype != jnp.float32:
        raise ValueError(
            f"add_rows needs rows in float32 and a number in int32 for each; got {values.dtype}{values.shape} and "
            f"{rows.dtype}{rows.shape}."
        )
    return call_all("add_rows", ((count, values.shape[1]),), values, rows)[0]


def sum_rows(x):
    """`x.sum(0)` in float32: the gradient of a bias.

    Shapes: x (m, n) -> (n,).
    """
    if x.ndim != 2 or x.dtype != jnp.float32:
        raise ValueError(f"sum_rows needs rows in float32; got {x.dtype}{x.shape}.")
    if x.shape[0] == 0:
        return jnp.zeros(x.shape[1], x.dtype)
    return call_all("sum_rows", (x.shape[1:],), x)[0]
