"""Depthwise convolutions: of each channel by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.layers.convolution_base import _Windowed
from lamina.ops.convolution import depthwise_conv

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import CommonLayerArguments, DataFormat, Shape, Size
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["DepthwiseConv1D", "DepthwiseConv2D"]


class _DepthwiseConv(_Windowed):
    """`activation(inputs * kernel + bias)` with `depth_multiplier` filters for each channel by itself."""

    _traits = frozenset(("convolution", "weighted"))
    depth_multiplier: int
    depthwise_initializer: Any
    depthwise_regularizer: Any
    depthwise_constraint: Any

    def __init__(
        self,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        activation: ActivationLike = None,
        use_bias: bool = True,
        depthwise_initializer: InitializerLike = "glorot_uniform",
        bias_initializer: InitializerLike = "zeros",
        depthwise_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        depthwise_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[CommonLayerArguments],
    ):
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._set_up(locals())

    def build(self, input_shape: Shape) -> None:
        channels = self._channels(input_shape)
        self.kernel = self._add_weight_of("depthwise", (*self.kernel_size, channels, self.depth_multiplier), "kernel")
        self._add_bias(channels * self.depth_multiplier)

    def _convolve(self, inputs):
        return depthwise_conv(inputs, self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate)


class DepthwiseConv1D(_DepthwiseConv):
    """A convolution over time of each channel by itself.

    Shapes: (batch, steps, channels) -> (batch, new_steps, channels * depth_multiplier);
    kernel (kernel_size, channels, depth_multiplier).

    Args:
        kernel_size: Number of steps that the kernel covers.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        depth_multiplier: Number of filters for each input channel.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        depthwise_initializer: Initializer of the depthwise kernel.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        depthwise_constraint: Constraint on the depthwise kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    Raises:
        ConfigError: For sizes that are not whole numbers above 0, or strides together with dilation.
        ShapeError: For inputs of another rank or shorter than the kernel.

    >>> import lamina as keras
    >>> keras.layers.DepthwiseConv1D(3, depth_multiplier=2)(keras.Input((10, 4))).shape
    (None, 8, 8)
    """

    rank = 1


class DepthwiseConv2D(_DepthwiseConv):
    """A convolution over images of each channel by itself.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, channels * depth_multiplier);
    kernel (*kernel_size, channels, depth_multiplier).

    Args:
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Distance between neighbouring windows along each spatial axis, or one number for all axes.
        padding: "valid" for no padding, or "same" for outputs of size inputs / strides.
        depth_multiplier: Number of filters for each input channel.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        depthwise_initializer: Initializer of the depthwise kernel.
        bias_initializer: Initializer of the bias.
        depthwise_regularizer: Regularizer of the depthwise kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        depthwise_constraint: Constraint on the depthwise kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.

    Raises:
        ConfigError: For sizes that are not whole numbers above 0, or strides together with dilation.
        ShapeError: For inputs of another rank or shorter than the kernel.

    >>> import lamina as keras
    >>> keras.layers.DepthwiseConv2D(3, padding="same")(keras.Input((28, 28, 3))).shape
    (None, 28, 28, 3)
    """

    rank = 2
