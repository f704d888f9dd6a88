"""Transposed convolutions over 1 to 3 spatial axes, which enlarge."""

from __future__ import annotations

from typing import Any

from lamina.errors import ConfigError
from lamina.layers.convolution_base import _Windowed
from lamina.layers.spatial import SpatialLayer
from lamina.ops.convolution import conv_transpose

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
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._set_up(locals())

    def _set_up(self, arguments):
        super()._set_up(arguments)
        if self.output_padding is not None:
            self.output_padding = self.per_axis("output_padding", self.output_padding, least=0)
        self._refuse_strides_with_dilation()
        if any(extra >= stride for extra, stride in zip(self.output_padding or (), self.strides, strict=False)):
            raise ConfigError(
                f"{type(self).__name__} needs output_padding below strides on each axis; "
                f"got output_padding={self.output_padding}, strides={self.strides}.",
                fix="output_padding=None makes the default size.",
            )

    def build(self, input_shape):
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
        SpatialLayer.__init__(self, data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._set_up(locals())


Convolution1DTranspose, Convolution2DTranspose = Conv1DTranspose, Conv2DTranspose
Convolution3DTranspose = Conv3DTranspose
