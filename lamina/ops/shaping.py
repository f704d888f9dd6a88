"""The shape and the order of elements: reshape, transpose, join, split, index, pad, roll."""

import jax.numpy as jnp
import numpy as np

from lamina.core.keras_tensor import KerasTensor
from lamina.core.op import op
from lamina.core.read_limits import reserve_steps
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.ops.arrays import tensor
from lamina.ops.core import shape as shape_of

__all__ = [
    "append", "array_split", "broadcast_to", "concatenate", "diag", "diagflat", "diagonal", "dsplit", "dstack",
    "expand_dims", "flip", "fliplr", "flipud", "get_item", "hsplit", "hstack", "moveaxis", "ndim", "nonzero", "pad",
    "ravel", "repeat", "reshape", "roll", "rot90", "select", "size", "split", "squeeze", "stack", "swapaxes", "take",
    "take_along_axis", "tile", "trace", "transpose", "tril", "triu", "unravel_index", "vectorize", "vsplit", "vstack",
    "where",
]  # fmt: skip


def ndim(x):
    """The number of axes."""
    return len(shape_of(x))


@op
def size(x):
    """The number of elements."""
    return tensor(x).size


@op(settings=("newshape",))
def reshape(x, newshape):
    """The elements of x, in order, in another shape. One size may be -1: what is left. None stands for the size x has
    there.

    >>> import lamina as keras
    >>> keras.ops.reshape(keras.Input((4, 6)), (-1, 8)).shape
    (None, 8)
    """
    x = tensor(x)
    return jnp.reshape(x, _known_sizes(x.shape, newshape))


def _known_sizes(shape, newshape):
    newshape = (newshape,) if np.ndim(newshape) == 0 else tuple(newshape)
    if newshape.count(None) == 1 and -1 not in newshape:
        return tuple(-1 if size is None else size for size in newshape)
    return tuple(shape[axis] if size is None else size for axis, size in enumerate(newshape))


@op
def transpose(x, axes=None):
    """Axis i of the result is axis axes[i] of x; None turns the order around."""
    return jnp.transpose(tensor(x), axes)


@op(settings=("axis1", "axis2"))
def swapaxes(x, axis1, axis2):
    """Two axes exchanged."""
    return jnp.swapaxes(tensor(x), axis1, axis2)


@op(settings=("source", "destination"))
def moveaxis(x, source, destination):
    """Axes moved to other places, the rest in order."""
    return jnp.moveaxis(tensor(x), source, destination)


@op(settings=("axis",))
def expand_dims(x, axis):
    """A new axis of size 1 (or several) at `axis` of the result."""
    return jnp.expand_dims(tensor(x), axis)


@op
def squeeze(x, axis=None):
    """Axes of size 1 taken away: `axis`, several, or all."""
    return jnp.squeeze(tensor(x), axis)


@op
def ravel(x):
    """All elements as one vector."""
    return jnp.ravel(tensor(x))


@op(settings=("shape",))
def broadcast_to(x, shape):
    """x repeated along its axes of size 1, and along new ones in front, up to `shape`."""
    x = tensor(x)
    lead = len(shape) - x.ndim
    return jnp.broadcast_to(x, [x.shape[axis - lead] if size is None else size for axis, size in enumerate(shape)])


@op
def flip(x, axis=None):
    """The order of elements turned around along `axis`, several, or all."""
    return jnp.flip(tensor(x), axis)


@op
def fliplr(x):
    """The order of elements turned around along axis 1."""
    return jnp.fliplr(tensor(x))


@op
def flipud(x):
    """The order of elements turned around along axis 0."""
    return jnp.flipud(tensor(x))


@op
def rot90(array, k=1, axes=(0, 1)):
    """Turned by k quarters from the first of `axes` towards the second."""
    array = tensor(array)
    if array.ndim < 2:
        raise ShapeError(f"rot90 needs an array of rank 2 or more; got shape {tuple(array.shape)}.")
    return jnp.rot90(array, k, tuple(axes))


