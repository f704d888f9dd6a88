"""A bias added to many rows; its gradient, the sum of theirs, has a kernel."""

import functools
import math

import jax.numpy as jnp
from jax.interpreters import ad

from lamina.kernels.monotone import mark_monotone
from lamina.kernels.native import kernels

__all__ = ["add_bias", "sum_rows"]

LITTLE = 4096  # numbers that XLA adds up as fast


def add_bias(outputs, bias):
    """`outputs + bias`.

    Shapes: outputs (..., *axes), bias (*axes) -> that of the outputs; other shapes as NumPy has it.
    """
    if not _has_kernel(outputs, bias):
        return outputs + bias
    sums = _primitives()[0].bind(outputs, bias)
    return mark_monotone(lambda x: add_bias(x, bias), outputs, sums) if bias.ndim == 1 else sums


def sum_rows(x, rank=1):
    """The sum over all axes of `x` but the last `rank`."""
    return _primitives()[1].bind(x, rank=rank)


def _has_kernel(outputs, bias):
    known = all(isinstance(size, int) for size in outputs.shape)
    fits = outputs.ndim > bias.ndim > 0 and outputs.shape[outputs.ndim - bias.ndim :] == bias.shape
    return known and fits and outputs.dtype == bias.dtype == "float32" and kernels(outputs) is not None


@functools.cache
def _primitives():
    """(add, sum), made when they are first used: the part of JAX they come from takes long to import."""
    from lamina.kernels.primitive import primitive_of

    add = primitive_of("add_bias", (), _shape, _add)
    total = primitive_of("sum_rows", ("rank",), _shape_of_sum, _sum, _sum_on_cpu)
    ad.deflinear2(add, lambda cotangent, outputs, bias: [cotangent, total.bind(cotangent, rank=bias.aval.ndim)])
    ad.deflinear2(total, lambda cotangent, x, rank: [jnp.broadcast_to(cotangent, x.aval.shape)])
    return add, total


def _shape(outputs, bias):
    return outputs.shape


def _add(outputs, bias):
    return outputs + bias


def _shape_of_sum(x, rank):
    return x.shape[x.ndim - rank :]


def _sum(x, rank):
    return jnp.sum(x, tuple(range(x.ndim - rank)))


def _sum_on_cpu(program, x, rank):
    native = kernels(x) if x.size >= LITTLE and x.dtype == "float32" else None
    if native is None:
        return program(x, rank)
    shape = _shape_of_sum(x, rank)
    return native.sum_rows(x.reshape(-1, math.prod(shape))).reshape(shape)
