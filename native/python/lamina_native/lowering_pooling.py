"""JAX's `reduce_window_max` and the scatter that is its gradient, as max pooling."""

import itertools
import math

import jax

from lamina_native.library import supported
from lamina_native.pooling import MOST, max_pool, max_pool_gradient
from lamina_native.windows import are_known

__all__ = ["max_pool_gradient_program", "max_pool_program"]


def max_pool_program(x, *, window_dimensions, window_strides, padding, base_dilation, window_dilation):
    """A function of x that computes the primitive with kernels, or None if they do not serve it."""
    if max(*base_dilation, *window_dilation) > 1:
        return None
    pool = _pool(x, window_dimensions, window_strides, padding)
    return pool and (lambda x: pool.back(max_pool(pool.rows(x), **pool.settings)[0]))


def max_pool_gradient_program(source, x, *, select_prim, window_dimensions, window_strides, padding):
    """The same for the gradient of x, given that of the outputs."""
    pool = _pool(x, window_dimensions, window_strides, padding) if select_prim is jax.lax.ge_p else None

    def run(source, x):
        rows = pool.rows(x)
        _, places = max_pool(rows, **pool.settings)  # XLA makes one call of this and that of the forward pass
        return pool.back(max_pool_gradient(places, pool.rows(source), rows.shape, **pool.settings))

    return pool and run


def _pool(x, window, strides, padding):
    moving = [axis for axis in range(x.ndim) if (window[axis], strides[axis], *padding[axis]) != (1, 1, 0, 0)]
    if not 1 <= len(moving) <= 3 or not supported(x.dtype) or math.prod(window) > MOST:
        return None
    sizes = [size for axis in moving for size in (x.shape[axis], *padding[axis])]
    pads = [(*padding[axis], window[axis]) for axis in moving]
    if not are_known((*x.shape, *sizes)) or 0 in x.shape:
        return None
    if any(min(low, high) < 0 or max(low, high) >= width for low, high, width in pads):
        return None
    return _Pool(x.ndim, moving, window, strides, padding)


class _Pool:
    """The axes of one pooling, as batch, space and channels: axes behind the windows are channels, or else the last one
    before them is."""

    def __init__(self, rank, moving, window, strides, padding):
        others = [axis for axis in range(rank) if axis not in moving]
        channels = [axis for axis in others if axis > moving[-1]] or others[-1:]
        self._order = [axis for axis in others if axis not in channels], moving, channels
        settings = {"window": window, "strides": strides, "padding": padding}
        self.settings = {name: tuple(values[axis] for axis in moving) for name, values in settings.items()}

    def rows(self, x):
        """An array with all axes, as (batch, *space, channels)."""
        batch, space, channels = ([x.shape[axis] for axis in axes] for axes in self._order)
        self._sizes = batch, channels
        return x.transpose([*itertools.chain(*self._order)]).reshape(math.prod(batch), *space, math.prod(channels))

    def back(self, y):
        """The reverse of `rows`."""
        batch, channels = self._sizes
        order = [*itertools.chain(*self._order)]
        y = y.reshape(*batch, *y.shape[1:-1], *channels)
        return y.transpose([order.index(axis) for axis in range(len(order))])
