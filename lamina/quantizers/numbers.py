"""The arithmetic of quantization: floats to small integers and back, two integers in a byte, eight-bit floats."""

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core import dtypes
from lamina.core.op import op
from lamina.core.variable import unwrap
from lamina.errors import ConfigError, ShapeError

__all__ = [
    "abs_max_quantize", "abs_max_quantize_grouped_with_zero_point", "compute_float8_amax_history",
    "compute_float8_scale", "fake_quant_with_min_max_vars", "pack_int4", "quantize_and_dequantize", "unpack_int4",
]  # fmt: skip


def _library(inputs, to_numpy):
    """(numpy or jax.numpy, the array in it, its type): NumPy saves the device's memory."""
    library = np if to_numpy else jnp
    array = library.asarray(unwrap(inputs))
    if to_numpy and array.dtype == np.float64:
        array = array.astype("float32")
    return library, array


@op(settings=("axis",), name="abs_max_quantize")
def abs_max_quantize(inputs, axis, value_range=(-127, 127), dtype="int8", epsilon=1e-7, to_numpy=False):
    """(round(inputs * scale), scale) with scale = value_range[1] / max(|inputs|) along `axis`.

    Args:
        axis: one or several; scale has size 1 there.
        value_range: the least and the greatest integer.
        epsilon: added to the maximum.
        to_numpy: compute with NumPy, outside of the device.

    >>> abs_max_quantize(np.array([[1.0, -2.0, 4.0]]), axis=-1)[0]
    Array([[ 32, -64, 127]], dtype=int8)
    """
    library, inputs = _library(inputs, to_numpy)
    greatest = library.max(library.abs(inputs), axis=axis, keepdims=True)
    scale = (value_range[1] / (greatest + np.asarray(epsilon, greatest.dtype))).astype(inputs.dtype)
    quantized = library.clip(library.round(inputs * scale), *value_range).astype(dtypes.numpy_dtype(dtype))
    return jnp.asarray(quantized), jnp.asarray(scale)


@op(settings=("block_size",), name="abs_max_quantize_grouped_with_zero_point")
def abs_max_quantize_grouped_with_zero_point(
    inputs, block_size, value_range=(-8, 7), dtype="int8", epsilon=1e-7, to_numpy=False
):
    """(round(inputs / scale) + zero_point, scale, zero_point) for each `block_size` rows of each column.

    scale = (max - min + epsilon) / (number of steps), for a block of one value as if it went 1 below and 1 above.
    Rows are filled up to whole blocks with zeros; a single block only with NumPy (`to_numpy`), as layers do it.

    Shapes: (rows, columns) -> (rows, columns), (blocks, columns), (blocks, columns).
    """
    library, inputs = _library(inputs, to_numpy)
    if inputs.ndim != 2:
        raise ShapeError(f"Blocks are made of the rows of a matrix; got shape {inputs.shape}.")
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
    if dtype not in ("int8", "uint8"):
        raise ConfigError(f"Four-bit integers are packed into int8 or uint8; got {dtype!r}.")


def pack_int4(arr, axis=0, dtype="int8"):
    """(bytes, their shape, the size of `axis` before): of two neighbours along `axis` the first is in the low bits.

    >>> pack_int4(np.array([[-3, 7], [2, -8], [1, 0]], "int8"))
    (Array([[  45, -121],
           [   1,    0]], dtype=int8), (2, 2), 3)
    """
    _check_nibbles(dtype)
    arr = jnp.asarray(unwrap(arr))
    if arr.dtype != dtype:
        raise ConfigError(f"pack_int4 with dtype={dtype!r} takes an array of it; got {arr.dtype}.")
    axis = axis % arr.ndim
    size = arr.shape[axis]
    pairs = jnp.pad(arr, [(0, size % 2 if a == axis else 0) for a in range(arr.ndim)])
    low, high = (jax.lax.slice_in_dim(pairs, start, None, 2, axis).astype("uint8") for start in (0, 1))
    packed = jax.lax.bitcast_convert_type((low & 15) | (high << 4), dtype)
    return packed, packed.shape, size


def unpack_int4(packed, orig_len, axis=0, dtype="int8"):
    """What `pack_int4` packed: `orig_len` integers along `axis`, from -8 to 7 (uint8: from 0 to 15).

    >>> unpack_int4(np.array([[45, -121], [1, 0]], "int8"), orig_len=3)
    Array([[-3,  7],
           [ 2, -8],
           [ 1,  0]], dtype=int8)
    """
    _check_nibbles(dtype)
    packed = jnp.asarray(unwrap(packed))
    if packed.dtype != dtype:
        raise ConfigError(f"unpack_int4 with dtype={dtype!r} takes an array of it; got {packed.dtype}.")
    axis = axis % packed.ndim
    low, high = (packed << 4) >> 4, packed >> 4  # shifts of int8 keep the sign
    pairs = jnp.stack([low, high], axis + 1)
    shape = [2 * size if a == axis else size for a, size in enumerate(packed.shape)]
    return jax.lax.slice_in_dim(pairs.reshape(shape), 0, orig_len, axis=axis)


