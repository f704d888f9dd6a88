"""ConvLSTM1D to ConvLSTM3D: an LSTM whose products are convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.errors import ShapeError
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.convolution_base import _Windowed
from lamina.layers.recurrent_cells import LSTMCell
from lamina.layers.rnn import _OwnCell
from lamina.layers.spatial import SpatialLayer
from lamina.ops.convolution import conv, dilated_size

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import CommonLayerArguments, DataFormat, LayerArguments, SeedLike, Shape, Size
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]


class ConvLSTMCell(LSTMCell, _Windowed):  # pyright: ignore[reportIncompatibleMethodOverride]
    """An LSTMCell with `convolution(inputs, kernel) + bias` and `convolution(hidden, recurrent_kernel)` in place of the
    two products.

    Shapes: inputs (batch, *space, channels), states [hidden, carry] each (batch, *new_space, filters).
    """

    _traits = frozenset(("recurrent_cell", "weighted", "convolution"))

    filters: int
    _size = "filters"

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
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
        self.rank = rank
        SpatialLayer.__init__(self, data_format, **kwargs)
        self._set_up(locals())
        self._standardize_windows()
        self._refuse_strides_with_dilation()
        self.units: int = self.filters
        self.input_spec = InputSpec(ndim=rank + 2)
        self.gate_axis: int = -1 if self.channel_axis == -1 else -1 - rank

    def build(self, input_shape: Shape) -> None:
        channels = self._channels(input_shape)
        if None in input_shape[1:]:
            raise ShapeError(
                f"ConvLSTM{self.rank}D needs known sizes, those of its states; a step has shape {tuple(input_shape)}.",
                fix="keras.Input((None, height, width, channels)): only the number of steps may be free.",
            )
        window = [dilated_size(*sizes) for sizes in zip(self.kernel_size, self.dilation_rate, strict=True)]
        states = self._shape_of_windows(input_shape, window, self.strides, self.padding, self.filters)
        if states is None:
            raise ShapeError(
                f"The kernel of ConvLSTM{self.rank}D covers {window}, more than a step of shape {tuple(input_shape)}.",
                fix="padding='same' keeps sizes.",
            )
        self._step_shape, self._states = tuple(input_shape[1:]), states[1:]
        columns = self.gates * self.filters
        window = self.kernel_size
        self._add_weights((*window, channels, columns), (*window, self.filters, columns), (columns,))

    @property
    def _state_shape(self):
        return self._states

    def _project(self, inputs, kernel):
        """The convolution of one step or all: the axes before those of a sample are one."""
        leading = inputs.shape[: -1 - self.rank]
        folded = inputs.reshape(-1, *inputs.shape[len(leading) :])
        outputs = conv(folded, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)
        return outputs.reshape(*leading, *outputs.shape[1:])

    def _state_matmul(self, hidden, kernel):
        return conv(hidden, kernel, padding="same", data_format=self.data_format)

    def _input_bias(self):
        bias = self.bias.value
        return bias if self.channel_axis == -1 else bias.reshape(-1, *(1,) * self.rank)

    def _masks_each_gate(self):
        return True

    def is_gated(self, training: bool | None) -> Any:
        return False  # `gated_rnn` is for matrix products


class _ConvLSTM(_OwnCell):
    """ConvLSTM over `rank` spatial axes."""

    _traits = frozenset(("recurrent", "convolutional_recurrent", "weighted"))
    _cell_class = ConvLSTMCell
    rank: int

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
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
        **kwargs: Unpack[CommonLayerArguments],
    ):
        self._set_up({**locals(), "rank": self.rank})
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        super().build(sequences_shape, initial_state_shape)
        sizes = dict(enumerate(sequences_shape[2:], start=2))
        self.input_spec = InputSpec(ndim=self.rank + 3, axes=sizes)  # the states have sizes that follow from these


class ConvLSTM1D(_ConvLSTM):
    """An LSTM over sequences of rows: its products are convolutions (Shi et al., 2015, arXiv:1506.04214).

    Shapes: (batch, time, steps, channels) -> (batch, new_steps, filters), or (batch, time, new_steps, filters) with
    return_sequences; the last states, with return_state, are two of the former. With data_format="channels_first" the
    channels come before the spatial axes.


    Args:
        filters: Number of output channels.
        kernel_size: Number of steps that the kernel covers.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
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
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    Raises:
        ShapeError: when a size other than those of the batch and of time is not known, or the kernel is larger.

    >>> import lamina as keras
    >>> keras.layers.ConvLSTM1D(8, 3)(keras.Input((None, 10, 2))).shape
    (None, 8, 8)
    """

    rank = 1


class ConvLSTM2D(_ConvLSTM):
    """An LSTM over sequences of images.

    Shapes: (batch, time, rows, columns, channels) -> (batch, new_rows, new_columns, filters), with time kept if
    return_sequences.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
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
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    Raises:
        ShapeError: When a size other than those of the batch and of time is not known, or the kernel is larger.

    >>> import lamina as keras
    >>> keras.layers.ConvLSTM2D(8, 3, padding="same", return_sequences=True)(keras.Input((None, 16, 16, 3))).shape
    (None, None, 16, 16, 8)
    """

    rank = 2


class ConvLSTM3D(_ConvLSTM):
    """An LSTM over sequences of volumes.

    Shapes: (batch, time, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, filters), with
    time kept if return_sequences.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
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
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    Raises:
        ShapeError: When a size other than those of the batch and of time is not known, or the kernel is larger.

    >>> import lamina as keras
    >>> keras.layers.ConvLSTM3D(4, 2)(keras.Input((5, 6, 8, 8, 1))).shape
    (None, 5, 7, 7, 4)
    """

    rank = 3
