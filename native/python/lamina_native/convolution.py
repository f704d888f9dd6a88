"""Convolutions of 1 to 3 spatial axes and their gradients, channels last."""

from lamina_native import windows
from lamina_native.library import call

__all__ = ["convolve", "convolve_input_gradient", "convolve_kernel_gradient"]


def convolve(x, kernel, *, strides, padding, dilation, groups, bias=None, activation=None, plain_sums=False):
    """`activation(convolution(x, kernel) + bias)`.

    Shapes: x (batch, *space, channels), kernel (*window, channels // groups, filters), bias (filters,)
    -> (batch, *new_space, filters).

    Args:
        strides, dilation: one number for each spatial axis.
        padding: one pair (before, after) of counts of zeros for each spatial axis, none negative.
        activation: None or one of `ACTIVATIONS`.
        plain_sums: Whether each output is the sum of its own products, and not of products at points (Winograd), which
            are fewer, and whose rounding errors, infinities and NaN reach the neighbours.
    """
    settings = _settings(kernel.shape, strides, padding, dilation, groups, plain_sums)
    shape = _output_shape(x.shape, kernel.shape, strides, padding, dilation, groups)
    if bias is not None and bias.shape != shape[-1:]:
        raise ValueError(f"convolve needs a bias of shape {shape[-1:]}; got {bias.shape}.")
    arrays = (x, kernel) if bias is None else (x, kernel, bias)
    return call("convolve", shape, x.dtype, *arrays, activation=activation, **settings)


def convolve_input_gradient(dy, kernel, x_shape, *, strides, padding, dilation, groups, plain_sums=False):
    """The gradient of `convolve` with respect to its inputs, of shape `x_shape`, given the gradient `dy` of its
    outputs."""
    settings = _settings(kernel.shape, strides, padding, dilation, groups, plain_sums)
    _check_gradient(dy, x_shape, kernel.shape, strides, padding, dilation, groups)
    return call("convolve_input_gradient", tuple(x_shape), dy.dtype, dy, kernel, **settings)


def convolve_kernel_gradient(x, dy, kernel_shape, *, strides, padding, dilation, groups, plain_sums=False):
    """The gradient of `convolve` with respect to its kernel, of shape `kernel_shape`, given the gradient `dy` of its
    outputs."""
    settings = _settings(kernel_shape, strides, padding, dilation, groups, plain_sums)
    _check_gradient(dy, x.shape, kernel_shape, strides, padding, dilation, groups)
    return call("convolve_kernel_gradient", tuple(kernel_shape), x.dtype, x, dy, **settings)


def _settings(kernel_shape, strides, padding, dilation, groups, plain_sums):
    padding = windows.flat(padding, len(kernel_shape) - 2, strides, dilation)
    settings = dict(strides=tuple(strides), padding=padding, dilation=tuple(dilation), groups=groups)
    return settings | dict(plain_sums=bool(plain_sums))


def _output_shape(x_shape, kernel_shape, strides, padding, dilation, groups):
    fits = len(x_shape) == len(kernel_shape) and x_shape[-1] == kernel_shape[-2] * groups
    if not fits or kernel_shape[-1] % groups:
        raise ValueError(
            f"A convolution of {groups} groups: inputs of shape {tuple(x_shape)} do not fit a kernel of shape "
            f"{tuple(kernel_shape)}."
        )
    axes = zip(x_shape[1:-1], kernel_shape[:-2], strides, padding, dilation, strict=True)
    return (x_shape[0], *(windows.count(*axis) for axis in axes), kernel_shape[-1])


def _check_gradient(dy, *shapes_and_settings):
    shape = _output_shape(*shapes_and_settings)
    if dy.shape != shape:
        raise ValueError(f"The outputs of that convolution have shape {shape}; got a gradient of shape {dy.shape}.")
