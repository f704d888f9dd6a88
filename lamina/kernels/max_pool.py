"""Max pooling over windows that do not overlap, on CPUs with lamina-native: one byte for each window keeps the index of
its maximum, where the gradient goes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters import ad

from lamina.kernels.native import cpu_kernels

__all__ = ["max_pool_with_indices"]

WINDOW_SIZES = (2, 3, 4, 8, 9)  # elements of windows that the kernels have loops for
MIN_SIZE = 50_000  # XLA pools fewer numbers as fast


def max_pool_with_indices(
    program: Callable[[jax.Array], jax.Array],
    inputs: jax.Array,
    window: Sequence[int],
    strides: Sequence[int],
    padding: str,
) -> jax.Array | None:
    """`program(inputs)`, the maxima of windows over all axes, with another gradient; None without a kernel."""
    pads = jax.lax.padtype_to_pads(inputs.shape, window, strides, padding)
    if np.any(pads) or not _has_kernel(inputs, window, strides):
        return None
    return _pool(inputs, program, (tuple(window[1:-1]), tuple(strides[1:-1])))


def _has_kernel(inputs, window, strides):
    """Whether windows do not overlap, channels are last, and there are enough numbers."""
    is_static = all(isinstance(size, int) for size in inputs.shape) and inputs.dtype == "float32"
    apart = window[0] == window[-1] == 1 and all(width <= step for width, step in zip(window, strides, strict=True))
    if not is_static or not apart or math.prod(window) not in WINDOW_SIZES or inputs.size < MIN_SIZE:
        return False
    native = cpu_kernels(inputs)
    return native is not None and native.supported("bfloat16")  # implies AVX-512, which the loops need


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _pool(inputs, program, sizes):
    return program(inputs)


@_pool.defjvp
def _pool_jvp(program, sizes, primals, tangents):
    maxima, indices = _pool_and_indices(*primals, sizes)
    return maxima, _gather().bind(*tangents, indices, sizes=sizes)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _pool_and_indices(inputs, sizes):
    native: Any = cpu_kernels()
    return native.max_pool(inputs, **_settings(sizes))


@_pool_and_indices.defjvp
def _pool_and_indices_jvp(sizes, primals, tangents):
    maxima, indices = _pool_and_indices(*primals, sizes)
    tangent = _gather().bind(*tangents, indices, sizes=sizes)
    return (maxima, indices), (tangent, np.zeros(indices.shape, jax.dtypes.float0))


def _settings(sizes):
    window, strides = sizes
    return dict(window=window, strides=strides, padding=((0, 0),) * len(window))


@functools.cache
def _gather():
    """The primitive (x, indices) -> elements of x, one of each window. It and its transpose are defined at first use
    because the modules of JAX that they need take long to import."""
    from lamina.kernels.primitive import define_primitive

    gather = define_primitive("max_pool_gather", ("sizes",), _gather_shape, _gather_program)
    scatter = define_primitive(
        "max_pool_scatter", ("sizes", "shape"), _scatter_shape, _scatter_program, _scatter_on_cpu
    )
    ad.defjvp(gather, lambda tangent, x, indices, sizes: gather.bind(tangent, indices, sizes=sizes), None)
    ad.defjvp(scatter, lambda tangent, y, indices, **settings: scatter.bind(tangent, indices, **settings), None)
    ad.primitive_transposes[gather] = lambda cotangent, x, indices, sizes: (
        scatter.bind(ad.instantiate_zeros(cotangent), indices, sizes=sizes, shape=x.aval.shape), None
    )  # fmt: skip
    ad.primitive_transposes[scatter] = lambda cotangent, y, indices, sizes, shape: (
        gather.bind(ad.instantiate_zeros(cotangent), indices, sizes=sizes), None
    )  # fmt: skip
    return gather


def _gather_shape(x, indices, sizes):
    return indices.shape


def _gather_program(x, indices, sizes):
    window, strides = ((1, *axes, 1) for axes in sizes)
    counts, result = indices.shape, jnp.zeros(indices.shape, x.dtype)
    for element, first in enumerate(np.ndindex(*window)):
        ends = [start + (count - 1) * step + 1 for start, count, step in zip(first, counts, strides, strict=True)]
        result = jnp.where(indices == element, jax.lax.slice(x, first, ends, strides), result)
    return result


def _scatter_shape(y, indices, sizes, shape):
    return shape


def _scatter_program(y, indices, sizes, shape):
    """The transpose of `_gather_program`."""
    gather = functools.partial(_gather_program, indices=indices, sizes=sizes)
    return jax.linear_transpose(gather, jax.ShapeDtypeStruct(shape, y.dtype))(y)[0]


def _scatter_on_cpu(program, y, indices, sizes, shape):
    native = cpu_kernels(y)
    if native is None:
        return program(y, indices, sizes, shape)
    return native.max_pool_gradient(indices, y, shape, **_settings(sizes))
