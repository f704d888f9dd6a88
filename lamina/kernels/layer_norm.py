"""Standardization of rows to mean 0 and variance 1, and its derivative, a symmetric map, as primitives of JAX."""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp
from jax.interpreters import ad

from lamina.kernels.native import is_portable, kernels

__all__ = ["row_mean", "standardize_rows"]


def standardize_rows(x: jax.Array, rank: int, epsilon: float) -> jax.Array | None:
    """`(x - mean) / sqrt(variance + epsilon)` with the moments over the last `rank` axes; None without a kernel."""
    is_static = all(isinstance(size, int) and size for size in x.shape)
    if not is_static or x.dtype != "float32" or not isinstance(epsilon, float) or kernels(x) is None:
        return None
    rows = x.reshape(-1, math.prod(x.shape[x.ndim - rank :]))
    return _primitive().bind(rows, epsilon=epsilon).reshape(x.shape)


def row_mean(x: jax.Array, rank: int) -> jax.Array:
    """The mean over the last `rank` axes, which stay with size 1.

    On CPUs it is a product with a column. XLA fuses sums, and repeats in each fusion all that leads to its input: the
    whole chain of residual blocks, so that a stack of n blocks would take n^2 operations. It does not fuse products.
    """
    *outer, size = *x.shape[: x.ndim - rank], math.prod(x.shape[x.ndim - rank :])
    is_static = all(isinstance(one, int) and one for one in x.shape)
    if not is_static or is_portable() or x.dtype != "float32" or jax.default_backend() != "cpu":
        return jnp.mean(x, tuple(range(x.ndim - rank, x.ndim)), keepdims=True)
    return (x.reshape(*outer, size) @ jnp.full((size, 1), 1 / size, x.dtype)).reshape(*outer, *[1] * rank)


@functools.cache
def _primitive():
    """The primitive, defined at first use because the modules of JAX that it needs take long to import."""
    from lamina.kernels.primitive import define_primitive

    value = define_primitive("standardize", ("epsilon",), _shape, _standardize, _on_cpu)
    derivative = define_primitive("standardize_gradient", ("epsilon",), _shape, _jvp, _jvp_on_cpu)
    ad.defjvp(value, lambda tangent, x, epsilon: derivative.bind(x, tangent, epsilon=epsilon))
    ad.defjvp(
        derivative,
        lambda change, x, tangent, epsilon: jax.jvp(lambda x: _jvp(x, tangent, epsilon), (x,), (change,))[1],
        lambda change, x, tangent, epsilon: derivative.bind(x, change, epsilon=epsilon),
    )
    ad.primitive_transposes[derivative] = lambda cotangent, x, tangent, epsilon: (
        None, derivative.bind(x, ad.instantiate_zeros(cotangent), epsilon=epsilon)
    )  # fmt: skip
    return value


def _shape(x, *others, epsilon):
    return x.shape


def _standardize(x, epsilon):
    centered = x - jnp.mean(x, -1, keepdims=True)
    return centered * jax.lax.rsqrt(jnp.mean(centered**2, -1, keepdims=True) + epsilon)


def _jvp(x, tangent, epsilon):
    return jax.jvp(lambda x: _standardize(x, epsilon), (x,), (tangent,))[1]


def _on_cpu(program, x, epsilon):
    native = kernels(x)
    return program(x, epsilon=epsilon) if native is None else native.standardize(x, epsilon=epsilon)


def _jvp_on_cpu(program, x, tangent, epsilon):
    native = kernels(x)
    kernel = program if native is None else native.standardize_gradient
    return kernel(x, tangent, epsilon=epsilon)
