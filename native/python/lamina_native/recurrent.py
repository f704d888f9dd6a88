"""The loops over time of LSTM and GRU, and their gradients. Arrays are time-major; inputs are already projected.

Computation is in float32; inputs and outputs may be bfloat16. Gates are in Keras's order: i, f, c, o for LSTM and z, r,
h for GRU. Gates use the sigmoid; candidates and the LSTM's carry use tanh.
"""

import jax.numpy as jnp

from lamina_native.library import call_all
from lamina_native.products import matmul
from lamina_native.rows import sum_rows

__all__ = ["gru", "gru_gradient", "lstm", "lstm_gradient"]


def lstm(projected, recurrent_kernel, bias, h0, c0, *, mask=None, reverse=False, save=False):
    """`carry = f * carry + i * c` and `h = o * tanh(carry)` at each time t. With `sums = projected[t] + h @
    recurrent_kernel + bias`, i, f and o are sigmoids and c is the tanh of their slices of `sums`.

    Shapes: projected (time, batch, 4 * units), recurrent_kernel (units, 4 * units), bias (4 * units,) or None,
    h0 and c0 (batch, units), mask (time, batch) booleans or None
    -> outputs (time, batch, units), last h and carry (batch, units).

    Args:
        mask: boolean; where it is False, both states are left unchanged.
        reverse: iterate from the last time to the first; outputs[t] still belongs to time t.
        save: return a fourth result, which `lstm_gradient` needs.
    """
    steps, batch, width = projected.shape
    units = h0.shape[1]
    _check("lstm", projected, recurrent_kernel, bias, (h0, c0), mask, 4)
    kept = steps if save else 0
    shapes = ((steps, batch, units), (batch, units), (kept, batch, width), (kept, batch, units))
    settings = dict(has_bias=bias is not None, has_mask=mask is not None, reverse=bool(reverse))
    arrays = _floats(projected, recurrent_kernel, h0, c0, *_there(bias, mask))
    outputs, carry, gates, carries = call_all("lstm", shapes, *arrays, **settings)
    dtype = projected.dtype
    result = outputs.astype(dtype), outputs[0 if reverse else -1].astype(dtype), carry.astype(dtype)
    return (*result, (outputs, gates, carries)) if save else result


def lstm_gradient(recurrent_kernel, bias, h0, c0, saved, d_outputs, d_h, d_c, *, mask=None, reverse=False):
    """The gradients of projected, recurrent_kernel, bias (None without one), h0 and c0, given those of the results of
    `lstm`.

    `saved` is the fourth result of `lstm`. d_outputs may be None.
    """
    outputs, gates, carries = saved
    _check("lstm_gradient", gates, recurrent_kernel, bias, (h0, c0, d_h, d_c), mask, 4, (outputs, carries, d_outputs))
    settings = dict(has_outputs=d_outputs is not None, has_mask=mask is not None, reverse=bool(reverse))
    arrays = _floats(recurrent_kernel, c0, gates, carries, d_h, d_c, *_there(d_outputs, mask))
    batch, width = gates.shape[1:]
    shapes = gates.shape, h0.shape, c0.shape, (0 if bias is None else batch, width)
    d_sums, d_h0, d_c0, d_biases = call_all("lstm_gradient", shapes, *arrays, **settings)
    d_kernel = _product(_before(outputs, h0, reverse), d_sums)
    dtype = recurrent_kernel.dtype
    d_bias = None if bias is None else d_biases.sum(0).astype(bias.dtype)
    return d_sums.astype(dtype), d_kernel.astype(dtype), d_bias, d_h0.astype(dtype), d_c0.astype(dtype)


