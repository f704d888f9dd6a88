"""What convolutions of all kinds share: sizes of windows, padding, bias and activation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lamina import activations
from lamina.core.arguments import whole
from lamina.errors import ConfigError, ShapeError
from lamina.kernels.bias_add import add_bias
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.settings import keep_arguments
from lamina.layers.spatial import SpatialLayer
from lamina.ops.convolution import dilated_size

if TYPE_CHECKING:
    from lamina.core.typing import Tensor


class _Windowed(SpatialLayer):
    """`activation(convolve(inputs) + bias)`: what all convolutions share. Subclasses make the kernels and convolve."""

    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]
    padding: str
    activation: Callable[..., Any]
    use_bias: bool
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any
    kernel: Any
    bias: Any
    _config_optional = frozenset()
    causal = False  # whether padding='causal' makes sense

    def _set_up(self, arguments):
        """Keep the arguments of `__init__` (its locals()) and check those that describe the windows."""
        keep_arguments(self, arguments)
        self._standardize_windows()

    def _standardize_windows(self):
        for name in ("kernel_size", "strides", "dilation_rate"):
            setattr(self, name, self._per_axis(name, getattr(self, name)))
        self.padding = self._standardize_padding(self.padding)
        for name in ("filters", "groups", "depth_multiplier"):
            if hasattr(self, name):
                setattr(self, name, whole(self, name, getattr(self, name)))

    def _standardize_padding(self, padding):
        known = ("valid", "same", "causal") if self.causal else ("valid", "same")
        name = str(padding).lower()
        if name not in known:
            raise ConfigError(
                f"padding of {type(self).__name__} is {' or '.join(map(repr, known))}; got {padding!r}.",
                fix="Causal padding is for Conv1D." if name == "causal" else "padding='same' keeps the size.",
            )
        return name

    def _refuse_strides_with_dilation(self):
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ConfigError(
                f"{type(self).__name__} takes strides or a dilation_rate above 1, not both; "
                f"got strides={self.strides} and dilation_rate={self.dilation_rate}.",
                fix="dilation_rate=1",
            )

    def _channels(self, input_shape) -> Any:
        """The number of channels of the inputs, which from now on is the only one taken."""
        if len(input_shape) != self.rank + 2 or input_shape[self.channel_axis] is None:
            raise ShapeError(
                f"{type(self).__name__} needs inputs of rank {self.rank + 2} with a known number of channels "
                f"(data_format={self.data_format!r}); got shape {tuple(input_shape)}.",
                fix="Give the size of the channel axis in keras.Input(shape=...)."
                if len(input_shape) == self.rank + 2
                else "keras.ops.expand_dims(x, -1) adds an axis of channels, as does a last size of 1 in keras.Input.",
            )
        channels = input_shape[self.channel_axis]
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.channel_axis: channels})
        return channels

    def _add_bias(self, filters):
        self._filters = filters  # the channels of the outputs
        self.bias = self._add_weight_of("bias", (filters,)) if self.use_bias else None

    def _shape_rule(self, input_shape):
        if not activations.keeps_shape(self.activation):
            return None
        window = [dilated_size(*sizes) for sizes in zip(self.kernel_size, self.dilation_rate, strict=True)]
        return self._shape_of_windows(input_shape, window, self.strides, self.padding, self._filters)

    def _convolve(self, inputs):
        raise NotImplementedError

    def call(self, inputs: Tensor) -> Tensor:
        outputs, after = self._convolve(inputs), self.rank if self.channel_axis == 1 else 0
        if self.bias is not None:
            outputs = add_bias(outputs, self.bias.value.reshape(-1, *(1,) * after))
        return self.activation(outputs)
