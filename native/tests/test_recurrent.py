"""LSTM and GRU against the same steps under lax.scan."""

import functools

import jax
import jax.numpy as jnp
import lamina_native as native
import pytest
from shapes import random_cases, sequence


def reference(step, projected, states, mask, reverse):
    def masked(states, now):
        projected, keep = now
        new = step(projected, states)
        new = [jnp.where(keep[:, None], a, b) for a, b in zip(new, states, strict=True)]
        return new, new[0]

    mask = jnp.ones(projected.shape[:2], bool) if mask is None else mask
    states, outputs = jax.lax.scan(masked, states, (projected, mask), reverse=reverse)
    return outputs, *states


def reference_lstm(projected, kernel, bias, h0, c0, mask=None, reverse=False):
    def step(projected, states):
        sums = projected + states[0] @ kernel + (0 if bias is None else bias)
        i, f, c, o = jnp.split(sums, 4, -1)
        carry = jax.nn.sigmoid(f) * states[1] + jax.nn.sigmoid(i) * jnp.tanh(c)
        return [jax.nn.sigmoid(o) * jnp.tanh(carry), carry]

    return reference(step, projected, [h0, c0], mask, reverse)


def reference_gru(projected, kernel, bias, h0, reset_after, mask=None, reverse=False):
    units = h0.shape[1]

    def step(projected, states):
        hidden = states[0]
        z, r, candidate = jnp.split(projected, 3, -1)
        sums = hidden @ kernel + (0 if bias is None else bias)
        z, r = jax.nn.sigmoid(z + sums[:, :units]), jax.nn.sigmoid(r + sums[:, units : 2 * units])
        inner = r * sums[:, 2 * units :] if reset_after else (r * hidden) @ kernel[:, 2 * units :]
        return [z * hidden + (1 - z) * jnp.tanh(candidate + inner)]

    return reference(step, projected, [h0], mask, reverse)


SHAPES = {
    "small": (5, 3, 4), "one sequence": (6, 1, 10), "wide": (7, 13, 24), "threads": (20, 32, 64),
    **random_cases(sequence),
}  # fmt: skip


def sequences(shape, gates, arrays, masked, biased):
    steps, batch, units = SHAPES[shape]
    mask = arrays(steps, batch) > -0.5 if masked else None
    bias = 0.3 * arrays(gates * units) if biased else None
    kernel = arrays(units, gates * units) / units**0.5
    return arrays(steps, batch, gates * units), kernel, bias, arrays(batch, units), arrays(batch, units), mask


@pytest.mark.parametrize("masked, reverse, biased", [(False, False, True), (True, True, False), (True, False, True)])
@pytest.mark.parametrize("shape", SHAPES)
def test_lstm_and_its_gradient(shape, masked, reverse, biased, arrays, close):
    projected, kernel, bias, h0, c0, mask = sequences(shape, 4, arrays, masked, biased)
    settings = dict(mask=mask, reverse=reverse)
    wanted, pull = jax.vjp(functools.partial(reference_lstm, **settings), projected, kernel, bias, h0, c0)
    *found, saved = native.lstm(projected, kernel, bias, h0, c0, **settings, save=True)
    close(tuple(found), wanted)
    close(native.lstm(projected, kernel, bias, h0, c0, **settings), wanted)
    cotangents = tuple(arrays(*array.shape) for array in wanted)
    close(native.lstm_gradient(kernel, bias, h0, c0, saved, *cotangents, **settings), pull(cotangents), 1e-4)
    cotangents = (jnp.zeros_like(cotangents[0]), *cotangents[1:])
    found = native.lstm_gradient(kernel, bias, h0, c0, saved, None, *cotangents[1:], **settings)
    close(found, pull(cotangents), 1e-4)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("masked, reverse, biased", [(False, False, True), (True, True, False), (True, False, True)])
@pytest.mark.parametrize("shape", SHAPES)
def test_gru_and_its_gradient(shape, masked, reverse, biased, reset_after, arrays, close):
    projected, kernel, bias, h0, _, mask = sequences(shape, 3, arrays, masked, biased and reset_after)
    settings = dict(mask=mask, reverse=reverse, reset_after=reset_after)
    wanted, pull = jax.vjp(functools.partial(reference_gru, **settings), projected, kernel, bias, h0)
    *found, saved = native.gru(projected, kernel, bias, h0, **settings, save=True)
    close(tuple(found), wanted)
    close(native.gru(projected, kernel, bias, h0, **settings), wanted)
    cotangents = tuple(arrays(*array.shape) for array in wanted)
    close(native.gru_gradient(kernel, bias, h0, saved, *cotangents, **settings), pull(cotangents), 1e-4)
    cotangents = (jnp.zeros_like(cotangents[0]), cotangents[1])
    close(native.gru_gradient(kernel, bias, h0, saved, None, cotangents[1], **settings), pull(cotangents), 1e-4)


def test_bfloat16_comes_in_and_goes_out(arrays, close):
    projected, kernel, bias, h0, c0, _ = (
        None if array is None else array.astype(jnp.bfloat16) for array in sequences("small", 4, arrays, False, True)
    )
    wide = [array.astype(jnp.float32) for array in (projected, kernel, bias, h0, c0)]
    wanted = tuple(array.astype(jnp.bfloat16) for array in reference_lstm(*wide))
    close(native.lstm(projected, kernel, bias, h0, c0), wanted, 1e-2)


def test_activations_where_they_are_flat_and_near_zero(arrays, close):
    units = 64
    projected = jnp.stack([jnp.full((1, 4 * units), value) for value in (1e-4, 30.0, -30.0, 1e4, -1e4)])
    kernel, states = jnp.zeros((units, 4 * units)), jnp.zeros((1, units))
    arguments = projected, kernel, None, states, states
    close(native.lstm(*arguments), reference_lstm(*arguments), 1e-6)


def test_errors(arrays):
    projected, kernel, bias, h0, c0, mask = sequences("small", 4, arrays, True, True)
    with pytest.raises(ValueError, match="is needed"):
        native.lstm(projected, kernel[:, :-1], bias, h0, c0)
    with pytest.raises(ValueError, match="is needed"):
        native.lstm(projected, kernel, bias, h0, c0, mask=mask[1:])
    with pytest.raises(TypeError, match="mask of booleans"):
        native.lstm(projected, kernel, bias, h0, c0, mask=mask.astype(jnp.float32))
    with pytest.raises(ValueError, match="one step or more"):
        native.lstm(projected[:0], kernel, bias, h0, c0)
    with pytest.raises(ValueError, match="only with reset_after"):
        native.gru(projected[..., :12], kernel[:, :12], bias[:12], h0, reset_after=False)
