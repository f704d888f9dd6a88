"""One step of a recurrent layer: SimpleRNNCell, GRUCell and LSTMCell."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from lamina.layers.recurrent_cell import _Cell

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell"]


class SimpleRNNCell(_Cell):
    """`hidden = activation(inputs @ kernel + hidden @ recurrent_kernel + bias)` (Elman, 1990).

    Shapes: inputs (batch, features), state (batch, units) -> (batch, units) and the next state.

    >>> import lamina as keras
    >>> x = keras.ops.ones((1, 2))
    >>> output, states = keras.layers.SimpleRNNCell(3)(x, [keras.ops.zeros((1, 3))])
    >>> output.shape
    (1, 3)
    """

    def __init__(
        self, units, activation="tanh", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
        bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._set_up(locals())

    def advance(self, sums, states):
        return [self.activation(sums[0])]


class GRUCell(_Cell):
    """`hidden = z * hidden + (1 - z) * activation(candidate)` with an update gate z and a reset gate r (Cho et al.,
    2014, arXiv:1406.1078). `reset_after`: r falls on the product of the hidden state, as in cuDNN, else on the state.

    Shapes: inputs (batch, features), state (batch, units) -> (batch, units) and the next state.
    """

    reset_after: bool
    gates, _kind = 3, "gru"

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, reset_after=True,
        seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._set_up(locals())

    def _bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    @property
    def recurrent_bias(self):
        return self.bias.value[1] if self.use_bias and self.reset_after else None

    def is_gated(self, training):
        return self.reset_after and super().is_gated(training)

    def combine(self, projected, recurrent):
        return [projected[0] + recurrent[0], projected[1] + recurrent[1], projected[2], recurrent[2]]

    def advance(self, sums, states):
        z, r, candidate, recurrent = sums
        z, r = self.recurrent_activation(z), self.recurrent_activation(r)
        return [z * states[0] + (1 - z) * self.activation(candidate + r * recurrent)]

    def step(self, projected, states, training=False):
        if self.reset_after:
            return super().step(projected, states, training)
        hidden = states[0]
        products = jnp.split(self._recurrent_projection(hidden, training, 0, 2), 2, axis=-1)
        z, r = (self.recurrent_activation(a + b) for a, b in zip(projected, products, strict=False))
        candidate = self.activation(projected[2] + self._recurrent_projection(r * hidden, training, 2))
        output = z * hidden + (1 - z) * candidate
        return output, [output]


class LSTMCell(_Cell):
    """`carry = f * carry + i * activation(c)`, `hidden = o * activation(carry)` with gates i, f, o (Hochreiter and
    Schmidhuber, 1997). `unit_forget_bias` starts f with a bias of 1 (Jozefowicz et al., 2015).

    Shapes: inputs (batch, features), states [hidden, carry] each (batch, units) -> (batch, units) and the next states.
    """

    unit_forget_bias: bool
    gates, state_count, _kind = 4, 2, "lstm"

    def __init__(
        self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True,
        kernel_initializer="glorot_uniform", recurrent_initializer="orthogonal", bias_initializer="zeros",
        unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None,
        kernel_constraint=None, recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0,
        seed=None, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        self._set_up(locals())

    def _bias_settings(self):
        return {"initializer": self._open_bias} if self.unit_forget_bias else {}

    def _open_bias(self, shape, dtype=None):
        before, after = (np.asarray(self.bias_initializer((size,), dtype)) for size in (self.units, 2 * self.units))
        return np.concatenate([before, np.ones(self.units, before.dtype), after])  # NumPy: nothing is compiled

    def advance(self, sums, states):
        i, f, c, o = sums
        carry = self.recurrent_activation(f) * states[1] + self.recurrent_activation(i) * self.activation(c)
        return [self.recurrent_activation(o) * self.activation(carry), carry]
