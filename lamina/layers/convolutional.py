"""Convolutions over 1 to 3 spatial axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lamina.errors import ConfigError, ShapeError
from lamina.layers.convolution_base import _Windowed
from lamina.layers.weights import WithKernels
from lamina.legacy import OldClass, moved_from
from lamina.ops.convolution import conv

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import CommonLayerArguments, DataFormat, Shape, Size, Tensor
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["Conv1D", "Conv2D", "Conv3D", "Convolution1D", "Convolution2D", "Convolution3D"]


class _Conv(WithKernels, _Windowed):
    """`activation(inputs * kernel + bias)`, * the convolution, on `groups` groups of channels each by itself."""

    _traits = frozenset(("convolution", "weighted"))
    filters: int
    groups: int
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        groups: int = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[CommonLayerArguments],
    ):
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._set_up(locals())

    def _set_up(self, arguments):
        super()._set_up(arguments)
        self._refuse_strides_with_dilation()
        if self.filters % self.groups:
            raise ConfigError(
                f"{type(self).__name__} needs filters that divide evenly into groups; "
                f"got filters={self.filters}, groups={self.groups}.",
                fix=f"filters={-(-self.filters // self.groups) * self.groups}",
            )

    def build(self, input_shape: Shape) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ShapeError(
                f"{type(self).__name__} needs channels that divide evenly into groups={self.groups}; "
                f"inputs of shape {tuple(input_shape)} have {channels}.",
                fix=f"groups={math.gcd(channels, self.groups)}",
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self._add_weight_of("kernel", shape, make=self._add_kernel)
        self._add_bias(self.filters)

    def convolution_op(self, inputs: Tensor, kernel: Any) -> Tensor:
        """The convolution alone, without bias and activation; a subclass may replace it."""
        return conv(inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)

    def _convolve(self, inputs):
        return self.convolution_op(inputs, self.kernel.value)


class Conv1D(_Conv):
    """A convolution over time: `activation(inputs * kernel + bias)`.

    Shapes: (batch, steps, channels) -> (batch, new_steps, filters); kernel (kernel_size, channels // groups, filters).

    Args:
        filters: Number of output channels.
        kernel_size: Number of steps that the kernel covers.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, "same" for outputs of size steps / strides, or "causal", where no output sees a
            later step.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
        groups: Number of groups of channels that are convolved each by itself; divides channels and filters.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    Raises:
        ConfigError: for sizes that are no whole numbers above 0, strides together with dilation, filters not divisible
            divisible by groups.
        ShapeError: for inputs of another rank, shorter than the kernel, or with channels not divisible by groups.

    >>> import lamina as keras
    >>> keras.layers.Conv1D(8, 3, padding="causal")(keras.Input((None, 4))).shape
    (None, None, 8)
    """

    causal: bool

    rank: int = 1
    causal = True


class Conv2D(_Conv):
    """A convolution over images: `activation(inputs * kernel + bias)`.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, filters);
    kernel (*kernel_size, channels // groups, filters).

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
        groups: Number of groups of channels that are convolved each by itself; divides channels and filters.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    Raises:
        ConfigError: For sizes that are not whole numbers above 0, strides together with dilation, or filters not
            divisible by groups.
        ShapeError: For inputs of another rank or shorter than the kernel, or with channels not divisible by
            groups.

    >>> import lamina as keras
    >>> keras.layers.Conv2D(8, 3, strides=2, padding="same")(keras.Input((28, 28, 3))).shape
    (None, 14, 14, 8)
    """

    rank: int = 2


class Conv3D(_Conv):
    """A convolution over volumes: `activation(inputs * kernel + bias)`.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, filters);
    kernel (*kernel_size, channels // groups, filters).

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
        groups: Number of groups of channels that are convolved each by itself; divides channels and filters.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    Raises:
        ConfigError: For sizes that are not whole numbers above 0, strides together with dilation, or filters not
            divisible by groups.
        ShapeError: For inputs of another rank or shorter than the kernel, or with channels not divisible by
            groups.

    >>> import lamina as keras
    >>> keras.layers.Conv3D(8, (1, 3, 3))(keras.Input((5, 28, 28, 3))).shape
    (None, 5, 26, 26, 8)
    """

    rank: int = 3


class Convolution2D(Conv2D, metaclass=OldClass):
    """Conv2D; also as in Keras 1, `Convolution2D(filters, rows, columns)`.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
        groups: Number of groups of channels that are convolved each by itself; divides channels and filters.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.
    """


class Convolution3D(Conv3D, metaclass=OldClass):
    """Conv3D; also as in Keras 1, `Convolution3D(filters, depth, rows, columns)`.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
        groups: Number of groups of channels that are convolved each by itself; divides channels and filters.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        bias_initializer: Initializer of the bias.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.
    """


Convolution1D = Conv1D

__getattr__: Any = moved_from(__name__)
