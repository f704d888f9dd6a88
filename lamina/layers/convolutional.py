"""Convolutions over 1 to 3 spatial axes: plain, transposed, depthwise and separable."""

from lamina import activations, constraints, initializers, regularizers
from lamina.errors import ConfigError, ShapeError
from lamina.kernels.bias_add import add_bias
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.spatial import SpatialLayer, is_whole
from lamina.layers.weights import WithKernels
from lamina.legacy import OldClass, moved_from
from lamina.ops.convolution import conv, conv_transpose, depthwise_conv, dilated, separable_conv

__all__ = [
    "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "Convolution1D",
    "Convolution1DTranspose", "Convolution2D", "Convolution2DTranspose", "Convolution3D", "Convolution3DTranspose",
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D", "SeparableConvolution1D",
    "SeparableConvolution2D",
]  # fmt: skip


class _Windowed(SpatialLayer):
    """`activation(convolve(inputs) + bias)`: what all convolutions share. Subclasses make the kernels and convolve."""

    _config_optional = frozenset()
    causal = False  # whether padding='causal' makes sense

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        bias_initializer="zeros",
        bias_regularizer=None,
        activity_regularizer=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self.kernel_size = self.per_axis("kernel_size", kernel_size)
        self.strides = self.per_axis("strides", strides)
        self.padding = self._standardize_padding(padding)
        self.dilation_rate = self.per_axis("dilation_rate", dilation_rate)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)

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
                fix="Drop one of the two.",
            )

    def _positive(self, name, value):
        if not is_whole(value, 1):
            raise ConfigError(f"{type(self).__name__} needs {name}, a positive integer; got {value!r}.")
        return int(value)

    def _channels(self, input_shape):
        """The number of channels of the inputs, which from now on is the only one taken."""
        if len(input_shape) != self.rank + 2 or input_shape[self.channel_axis] is None:
            raise ShapeError(
                f"{type(self).__name__} needs inputs of rank {self.rank + 2} with a known number of channels "
                f"(data_format={self.data_format!r}); got shape {tuple(input_shape)}.",
                fix="Give the size of the channel axis in keras.Input(shape=...).",
            )
        channels = input_shape[self.channel_axis]
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={self.channel_axis: channels})
        return channels

    def _add(self, name, shape, settings, make=None):
        """A weight with the initializer, regularizer and constraint named `settings`."""
        return (make or self.add_weight)(
            shape=shape,
            initializer=getattr(self, f"{settings}_initializer"),
            regularizer=getattr(self, f"{settings}_regularizer"),
            constraint=getattr(self, f"{settings}_constraint"),
            name=name,
        )

    def _add_bias(self, filters):
        self._filters = filters  # the channels of the outputs
        self.bias = self._add("bias", (filters,), "bias") if self.use_bias else None

    def _shape_rule(self, input_shape):
        if not activations.keeps_shape(self.activation):
            return None
        window = [dilated(*sizes) for sizes in zip(self.kernel_size, self.dilation_rate, strict=True)]
        return self._shape_of_windows(input_shape, window, self.strides, self.padding, self._filters)

    def _convolve(self, inputs):
        raise NotImplementedError

    def call(self, inputs):
        outputs, after = self._convolve(inputs), self.rank if self.channel_axis == 1 else 0
        if self.bias is not None:
            outputs = add_bias(outputs, self.bias.value.reshape(-1, *(1,) * after))
        return self.activation(outputs)


