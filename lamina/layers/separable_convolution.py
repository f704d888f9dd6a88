"""Separable convolutions: of each channel by itself, then a mix of the channels."""

from __future__ import annotations

from typing import Any

from lamina.layers.convolution_base import _Windowed
from lamina.legacy import OldClass
from lamina.ops.convolution import separable_conv

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
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        self._set_up(locals())

    def build(self, input_shape):
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


class SeparableConvolution2D(SeparableConv2D, metaclass=OldClass):
    """SeparableConv2D; also as in Keras 1, `SeparableConvolution2D(filters, rows, columns)`."""


SeparableConvolution1D = SeparableConv1D
