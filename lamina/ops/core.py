"""Tensors themselves: what is one, its shape and type, casts, slices and scatters."""

import re

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.dtypes import dtype_of, is_float, standardize_dtype
from lamina.core.keras_tensor import KerasTensor
from lamina.core.op import op
from lamina.core.read_limits import reserve_steps
from lamina.core.variable import unwrap
from lamina.errors import CallError, ConfigError, ShapeError
from lamina.ops.arrays import canonical, tensor

__all__ = [
    "cast", "convert_to_numpy", "convert_to_tensor", "dtype", "is_tensor", "rearrange", "saturate_cast", "scatter",
    "scatter_update", "shape", "slice", "slice_update", "stop_gradient", "unstack",
]  # fmt: skip


def shape(x):
    """The shape as a tuple; None for sizes of a symbolic tensor that are not known.

    >>> import lamina as keras
    >>> keras.ops.shape(keras.Input((3,)))
    (None, 3)
    """
    return tuple(x.shape) if hasattr(x, "shape") else tuple(np.shape(unwrap(x)))


def dtype(x):
    """The name of the type of x.

    >>> import lamina as keras
    >>> keras.ops.dtype([1.0])
    'float32'
    """
    return dtype_of(x) if hasattr(x, "dtype") else standardize_dtype(tensor(x).dtype)


def is_tensor(x):
    """Whether x is a JAX array (NumPy arrays and variables are not)."""
    return isinstance(x, jax.Array)


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """x (array, variable, number, nested list) as a JAX array of type `dtype`. A symbolic tensor is cast.

    Raises: ConfigError for sparse=True or ragged=True, which JAX arrays cannot be.

    >>> import lamina as keras
    >>> keras.ops.convert_to_tensor([1, 2], "float32")
    Array([1., 2.], dtype=float32)
    """
    if ragged:
        raise ConfigError("JAX has no ragged arrays.", fix="Pad to one length and use a mask.")
    if isinstance(x, KerasTensor):
        return x if dtype is None or standardize_dtype(dtype) == x.dtype else cast(x, dtype)
    if hasattr(x, "todense") and sparse is False:
        x = x.todense()
    return tensor(x, dtype)


def convert_to_numpy(x):
    """x as a NumPy array; bfloat16 becomes float32."""
    if isinstance(x, KerasTensor):
        raise CallError(f"{x!r} has no values yet.", fix="Call a model on arrays, then convert its output.")
    x = unwrap(x)
    if isinstance(x, jax.Array) and x.dtype == jnp.bfloat16:
        return np.array(x, np.float32)
    return np.array(x)


@op(settings=("dtype",))
def cast(x, dtype):
    """x with values of type `dtype`.

    >>> import lamina as keras
    >>> keras.ops.cast([0.2, 1.7], "int32")
    Array([0, 1], dtype=int32)
    """
    x, dtype = tensor(x), canonical(dtype)
    if jnp.issubdtype(x.dtype, jnp.complexfloating) and not jnp.issubdtype(dtype, jnp.complexfloating):
        x = jnp.real(x)
    return x.astype(dtype)


@op(settings=("dtype",))
def saturate_cast(x, dtype):
    """x as `dtype`, values out of its range replaced by its smallest and largest number.

    >>> import lamina as keras
    >>> keras.ops.saturate_cast([-1.0, 300.0], "uint8")
    Array([  0, 255], dtype=uint8)
    """
    x, dtype = tensor(x), canonical(dtype)
    if jnp.issubdtype(dtype, jnp.bool_):
        return jnp.clip(x, 0, 1).astype(bool)
    x = x.astype(jnp.uint8) if x.dtype == bool else x
    limits, own = _limits(dtype), _limits(x.dtype)
    low, high = max(limits.min, own.min), min(limits.max, own.max)
    return jnp.where(
        x >= high, limits.max if high == limits.max else high, jnp.clip(x, low, high).astype(dtype)
    ).astype(dtype)


def _limits(dtype):
    return jnp.finfo(dtype) if is_float(dtype) else jnp.iinfo(dtype)


@op
def stop_gradient(variable):
    """The same values, through which no gradient flows."""
    return jax.lax.stop_gradient(tensor(variable))


@op(settings=("shape",))
def scatter(indices, values, shape):
    """Zeros of `shape` with `values` added at `indices`.

    Shapes: indices (..., k) with k <= len(shape), values (..., *shape[k:]).

    >>> import lamina as keras
    >>> keras.ops.scatter([[1], [3]], [5, 7], (4,))
    Array([0, 5, 0, 7], dtype=int32)
    """
    values = tensor(values)
    return jnp.zeros(shape, values.dtype).at[_places(indices)].add(values)


