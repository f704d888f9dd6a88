"""Placement of arrays: on the default device, or split over the devices of a mesh by a `jax.sharding.Sharding`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.sharding import NamedSharding, PartitionSpec

from lamina.runtime.process import configure_process

__all__ = ["divisible_sharding", "is_locally_complete", "place", "sharding_of", "to_numpy"]


def sharding_of(layout: Any) -> Any:
    """The sharding of JAX for a layout.

    Args:
        layout: TensorLayout; a sharding of JAX or None stays as it is.
    """
    return getattr(layout, "backend_layout", layout)


def place(value: Any, sharding: Any = None) -> jax.Array:
    """An array on the devices of a sharding; each device gets its part only; every process passes the whole value.

    It never shares memory with a NumPy array, to which its owner may write.

    Args:
        value: Array of NumPy or JAX.
        sharding: Sharding of JAX; None means the default device.

    >>> place(np.arange(3)).tolist()
    [0, 1, 2]
    """
    configure_process()
    if sharding is None:
        return jax.device_put(_unshared(value))
    if isinstance(value, jax.Array):
        if isinstance(value.sharding, type(sharding)) and value.sharding.is_equivalent_to(sharding, value.ndim):
            return value
        if not value.is_fully_addressable:
            return jax.device_put(value, sharding)
    if sharding.is_fully_addressable:
        return jax.device_put(_unshared(value), sharding)
    value = np.asarray(value)
    return jax.make_array_from_callback(value.shape, sharding, value.__getitem__)


def _unshared(value):
    """The value, or a copy where `device_put` would share its memory: where that begins at a multiple of 64.
    (`jnp.asarray` copies too, but compiles a program for that.)"""
    shared = isinstance(value, np.ndarray) and value.__array_interface__["data"][0] % 64 == 0
    return value.copy() if shared else value


def is_locally_complete(array: Any) -> bool:
    """Whether this process has the whole array, in parts or in copies. True for a tracer.

    Args:
        array: Array.
    """
    if not isinstance(array, jax.Array) or isinstance(array, Tracer):
        return True
    return array.is_fully_addressable or array.is_fully_replicated


def to_numpy(array: Any) -> np.ndarray[Any, Any]:
    """A copy as a NumPy array. If parts are in other processes, all of them must call this.

    Args:
        array: Array of JAX.
    """
    if not is_locally_complete(array):
        everywhere = NamedSharding(array.sharding.mesh, PartitionSpec())
        array = jax.jit(lambda value: value, out_shardings=everywhere)(array)
    return np.array(array)


def divisible_sharding(sharding: Any, shape: Sequence[int]) -> NamedSharding:
    """The same sharding, except that a dimension stays whole if the number of its devices does not divide its size.

    Args:
        sharding: Named sharding of JAX.
        shape: Shape of the array.

    >>> mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("batch",))
    >>> divisible_sharding(NamedSharding(mesh, PartitionSpec("batch")), (3, 2)).spec == PartitionSpec("batch", None)
    True
    """
    spec = (*sharding.spec, *(None for _ in shape[len(sharding.spec) :]))
    sizes = sharding.mesh.shape

    def parts(axes):
        return math.prod(sizes[axis] for axis in (axes if isinstance(axes, tuple) else (axes,)))

    kept = [axes if axes is None or size % parts(axes) == 0 else None for size, axes in zip(shape, spec, strict=False)]
    return NamedSharding(sharding.mesh, PartitionSpec(*kept))
