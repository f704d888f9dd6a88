"""Place arrays on the default device, or shard them over the devices of a mesh with a `jax.sharding.Sharding`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, TypeAlias

import jax
import numpy as np
from jax.core import Tracer
from jax.sharding import NamedSharding, PartitionSpec, SingleDeviceSharding

from lamina.core.context import set_within
from lamina.runtime.process import configure_process
from lamina.runtime.tracebacks import filters_traceback

__all__ = [
    "Box", "Parts", "divisible_sharding", "is_locally_complete", "on_one_device", "own_copy", "place", "place_parts",
    "placement_of", "placement_scope", "sharding_of", "stacked_layout", "to_numpy",
]  # fmt: skip

Box: TypeAlias = tuple[tuple[int, int], ...]
"""(start, stop) along each dimension of an array."""

_AT_ONCE = 2**30  # bytes of parts that are prepared on the host together for devices with a memory of their own


_placing: ContextVar[Any] = ContextVar("placing", default=None)  # (shape, sharding)


def placement_scope(shape: Iterable[int], sharding: Any) -> AbstractContextManager[Any]:
    """Give new arrays of a shape (initial values of a variable) a sharding inside the block."""
    return set_within(_placing, (tuple(shape), sharding))


def placement_of(shape: Iterable[int]) -> Any:
    """The sharding of a new array, or None.

    Args:
        shape: Shape of the array.
    """
    placing = _placing.get()
    return placing[1] if placing is not None and placing[0] == tuple(shape) else None


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


def place_parts(shape: Sequence[int], dtype: Any, sharding: Any, part: Callable[[tuple[slice, ...]], Any]) -> jax.Array:
    """Put an array on the devices of a sharding, of which each gets its part. No part is made for another process.

    Args:
        shape: Shape of the array.
        dtype: NumPy type.
        sharding: JAX sharding; None means the default device.
        part: Function that takes the slices of a part, one for each dimension, and returns its values.
    """
    parts = Parts(shape, dtype, sharding)
    for rooms in parts.rounds():
        for box, room in rooms.items():
            room[...] = part(tuple(itertools.starmap(slice, box)))
    return parts.array()


class Parts:
    """A new array that is filled block by block. The host has no more of it than the parts of the devices of this
    process; a CPU then uses their memory as it is.

    Args:
        shape: Shape of the array.
        dtype: NumPy type.
        sharding: JAX sharding; None means the default device.

    >>> parts = Parts((2, 3), "float32")
    >>> for _ in parts.rounds():
    ...     for box in parts.blocks(3):
    ...         parts.put(box, np.full((1, 3), box[0][0]))
    >>> parts.array().tolist()
    [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    """

    def __init__(self, shape: Sequence[int], dtype: Any, sharding: Any = None) -> None:
        configure_process()
        self.shape: tuple[int, ...] = tuple(shape)
        self.rooms: dict[Box, np.ndarray[Any, Any]] = {}  # of this round
        self._dtype, self._sharding = np.dtype(jax.dtypes.canonicalize_dtype(dtype)), sharding
        where = {None: ()} if sharding is None else sharding.addressable_devices_indices_map(self.shape)
        self._places: dict[Any, Box] = {device: self._box(index) for device, index in where.items()}
        self._arrays: dict[Any, jax.Array] = {}

    def _box(self, index):
        whole = (*index, *(slice(None) for _ in self.shape[len(index) :]))
        return tuple(one.indices(size)[:2] for one, size in zip(whole, self.shape, strict=True))

    def rounds(self) -> Iterator[dict[Box, np.ndarray[Any, Any]]]:
        """Yield the parts to fill, by their places. All are filled in one round, but where devices have a memory of
        their own: then a round has one part, or a GiB of them."""
        boxes = list(dict.fromkeys(self._places.values()))
        if boxes and any(device is not None and device.platform != "cpu" for device in self._places):
            count = max(1, _AT_ONCE // max(1, self._dtype.itemsize * math.prod(sizes_of_box(boxes[0]))))
        else:
            count = max(1, len(boxes))
        for start in range(0, len(boxes), count):
            self.rooms = {box: _aligned(sizes_of_box(box), self._dtype) for box in boxes[start : start + count]}
            yield self.rooms
            for device, box in self._places.items():
                if box in self.rooms:
                    self._arrays[device] = self._on_device(self.rooms[box], device)
            self.rooms = {}

    def _on_device(self, room, device):
        if device is None:
            return jax.device_put(room)
        return jax.device_put(room, SingleDeviceSharding(device, memory_kind=self._sharding.memory_kind))

    def array(self) -> jax.Array:
        """The array, after the last round."""
        if self._sharding is None:
            return self._arrays[None]
        arrays = list(self._arrays.values())
        return jax.make_array_from_single_device_arrays(self.shape, self._sharding, arrays)

    def blocks(self, count: int) -> Iterator[Box]:
        """Boxes of at most so many elements each, one after the other in the order of the elements.

        Args:
            count: Number of elements.
        """
        if 0 in self.shape:
            return
        axis = next((axis for axis in range(len(self.shape)) if math.prod(self.shape[axis + 1 :]) <= count), None)
        if axis is None:
            yield ()
            return
        rest = tuple((0, size) for size in self.shape[axis + 1 :])
        rows = count // max(1, math.prod(self.shape[axis + 1 :]))
        for place in np.ndindex(self.shape[:axis]):
            for start in range(0, self.shape[axis], rows):
                stop = min(start + rows, self.shape[axis])
                yield *((one, one + 1) for one in place), (start, stop), *rest

    def needs(self, box: Box) -> bool:
        """Whether a part of this round has elements of a box."""
        return any(_overlap(box, own) is not None for own in self.rooms)

    def put(self, box: Box, values: np.ndarray[Any, Any]) -> None:
        """Set the elements of a box in the parts of this round.

        Args:
            box: The box.
            values: An array of its shape.
        """
        for own, room in self.rooms.items():
            common = _overlap(box, own)
            if common is not None:
                room[_within(common, own)] = values[_within(common, box)]

    def places(self, box: Box, positions: np.ndarray[Any, Any]) -> Iterator[tuple[Any, Any, Any]]:
        """For each part of this round that has some of the elements of a box: the part as a flat array, which of the
        positions it has, and their places in it.

        Args:
            box: The box.
            positions: Places in the box, as a flat array.
        """
        if all(sizes_of_box(own) == self.shape for own in self.rooms):
            first = np.ravel_multi_index([start for start, _ in box], self.shape) if box else 0
            for room in self.rooms.values():
                yield room.reshape(-1), np.arange(len(positions)), positions + first
            return
        found = np.unravel_index(positions, sizes_of_box(box))
        found = [one + start for one, (start, _) in zip(found, box, strict=True)]
        for own, room in self.rooms.items():
            if _overlap(box, own) is None:
                continue
            is_own = np.ones(len(positions), bool)
            for one, (start, stop) in zip(found, own, strict=True):
                is_own &= (start <= one) & (one < stop)
            local = tuple(one[is_own] - start for one, (start, _) in zip(found, own, strict=True))
            yield room.reshape(-1), np.flatnonzero(is_own), np.ravel_multi_index(local, room.shape)


def sizes_of_box(box: Box) -> tuple[int, ...]:
    """The shape of the elements in a box.

    Args:
        box: (start, stop) along each dimension.
    """
    return tuple(stop - start for start, stop in box)


def _overlap(first, second):
    """The box that two boxes have in common, or None."""
    common = tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(first, second, strict=True))
    return common if all(start < stop for start, stop in common) else None


def _within(box, outer):
    """The index of a box in an array that holds an outer box."""
    return tuple(slice(start - begin, stop - begin) for (start, stop), (begin, _) in zip(box, outer, strict=True))


def _unshared(value):
    """The value, or a copy if `device_put` would share its memory, which happens if its address is a multiple of 64.
    The copy has such an address, so that it is not copied again. (`jnp.asarray` copies by a program of its own.)"""
    if not isinstance(value, np.ndarray) or _address(value) % 64:
        return value
    copy = _aligned(value.shape, value.dtype)
    copy[...] = value
    return copy


def _aligned(shape, dtype):
    """New memory for an array that a CPU uses as it is: its address is a multiple of 64."""
    count = math.prod(shape) * dtype.itemsize
    room = np.empty(count + 64, "uint8")
    start = -_address(room) % 64
    return room[start : start + count].view(dtype).reshape(shape)


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


@filters_traceback
def to_numpy(array: Any, copy: bool = True) -> np.ndarray[Any, Any]:
    """A copy as a NumPy array. If the array is sharded over several processes, all of them must call this.

    Args:
        array: JAX array.
        copy: Whether it is a copy even where the array of JAX could be used.
    """
    if isinstance(array, Tracer):
        array + 0  # raises the error that says so if the function that traced it has ended
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
