"""Where arrays live: on the default device, or in parts on the devices of a mesh, as a `jax.sharding.Sharding` says."""

import math
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.sharding import NamedSharding, PartitionSpec

from lamina.runtime.process import configure_process

__all__ = ["divisible_sharding", "is_locally_complete", "place", "sharding_of", "to_numpy"]


def sharding_of(layout) -> Any:
    """The sharding that a TensorLayout stands for; one of JAX's own, or None, as it is."""
    return getattr(layout, "backend_layout", layout)


def place(value, sharding=None):
    """An array where `sharding` says; each device receives its own part only. Every process gives the whole value.

    It never shares memory with a NumPy array, which its owner may write to.

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
    """The value, or a copy where `device_put` would share its memory: of a NumPy array that begins at a multiple of 64.
    (`jnp.asarray` copies too, and compiles a program for it.)"""
    shared = isinstance(value, np.ndarray) and value.__array_interface__["data"][0] % 64 == 0
    return value.copy() if shared else value


def is_locally_complete(array):
    """Whether this process has the whole array, in parts or in copies (or what stands for it inside a trace)."""
    if not isinstance(array, jax.Array) or isinstance(array, Tracer):
        return True
    return array.is_fully_addressable or array.is_fully_replicated


def to_numpy(array):
    """A copy as a NumPy array. Where parts are in other processes, all of them must ask for it."""
    if not is_locally_complete(array):
        everywhere = NamedSharding(array.sharding.mesh, PartitionSpec())
        array = jax.jit(lambda value: value, out_shardings=everywhere)(array)
    return np.array(array)


def divisible_sharding(sharding, shape):
    """`sharding`, with each dimension left whole whose size does not divide by its devices.

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
