"""Gathering rows of a table, as an embedding does, and its transpose, scatter-add, as two primitives of JAX."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax.interpreters import ad

from lamina.kernels.native import kernels

__all__ = ["gather_rows"]

INDEX_TYPES = ("int32", "int16", "int8", "uint16", "uint8")  # types whose values fit into an int32


def gather_rows(table: jax.Array, indices: jax.Array) -> jax.Array:
    """`table[indices]`; negative indices count from the end, and indices out of range give NaN.

    Shapes: table (count, n), indices (...) -> (..., n).
    """
    if table.ndim != 2 or table.dtype != "float32" or indices.dtype.name not in INDEX_TYPES or kernels(table) is None:
        return jnp.take(table, indices, axis=0)
    rows = indices.reshape(-1).astype("int32")
    return _primitives()[0].bind(table, rows).reshape(*indices.shape, table.shape[1])


@functools.cache
def _primitives():
    """(gather, scatter-add), defined at first use because the modules of JAX that they need take long to import."""
    from lamina.kernels.primitive import define_primitive

    gather = define_primitive("take_rows", (), _gather_shape, _gather, _gather_on_cpu)
    scatter = define_primitive("add_rows", ("count",), _scatter_shape, _scatter, _scatter_on_cpu)
    ad.defjvp(gather, lambda tangent, table, rows: gather.bind(tangent, rows), None)
    ad.defjvp(scatter, lambda tangent, values, rows, count: scatter.bind(tangent, rows, count=count), None)
    ad.primitive_transposes[gather] = lambda cotangent, table, rows: (
        scatter.bind(ad.instantiate_zeros(cotangent), rows, count=table.aval.shape[0]), None
    )  # fmt: skip
    ad.primitive_transposes[scatter] = lambda cotangent, values, rows, count: (
        gather.bind(ad.instantiate_zeros(cotangent), rows), None
    )  # fmt: skip
    return gather, scatter


def _gather_shape(table, rows):
    return *rows.shape, table.shape[1]


def _gather(table, rows):
    return jnp.take(table, rows, axis=0)


def _gather_on_cpu(program, table, rows):
    native = kernels(table) if 0 not in (*table.shape, *rows.shape) else None
    return program(table, rows) if native is None else native.take_rows(table, rows, fill=True)


def _scatter_shape(values, rows, count):
    return count, values.shape[1]


def _scatter(values, rows, count):
    return jnp.zeros((count, values.shape[1]), values.dtype).at[rows].add(values, mode="drop")


def _scatter_on_cpu(program, values, rows, count):
    native = kernels(values)
    return program(values, rows, count=count) if native is None else native.add_rows(values, rows, count)
