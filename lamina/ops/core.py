"""Conversion, shape and type of tensors, casts, slices and scatters."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.arguments import choice
from lamina.core.dtypes import dtype_of, is_float, standardize_dtype
from lamina.core.keras_tensor import KerasTensor, get_mask
from lamina.core.op import Sizes, explains, op
from lamina.core.placement import to_numpy
from lamina.core.probes import MissingSizeError, without_probe_sizes
from lamina.core.read_limits import reserve_steps
from lamina.core.sparse import as_sparse, is_sparse, to_dense
from lamina.core.typing import DTypeLike, Shape, Tensor, TensorLike
from lamina.core.variable import unwrap
from lamina.errors import CallError, ConfigError, ShapeError
from lamina.ops.arrays import canonical, tensor
from lamina.ops.sparse import densified

__all__ = [
    "cast", "convert_to_numpy", "convert_to_tensor", "dtype", "is_tensor", "rearrange", "saturate_cast", "scatter",
    "scatter_update", "shape", "slice", "slice_update", "stop_gradient", "unstack",
]  # fmt: skip


@explains
def shape(x: TensorLike) -> Shape:
    """The shape as a tuple, with None for unknown sizes of a symbolic tensor.

    Args:
        x: Array, variable or symbolic tensor.

    >>> import lamina as keras
    >>> keras.ops.shape(keras.Input((3,)))
    (None, 3)
    """
    known = getattr(x, "shape", None)
    if isinstance(x, KerasTensor) and None in x.shape:
        return Sizes(x)
    return tuple(np.shape(unwrap(x)) if known is None else known)


@op
def mask_of(x: Any) -> Any:
    """The mask of a tensor, behind `tensor._keras_mask`."""
    return get_mask(x)


def dtype(x: TensorLike) -> str:
    """The name of the dtype of `x`.

    Args:
        x: Array, variable or symbolic tensor.

    >>> import lamina as keras
    >>> keras.ops.dtype([1.0])
    'float32'
    """
    return dtype_of(x) if hasattr(x, "dtype") else standardize_dtype(tensor(x).dtype)


def is_tensor(x: Any) -> bool:
    """Whether `x` is an array of JAX, dense or sparse; arrays of NumPy and variables are not.

    Args:
        x: Any object.
    """
    return isinstance(x, jax.Array) or is_sparse(x)


@explains
def convert_to_tensor(
    x: TensorLike, dtype: DTypeLike | None = None, sparse: bool | None = None, ragged: bool | None = None
) -> Any:
    """`x` as an array of JAX.

    Raises ConfigError if `ragged` is True.

    Args:
        x: Array, variable, number or nested list; a symbolic tensor is cast.
        dtype: Type of the result; None keeps it, with floatx for lists of floats.
        sparse: False makes a sparse array dense; else it stays sparse, and a matrix of SciPy becomes a BCOO of JAX.
        ragged: Not supported: True raises.

    Raises: ConfigError for ragged=True, which JAX arrays cannot be.

    >>> import lamina as keras
    >>> keras.ops.convert_to_tensor([1, 2], "float32")
    Array([1., 2.], dtype=float32)
    """
    if ragged:
        raise ConfigError("JAX has no ragged arrays.", fix="Pad to one length and use a mask.")
    if isinstance(x, KerasTensor):
        x = densified(x) if x.sparse and sparse is False else x
        return x if dtype is None or standardize_dtype(dtype) == x.dtype else cast(x, dtype)
    if is_sparse(x) and sparse is not False:
        return as_sparse(x) if dtype is None else cast(x, dtype)
    return tensor(to_dense(x), dtype)


@explains
def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """`x` as an array of NumPy; bfloat16 becomes float32.

    Args:
        x: Array, variable, number or nested list.
    """
    if isinstance(x, KerasTensor):
        raise CallError(
            f"{x!r} is symbolic: it has no values yet.", fix="Call a model on arrays, then convert its output."
        )
    x = to_dense(unwrap(x))
    values = to_numpy(x)
    return values.astype("float32") if isinstance(x, jax.Array) and x.dtype == jnp.bfloat16 else values


@op(compiles=True, settings=("dtype",))
def cast(x: TensorLike, dtype: DTypeLike) -> Tensor:
    """`x` with values of type `dtype`. The real part of complex numbers is cast.

    Args:
        x: Tensor.
        dtype: Type of the result.

    >>> import lamina as keras
    >>> keras.ops.cast([0.2, 1.7], "int32")
    Array([0, 1], dtype=int32)
    """
    dtype = canonical(dtype)
    if isinstance(x, (int, float)):  # a size stays one while a function is compiled
        with jax.ensure_compile_time_eval():
            return tensor(x).astype(dtype)
    x = tensor(x)
    if jnp.issubdtype(x.dtype, jnp.complexfloating) and not jnp.issubdtype(dtype, jnp.complexfloating):
        x = jnp.real(x)
    return x.astype(dtype)


@op(compiles=True, settings=("dtype",))
def saturate_cast(x: TensorLike, dtype: DTypeLike) -> Tensor:
    """`x` as `dtype`, where values beyond its range become its smallest and largest number.

    Args:
        x: Tensor.
        dtype: Type of the result.

    >>> import lamina as keras
    >>> keras.ops.saturate_cast([-1.0, 300.0], "uint8")
    Array([  0, 255], dtype=uint8)
    """
    x, dtype = tensor(x), canonical(dtype)
    if jnp.issubdtype(dtype, jnp.bool_):
        return jnp.clip(x, 0, 1).astype(bool)
    x = x.astype(jnp.uint8) if x.dtype == bool else x
    limits, own = _limits(dtype), _limits(x.dtype)
    low, high = max(float(limits.min), float(own.min)), min(float(limits.max), float(own.max))
    if is_float(dtype) or x.dtype.itemsize == 1:  # 8-bit floats compute with no other type
        x = x.astype(jnp.promote_types(x.dtype, "float32") if x.dtype.itemsize > 1 else "float32")
    if is_float(dtype):
        return jnp.clip(x, low, high).astype(dtype)
    if not is_float(x.dtype):
        low, high = int(low), int(high)
    top = jnp.asarray(limits.max if high == limits.max else high, dtype)
    return jnp.where(x >= high, top, jnp.clip(x, low, high).astype(dtype))


def _limits(dtype):
    return jnp.finfo(dtype) if is_float(dtype) else jnp.iinfo(dtype)


@op
def stop_gradient(variable: TensorLike) -> Any:
    """The same values, through which no gradient flows.

    Args:
        variable: Tensor.
    """
    return jax.lax.stop_gradient(tensor(variable))


@op(compiles=True, settings=("shape",))
def scatter(indices: TensorLike, values: TensorLike, shape: Sequence[int]) -> Any:
    """Zeros of `shape` with `values` added at `indices`.

    Args:
        indices: Integers of shape (..., k) with k <= len(shape).
        values: Tensor of shape (..., *shape[k:]).
        shape: Shape of the result.

    >>> import lamina as keras
    >>> keras.ops.scatter([[1], [3]], [5, 7], (4,))
    Array([0, 5, 0, 7], dtype=int32)
    """
    values = tensor(values)
    return jnp.zeros(shape, values.dtype).at[_index_arrays(indices)].add(values)


@op
def scatter_update(
    inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None
) -> Tensor:
    """`inputs` with `updates` put at `indices`.

    Args:
        inputs: Tensor.
        indices: Integers of shape (n, k).
        updates: Tensor of shape (n, *inputs.shape[k:]).
        reduction: How updates are combined with the inputs: "add", "max", "min" or "mul"; None replaces them.

    >>> import lamina as keras
    >>> keras.ops.scatter_update([1, 1, 1], [[0], [2]], [5, 7])
    Array([5, 1, 7], dtype=int32)
    """
    inputs = tensor(inputs)
    target = inputs.at[_index_arrays(indices)]
    rules = {None: target.set, "add": target.add, "max": target.max, "min": target.min, "mul": target.multiply}
    return rules[choice("scatter_update", "reduction", reduction, rules)](tensor(updates).astype(inputs.dtype))


def _index_arrays(indices):
    """Rows of indices as one index array for each axis."""
    return tuple(jnp.moveaxis(tensor(indices), -1, 0))


@op(settings=("shape",))
def slice(inputs: TensorLike, start_indices: Sequence[int] | Tensor, shape: Sequence[int]) -> Tensor:
    """The block of `shape` that begins at `start_indices`.

    Args:
        inputs: Tensor.
        start_indices: First index along each axis.
        shape: Size of the block along each axis; -1 means up to the end.

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
def slice_update(inputs: TensorLike, start_indices: Sequence[int] | Tensor, updates: TensorLike) -> Tensor:
    """`inputs` with the block that begins at `start_indices` replaced by `updates`.

    Args:
        inputs: Tensor.
        start_indices: First index along each axis.
        updates: The new block.

    >>> import lamina as keras
    >>> keras.ops.slice_update([0, 0, 0], [1], [7])
    Array([0, 7, 0], dtype=int32)
    """
    inputs = tensor(inputs)
    return jax.lax.dynamic_update_slice(inputs, tensor(updates).astype(inputs.dtype), start_indices)


