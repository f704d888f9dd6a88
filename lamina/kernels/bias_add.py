"""The sum of rows and a bias, a primitive whose gradient, the sum of many rows, is a primitive with a native kernel."""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp
from jax.interpreters import ad

from lamina.kernels.monotone import mark_monotone
from lamina.kernels.native import kernels

__all__ = ["add_bias", "sum_rows"]

MIN_SIZE = 4096  # XLA sums fewer numbers as fast


def add_bias(outputs: jax.Array, bias: jax.Array) -> jax.Array:
    """`outputs + bias`.

    Shapes: outputs (..., *axes), bias (*axes) -> the shape of the outputs; other shapes broadcast as in NumPy.
    """
    if not _has_kernel(outputs, bias):
        return outputs + bias
    sums = _primitives()[0].bind(outputs, bias)
    return mark_monotone(lambda x: add_bias(x, bias), outputs, sums) if bias.ndim == 1 else sums


def sum_rows(x: jax.Array, rank: int = 1) -> jax.Array:
    """The sum over all axes of `x` except the last `rank`."""
    return _primitives()[1].bind(x, rank=rank)


def _has_kernel(outputs, bias):
    is_static = all(isinstance(size, int) for size in outputs.shape)
    fits = outputs.ndim > bias.ndim > 0 and outputs.shape[outputs.ndim - bias.ndim :] == bias.shape
    return is_static and fits and outputs.dtype == bias.dtype == "float32" and kernels(outputs) is not None


@functools.cache
def _primitives():
    """(add, sum), defined at first use because the modules of JAX that they need take long to import."""
    from lamina.kernels.primitive import define_primitive

    add = define_primitive("add_bias", (), _add_shape, _add)
    total = define_primitive("sum_rows", ("rank",), _sum_shape, _sum, _sum_on_cpu)
    ad.deflinear2(add, lambda cotangent, outputs, bias: [cotangent, total.bind(cotangent, rank=bias.aval.ndim)])
    ad.deflinear2(total, lambda cotangent, x, rank: [jnp.broadcast_to(cotangent, x.aval.shape)])
    return add, total


def _add_shape(outputs, bias):
    return outputs.shape


def _add(outputs, bias):
    return outputs + bias


def _sum_shape(x, rank):
    return x.shape[x.ndim - rank :]


def _sum(x, rank):
    return jnp.sum(x, tuple(range(x.ndim - rank)))


def _sum_on_cpu(program, x, rank):
    native = kernels(x) if x.size >= MIN_SIZE and x.dtype == "float32" else None
    if native is None:
        return program(x, rank)
    shape = _sum_shape(x, rank)
    return native.sum_rows(x.reshape(-1, math.prod(shape))).reshape(shape)
