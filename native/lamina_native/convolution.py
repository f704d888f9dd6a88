"""Convolutions of 1 to 3 spatial axes and their gradients, channels last."""

import math

from lamina_native.library import call

__all__ = ["convolve", "convolve_input_gradient", "convolve_kernel_gradient"]


def convolve(x, kernel, *, strides, padding, dilation, groups, bias=None, activation=None):
    """`activation(convolution(x, kernel) + bias)`.

    Shapes: x (batch, *space, channels), kernel (*window, channels // groups, filters), bias (filters,)
    -> (batch, *new_space, filters).

    Args:
        strides, dilation: one number for each spatial axis.
        padding: one pair (before, after) of counts of zeros for each spatial axis, none negative.
        activation: None or one of `ACTIVATIONS`.
    """
    settings = _settings(kernel.shape, strides, padding, dilation, groups)
    if x.ndim != kernel.ndim or x.shape[-1] != kernel.shape[-2] * groups:
        raise ValueError(
            f"convolve: inputs of shape {x.shape} and a kernel of shape {kernel.shape} with {groups} groups do not fit."
        )
    space = [
        _windows(size, width, *sizes)
        for size, width, *sizes in zip(x.shape[1:-1], kernel.shape, strides, padding, dilation, strict=False)
    ]
    arrays = (x, kernel) if bias is None else (x, kernel, bias)
    shape = (x.shape[0], *space, kernel.shape[-1])
    return call("convolve", shape, x.dtype, *arrays, activation=activation, **settings)


def convolve_input_gradient(dy, kernel, x_shape, *, strides, padding, dilation, groups):
    """The gradient of `convolve` with respect to its inputs, of shape `x_shape`, given `dy` of its outputs."""
    settings = _settings(kernel.shape, strides, padding, dilation, groups)
    return call("convolve_input_gradient", tuple(x_shape), dy.dtype, dy, kernel, **settings)


def convolve_kernel_gradient(x, dy, kernel_shape, *, strides, padding, dilation, groups):
    """The gradient of `convolve` with respect to its kernel, of shape `kernel_shape`, given `dy` of its outputs."""
    settings = _settings(kernel_shape, strides, padding, dilation, groups)
    return call("convolve_kernel_gradient", tuple(kernel_shape), x.dtype, x, dy, **settings)


def _settings(kernel_shape, strides, padding, dilation, groups):
    rank = len(kernel_shape) - 2
    if not 1 <= rank <= 3:
        raise ValueError(f"A convolution has 1 to 3 spatial axes; the kernel {tuple(kernel_shape)} has {rank}.")
    if {len(strides), len(padding), len(dilation)} != {rank}:
        raise ValueError(f"strides, padding and dilation have {rank} entries; got {strides}, {padding}, {dilation}.")
    padding = tuple(int(count) for pair in padding for count in pair)
    if min(padding) < 0:
        raise ValueError(f"Negative padding is not supported; got {padding}.")
    return dict(strides=tuple(strides), padding=padding, dilation=tuple(dilation), groups=groups)


def _windows(size, width, stride, padding, dilation):
    """How many windows fit."""
    covered = (width - 1) * dilation + 1
    return max(0, math.floor((size + sum(padding) - covered) / stride) + 1)
