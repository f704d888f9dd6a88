"""Windows over 1 to 3 spatial axes that keep their largest element or their mean, channels last, and the gradients.

All computes in float32; bfloat16 comes in and goes out.
"""

from jax.numpy import float32

from lamina_native import windows
from lamina_native.library import call

__all__ = ["average_pool", "average_pool_gradient", "max_pool", "max_pool_gradient"]


def max_pool(x, *, window, strides, padding):
    """The largest element of each window; NaN where it has one.

    Shapes: x (batch, *space, channels) -> (batch, *new_space, channels).

    Args:
        window, strides: one number for each spatial axis.
        padding: one pair (before, after) for each spatial axis: elements that never win.
    """
    return _forward("max_pool", x, window, strides, padding)


def average_pool(x, *, window, strides, padding):
    """The mean of those elements of each window that are inside `x`. Shapes and arguments as for `max_pool`."""
    return _forward("average_pool", x, window, strides, padding)


def max_pool_gradient(x, dy, *, window, strides, padding):
    """The gradient of `max_pool` with respect to `x`, given `dy` of its outputs: the first of equals takes it."""
    return _backward("max_pool_gradient", x.shape, (x, dy), window, strides, padding)


def average_pool_gradient(dy, x_shape, *, window, strides, padding):
    """The gradient of `average_pool` with respect to its inputs, of shape `x_shape`, given `dy` of its outputs."""
    return _backward("average_pool_gradient", tuple(x_shape), (dy,), window, strides, padding)


def _forward(name, x, window, strides, padding):
    shape, settings = _settings(x.shape, window, strides, padding)
    return call(name, shape, float32, x.astype(float32), **settings).astype(x.dtype)


def _backward(name, x_shape, arrays, window, strides, padding):
    shape, settings = _settings(x_shape, window, strides, padding)
    dy = arrays[-1]
    if dy.shape != shape:
        raise ValueError(f"The outputs of that pooling have shape {shape}; got a gradient of shape {dy.shape}.")
    return call(name, x_shape, float32, *(array.astype(float32) for array in arrays), **settings).astype(dy.dtype)


def _settings(x_shape, window, strides, padding):
    """The shape of the outputs, and what the handlers take."""
    flat = windows.flat(padding, len(x_shape) - 2, window, strides)
    if any(max(pair) >= width for pair, width in zip(padding, window, strict=True)):
        raise ValueError(f"Padding as wide as the window leaves windows empty; got {padding} for {window}.")
    axes = zip(x_shape[1:-1], window, strides, padding, strict=True)
    shape = (x_shape[0], *(windows.count(*axis) for axis in axes), x_shape[-1])
    return shape, dict(window=tuple(window), strides=tuple(strides), padding=flat)
