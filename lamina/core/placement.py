"""Place arrays on the default device, or shard them over the devices of a mesh with a `jax.sharding.Sharding`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.sharding import NamedSharding, PartitionSpec

from lamina.runtime.process import configure_process

__all__ = [
    "divisible_sharding", "is_locally_complete", "on_one_device", "own_copy", "place", "place_parts", "sharding_of",
    "stacked_layout", "to_numpy",
]  # fmt: skip


def sharding_of(layout: Any) -> Any:
    """The JAX sharding for a layout.

    Args:
        layout: TensorLayout. A JAX sharding or None is returned unchanged.
    """
    return getattr(layout, "backend_layout", layout)


def stacked_layout(layout: Any, undo: bool = False) -> Any:
    """The layout of variables with the layout `layout`, one beside the other along a new first axis, which is whole.

    Args:
        layout: TensorLayout, NamedSharding or None.
        undo: Whether to take the first axis away instead.
    """
    if layout is None:
        return None
    if isinstance(layout, NamedSharding):
        axes = layout.spec[1:] if undo else (None, *layout.spec)
        return NamedSharding(layout.mesh, PartitionSpec(*axes))
    return type(layout)(layout.axes[1:] if undo else (None, *layout.axes), layout.device_mesh)


def place(value: Any, sharding: Any = None) -> jax.Array:
    """Put an array on the devices of a sharding. Every process passes the whole value; each device receives only its
    part.

    The result never shares memory with a NumPy array, which its owner could modify.

    Args:
        value: NumPy or JAX array.
        sharding: JAX sharding; None means the default device.

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


def place_parts(stored: Any, dtype: Any, sharding: Any) -> jax.Array:
    """Put an array of a file on the devices of a sharding, of which each gets its part. No part is read for another
    process, and no more than one is in memory.

    Args:
        stored: Object with a `shape` and a method `part(index, dtype)`.
        dtype: Type of the result; None means that of the file.
        sharding: JAX sharding.
    """
    last: list[Any] = [None, None]

    def part(index):
        if last[0] != index:  # copies of one part come one after the other
            last[:] = index, np.array(stored.part(index, dtype))
        return last[1]

    configure_process()
    return jax.make_array_from_callback(tuple(stored.shape), sharding, part)


def _unshared(value):
    """The value, or a copy if `device_put` would share its memory, which happens if its address is a multiple of 64.
    The copy has such an address, so that it is not copied again. (`jnp.asarray` copies by a program of its own.)"""
    if not isinstance(value, np.ndarray) or _address(value) % 64:
        return value
    room = np.empty(value.nbytes + 64, "uint8")
    start = -_address(room) % 64
    copy = room[start : start + value.nbytes].view(value.dtype).reshape(value.shape)
    copy[...] = value
    return copy


def _address(value):
    return value.__array_interface__["data"][0]


def own_copy(array: Any) -> jax.Array:
    """A copy of an array, so that a donated buffer is never shared with another array.

    Args:
        array: Array.
    """
    if not isinstance(array, jax.Array) or isinstance(array, Tracer) or array.is_fully_addressable:
        return jax.device_put(array, may_alias=False)
    parts = [jax.device_put(shard.data, may_alias=False) for shard in array.addressable_shards]
    return jax.make_array_from_single_device_arrays(array.shape, array.sharding, parts)


def is_locally_complete(array: Any) -> bool:
    """Whether this process has the whole array, sharded or replicated. True for a tracer.

    Args:
        array: Array.
    """
    if not isinstance(array, jax.Array) or isinstance(array, Tracer):
        return True
    return array.is_fully_addressable or array.is_fully_replicated


def on_one_device(array: Any) -> Any:
    """An array that is spread over devices as one of the first device of this process. If it is sharded over several
    processes, all of them must call this.

    Args:
        array: Array; one that is on a single device stays as it is.
    """
    several = isinstance(array, jax.Array) and not isinstance(array, Tracer) and len(array.sharding.device_set) > 1
    return jax.numpy.asarray(to_numpy(array)) if several else array


def to_numpy(array: Any, copy: bool = True) -> np.ndarray[Any, Any]:
    """A copy as a NumPy array. If the array is sharded over several processes, all of them must call this.

    Args:
        array: JAX array.
        copy: Whether it is a copy even where the array of JAX could be used.
    """
    if not is_locally_complete(array):
        from lamina.runtime import processes  # read only where there are several

        processes.gather(None, f"reading an array of shape {array.shape} that is split over processes")
        everywhere = NamedSharding(array.sharding.mesh, PartitionSpec())
        array = jax.jit(lambda value: value, out_shardings=everywhere)(array)
    return np.array(array) if copy else np.asarray(array)


def divisible_sharding(sharding: Any, shape: Sequence[int]) -> NamedSharding:
    """The same sharding, but a dimension is not split if its size is not divisible by its number of devices.

    Args:
        sharding: JAX NamedSharding.
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