class _Conv(WithKernels, _Windowed):
    """`activation(inputs * kernel + bias)`, * the convolution, on `groups` groups of channels each by itself."""

    _traits = frozenset(("convolution", "weighted"))

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, activity_regularizer, bias_constraint, **kwargs,
        )  # fmt: skip
        self.filters, self.groups = self._positive("filters", filters), self._positive("groups", groups)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self._refuse_strides_with_dilation()
        if filters % groups:
            raise ConfigError(
                f"{type(self).__name__} needs filters that divide evenly into groups; "
                f"got filters={filters}, groups={groups}.",
                fix=f"filters={-(-filters // groups) * groups}, say.",
            )

    def build(self, input_shape):
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ShapeError(
                f"{type(self).__name__} needs channels that divide evenly into groups={self.groups}; "
                f"inputs of shape {tuple(input_shape)} have {channels}.",
                fix=f"groups that divide {channels}: "
                f"{[n for n in range(1, min(channels, 99) + 1) if channels % n == 0]}.",
            )
        shape = (*self.kernel_size, channels // self.groups, self.filters)
        self.kernel = self._add("kernel", shape, "kernel", self.add_kernel)
        self._add_bias(self.filters)

    def convolution_op(self, inputs, kernel):
        """The convolution alone, without bias and activation; a subclass may replace it."""
        return conv(inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)

    def _convolve(self, inputs):
        return self.convolution_op(inputs, self.kernel.value)


class Conv1D(_Conv):
    """A convolution over time: `activation(inputs * kernel + bias)`.

    Shapes: (batch, steps, channels) -> (batch, new_steps, filters); kernel (kernel_size, channels // groups, filters).

    Args:
        padding: "valid" (no padding), "same" (steps / strides remain) or "causal" (no output sees a later step).
        dilation_rate: the distance between the steps a kernel looks at; strides must be 1 if it is above 1.
        groups: groups of channels that are convolved each by itself.

    Raises:
        ConfigError: for sizes that are no whole numbers above 0, strides together with dilation, filters not divisible
            by groups.
        ShapeError: for inputs of another rank, shorter than the kernel, or with channels not divisible by groups.

    >>> import lamina as keras
    >>> keras.layers.Conv1D(8, 3, padding="causal")(keras.Input((None, 4))).shape
    (None, None, 8)
    """

    rank, causal = 1, True


class Conv2D(_Conv):
    """A convolution over images: `activation(inputs * kernel + bias)`. Arguments and errors as for Conv1D.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, filters);
    kernel (*kernel_size, channels // groups, filters).

    >>> import lamina as keras
    >>> keras.layers.Conv2D(8, 3, strides=2, padding="same")(keras.Input((28, 28, 3))).shape
    (None, 14, 14, 8)
    """

    rank = 2


class Conv3D(_Conv):
    """A convolution over volumes: `activation(inputs * kernel + bias)`. Arguments and errors as for Conv1D.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, filters);
    kernel (*kernel_size, channels // groups, filters).

    >>> import lamina as keras
    >>> keras.layers.Conv3D(8, (1, 3, 3))(keras.Input((5, 28, 28, 3))).shape
    (None, 5, 26, 26, 8)
    """

    rank = 3


class _ConvTranspose(_Windowed):
    """`activation(inputs * transposed kernel + bias)`: the shapes of a convolution, backwards."""

    _traits = frozenset(("convolution", "transposed_convolution", "weighted"))

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, activity_regularizer, bias_constraint, **kwargs,
        )  # fmt: skip
        self.filters = self._positive("filters", filters)
        self.output_padding = output_padding
        if output_padding is not None:
            self.output_padding = self.per_axis("output_padding", output_padding, least=0)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self._refuse_strides_with_dilation()
        if any(extra >= stride for extra, stride in zip(self.output_padding or (), self.strides, strict=False)):
            raise ConfigError(
                f"{type(self).__name__} needs output_padding below strides on each axis; "
                f"got output_padding={self.output_padding}, strides={self.strides}.",
                fix="output_padding=None makes the default size.",
            )

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self.kernel = self._add("kernel", (*self.kernel_size, self.filters, channels), "kernel")
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
        output_padding: steps added at the end, below `strides`; None for the sizes above.

    Raises:
        ConfigError, ShapeError: as Conv1D; and for output_padding not below strides.

    >>> import lamina as keras
    >>> keras.layers.Conv1DTranspose(8, 3, strides=2)(keras.Input((10, 4))).shape
    (None, 21, 8)
    """

    rank = 1


class Conv2DTranspose(_ConvTranspose):
    """The transpose of Conv2D, which makes small images large. Sizes, arguments and errors as for Conv1DTranspose.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, filters);
    kernel (*kernel_size, filters, channels).

    >>> import lamina as keras
    >>> keras.layers.Conv2DTranspose(8, 3, strides=2, padding="same")(keras.Input((14, 14, 3))).shape
    (None, 28, 28, 8)
    """

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """The transpose of Conv3D, which makes small volumes large. Sizes, arguments and errors as for Conv1DTranspose.

    Shapes: (batch, depth, rows, columns, channels) -> (batch, new_depth, new_rows, new_columns, filters);
    kernel (*kernel_size, filters, channels).

    >>> import lamina as keras
    >>> keras.layers.Conv3DTranspose(8, 2, strides=2)(keras.Input((5, 5, 5, 3))).shape
    (None, 10, 10, 10, 8)
    """

    rank = 3

    def __init__(  # Keras has data_format before output_padding here, and only here
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        output_padding=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, activation, use_bias,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, **kwargs,
        )  # fmt: skip


class _DepthwiseConv(_Windowed):
    """`activation(inputs * kernel + bias)` with `depth_multiplier` filters for each channel by itself."""

    _traits = frozenset(("convolution", "weighted"))

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias, bias_initializer,
            bias_regularizer, activity_regularizer, bias_constraint, **kwargs,
        )  # fmt: skip
        self.depth_multiplier = self._positive("depth_multiplier", depth_multiplier)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self.kernel = self._add("kernel", (*self.kernel_size, channels, self.depth_multiplier), "depthwise")
        self._add_bias(channels * self.depth_multiplier)

    def _convolve(self, inputs):
        return depthwise_conv(inputs, self.kernel, self.strides, self.padding, self.data_format, self.dilation_rate)


class DepthwiseConv1D(_DepthwiseConv):
    """A convolution over time of each channel by itself. Arguments and errors as for Conv1D.

    Shapes: (batch, steps, channels) -> (batch, new_steps, channels * depth_multiplier);
    kernel (kernel_size, channels, depth_multiplier).

    >>> import lamina as keras
    >>> keras.layers.DepthwiseConv1D(3, depth_multiplier=2)(keras.Input((10, 4))).shape
    (None, 8, 8)
    """

    rank = 1


class DepthwiseConv2D(_DepthwiseConv):
    """A convolution over images of each channel by itself. Arguments and errors as for Conv2D.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, channels * depth_multiplier);
    kernel (*kernel_size, channels, depth_multiplier).

    >>> import lamina as keras
    >>> keras.layers.DepthwiseConv2D(3, padding="same")(keras.Input((28, 28, 3))).shape
    (None, 28, 28, 3)
    """

    rank = 2


class _SeparableConv(_DepthwiseConv):
    """A depthwise convolution, then a mix of its channels into `filters`, bias and activation."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(
            kernel_size, strides, padding, depth_multiplier, data_format, dilation_rate, activation, use_bias,
            depthwise_initializer, bias_initializer, depthwise_regularizer, bias_regularizer, activity_regularizer,
            depthwise_constraint, bias_constraint, **kwargs,
        )  # fmt: skip
        self.filters = self._positive("filters", filters)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def build(self, input_shape):
        channels = self._channels(input_shape)
        each = (*self.kernel_size, channels, self.depth_multiplier)
        mix = (*(1,) * self.rank, channels * self.depth_multiplier, self.filters)
        self.depthwise_kernel = self._add("depthwise_kernel", each, "depthwise")
        self.pointwise_kernel = self._add("pointwise_kernel", mix, "pointwise")
        self._add_bias(self.filters)

    def _convolve(self, inputs):
        kernels = self.depthwise_kernel, self.pointwise_kernel
        return separable_conv(inputs, *kernels, self.strides, self.padding, self.data_format, self.dilation_rate)


