"""The largest of windows side by side on CPUs with lamina-native: a byte for each says where its gradient goes."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters import ad

from lamina.kernels.native import cpu_kernels

__all__ = ["pool_with_places"]

SIZES = (2, 3, 4, 8, 9)  # elements of windows that the kernels have loops for
LITTLE = 50_000  # numbers that XLA pools as fast


def pool_with_places(program, inputs, window, strides, padding):
    """`program(inputs)`, the largest elements of windows over all axes, with another gradient; None where there is no
    kernel for it."""
    pads = jax.lax.padtype_to_pads(inputs.shape, window, strides, padding)
    if np.any(pads) or not _has_kernel(inputs, window, strides):
        return None
    return _pool(inputs, program, (tuple(window[1:-1]), tuple(strides[1:-1])))


def _has_kernel(inputs, window, strides):
    """Whether no element is in two windows, the channels come last, and there is much to do."""
    known = all(isinstance(size, int) for size in inputs.shape) and inputs.dtype == "float32"
    apart = window[0] == window[-1] == 1 and all(width <= step for width, step in zip(window, strides, strict=True))
    if not known or not apart or math.prod(window) not in SIZES or inputs.size < LITTLE:
        return False
    native = cpu_kernels(inputs)
    return native is not None and native.supported("bfloat16")  # there is AVX-512 then, which the loops need


@functools.partial(jax.custom_jvp, nondiff_argnums=(1, 2))
def _pool(inputs, program, sizes):
    return program(inputs)


@_pool.defjvp
def _pool_along(program, sizes, primals, tangents):
    largest, places = _pool_and_places(*primals, sizes)
    return largest, _take().bind(*tangents, places, sizes=sizes)


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _pool_and_places(inputs, sizes):
    native: Any = cpu_kernels()
    return native.max_pool(inputs, **_settings(sizes))


@_pool_and_places.defjvp
def _pool_and_places_along(sizes, primals, tangents):
    largest, places = _pool_and_places(*primals, sizes)
    along = _take().bind(*tangents, places, sizes=sizes)
    return (largest, places), (along, np.zeros(places.shape, jax.dtypes.float0))


def _settings(sizes):
    window, strides = sizes
    return dict(window=window, strides=strides, padding=((0, 0),) * len(window))


@functools.cache
def _take():
    """The primitive (x, places) -> the elements there. It and its transpose are made when they are first used: the part
    of JAX they come from takes long to import."""
    from lamina.kernels.primitive import primitive_of

    take = primitive_of("take_places", ("sizes",), _shape_taken, _taken)
    put = primitive_of("put_places", ("sizes", "shape"), _shape_put, _put, _put_on_cpu)
    ad.defjvp(take, lambda tangent, x, places, sizes: take.bind(tangent, places, sizes=sizes), None)
    ad.defjvp(put, lambda tangent, y, places, **settings: put.bind(tangent, places, **settings), None)
    ad.primitive_transposes[take] = lambda cotangent, x, places, sizes: (
        put.bind(ad.instantiate_zeros(cotangent), places, sizes=sizes, shape=x.aval.shape), None
    )  # fmt: skip
    ad.primitive_transposes[put] = lambda cotangent, y, places, sizes, shape: (
        take.bind(ad.instantiate_zeros(cotangent), places, sizes=sizes), None
    )  # fmt: skip
    return take


def _shape_taken(x, places, sizes):
    return places.shape


def _taken(x, places, sizes):
    window, strides = ((1, *axes, 1) for axes in sizes)
    counts, result = places.shape, jnp.zeros(places.shape, x.dtype)
    for element, first in enumerate(np.ndindex(*window)):
        ends = [start + (count - 1) * step + 1 for start, count, step in zip(first, counts, strides, strict=True)]
        result = jnp.where(places == element, jax.lax.slice(x, first, ends, strides), result)
    return result


def _shape_put(y, places, sizes, shape):
    return shape


def _put(y, places, sizes, shape):
    """The transpose of `_taken`."""
    take = functools.partial(_taken, places=places, sizes=sizes)
    return jax.linear_transpose(take, jax.ShapeDtypeStruct(shape, y.dtype))(y)[0]


def _put_on_cpu(program, y, places, sizes, shape):
    native = cpu_kernels(y)
    if native is None:
        return program(y, places, sizes, shape)
    return native.max_pool_gradient(places, y, shape, **_settings(sizes))
