"""The arithmetic of quantization: integers of few bits, two of them packed into a byte, and floats of eight bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import dtypes, placement
from lamina.core.arguments import choice, whole
from lamina.core.op import op
from lamina.core.typing import ArrayLike, Axes, DTypeLike, Tensor, TensorLike
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError

__all__ = [
    "abs_max_quantize", "abs_max_quantize_grouped_with_zero_point", "compute_float8_amax_history",
    "compute_float8_scale", "fake_quant_with_min_max_vars", "pack_int4", "quantize_and_dequantize", "unpack_int4",
]  # fmt: skip


def _library(inputs, to_numpy):
    """(numpy or jax.numpy, the array). NumPy leaves the memory of the device free."""
    library = np if to_numpy else jnp
    inputs = unwrap(inputs)
    array = placement.to_numpy(inputs, copy=False) if to_numpy else jnp.asarray(inputs)
    if to_numpy and array.dtype == np.float64:
        array = array.astype("float32")
    return library, array


@op(settings=("axis",), name="abs_max_quantize")
def abs_max_quantize(
    inputs: TensorLike,
    axis: Axes,
    value_range: Sequence[int] = (-127, 127),
    dtype: DTypeLike = "int8",
    epsilon: float = 1e-7,
    to_numpy: bool = False,
) -> Any:
    """(round(inputs * scale), scale) with scale = value_range[1] / max(|inputs|) along `axis`.

    Args:
        inputs: Tensor of floats.
        axis: Axis or axes along which values share a scale; the scale has size 1 there. None means all.
        value_range: Smallest and largest integer.
        dtype: Type of the integers.
        epsilon: Number that is added to the maximum.
        to_numpy: Whether to compute with NumPy, outside the device.

    >>> abs_max_quantize(np.array([[1.0, -2.0, 4.0]]), axis=-1)[0]
    Array([[ 32, -64, 127]], dtype=int8)
    """
    library, inputs = _library(inputs, to_numpy)
    greatest = library.max(library.abs(inputs), axis=axis, keepdims=True)
    scale = (value_range[1] / (greatest + np.asarray(epsilon, greatest.dtype))).astype(inputs.dtype)
    quantized = library.clip(library.round(inputs * scale), value_range[0], value_range[1]).astype(
        dtypes.numpy_dtype(dtype)
    )
    return jnp.asarray(quantized), jnp.asarray(scale)


@op(settings=("block_size",), name="abs_max_quantize_grouped_with_zero_point")
def abs_max_quantize_grouped_with_zero_point(
    inputs: TensorLike,
    block_size: int,
    value_range: Sequence[int] = (-8, 7),
    dtype: DTypeLike = "int8",
    epsilon: float = 1e-7,
    to_numpy: bool = False,
) -> Any:
    """(round(inputs / scale) + zero_point, scale, zero_point) for each block of rows of each column.

    scale = (max - min + epsilon) / (number of steps). A block of equal values counts as one from value - 1 to value +
    1. Rows are padded with zeros to whole blocks; with JAX a single block stays unpadded.

    Shapes: (rows, columns) -> (rows, columns), (blocks, columns), (blocks, columns).

    Args:
        inputs: Matrix of floats.
        block_size: Number of rows that share a scale and a zero point.
        value_range: Smallest and largest integer.
        dtype: Type of the integers.
        epsilon: Number that is added to the range of values.
        to_numpy: Whether to compute with NumPy, outside the device.

    Raises:
        ShapeError: `inputs` is not a matrix.
    """
    library, inputs = _library(inputs, to_numpy)
    if inputs.ndim != 2:
        raise ShapeError(
            f"Blocks are made of the rows of a matrix; got shape {inputs.shape}.",
            fix=f"keras.ops.reshape(inputs, (-1, {inputs.shape[-1] if inputs.ndim else 1}))",
        )
    low, high = value_range
    rows, columns = inputs.shape
    block_size = block_size if to_numpy else min(block_size, rows)
    blocks = -(-rows // block_size)
    filled = library.pad(inputs, ((0, blocks * block_size - rows), (0, 0))).reshape(blocks, block_size, columns)
    least, greatest = filled.min(1), filled.max(1)
    flat = greatest == least
    least, greatest = library.where(flat, least - 1, least), library.where(flat, greatest + 1, greatest)
    scale = (greatest - least + np.asarray(epsilon, inputs.dtype)) / (high - low)
    zero_point = library.clip(library.round(-least / scale) + low, low, high)
    quantized = library.clip(library.round(filled / scale[:, None]) + zero_point[:, None], low, high)
    quantized = quantized.reshape(-1, columns)[:rows].astype(dtypes.numpy_dtype(dtype))
    return jnp.asarray(quantized), jnp.asarray(scale), jnp.asarray(zero_point.astype("int8"))


def _check_nibbles(dtype):
    choice("Four-bit integers", "dtype", dtype, ("int8", "uint8"))


def pack_int4(arr: ArrayLike, axis: int = 0, dtype: DTypeLike = "int8") -> tuple[Tensor, tuple[int, ...], int]:
    """Pack two integers of four bits into a byte: of two neighbors along `axis` the first is in the low bits.

    Args:
        arr: Array of integers of type `dtype`.
        axis: Axis along which neighbors share a byte.
        dtype: "int8" for integers from -8 to 7, "uint8" for 0 to 15.

    Raises:
        ConfigError: The type is another one.

    Returns:
        (bytes, shape of the bytes, size of `axis` before packing).

    >>> pack_int4(np.array([[-3, 7], [2, -8], [1, 0]], "int8"))
    (Array([[  45, -121],
           [   1,    0]], dtype=int8), (2, 2), 3)
    """
    _check_nibbles(dtype)
    values = jnp.asarray(unwrap(arr))
    if values.dtype != dtype:
        message = f"pack_int4 with dtype={dtype!r} takes an array of it; got {values.dtype}."
        raise ConfigError(message, fix=f"keras.ops.cast(arr, {str(dtype)!r})")
    axis = axis % values.ndim
    size = values.shape[axis]
    pairs = jnp.pad(values, [(0, size % 2 if a == axis else 0) for a in range(values.ndim)])
    low, high = (jax.lax.slice_in_dim(pairs, start, None, 2, axis).astype("uint8") for start in (0, 1))
    packed = jax.lax.bitcast_convert_type((low & 15) | (high << 4), dtypes.numpy_dtype(dtype))
    return packed, packed.shape, size


def unpack_int4(packed: ArrayLike, orig_len: int, axis: int = 0, dtype: DTypeLike = "int8") -> Tensor:
    """Unpack bytes of `pack_int4` into integers of four bits.

    Args:
        packed: Bytes, which are read as `dtype`.
        orig_len: Size of `axis` before packing.
        axis: Axis along which neighbors share a byte.
        dtype: "int8" for integers from -8 to 7, "uint8" for 0 to 15.

    Raises:
        ConfigError: Another `dtype`, or `packed` has no bytes.

    >>> unpack_int4(np.array([[45, -121], [1, 0]], "int8"), orig_len=3)
    Array([[-3,  7],
           [ 2, -8],
           [ 1,  0]], dtype=int8)
    """
    _check_nibbles(dtype)
    pairs = jnp.asarray(unwrap(packed))
    if pairs.dtype not in (jnp.int8, jnp.uint8):
        message = f"unpack_int4 takes an array of bytes, such as one of {dtype!r}; got {pairs.dtype}."
        raise ConfigError(message, fix=f"keras.ops.cast(packed, {str(dtype)!r})")
    pairs = jax.lax.bitcast_convert_type(pairs, dtype)
    axis = axis % pairs.ndim
    shape = [2 * size if a == axis else size for a, size in enumerate(pairs.shape)]
    low, high = (pairs << 4) >> 4, pairs >> 4  # shifts of int8 keep the sign
    pairs = jnp.stack([low, high], axis + 1)
    return jax.lax.slice_in_dim(pairs.reshape(shape), 0, orig_len, axis=axis)


def compute_float8_scale(amax: ArrayLike, scale: ArrayLike, dtype_max: float, margin: int = 0) -> Tensor:
    """The scale that maps `dtype_max / 2**margin` to `amax`: `amax * 2**margin / dtype_max`.

    Args:
        amax: Largest absolute value.
        scale: Previous scale, which is kept where `amax` is 0 or not finite.
        dtype_max: Largest finite value of the type.
        margin: Number of powers of two that are kept free.

    >>> float(compute_float8_scale(jnp.float32(896.0), jnp.float32(1.0), 448.0))
    2.0
    """
    largest = jnp.asarray(unwrap(amax))
    is_usable = (largest > 0) & jnp.isfinite(largest)
    return jnp.where(is_usable, largest * 2.0**margin / dtype_max, jnp.asarray(unwrap(scale)))


def compute_float8_amax_history(x: ArrayLike, amax_history: ArrayLike) -> Tensor:
    """The history of largest absolute values, shifted by one, with max(|x|) as its first.

    Args:
        x: Array.
        amax_history: Previous history, of rank 1.

    >>> compute_float8_amax_history(jnp.array([1.0, -9.0]), jnp.array([1.0, 2.0, 3.0]))
    Array([9., 3., 1.], dtype=float32)
    """
    history = jnp.asarray(unwrap(amax_history))
    amax = jnp.max(jnp.abs(jnp.asarray(unwrap(x)))).astype(history.dtype)
    return jnp.roll(history, -1).at[0].set(amax)


def quantize_and_dequantize(
    inputs: ArrayLike, scale: ArrayLike, quantized_dtype: DTypeLike, compute_dtype: DTypeLike
) -> Tensor:
    """`inputs` rounded to the values of a float type of eight bits: `cast(inputs / scale) * scale`.

    Args:
        inputs: Array of floats.
        scale: Scale of the values.
        quantized_dtype: Type of eight bits, such as "float8_e4m3fn".
        compute_dtype: Type of the result.

    >>> quantize_and_dequantize(jnp.array([1.3, 77.7]), jnp.float32(2.0), "float8_e4m3fn", "float32")
    Array([ 1.25, 80.  ], dtype=float32)
    """
    compute, quantized = dtypes.numpy_dtype(compute_dtype), dtypes.numpy_dtype(quantized_dtype)
    limit = float(jnp.finfo(quantized).max)
    factor = jnp.asarray(unwrap(scale)).astype(compute)
    rounded = jnp.clip(jnp.asarray(unwrap(inputs)).astype(compute) / factor, -limit, limit).astype(quantized)
    return rounded.astype(compute) * factor


@op(name="fake_quant_with_min_max_vars")
def fake_quant_with_min_max_vars(
    inputs: TensorLike,
    min_vals: TensorLike,
    max_vals: TensorLike,
    num_bits: int = 8,
    narrow_range: bool = False,
    axis: int | None = None,
) -> Tensor:
    """`inputs` rounded to `2**num_bits` evenly spaced values from `min_vals` to `max_vals`, 0 among them.

    The gradient passes to inputs within the range, to `min_vals` below it and to `max_vals` above it (Jacob et al.,
    2018).

    Args:
        inputs: Tensor of floats.
        min_vals: Smallest values: a number, or with `axis` one for each position along it.
        max_vals: Largest values, like `min_vals`.
        num_bits: Number of bits.
        narrow_range: Whether the smallest value is left out.
        axis: Axis with a range for each position; None means one range for all.

    >>> fake_quant_with_min_max_vars(jnp.array([-1.0, 0.4, 9.0]), 0.0, 3.0, num_bits=2)
    Array([0., 0., 3.], dtype=float32)
    """
    x, low, high = (jnp.asarray(unwrap(value)) for value in (inputs, min_vals, max_vals))
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ConfigError(
            f"fake_quant_with_min_max_vars takes floats; got {x.dtype}.", fix="keras.ops.cast(inputs, 'float32')"
        )
    whole("fake_quant_with_min_max_vars", "num_bits", num_bits, 1, 64, example=8)
    wide = jnp.promote_types(x.dtype, "float32")  # float16 and bfloat16 have too few digits for 255 steps

    def broadcastable(bound):
        shape = [1] * x.ndim if axis is not None else [1] * (x.ndim - bound.ndim) + [*bound.shape]
        if axis is not None:
            shape[axis] = -1
        return bound.reshape(shape).astype(wide)

    first, last = 1 if narrow_range else 0, 2**num_bits - 1
    return _fake_quant(x.astype(wide), broadcastable(low), broadcastable(high), first, last).astype(x.dtype)


def _nudged(low, high, first, last):
    """(smallest value, largest value, step) of the range, shifted so that 0 is one of the values."""
    step = (high - low) / (last - first)
    zero = jnp.clip(jnp.round(first - low / step), first, last)
    return (first - zero) * step, (last - zero) * step, step


@jax.custom_vjp
def _fake_quant(inputs, low, high, first, last):
    least, greatest, step = _nudged(low, high, first, last)
    clipped = jnp.clip(inputs, least, greatest)
    return jnp.floor((clipped - least) / step + 0.5) * step + least


def _fake_quant_forward(inputs, low, high, first, last):
    least, greatest, _ = _nudged(low, high, first, last)
    return _fake_quant(inputs, low, high, first, last), (inputs < least, inputs > greatest, low)


def _fake_quant_backward(residuals, gradient):
    below, above, low = residuals
    summed = tuple(axis for axis in range(gradient.ndim) if low.shape[axis] == 1)

    def collect(where):
        return jnp.where(where, gradient, 0).sum(summed).reshape(low.shape)

    return jnp.where(below | above, 0, gradient), collect(below), collect(above), None, None


_fake_quant.defvjp(_fake_quant_forward, _fake_quant_backward)
