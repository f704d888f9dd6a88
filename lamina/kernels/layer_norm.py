"""Rows brought to mean 0 and variance 1: a primitive of JAX, and its derivative, a symmetric map, as another."""

import functools
import math

import jax
import jax.numpy as jnp
from jax.interpreters import ad

from lamina.kernels.native import kernels

__all__ = ["standardize_rows"]


def standardize_rows(x, count, epsilon):
    """`(x - mean) / sqrt(variance + epsilon)` with the moments over the last `count` axes, or None where there is no
    kernel for it."""
    known = all(isinstance(size, int) and size for size in x.shape)
    if not known or x.dtype != "float32" or not isinstance(epsilon, float) or kernels(x) is None:
        return None
    rows = x.reshape(-1, math.prod(x.shape[x.ndim - count :]))
    return _primitives()[0].bind(rows, epsilon=epsilon).reshape(x.shape)


@functools.cache
def _primitives():
    """(value, derivative), made when they are first used: the part of JAX they come from takes long to import."""
    from lamina.kernels.primitive import primitive_of

    value = primitive_of("standardize", ("epsilon",), _shape, _standardize, _on_cpu)
    derivative = primitive_of("standardize_gradient", ("epsilon",), _shape, _along, _along_on_cpu)
    ad.defjvp(value, lambda tangent, x, epsilon: derivative.bind(x, tangent, epsilon=epsilon))
    ad.defjvp(
        derivative,
        lambda change, x, tangent, epsilon: jax.jvp(lambda x: _along(x, tangent, epsilon), (x,), (change,))[1],
        lambda change, x, tangent, epsilon: derivative.bind(x, change, epsilon=epsilon),
    )
    ad.primitive_transposes[derivative] = lambda cotangent, x, tangent, epsilon: (
        None, derivative.bind(x, ad.instantiate_zeros(cotangent), epsilon=epsilon)
    )  # fmt: skip
    return value, derivative


def _shape(x, *others, epsilon):
    return x.shape


def _standardize(x, epsilon):
    centered = x - jnp.mean(x, -1, keepdims=True)
    return centered * jax.lax.rsqrt(jnp.mean(centered**2, -1, keepdims=True) + epsilon)


def _along(x, tangent, epsilon):
    return jax.jvp(lambda x: _standardize(x, epsilon), (x,), (tangent,))[1]


def _on_cpu(program, x, epsilon):
    native = kernels(x)
    return program(x, epsilon=epsilon) if native is None else native.standardize(x, epsilon=epsilon)


def _along_on_cpu(program, x, tangent, epsilon):
    native = kernels(x)
    found = program if native is None else native.standardize_gradient
    return found(x, tangent, epsilon=epsilon)