@op(compiles=True)
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Any]:
    """The slices of `x` along `axis`.

    Args:
        x: Tensor.
        num: Number of slices, the size of the axis; None takes it from the shape.
        axis: Axis along which to slice.
    """
    x = tensor(x)
    sizes = without_probe_sizes(x.shape)
    if num is None and sizes[axis] is None:
        raise MissingSizeError(f"unstack: Cannot infer argument `num` from shape {sizes}, axis {axis}.", fix="num=3")
    if num is not None and sizes[axis] is None:
        x = jax.lax.slice_in_dim(x, 0, num, axis=axis)  # the size is not known, and `num` says it
    if num is not None and num != x.shape[axis]:
        message = f"unstack: axis {axis} of shape {tuple(x.shape)} has {x.shape[axis]} slices, not num={num}."
        raise ShapeError(message, fix=f"num={x.shape[axis]}")
    reserve_steps(x.shape[axis], "unstack")
    return [jnp.squeeze(part, axis) for part in jnp.split(x, x.shape[axis], axis)]


@op(settings=("pattern",))
def rearrange(tensor: TensorLike, pattern: str, **axes_lengths: int) -> Any:
    """Axes reordered, merged and split by a pattern in the notation of einops.

    Args:
        tensor: Tensor.
        pattern: Axes before and after, such as "b (h s) c -> b c h s".
        **axes_lengths: Sizes of named axes that do not follow from the shape, such as s=2.

    Source: A. Rogozhnikov, "Einops: Clear and Reliable Tensor Manipulations", ICLR 2022.

    >>> import lamina as keras
    >>> keras.ops.rearrange(keras.ops.zeros((2, 6, 3)), "b (h s) c -> b c h s", s=2).shape
    (2, 3, 3, 2)
    """
    x = jnp.asarray(tensor)
    if pattern.count("->") != 1:
        raise ConfigError(f"rearrange: a pattern has one '->'; got {pattern!r}.", fix="'b h w c -> b (h w) c'")
    left, right = (_groups(side) for side in pattern.split("->"))
    sizes = _axis_sizes(left, x.shape, axes_lengths, pattern)
    names = [name for group in left for name in group]
    order = [name for group in right for name in group]
    if sorted(names) != sorted(order):
        message = f"rearrange: both sides of {pattern!r} must name the same axes."
        only = sorted({*names} ^ {*order})
        raise ConfigError(message, fix=f"Write {', '.join(only)} on both sides, or on none.")
    x = jnp.transpose(x.reshape([sizes[name] for name in names]), [names.index(name) for name in order])
    return x.reshape([math.prod(sizes[name] for name in group) for group in right])


