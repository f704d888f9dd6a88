"""The loops over time of LSTM and GRU, and their gradients: time comes first, the inputs are projected already.

All computes in float32; bfloat16 comes in and goes out. Gates are in Keras's order: i, f, c, o and z, r, h; they take
the sigmoid, candidates and the LSTM's carry the hyperbolic tangent.
"""

import jax.numpy as jnp

from lamina_native.library import call_all
from lamina_native.products import matmul
from lamina_native.rows import sum_rows

__all__ = ["gru", "gru_gradient", "lstm", "lstm_gradient"]


def lstm(projected, recurrent_kernel, bias, h0, c0, *, mask=None, reverse=False, save=False):
    """`carry = f * carry + i * c`, `h = o * tanh(carry)` at each time t: `projected[t] + h @ recurrent_kernel + bias`
    are the sums of which i, f and o are the sigmoid, c the hyperbolic tangent.

    Shapes: projected (time, batch, 4 * units), recurrent_kernel (units, 4 * units), bias (4 * units,) or None,
    h0 and c0 (batch, units), mask (time, batch) booleans or None
    -> outputs (time, batch, units), last h and carry (batch, units).

    Args:
        mask: where False, both states stay what they were.
        reverse: from the last time to the first; outputs[t] is still that of time t.
        save: give a fourth result, for `lstm_gradient`.
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
    """The gradients of projected, recurrent_kernel, bias (None without one), h0 and c0, given those of lstm's results.

    `saved` is the fourth of those; d_outputs may be None.
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

    With `sums = h @ recurrent_kernel + bias`, z and r are those of `projected[t] + sums`, and the candidate is that of
    `projected[t] + r * sums` with `reset_after`, else of `projected[t] + (r * h) @ recurrent_kernel`.

    Shapes: projected (time, batch, 3 * units), recurrent_kernel (units, 3 * units), bias (3 * units,) or None (None
    without reset_after), h0 (batch, units), mask (time, batch) booleans or None -> outputs (time, batch, units),
    h (batch, units); with `save` a third result, for `gru_gradient`. Other arguments as for `lstm`.
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
    """The gradients of projected, recurrent_kernel, bias (None without one) and h0, given those of `gru`'s results.

    `saved` is the third of those; d_outputs may be None.
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
    """Raise ValueError where shapes do not fit those of the sums (time, batch, gates * units) and the first state."""
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
    """In float32, but for masks."""
    return [array if array.dtype == bool else array.astype(jnp.float32) for array in arrays]


def _before(outputs, h0, reverse):
    """The state before each time."""
    h0 = h0[None].astype(outputs.dtype)
    return jnp.concatenate([outputs[1:], h0]) if reverse else jnp.concatenate([h0, outputs[:-1]])


def _product(left, right):
    """The sum over time and batch of left (..., n) times right (..., m): (n, m)."""
    return matmul(left.reshape(-1, left.shape[-1]), right.reshape(-1, right.shape[-1]), transpose_x=True)