@op
def scatter_update(inputs, indices, updates, reduction=None):
    """inputs with `updates` put at `indices`, or combined with what is there: reduction None, 'add', 'max', 'min' or
    'mul'.

    Shapes: indices (n, k), updates (n, *inputs.shape[k:]).

    >>> import lamina as keras
    >>> keras.ops.scatter_update([1, 1, 1], [[0], [2]], [5, 7])
    Array([5, 1, 7], dtype=int32)
    """
    inputs = tensor(inputs)
    place = inputs.at[_places(indices)]
    rules = {None: place.set, "add": place.add, "max": place.max, "min": place.min, "mul": place.multiply}
    if reduction not in rules:
        raise ConfigError(f"reduction is one of {list(rules)}; got {reduction!r}.")
    return rules[reduction](tensor(updates).astype(inputs.dtype))


def _places(indices):
    """Rows of indices as one index array for each axis."""
    return tuple(jnp.moveaxis(tensor(indices), -1, 0))


@op(settings=("shape",))
def slice(inputs, start_indices, shape):
    """The block of `shape` that begins at `start_indices`; -1 in shape means up to the end.

    >>> import lamina as keras
    >>> keras.ops.slice(keras.ops.arange(5), [1], [3])
    Array([1, 2, 3], dtype=int32)
    """
    inputs = tensor(inputs)
    if any(size == -1 for size in shape):
        shape = [total - int(start) if size == -1 else size
                 for size, total, start in zip(shape, inputs.shape, start_indices, strict=True)]  # fmt: skip
    return jax.lax.dynamic_slice(inputs, start_indices, shape)


@op
def slice_update(inputs, start_indices, updates):
    """inputs with the block that begins at `start_indices` replaced by `updates`.

    >>> import lamina as keras
    >>> keras.ops.slice_update([0, 0, 0], [1], [7])
    Array([0, 7, 0], dtype=int32)
    """
    inputs = tensor(inputs)
    return jax.lax.dynamic_update_slice(inputs, tensor(updates).astype(inputs.dtype), start_indices)


@op
def unstack(x, num=None, axis=0):
    """The slices of x along `axis`, as a list of `num` arrays (the size of that axis, found by itself)."""
    x = tensor(x)
    if num is not None and num != x.shape[axis]:
        raise ShapeError(f"unstack: axis {axis} of shape {tuple(x.shape)} has {x.shape[axis]} slices, not num={num}.")
    reserve_steps(x.shape[axis], "unstack")
    return [jnp.squeeze(part, axis) for part in jnp.split(x, x.shape[axis], axis)]


@op(settings=("pattern",))
def rearrange(tensor, pattern, **axes_lengths):
    """Axes reordered, merged and split as a pattern in einops' notation says: "b (h s) c -> b c h s", s=2.

    Source: A. Rogozhnikov, "Einops: Clear and Reliable Tensor Manipulations", ICLR 2022.

    >>> import lamina as keras
    >>> keras.ops.rearrange(keras.ops.zeros((2, 6, 3)), "b (h s) c -> b c h s", s=2).shape
    (2, 3, 3, 2)
    """
    x = jnp.asarray(tensor)
    left, right = (_groups(side) for side in pattern.split("->"))
    sizes = _axis_sizes(left, x.shape, axes_lengths, pattern)
    names = [name for group in left for name in group]
    order = [name for group in right for name in group]
    if sorted(names) != sorted(order):
        raise ConfigError(f"rearrange: both sides of {pattern!r} must name the same axes.")
    x = jnp.transpose(x.reshape([sizes[name] for name in names]), [names.index(name) for name in order])
    return x.reshape([int(np.prod([sizes[name] for name in group], dtype=int)) for group in right])


def _groups(side):
    """ "b (h s) c" as [["b"], ["h", "s"], ["c"]]."""
    return [part.strip("()").split() for part in re.findall(r"\([^)]*\)|\S+", side)]


def _axis_sizes(groups, shape, known, pattern):
    """The size of each named axis: given, or what is left of the axis it was split from."""
    if len(groups) != len(shape):
        raise ShapeError(
            f"rearrange: {pattern!r} has {len(groups)} axes on the left; the input has shape {tuple(shape)}."
        )
    sizes = dict(known)
    for group, size in zip(groups, shape, strict=True):
        given = int(np.prod([sizes[name] for name in group if name in sizes], dtype=int))
        unknown = [name for name in group if name not in sizes]
        if len(unknown) > 1 or size % given or (not unknown and given != size):
            raise ShapeError(f"rearrange: {pattern!r} with {known} does not fit an axis of size {size}.")
        if unknown:
            sizes[unknown[0]] = size // given
    return sizes
