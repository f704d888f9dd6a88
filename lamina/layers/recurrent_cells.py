"""One step of a recurrent layer: SimpleRNNCell, GRUCell and LSTMCell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np

from lamina.layers.recurrent_cell import _Cell

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import LayerArguments, SeedLike
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["GRUCell", "LSTMCell", "SimpleRNNCell"]


class SimpleRNNCell(_Cell):
    """`hidden = activation(inputs @ kernel + hidden @ recurrent_kernel + bias)` (Elman, 1990).

    Shapes: inputs (batch, features), state (batch, units) -> (batch, units) and the next state.

    Args:
        units: Number of outputs; the size of the last axis of the result.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        recurrent_initializer: Initializer of the recurrent kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        recurrent_regularizer: Regularizer of the recurrent kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        recurrent_constraint: Constraint on the recurrent kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        dropout: Share of the inputs that is dropped in training.
        recurrent_dropout: Share of the states that is dropped in training.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> x = keras.ops.ones((1, 2))
    >>> output, states = keras.layers.SimpleRNNCell(3)(x, [keras.ops.zeros((1, 3))])
    >>> output.shape
    (1, 3)
    """

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: SeedLike = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self._set_up(locals())

    def advance(self, sums: Any, states: Any) -> Any:
        return [self.activation(sums[0])]


class GRUCell(_Cell):
    """`hidden = z * hidden + (1 - z) * activation(candidate)` with an update gate z and a reset gate r (Cho et al.,
    2014, arXiv:1406.1078). `reset_after`: r falls on the product of the hidden state, as in cuDNN, else on the state.

    Shapes: inputs (batch, features), state (batch, units) -> (batch, units) and the next state.

    Args:
        units: Number of outputs; the size of the last axis of the result.
        activation: Activation applied to the sum. None leaves it as it is.
        recurrent_activation: Activation of the gates.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        recurrent_initializer: Initializer of the recurrent kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        recurrent_regularizer: Regularizer of the recurrent kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        recurrent_constraint: Constraint on the recurrent kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        dropout: Share of the inputs that is dropped in training.
        recurrent_dropout: Share of the states that is dropped in training.
        reset_after: Whether the reset gate multiplies the product of the hidden state (as in cuDNN) or the state before
            it.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    gates: int

    reset_after: bool
    gates, _kind = 3, "gru"

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset_after: bool = True,
        seed: SeedLike = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self._set_up(locals())

    def _bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    @property
    def recurrent_bias(self) -> Any:
        return self.bias.value[1] if self.use_bias and self.reset_after else None

    def is_gated(self, training: bool | None) -> Any:
        return self.reset_after and super().is_gated(training)

    def combine(self, projected: Any, recurrent: Any) -> Any:
        return [projected[0] + recurrent[0], projected[1] + recurrent[1], projected[2], recurrent[2]]

    def advance(self, sums: Any, states: Any) -> Any:
        z, r, candidate, recurrent = sums
        z, r = self.recurrent_activation(z), self.recurrent_activation(r)
        return [z * states[0] + (1 - z) * self.activation(candidate + r * recurrent)]

    def step(self, projected: Any, states: Any, training: bool | None = False) -> Any:
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

    Args:
        units: Number of outputs; the size of the last axis of the result.
        activation: Activation applied to the sum. None leaves it as it is.
        recurrent_activation: Activation of the gates.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        recurrent_initializer: Initializer of the recurrent kernel.
        bias_initializer: Initializer of the bias.
        unit_forget_bias: Whether the bias of the forget gate starts at 1 (Jozefowicz et al., 2015).
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        recurrent_regularizer: Regularizer of the recurrent kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        recurrent_constraint: Constraint on the recurrent kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        dropout: Share of the inputs that is dropped in training.
        recurrent_dropout: Share of the states that is dropped in training.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    gates: int
    state_count: int

    unit_forget_bias: bool
    gates, state_count, _kind = 4, 2, "lstm"

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "tanh",
        recurrent_activation: ActivationLike = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        recurrent_initializer: InitializerLike = "orthogonal",
        bias_initializer: InitializerLike = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: SeedLike = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self._set_up(locals())

    def _bias_settings(self):
        return {"initializer": self._open_bias} if self.unit_forget_bias else {}

    def _open_bias(self, shape, dtype=None):
        before, after = (np.asarray(self.bias_initializer((size,), dtype)) for size in (self.units, 2 * self.units))
        return np.concatenate([before, np.ones(self.units, before.dtype), after])  # NumPy: nothing is compiled

    def advance(self, sums: Any, states: Any) -> Any:
        i, f, c, o = sums
        carry = self.recurrent_activation(f) * states[1] + self.recurrent_activation(i) * self.activation(c)
        return [self.recurrent_activation(o) * self.activation(carry), carry]
