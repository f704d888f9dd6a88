"""Shapes and the order of elements: reshape, transpose, flip, roll, pad, repeat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from lamina.core.arguments import rank
from lamina.core.keras_tensor import in_symbolic_scope
from lamina.core.op import explains, op
from lamina.core.op_shapes import is_trying
from lamina.core.probes import without_probe_sizes
from lamina.core.read_limits import reserve_steps
from lamina.errors import ConfigError
from lamina.ops.arrays import sizes, tensor
from lamina.ops.core import shape as shape_of

if TYPE_CHECKING:
    from lamina.core.typing import Axes, ShapeLike, Size, Tensor, TensorLike

__all__ = [
    "broadcast_to", "expand_dims", "flip", "fliplr", "flipud", "moveaxis", "ndim", "pad", "ravel", "reshape",
    "roll", "rot90", "size", "squeeze", "swapaxes", "transpose",
]  # fmt: skip


@explains
def ndim(x: TensorLike) -> int:
    """The number of axes.

    Args:
        x: Tensor.
    """
    return len(shape_of(x))


@op
def size(x: TensorLike) -> int:
    """The number of elements.

    Args:
        x: Tensor.
    """
    return tensor(x).size


@op
def sizes_of(x: Any) -> Any:
    """The shape of a tensor as a vector of whole numbers."""
    return jnp.asarray(x.shape, "int32")


@op(compiles=True, settings=("newshape",))
def reshape(x: TensorLike, newshape: ShapeLike) -> Tensor:
    """The elements of x, in their order, in another shape.

    Args:
        x: Tensor.
        newshape: Shape of the result. One size may be -1, which means what the others leave; None keeps that of x.

    >>> import lamina as keras
    >>> keras.ops.reshape(keras.Input((4, 6)), (-1, 8)).shape
    (None, 8)
    """
    x = tensor(x)
    wanted: Any = _known_sizes(x.shape, newshape)
    if in_symbolic_scope() and not is_trying() and -1 not in wanted and (count := math.prod(wanted)) != x.size:
        known, are_fixed = without_probe_sizes(x.shape), None not in without_probe_sizes(wanted)
        if None in known and are_fixed and count % math.prod(size for size in known if size) == 0:
            return jnp.zeros(wanted, x.dtype)  # an open size of x is fixed by the program
    return jnp.reshape(x, wanted)


def _known_sizes(shape, newshape):
    newshape = (newshape,) if np.ndim(newshape) == 0 else tuple(sizes(newshape))
    if newshape.count(None) == 1 and -1 not in newshape:
        return tuple(-1 if size is None else size for size in newshape)
    return tuple(shape[axis] if size is None else size for axis, size in enumerate(newshape))


@op(compiles=True)
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """The axes of x in another order.

    Args:
        x: Tensor.
        axes: Axis i of the result is axis axes[i] of x; None reverses the order.
    """
    return jnp.transpose(tensor(x), axes)


@op(settings=("axis1", "axis2"))
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """Two axes exchanged.

    Args:
        x: Tensor.
        axis1, axis2: The two axes.
    """
    return jnp.swapaxes(tensor(x), axis1, axis2)


@op(settings=("source", "destination"))
def moveaxis(x: TensorLike, source: Size, destination: Size) -> Tensor:
    """Axes moved to other places; the others keep their order.

    Args:
        x: Tensor.
        source: Axis or axes to move.
        destination: Their places in the result.
    """
    return jnp.moveaxis(tensor(x), source, destination)


@op(compiles=True, settings=("axis",))
def expand_dims(x: TensorLike, axis: Size) -> Tensor:
    """One or several new axes of size 1.

    Args:
        x: Tensor.
        axis: Place or places of the new axes in the result.
    """
    return jnp.expand_dims(tensor(x), axis)


@op
def squeeze(x: TensorLike, axis: Axes = None) -> Tensor:
    """Axes of size 1 removed.

    Args:
        x: Tensor.
        axis: Axis or axes to remove; None means all of size 1.
    """
    return jnp.squeeze(tensor(x), axis)


@op
def ravel(x: TensorLike) -> Tensor:
    """All elements as one vector.

    Args:
        x: Tensor.
    """
    return jnp.ravel(tensor(x))


@op(compiles=True, settings=("shape",))
def broadcast_to(x: TensorLike, shape: Sequence[int | None]) -> Tensor:
    """x repeated along its axes of size 1, and along new first axes.

    Args:
        x: Tensor.
        shape: Shape of the result; None keeps the size of x on that axis.
    """
    x, shape = tensor(x), sizes(shape)
    lead = len(shape) - x.ndim
    return jnp.broadcast_to(x, [x.shape[axis - lead] if size is None else size for axis, size in enumerate(shape)])


@op
def flip(x: TensorLike, axis: Axes = None) -> Tensor:
    """The elements in reverse order.

    Args:
        x: Tensor.
        axis: Axis or axes to reverse; None means all.
    """
    return jnp.flip(tensor(x), axis)


@op
def fliplr(x: TensorLike) -> Tensor:
    """The elements in reverse order along axis 1.

    Args:
        x: Tensor.
    """
    return jnp.fliplr(tensor(x))


@op
def flipud(x: TensorLike) -> Tensor:
    """The elements in reverse order along axis 0.

    Args:
        x: Tensor.
    """
    return jnp.flipud(tensor(x))


@op
def rot90(array: TensorLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """The tensor rotated in the plane of two axes.

    Args:
        array: Tensor of rank 2 or more.
        k: Number of rotations by 90 degrees.
        axes: The plane: rotation is from the first axis towards the second.
    """
    array = tensor(array)
    rank("rot90", "array", array.shape, 2)
    return jnp.rot90(array, k, tuple(axes))  # pyright: ignore[reportArgumentType]


@op(settings=("shift",))
def roll(x: TensorLike, shift: Size, axis: Axes = None) -> Tensor:
    """Elements moved by `shift` places; those that leave at the end enter at the start.

    Args:
        x: Tensor.
        shift: Number of places, or one per axis.
        axis: Axis or axes; None means the flattened tensor.
    """
    return jnp.roll(tensor(x), shift, axis)


@op(compiles=True, settings=("pad_width",))
def pad(x: TensorLike, pad_width: Any, mode: str = "constant", constant_values: float | None = None) -> Tensor:
    """Elements added before and after along each axis.

    Args:
        x: Tensor.
        pad_width: A number, (before, after) for all axes, or one such pair per axis.
        mode: "constant", "edge", "reflect", "symmetric", "wrap" or another mode of `numpy.pad`.
        constant_values: Value of the new elements in mode "constant"; None means 0.

    >>> import lamina as keras
    >>> keras.ops.pad([1, 2], (1, 0))
    Array([0, 1, 2], dtype=int32)
    """
    if mode != "constant" and constant_values is not None:
        raise ConfigError(f"constant_values needs mode='constant'; got mode={mode!r}.", fix="mode='constant'")
    x = tensor(x)
    if mode == "constant":
        return jnp.pad(x, pad_width, mode, constant_values=constant_values or 0)
    least = min((size for size in x.shape if isinstance(size, int)), default=1)  # a batch may be of any size
    reserve_steps(5 * _sum_of_sizes(pad_width) // max(least - 1, 1), "pad")  # mirrored once and again
    return jnp.pad(x, pad_width, mode)


def _sum_of_sizes(sizes):
    return sum(map(_sum_of_sizes, sizes)) if isinstance(sizes, (list, tuple)) else abs(int(sizes))
