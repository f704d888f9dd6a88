"""Separable convolutions: of each channel by itself, then a mix of the channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.layers.convolution_base import _Windowed
from lamina.legacy import OldClass
from lamina.ops.convolution import separable_conv

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import CommonLayerArguments, DataFormat, Shape, Size
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D", "SeparableConvolution2D"]


class _SeparableConv(_Windowed):
    """A depthwise convolution, then a mix of its channels into `filters`, bias and activation."""

    _traits = frozenset(("convolution", "weighted"))
    filters: int
    depth_multiplier: int
    depthwise_kernel: Any
    pointwise_kernel: Any
    depthwise_initializer: Any
    depthwise_regularizer: Any
    depthwise_constraint: Any
    pointwise_initializer: Any
    pointwise_regularizer: Any
    pointwise_constraint: Any

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        depth_multiplier: int = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        pointwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        pointwise_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        depthwise_constraint: ConstraintLike = None,
        pointwise_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[CommonLayerArguments],
    ):
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._set_up(locals())

    def build(self, input_shape: Shape) -> None:
        channels = self._channels(input_shape)
        each = (*self.kernel_size, channels, self.depth_multiplier)
        mix = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.depthwise_kernel = self._add_weight_of("depthwise", each, "depthwise_kernel")
        self.pointwise_kernel = self._add_weight_of("pointwise", mix, "pointwise_kernel")
        self._add_bias(self.filters)

    def _convolve(self, inputs):
        kernels = self.depthwise_kernel, self.pointwise_kernel
        return separable_conv(inputs, *kernels, self.strides, self.padding, self.data_format, self.dilation_rate)


class SeparableConv1D(_SeparableConv):
    """A convolution over time of each channel by itself, then a mix of the channels.

    Shapes: (batch, steps, channels) -> (batch, new_steps, filters); depthwise_kernel (kernel_size, channels,
    depth_multiplier), pointwise_kernel (1, channels * depth_multiplier, filters).

    Args:
        filters: Number of output channels.
        kernel_size: Number of steps that the kernel covers.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
        depth_multiplier: Number of filters for each input channel.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        depthwise_initializer: Initializer of the depthwise kernel.
        pointwise_initializer: Initializer of the pointwise kernel.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel, added to the loss.
        pointwise_regularizer: Regularizer of the pointwise kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        depthwise_constraint: Constraint on the depthwise kernel after each update.
        pointwise_constraint: Constraint on the pointwise kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    Raises:
        ConfigError: For sizes that are not whole numbers above 0, or strides together with dilation.
        ShapeError: For inputs of another rank or shorter than the kernel.

    >>> import lamina as keras
    >>> keras.layers.SeparableConv1D(8, 3)(keras.Input((10, 4))).shape
    (None, 8, 8)
    """

    rank: int = 1


class SeparableConv2D(_SeparableConv):
    """A convolution over images of each channel by itself, then a mix of the channels.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, filters); depthwise_kernel (*kernel_size,
    channels, depth_multiplier), pointwise_kernel (1, 1, channels * depth_multiplier, filters).

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
        depth_multiplier: Number of filters for each input channel.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        depthwise_initializer: Initializer of the depthwise kernel.
        pointwise_initializer: Initializer of the pointwise kernel.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel, added to the loss.
        pointwise_regularizer: Regularizer of the pointwise kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        depthwise_constraint: Constraint on the depthwise kernel after each update.
        pointwise_constraint: Constraint on the pointwise kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    Source: Chollet, 2016, arXiv:1610.02357.

    Raises:
        ConfigError: For sizes that are not whole numbers above 0, or strides together with dilation.
        ShapeError: For inputs of another rank or shorter than the kernel.

    >>> import lamina as keras
    >>> keras.layers.SeparableConv2D(8, 3)(keras.Input((28, 28, 3))).shape
    (None, 26, 26, 8)
    """

    rank: int = 2


class SeparableConvolution2D(SeparableConv2D, metaclass=OldClass):
    """SeparableConv2D; also as in Keras 1, `SeparableConvolution2D(filters, rows, columns)`.

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
        depth_multiplier: Number of filters for each input channel.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        depthwise_initializer: Initializer of the depthwise kernel.
        pointwise_initializer: Initializer of the pointwise kernel.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel, added to the loss.
        pointwise_regularizer: Regularizer of the pointwise kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        depthwise_constraint: Constraint on the depthwise kernel after each update.
        pointwise_constraint: Constraint on the pointwise kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.
    """


SeparableConvolution1D = SeparableConv1D