def compute_float8_scale(amax, scale, dtype_max, margin=0):
    """The scale that brings `amax` to `dtype_max` / 2**margin; the one before where `amax` is 0 or not finite.

    >>> float(compute_float8_scale(jnp.float32(896.0), jnp.float32(1.0), 448.0))
    2.0
    """
    amax, scale = jnp.asarray(unwrap(amax)), jnp.asarray(unwrap(scale))
    usable = (amax > 0) & jnp.isfinite(amax)
    return jnp.where(usable, amax * 2.0**margin / dtype_max, scale)


def compute_float8_amax_history(x, amax_history):
    """The history moved on by one, with max(|x|) as its first.

    >>> compute_float8_amax_history(jnp.array([1.0, -9.0]), jnp.array([1.0, 2.0, 3.0]))
    Array([9., 3., 1.], dtype=float32)
    """
    amax_history = jnp.asarray(unwrap(amax_history))
    amax = jnp.max(jnp.abs(jnp.asarray(unwrap(x)))).astype(amax_history.dtype)
    return jnp.roll(amax_history, -1).at[0].set(amax)


def quantize_and_dequantize(inputs, scale, quantized_dtype, compute_dtype):
    """`inputs` as they are after a way through `quantized_dtype`, an eight-bit float: `cast(inputs / scale) * scale`.

    >>> quantize_and_dequantize(jnp.array([1.3, 77.7]), jnp.float32(2.0), "float8_e4m3fn", "float32")
    Array([ 1.25, 80.  ], dtype=float32)
    """
    compute, quantized = dtypes.numpy_dtype(compute_dtype), dtypes.numpy_dtype(quantized_dtype)
    limit = float(jnp.finfo(quantized).max)
    scale = jnp.asarray(unwrap(scale)).astype(compute)
    small = jnp.clip(jnp.asarray(unwrap(inputs)).astype(compute) / scale, -limit, limit).astype(quantized)
    return small.astype(compute) * scale


@op(name="fake_quant_with_min_max_vars")
def fake_quant_with_min_max_vars(inputs, min_vals, max_vals, num_bits=8, narrow_range=False, axis=None):
    """`inputs` rounded to the 2**num_bits values that lie evenly from `min_vals` to `max_vals`, 0 among them.

    The gradient passes to inputs within the range, to `min_vals` below and to `max_vals` above (Jacob et al., 2018).

    Args:
        min_vals, max_vals: numbers, or with `axis` one for each position along it.
        narrow_range: leave out the least value.

    >>> fake_quant_with_min_max_vars(jnp.array([-1.0, 0.4, 9.0]), 0.0, 3.0, num_bits=2)
    Array([0., 0., 3.], dtype=float32)
    """
    inputs, low, high = (jnp.asarray(value) for value in (inputs, min_vals, max_vals))
    if not jnp.issubdtype(inputs.dtype, jnp.floating):
        raise ConfigError(f"fake_quant_with_min_max_vars takes floats; got {inputs.dtype}.")
    if not 1 <= num_bits <= 64:
        raise ConfigError(f"num_bits is from 1 to 64; got {num_bits}.")
    wide = jnp.promote_types(inputs.dtype, "float32")  # halves do not have the digits for 255 steps

    def beside_inputs(bound):
        shape = [1] * inputs.ndim if axis is not None else [1] * (inputs.ndim - bound.ndim) + [*bound.shape]
        if axis is not None:
            shape[axis] = -1
        return bound.reshape(shape).astype(wide)

    first, last = 1 if narrow_range else 0, 2**num_bits - 1
    return _fake_quant(inputs.astype(wide), beside_inputs(low), beside_inputs(high), first, last).astype(inputs.dtype)


def _nudged(low, high, first, last):
    """(least value, greatest value, step): the range moved so that 0 is one of the values."""
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


def _fake_quant_backward(kept, gradient):
    below, above, low = kept
    summed = tuple(axis for axis in range(gradient.ndim) if low.shape[axis] == 1)

    def collect(where):
        return jnp.where(where, gradient, 0).sum(summed).reshape(low.shape)

    return jnp.where(below | above, 0, gradient), collect(below), collect(above), None, None


_fake_quant.defvjp(_fake_quant_forward, _fake_quant_backward)