@op(settings=("shift",))
def roll(x, shift, axis=None):
    """Elements moved on by `shift` places; what falls off the end comes in at the start."""
    return jnp.roll(tensor(x), shift, axis)


# Joining and splitting


@op
def concatenate(xs, axis=0):
    """Arrays joined along an axis they have.

    >>> import lamina as keras
    >>> keras.ops.concatenate([[1, 2], [3]])
    Array([1, 2, 3], dtype=int32)
    """
    return jnp.concatenate([tensor(x) for x in xs], axis)


@op
def stack(x, axis=0):
    """Arrays of one shape joined along a new axis."""
    return jnp.stack([tensor(item) for item in x], axis)


@op
def append(x1, x2, axis=None):
    """x2 after x1 along `axis`; both made vectors if it is None."""
    return jnp.append(tensor(x1), tensor(x2), axis)


@op
def hstack(xs):
    """Arrays joined along axis 1 (vectors: along axis 0)."""
    return jnp.hstack([tensor(x) for x in xs])


@op
def vstack(xs):
    """Arrays joined along axis 0, vectors as rows."""
    return jnp.vstack([tensor(x) for x in xs])


@op
def dstack(xs):
    """Arrays joined along axis 2."""
    return jnp.dstack([tensor(x) for x in xs])


@op(settings=("indices_or_sections",))
def split(x, indices_or_sections, axis=0):
    """A list of parts along `axis`: so many equal ones, or cut at the given indices.

    >>> import lamina as keras
    >>> [part.shape for part in keras.ops.split(keras.Input((6,)), 2, axis=1)]
    [(None, 3), (None, 3)]
    """
    reserve_steps(_parts(indices_or_sections), "split")
    return jnp.split(tensor(x), _cuts(indices_or_sections), axis)


def _parts(indices_or_sections):
    return indices_or_sections if isinstance(indices_or_sections, int) else len(indices_or_sections)


def _cuts(indices_or_sections):
    """Indices as a plain list: array indices would be traced."""
    if isinstance(indices_or_sections, int):
        return indices_or_sections
    return [int(index) for index in indices_or_sections]


@op(settings=("indices_or_sections",))
def array_split(x, indices_or_sections, axis=0):
    """A list of parts along `axis` that differ by at most 1 in size."""
    reserve_steps(_parts(indices_or_sections), "array_split")
    return jnp.array_split(tensor(x), indices_or_sections, axis)


@op(settings=("indices_or_sections",))
def hsplit(x, indices_or_sections):
    """`split` along axis 1 (vectors: along axis 0)."""
    return split(tensor(x), indices_or_sections, 1 if jnp.ndim(x) > 1 else 0)


@op(settings=("indices_or_sections",))
def vsplit(x, indices_or_sections):
    """`split` along axis 0."""
    return split(tensor(x), indices_or_sections, 0)


@op(settings=("indices_or_sections",))
def dsplit(x, indices_or_sections):
    """`split` along axis 2."""
    return split(tensor(x), indices_or_sections, 2)


@op(settings=("repeats",))
def repeat(x, repeats, axis=None):
    """Each element `repeats` times in a row along `axis`; of the flat array if axis is None."""
    return jnp.repeat(tensor(x), np.asarray(repeats) if isinstance(repeats, (list, tuple)) else repeats, axis)


@op(settings=("repeats",))
def tile(x, repeats):
    """The whole array repeated along each axis."""
    return jnp.tile(tensor(x), repeats)


