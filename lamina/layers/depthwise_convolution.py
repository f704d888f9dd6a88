"""Depthwise convolutions: of each channel by itself."""

from __future__ import annotations

from typing import Any

from lamina.layers.convolution_base import _Windowed
from lamina.ops.convolution import depthwise_conv

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
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._set_up(locals())

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self.kernel = self._add_weight_of("depthwise", (*self.kernel_size, channels, self.depth_multiplier), "kernel")
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
