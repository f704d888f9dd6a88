"""Convolutions over 1 to 3 spatial axes."""

from __future__ import annotations

from typing import Any

from lamina.errors import ConfigError, ShapeError
from lamina.layers.convolution_base import _Windowed
from lamina.layers.weights import WithKernels
from lamina.legacy import OldClass, moved_from
from lamina.ops.convolution import conv

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
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._set_up(locals())

    def _set_up(self, arguments):
        super()._set_up(arguments)
        self._refuse_strides_with_dilation()
        if self.filters % self.groups:
            raise ConfigError(
                f"{type(self).__name__} needs filters that divide evenly into groups; "
                f"got filters={self.filters}, groups={self.groups}.",
                fix=f"filters={-(-self.filters // self.groups) * self.groups}, for example.",
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
        self.kernel = self._add_weight_of("kernel", shape, make=self.add_kernel)
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


class Convolution2D(Conv2D, metaclass=OldClass):
    """Conv2D; also as in Keras 1, `Convolution2D(filters, rows, columns)`."""


class Convolution3D(Conv3D, metaclass=OldClass):
    """Conv3D; also as in Keras 1, `Convolution3D(filters, depth, rows, columns)`."""


Convolution1D = Conv1D

__getattr__ = moved_from(__name__)
