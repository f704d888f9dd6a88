"""ConvLSTM1D to ConvLSTM3D: an LSTM whose products are convolutions."""

from lamina.errors import ShapeError
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.convolution_base import _Windowed
from lamina.layers.recurrent import _OwnCell
from lamina.layers.recurrent_cells import LSTMCell
from lamina.layers.spatial import SpatialLayer
from lamina.ops.convolution import conv, dilated

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]


class ConvLSTMCell(LSTMCell, _Windowed):
    """An LSTMCell with `convolution(inputs, kernel) + bias` and `convolution(hidden, recurrent_kernel)` in place of the
    two products.

    Shapes: inputs (batch, *space, channels), states [hidden, carry] each (batch, *new_space, filters).
    """

    _traits = frozenset(("recurrent_cell", "weighted", "convolution"))

    filters: int
    _size = "filters"

    def __init__(
        self, rank, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1,
        activation="tanh", recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True, kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, kernel_constraint=None, recurrent_constraint=None,
        bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None, **kwargs,
    ):  # fmt: skip
        self.rank = rank
        SpatialLayer.__init__(self, data_format, **kwargs)
        self._set_up(locals())
        self._standardize_windows()
        self._refuse_strides_with_dilation()
        self.units = self.filters
        self.gate_axis = -1 if self.channel_axis == -1 else -1 - rank

    def build(self, input_shape):
        channels = self._channels(input_shape)
        if None in input_shape[1:]:
            raise ShapeError(
                f"ConvLSTM{self.rank}D needs known sizes, those of its states; a step has shape {tuple(input_shape)}.",
                fix="keras.Input((None, height, width, channels)), say: only the number of steps may be free.",
            )
        window = [dilated(*sizes) for sizes in zip(self.kernel_size, self.dilation_rate, strict=True)]
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

    def is_gated(self, training):
        return False  # `gated_rnn` is for matrix products


class _ConvLSTM(_OwnCell):
    """ConvLSTM over `rank` spatial axes."""

    _traits = frozenset(("recurrent", "convolutional_recurrent", "weighted"))
    _cell_class = ConvLSTMCell
    rank: int

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, dilation_rate=1, activation="tanh",
        recurrent_activation="sigmoid", use_bias=True, kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal", bias_initializer="zeros", unit_forget_bias=True, kernel_regularizer=None,
        recurrent_regularizer=None, bias_regularizer=None, activity_regularizer=None, kernel_constraint=None,
        recurrent_constraint=None, bias_constraint=None, dropout=0.0, recurrent_dropout=0.0, seed=None,
        return_sequences=False, return_state=False, go_backwards=False, stateful=False, **kwargs,
    ):  # fmt: skip
        self._set_up({**locals(), "rank": self.rank})
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def build(self, sequences_shape, initial_state_shape=None):
        super().build(sequences_shape, initial_state_shape)
        sizes = dict(enumerate(sequences_shape[2:], start=2))
        self.input_spec = InputSpec(ndim=self.rank + 3, axes=sizes)  # the states have sizes that follow from these


class ConvLSTM1D(_ConvLSTM):
    """An LSTM over sequences of rows: its products are convolutions (Shi et al., 2015, arXiv:1506.04214).

    Shapes: (batch, time, steps, channels) -> (batch, new_steps, filters), or (batch, time, new_steps, filters) with
    return_sequences; the last states, with return_state, are two of the former. With data_format="channels_first" the
    channels come before the spatial axes.

    Args:
        padding, strides, dilation_rate: of the convolution of the inputs; that of the states is "same" and steps by 1.

    Other arguments are those of Conv1D and LSTM.

    Raises:
        ShapeError: when a size other than those of the batch and of time is not known, or the kernel is larger.

    >>> import lamina as keras
    >>> keras.layers.ConvLSTM1D(8, 3)(keras.Input((None, 10, 2))).shape
    (None, 8, 8)
    """

    rank = 1


class ConvLSTM2D(_ConvLSTM):
    """An LSTM over sequences of images. Arguments and errors as for ConvLSTM1D.

    Shapes: (batch, time, rows, columns, channels) -> (batch, new_rows, new_columns, filters), with time kept if
    return_sequences.

    >>> import lamina as keras
    >>> keras.layers.ConvLSTM2D(8, 3, padding="same", return_sequences=True)(keras.Input((None, 16, 16, 3))).shape
    (None, None, 16, 16, 8)
    """

    rank = 2


class ConvLSTM3D(_ConvLSTM):
    """An LSTM over sequences of volumes. Arguments and errors as for ConvLSTM1D.

    Shapes: (batch, time, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, filters), with
    time kept if return_sequences.

    >>> import lamina as keras
    >>> keras.layers.ConvLSTM3D(4, 2)(keras.Input((5, 6, 8, 8, 1))).shape
    (None, 5, 7, 7, 4)
    """

    rank = 3