def _groups(side):
    """ "b (h s) c" as [["b"], ["h", "s"], ["c"]]."""
    return [part.strip("()").split() for part in re.findall(r"\([^)]*\)|\S+", side)]


def _axis_sizes(groups, shape, known, pattern):
    """The size of each named axis: given, or derived from the axis that it was split from."""
    if len(groups) != len(shape):
        raise ShapeError(
            f"rearrange: {pattern!r} has {len(groups)} axes on the left; the input has shape {tuple(shape)}.",
            fix=f"Name {len(shape)} axes on the left, such as {' '.join('bhwcdef'[: len(shape)])!r}.",
        )
    sizes = dict(known)
    for group, size in zip(groups, shape, strict=True):
        given = math.prod(sizes[name] for name in group if name in sizes)
        unknown = [name for name in group if name not in sizes]
        if len(unknown) > 1 or size % given or (not unknown and given != size):
            message = f"rearrange: {pattern!r} with {known} does not fit an axis of size {size}."
            name = next((one for one in group if one in known), group[0])
            divisors = [one for one in range(1, size + 1) if size % one == 0]
            fix = f"{name}={divisors[len(divisors) // 2]}" if len(group) > 1 else f"Leave out {name}=."
            raise ShapeError(message, fix=fix)
        if unknown:
            sizes[unknown[0]] = size // given
    return sizes
