"""Transposed convolutions over 1 to 3 spatial axes, which enlarge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lamina.errors import ConfigError
from lamina.layers.convolution_base import _Windowed
from lamina.layers.spatial import SpatialLayer
from lamina.ops.convolution import conv_transpose

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import CommonLayerArguments, DataFormat, Shape, Size
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = [
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "Convolution1DTranspose", "Convolution2DTranspose",
    "Convolution3DTranspose",
]  # fmt: skip


class _ConvTranspose(_Windowed):
    """`activation(inputs * transposed kernel + bias)`: the shapes of a convolution, backwards."""

    _traits = frozenset(("convolution", "transposed_convolution", "weighted"))
    filters: int
    output_padding: Any
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        output_padding: Size | None = None,
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
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
        if self.output_padding is not None:
            self.output_padding = self._per_axis("output_padding", self.output_padding, least=0)
        self._refuse_strides_with_dilation()
        if any(extra >= stride for extra, stride in zip(self.output_padding or (), self.strides, strict=False)):
            raise ConfigError(
                f"{type(self).__name__} needs output_padding below strides on each axis; "
                f"got output_padding={self.output_padding}, strides={self.strides}.",
                fix="output_padding=None",
            )

    def build(self, input_shape: Shape) -> None:
        channels = self._channels(input_shape)
        self.kernel = self._add_weight_of("kernel", (*self.kernel_size, self.filters, channels))
        self._add_bias(self.filters)

    def _shape_rule(self, input_shape):
        return None  # too few of them in a network for a formula of their own

    def _convolve(self, inputs):
        return conv_transpose(
            inputs, self.kernel, self.strides, self.padding, self.output_padding, self.data_format, self.dilation_rate
        )


class Conv1DTranspose(_ConvTranspose):
    """The transpose of Conv1D, which makes short series long (Zeiler et al., 2010, "Deconvolutional networks").

    Shapes: (batch, steps, channels) -> (batch, new_steps, filters); kernel (kernel_size, filters, channels). new_steps
    is steps * strides for padding="same" and (steps - 1) * strides + max(kernel_size, strides) for "valid".

    Args:
        filters: Number of output channels.
        kernel_size: Number of steps that the kernel covers.
        strides: Factor by which each spatial axis grows, or one number for all axes.
        padding: "valid", or "same" for outputs of size inputs * strides.
        output_padding: Positions added at the end of each spatial axis, below `strides`; None means the default size.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
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
        ConfigError: For sizes that are not whole numbers above 0, strides together with dilation, or output_padding not
            below strides.
        ShapeError: For inputs of another rank.

    >>> import lamina as keras
    >>> keras.layers.Conv1DTranspose(8, 3, strides=2)(keras.Input((10, 4))).shape
    (None, 21, 8)
    """

    rank: int = 1


class Conv2DTranspose(_ConvTranspose):
    """The transpose of Conv2D, which makes small images large.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, filters);
    kernel (*kernel_size, filters, channels).

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Factor by which each spatial axis grows, or one number for all axes.
        padding: "valid", or "same" for outputs of size inputs * strides.
        output_padding: Positions added at the end of each spatial axis, below `strides`; None means the default size.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
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
        ConfigError: For sizes that are not whole numbers above 0, strides together with dilation, or output_padding not
            below strides.
        ShapeError: For inputs of another rank.

    >>> import lamina as keras
    >>> keras.layers.Conv2DTranspose(8, 3, strides=2, padding="same")(keras.Input((14, 14, 3))).shape
    (None, 28, 28, 8)
    """

    rank: int = 2


class Conv3DTranspose(_ConvTranspose):
    """The transpose of Conv3D, which makes small volumes large.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, filters);
    kernel (*kernel_size, filters, channels).

    Args:
        filters: Number of output channels.
        kernel_size: Size of the kernel along each spatial axis, or one number for all axes.
        strides: Factor by which each spatial axis grows, or one number for all axes.
        padding: "valid", or "same" for outputs of size inputs * strides.
        data_format: "channels_last" or "channels_first"; None means `keras.config.image_data_format()`.
        output_padding: Positions added at the end of each spatial axis, below `strides`; None means the default size.
        dilation_rate: Distance between the inputs that neighbouring kernel values meet; above 1 only with strides of 1.
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
        ConfigError: For sizes that are not whole numbers above 0, strides together with dilation, or output_padding not
            below strides.
        ShapeError: For inputs of another rank.

    >>> import lamina as keras
    >>> keras.layers.Conv3DTranspose(8, 2, strides=2)(keras.Input((5, 5, 5, 3))).shape
    (None, 10, 10, 10, 8)
    """

    rank: int = 3

    def __init__(  # Keras has data_format before output_padding here, and only here
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        data_format: DataFormat = None,
        output_padding: Size | None = None,
        dilation_rate: Size = 1,
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
        SpatialLayer.__init__(self, data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._set_up(locals())


Convolution1DTranspose = Conv1DTranspose
Convolution2DTranspose = Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