@op(settings=("pad_width",))
def pad(x, pad_width, mode="constant", constant_values=None):
    """Elements added before and after along each axis.

    Args:
        pad_width: a number, (before, after) for all axes, or one such pair for each axis.
        mode: 'constant' (with constant_values, 0 if None), 'edge', 'reflect', 'symmetric', 'wrap' and the others of
        NumPy.

    >>> import lamina as keras
    >>> keras.ops.pad([1, 2], (1, 0))
    Array([0, 1, 2], dtype=int32)
    """
    if mode != "constant" and constant_values is not None:
        raise ConfigError(f"constant_values belongs to mode='constant'; got mode={mode!r}.", fix="Leave it out.")
    x = tensor(x)
    if mode == "constant":
        return jnp.pad(x, pad_width, mode, constant_values=constant_values or 0)
    reserve_steps(5 * _sum_of_sizes(pad_width) // max(min(x.shape, default=1) - 1, 1), "pad")  # mirrored once and again
    return jnp.pad(x, pad_width, mode)


def _sum_of_sizes(sizes):
    return sum(map(_sum_of_sizes, sizes)) if isinstance(sizes, (list, tuple)) else abs(int(sizes))


# Indexing


@op(settings=("key",))
def get_item(x, key):
    """x[key]: integers, slices, None, ... and index arrays."""
    return tensor(x)[tuple(_index(part) for part in key) if isinstance(key, tuple) else _index(key)]


def _index(part):
    return jnp.asarray(part) if isinstance(part, list) else part


@op
def take(x, indices, axis=None):
    """The elements (slices along `axis`) at `indices`; negative ones count from the end. Outside of x: NaN, or the
    extreme number of an integer type.

    >>> import lamina as keras
    >>> keras.ops.take([10, 20, 30], [2, -1, 0])
    Array([30, 30, 10], dtype=int32)
    """
    return jnp.take(tensor(x), tensor(indices), axis)


@op
def take_along_axis(x, indices, axis=None):
    """For each line of x along `axis` the elements at that line's own indices; of the flat array if axis is None."""
    return jnp.take_along_axis(tensor(x), tensor(indices), axis)


def where(condition, x1=None, x2=None):
    """x1 where the condition is true, x2 elsewhere; with the condition alone, the indices where it is true."""
    if (x1 is None) != (x2 is None):
        raise ConfigError("where takes the condition alone, or with both x1 and x2.")
    return nonzero(condition) if x1 is None else _where(condition, x1, x2)


@op(name="where")
def _where(condition, x1, x2):
    x1, x2 = (x if isinstance(x, (bool, int, float)) else tensor(x) for x in (x1, x2))
    return jnp.where(tensor(condition), x1, x2)


def nonzero(x):
    """The indices of the elements that are not zero: a tuple with one index array for each axis."""
    if isinstance(x, KerasTensor):
        raise ShapeError(
            "How many elements are not zero is known only with values.", fix="Use where(condition, x1, x2)."
        )
    return jnp.nonzero(tensor(unwrap(x)))


@op
def select(condlist, choicelist, default=0):
    """For each element the choice of the first condition that is true, or `default`."""
    return jnp.select([tensor(c) for c in condlist], [tensor(c) for c in choicelist], default)


@op(settings=("shape",))
def unravel_index(indices, shape):
    """Indices of the flat array as one index array for each axis of `shape`."""
    return jnp.unravel_index(tensor(indices), shape)


# Diagonals


@op
def diag(x, k=0):
    """The k-th diagonal of a matrix, or a matrix with a vector on it."""
    return jnp.diag(tensor(x), k)


@op
def diagflat(x, k=0):
    """A matrix with all elements of x on its k-th diagonal."""
    return jnp.diagflat(tensor(x), k)


@op
def diagonal(x, offset=0, axis1=0, axis2=1):
    """The diagonal over two axes, as a new last axis."""
    return jnp.diagonal(tensor(x), offset, axis1, axis2)


@op
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of the diagonal over two axes."""
    return jnp.trace(tensor(x), offset, axis1, axis2)


@op
def tril(x, k=0):
    """The elements on and below the k-th diagonal of the last two axes, zero above it."""
    return jnp.tril(tensor(x), k)


@op
def triu(x, k=0):
    """The elements on and above the k-th diagonal of the last two axes, zero below it."""
    return jnp.triu(tensor(x), k)


def vectorize(pyfunc, *, excluded=None, signature=None):
    """A function of single elements (or of the shapes in `signature`) as a function of arrays that broadcast."""
    return jnp.vectorize(pyfunc, excluded=frozenset(excluded or ()), signature=signature)