class SeparableConv1D(_SeparableConv):
    """A convolution over time of each channel by itself, then a mix of the channels. Arguments as for Conv1D.

    Shapes: (batch, steps, channels) -> (batch, new_steps, filters); depthwise_kernel (kernel_size, channels,
    depth_multiplier), pointwise_kernel (1, channels * depth_multiplier, filters).

    >>> import lamina as keras
    >>> keras.layers.SeparableConv1D(8, 3)(keras.Input((10, 4))).shape
    (None, 8, 8)
    """

    rank = 1


class SeparableConv2D(_SeparableConv):
    """A convolution over images of each channel by itself, then a mix of the channels. Arguments as for Conv1D.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, filters); depthwise_kernel (*kernel_size,
    channels, depth_multiplier), pointwise_kernel (1, 1, channels * depth_multiplier, filters).
    Source: Chollet, 2016, arXiv:1610.02357.

    >>> import lamina as keras
    >>> keras.layers.SeparableConv2D(8, 3)(keras.Input((28, 28, 3))).shape
    (None, 26, 26, 8)
    """

    rank = 2


class Convolution2D(Conv2D, metaclass=OldClass):
    """Conv2D; also as in Keras 1, `Convolution2D(filters, rows, columns)`."""


class Convolution3D(Conv3D, metaclass=OldClass):
    """Conv3D; also as in Keras 1, `Convolution3D(filters, depth, rows, columns)`."""


class SeparableConvolution2D(SeparableConv2D, metaclass=OldClass):
    """SeparableConv2D; also as in Keras 1, `SeparableConvolution2D(filters, rows, columns)`."""


Convolution1D = Conv1D
Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose, SeparableConvolution1D = Conv3DTranspose, SeparableConv1D

__getattr__ = moved_from(__name__)
