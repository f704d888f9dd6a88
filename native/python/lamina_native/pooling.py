"""Max and average pooling over 1 to 3 spatial axes, channels last, and their gradients.

Computation is in float32; inputs and outputs may be bfloat16.
"""

import math

import jax
from jax.numpy import float32, uint8, zeros

from lamina_native import windows
from lamina_native.library import call, foreign_call

__all__ = ["average_pool", "average_pool_gradient", "max_pool", "max_pool_gradient"]

MOST = 256  # maximum elements of a window, since a byte stores the index of its largest element


def max_pool(x, *, window, strides, padding):
    """The maximum of each window, or NaN if the window contains NaN; and its index among the elements of the window
    that are inside `x`. For ties it is the first index.

    Shapes: x (batch, *space, channels) -> (batch, *new_space, channels), and the indices in the same shape as uint8.

    Args:
        window, strides: one number for each spatial axis.
        padding: one pair (before, after) for each spatial axis; padded elements are never the maximum.
    """
    shape, settings = _settings(x.shape, window, strides, padding, most=MOST)
    if 0 in shape:
        return zeros(shape, x.dtype), zeros(shape, uint8)
    results = [jax.ShapeDtypeStruct(shape, dtype) for dtype in (float32, uint8)]
    largest, places = foreign_call("max_pool", results, (x.astype(float32),), settings)
    return largest.astype(x.dtype), places


def average_pool(x, *, window, strides, padding):
    """The mean of the elements of each window that are inside `x`. Shapes and arguments as for `max_pool`."""
    shape, settings = _settings(x.shape, window, strides, padding)
    return call("average_pool", shape, float32, x.astype(float32), **settings).astype(x.dtype)


def max_pool_gradient(places, dy, x_shape, *, window, strides, padding):
    """The gradient of `max_pool` with respect to its inputs, of shape `x_shape`, given the indices that it returned and
    the gradient `dy` of its outputs."""
    shape, settings = _settings(tuple(x_shape), window, strides, padding, dy, most=MOST)
    if places.shape != shape or places.dtype != uint8:
        raise ValueError(f"The places of that pooling are uint8{shape}; got {places.dtype}{places.shape}.")
    if 0 in x_shape or 0 in shape:
        return zeros(x_shape, dy.dtype)
    result = jax.ShapeDtypeStruct(tuple(x_shape), float32)
    return foreign_call("max_pool_gradient", result, (places, dy.astype(float32)), settings).astype(dy.dtype)


def average_pool_gradient(dy, x_shape, *, window, strides, padding):
    """The gradient of `average_pool` with respect to its inputs, of shape `x_shape`, given the gradient `dy` of its
    outputs."""
    _, settings = _settings(tuple(x_shape), window, strides, padding, dy)
    return call("average_pool_gradient", tuple(x_shape), float32, dy.astype(float32), **settings).astype(dy.dtype)


def _settings(x_shape, window, strides, padding, dy=None, most=None):
    """The shape of the outputs, and the settings for the handlers."""
    flat = windows.flat(padding, len(x_shape) - 2, window, strides)
    if any(max(pair) >= width for pair, width in zip(padding, window, strict=True)):
        raise ValueError(f"Padding as wide as the window leaves windows empty; got {padding} for {window}.")
    axes = zip(x_shape[1:-1], window, strides, padding, strict=True)
    shape = (x_shape[0], *(windows.count(*axis) for axis in axes), x_shape[-1])
    if dy is not None and dy.shape != shape:
        raise ValueError(f"The outputs of that pooling have shape {shape}; got a gradient of shape {dy.shape}.")
    if most is not None and math.prod(window) > most:
        raise ValueError(f"max_pool takes windows of at most {most} elements; got {tuple(window)}.")
    return shape, dict(window=tuple(window), strides=tuple(strides), padding=flat)