def gru(projected, recurrent_kernel, bias, h0, *, reset_after=True, mask=None, reverse=False, save=False):
    """`h = z * h + (1 - z) * tanh(...)` at each time t, with gates z and r.

    With `sums = h @ recurrent_kernel + bias`, z and r are the sigmoids of their slices of `projected[t] + sums`. The
    candidate is the tanh of its slice of `projected[t] + r * sums` with `reset_after`, otherwise of `projected[t] + (r
    * h) @ recurrent_kernel`.

    Shapes: projected (time, batch, 3 * units), recurrent_kernel (units, 3 * units), bias (3 * units,) or None (must be
    None without reset_after), h0 (batch, units), mask (time, batch) booleans or None -> outputs (time, batch, units), h
    (batch, units). With `save` there is a third result, which `gru_gradient` needs. Other arguments as for `lstm`.
    """
    if bias is not None and not reset_after:
        raise ValueError("gru has a recurrent bias only with reset_after=True.")
    steps, batch, _ = projected.shape
    units = h0.shape[1]
    _check("gru", projected, recurrent_kernel, bias, (h0,), mask, 3)
    shapes = ((steps, batch, units), (steps if save else 0, batch, 4 * units))
    settings = dict(has_bias=bias is not None, has_mask=mask is not None, reverse=bool(reverse))
    arrays = _floats(projected, recurrent_kernel, h0, *_there(bias, mask))
    outputs, saved = call_all("gru", shapes, *arrays, reset_after=bool(reset_after), **settings)
    result = outputs.astype(projected.dtype), outputs[0 if reverse else -1].astype(projected.dtype)
    return (*result, (outputs, saved)) if save else result


def gru_gradient(recurrent_kernel, bias, h0, saved, d_outputs, d_h, *, reset_after=True, mask=None, reverse=False):
    """The gradients of projected, recurrent_kernel, bias (None without one) and h0, given those of the results of
    `gru`.

    `saved` is the third result of `gru`. d_outputs may be None.
    """
    outputs, gates = saved
    units = h0.shape[1]
    shape = (*gates.shape[:2], 3 * units)
    _check("gru_gradient", gates[..., units:], recurrent_kernel, bias, (h0, d_h), mask, 3, (outputs, d_outputs))
    settings = dict(has_outputs=d_outputs is not None, has_mask=mask is not None, reverse=bool(reverse))
    arrays = _floats(recurrent_kernel, h0, outputs, gates, d_h, *_there(d_outputs, mask))
    d_projected, d_recurrent, d_h0 = call_all(
        "gru_gradient", (shape, shape, h0.shape), *arrays, reset_after=bool(reset_after), **settings
    )
    before = _before(outputs, h0, reverse)
    if reset_after:
        d_kernel = _product(before, d_recurrent)
    else:
        d_candidate = _product(gates[..., 3 * units :], d_recurrent[..., 2 * units :])
        d_kernel = jnp.concatenate([_product(before, d_recurrent[..., : 2 * units]), d_candidate], -1)
    dtype = recurrent_kernel.dtype
    d_bias = None if bias is None else sum_rows(d_recurrent.reshape(-1, d_recurrent.shape[-1])).astype(bias.dtype)
    return d_projected.astype(dtype), d_kernel.astype(dtype), d_bias, d_h0.astype(dtype)


def _check(name, sums, kernel, bias, states, mask, gates, outputs=()):
    """Raise ValueError if shapes do not match those of the sums (time, batch, gates * units) and the first state."""
    (steps, batch), units = sums.shape[:2], states[0].shape[-1]
    wanted = {
        (steps, batch, gates * units): [sums],
        (units, gates * units): [kernel],
        (gates * units,): [bias],
        (batch, units): states,
        (steps, batch): [mask],
        (steps, batch, units): outputs,
    }
    for shape, arrays in wanted.items():
        for array in _there(*arrays):
            if array.shape != shape:
                raise ValueError(f"{name}: an array of shape {array.shape} stands where shape {shape} is needed.")
    if mask is not None and mask.dtype != bool:
        raise TypeError(f"{name} needs a mask of booleans; got {mask.dtype}.")
    if steps == 0:
        raise ValueError(f"{name} needs one step or more.")


def _there(*arrays):
    return [array for array in arrays if array is not None]


def _floats(*arrays):
    """Convert arrays to float32, except boolean masks."""
    return [array if array.dtype == bool else array.astype(jnp.float32) for array in arrays]


def _before(outputs, h0, reverse):
    """The state before each time step."""
    h0 = h0[None].astype(outputs.dtype)
    return jnp.concatenate([outputs[1:], h0]) if reverse else jnp.concatenate([h0, outputs[:-1]])


def _product(left, right):
    """The sum over time and batch of the outer products of left (..., n) and right (..., m): shape (n, m)."""
    return matmul(left.reshape(-1, left.shape[-1]), right.reshape(-1, right.shape[-1]), transpose_x=True)
