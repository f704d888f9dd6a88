"""SimpleRNN, GRU and LSTM: recurrent layers that make their cell themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.layers.recurrent_cells import GRUCell, LSTMCell
from lamina.layers.rnn import _Fused, _OwnCell
from lamina.legacy import moved_from

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import CommonLayerArguments, SeedLike
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["GRU", "LSTM", "SimpleRNN"]


class SimpleRNN(_OwnCell):
    """`hidden = activation(inputs[:, t] @ kernel + hidden @ recurrent_kernel + bias)` for each step t (Elman, 1990).

    Shapes: (batch, time, features) -> (batch, units), or (batch, time, units) with return_sequences.

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
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        recurrent_constraint: Constraint on the recurrent kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        dropout: Share of the inputs that is dropped in training.
        recurrent_dropout: Share of the states that is dropped in training.
        return_sequences: Whether to return the outputs of all steps instead of only the last one.
        return_state: Whether the last states are returned after the outputs.
        go_backwards: Whether the steps are taken from the last to the first; outputs are in that order too.
        stateful: Whether each batch starts from the last states of the batch before, until reset_state(); needs a fixed
            batch size.
        unroll: Whether the loop is unrolled, which needs a known number of steps.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    >>> import lamina as keras
    >>> keras.layers.SimpleRNN(4)(keras.Input((None, 3))).shape
    (None, 4)
    """

    _config_optional = frozenset(("seed",))

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
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        seed: SeedLike = None,
        **kwargs: Unpack[CommonLayerArguments],
    ):
        self._set_up(locals())


class GRU(_Fused):
    """`hidden = z * hidden + (1 - z) * candidate` for each step, with gates z and r: see GRUCell (Cho et al., 2014).

    Shapes: (batch, time, features) -> (batch, units), or (batch, time, units) with return_sequences.

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
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        recurrent_constraint: Constraint on the recurrent kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        dropout: Share of the inputs that is dropped in training.
        recurrent_dropout: Share of the states that is dropped in training.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        return_sequences: Whether to return the outputs of all steps instead of only the last one.
        return_state: Whether the last states are returned after the outputs.
        go_backwards: Whether the steps are taken from the last to the first; outputs are in that order too.
        stateful: Whether each batch starts from the last states of the batch before, until reset_state(); needs a fixed
            batch size.
        unroll: Whether the loop is unrolled, which needs a known number of steps.
        reset_after: Whether the reset gate multiplies the product of the hidden state (as in cuDNN) or the state before
            it.
        use_cudnn: "auto", True or False; changes nothing, since XLA chooses the kernels.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    >>> import lamina as keras
    >>> output, state = keras.layers.GRU(4, return_sequences=True, return_state=True)(keras.Input((None, 3)))
    >>> output.shape, state.shape
    ((None, None, 4), (None, 4))
    """

    _cell_class = GRUCell

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
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: SeedLike = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = True,
        use_cudnn: str | bool = "auto",
        **kwargs: Unpack[CommonLayerArguments],
    ):
        self._set_up(locals())


class LSTM(_Fused):
    """`carry = f * carry + i * c`, `hidden = o * activation(carry)` for each step: see LSTMCell (Hochreiter and
    Schmidhuber, 1997).

    Shapes: (batch, time, features) -> (batch, units), or (batch, time, units) with return_sequences.

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
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        recurrent_constraint: Constraint on the recurrent kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        dropout: Share of the inputs that is dropped in training.
        recurrent_dropout: Share of the states that is dropped in training.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
        return_sequences: Whether to return the outputs of all steps instead of only the last one.
        return_state: Whether the last states are returned after the outputs.
        go_backwards: Whether the steps are taken from the last to the first; outputs are in that order too.
        stateful: Whether each batch starts from the last states of the batch before, until reset_state(); needs a fixed
            batch size.
        unroll: Whether the loop is unrolled, which needs a known number of steps.
        use_cudnn: "auto", True or False; changes nothing, since XLA chooses the kernels.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    >>> import lamina as keras
    >>> output, hidden, carry = keras.layers.LSTM(4, return_state=True)(keras.Input((10, 3)))
    >>> output.shape, carry.shape
    ((None, 4), (None, 4))
    """

    _cell_class = LSTMCell

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
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: SeedLike = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        use_cudnn: str | bool = "auto",
        **kwargs: Unpack[CommonLayerArguments],
    ):
        self._set_up(locals())


__getattr__: Any = moved_from(__name__)
