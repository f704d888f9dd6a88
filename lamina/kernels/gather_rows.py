"""Rows of a table by their numbers, as an embedding does: two primitives of JAX, each the transpose of the other."""

import functools

import jax.numpy as jnp
from jax.interpreters import ad

from lamina.kernels.native import kernels

__all__ = ["gather_rows"]

SMALL = ("int32", "int16", "int8", "uint16", "uint8")  # types whose numbers an int32 holds


def gather_rows(table, numbers):
    """`table[numbers]`; numbers below zero count from the end, and those out of range give NaN.

    Shapes: table (count, n), numbers (...) -> (..., n).
    """
    if table.ndim != 2 or table.dtype != "float32" or numbers.dtype.name not in SMALL or kernels(table) is None:
        return jnp.take(table, numbers, axis=0)
    rows = numbers.reshape(-1).astype("int32")
    return _primitives()[0].bind(table, rows).reshape(*numbers.shape, table.shape[1])


@functools.cache
def _primitives():
    """(take, add), made when they are first used: the part of JAX they come from takes long to import."""
    from lamina.kernels.primitive import primitive_of

    take = primitive_of("take_rows", (), _shape_taken, _taken, _taken_on_cpu)
    add = primitive_of("add_rows", ("count",), _shape_added, _added, _added_on_cpu)
    ad.defjvp(take, lambda tangent, table, rows: take.bind(tangent, rows), None)
    ad.defjvp(add, lambda tangent, values, rows, count: add.bind(tangent, rows, count=count), None)
    ad.primitive_transposes[take] = lambda cotangent, table, rows: (
        add.bind(ad.instantiate_zeros(cotangent), rows, count=table.aval.shape[0]), None
    )  # fmt: skip
    ad.primitive_transposes[add] = lambda cotangent, values, rows, count: (
        take.bind(ad.instantiate_zeros(cotangent), rows), None
    )  # fmt: skip
    return take, add


def _shape_taken(table, rows):
    return *rows.shape, table.shape[1]


def _taken(table, rows):
    return jnp.take(table, rows, axis=0)


def _taken_on_cpu(program, table, rows):
    native = kernels(table) if 0 not in (*table.shape, *rows.shape) else None
    return program(table, rows) if native is None else native.take_rows(table, rows, fill=True)


def _shape_added(values, rows, count):
    return count, values.shape[1]


def _added(values, rows, count):
    return jnp.zeros((count, values.shape[1]), values.dtype).at[rows].add(values, mode="drop")


def _added_on_cpu(program, values, rows, count):
    native = kernels(values)
    return program(values, rows, count=count) if native is None else native.add_rows(values, rows, count)
