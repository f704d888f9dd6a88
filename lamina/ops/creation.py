"""New arrays: filled ones, ranges, windows, and arrays like others."""

import jax.numpy as jnp
import numpy as np

from lamina.core.op import op
from lamina.ops.arrays import canonical, floating, tensor
from lamina.runtime.settings import floatx

__all__ = [
    "arange", "array", "bartlett", "blackman", "copy", "empty", "empty_like", "eye", "full", "full_like", "geomspace",
    "hamming", "hanning", "identity", "kaiser", "linspace", "logspace", "meshgrid", "ones", "ones_like", "tri",
    "vander", "view", "zeros", "zeros_like",
]  # fmt: skip


def zeros(shape, dtype=None):
    """An array of `shape`, all 0. dtype None means floatx.

    >>> import lamina as keras
    >>> keras.ops.zeros((2,))
    Array([0., 0.], dtype=float32)
    """
    return jnp.zeros(shape, canonical(dtype))


def ones(shape, dtype=None):
    """An array of `shape`, all 1. dtype None means floatx."""
    return jnp.ones(shape, canonical(dtype))


def empty(shape, dtype=None):
    """An array of `shape` whose values do not matter (zeros). dtype None means floatx."""
    return jnp.empty(shape, canonical(dtype))


@op(settings=("shape",))
def full(shape, fill_value, dtype=None):
    """An array of `shape`, all `fill_value`. dtype None means floatx."""
    return jnp.full(shape, fill_value, canonical(dtype))


@op
def zeros_like(x, dtype=None):
    """Zeros of the shape of x, and of its type unless `dtype` is given."""
    return jnp.zeros_like(tensor(x), dtype=_or_own(dtype))


@op
def ones_like(x, dtype=None):
    """Ones of the shape of x, and of its type unless `dtype` is given."""
    return jnp.ones_like(tensor(x), dtype=_or_own(dtype))


@op
def empty_like(x, dtype=None):
    """An array like x whose values do not matter (zeros)."""
    return jnp.empty_like(tensor(x), dtype=_or_own(dtype))


@op
def full_like(x, fill_value, dtype=None):
    """`fill_value` in the shape of x, and in its type unless `dtype` is given."""
    return jnp.full_like(tensor(x), fill_value, dtype=_or_own(dtype))


def _or_own(dtype):
    return None if dtype is None else canonical(dtype)


def array(x, dtype=None):
    """x as a JAX array of type `dtype`."""
    return tensor(x, dtype)


@op
def copy(x):
    """The same values in an array of their own."""
    return jnp.copy(tensor(x))


@op
def view(x, dtype=None):
    """The bytes of x read as another type; the last axis shrinks or grows with the width of the type."""
    x = tensor(x)
    return x if dtype is None else x.view(canonical(dtype))


def arange(start, stop=None, step=None, dtype=None):
    """start, start + step, ... below stop; with one argument 0, 1, ... below it.

    >>> import lamina as keras
    >>> keras.ops.arange(3)
    Array([0, 1, 2], dtype=int32)
    """
    if dtype is None:
        dtype = jnp.result_type(*(item for item in (start, stop, step) if item is not None))
    return jnp.arange(start, stop, step, dtype=canonical(dtype))


@op
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """`num` numbers with equal differences from start to stop. retstep: also give the difference."""
    return jnp.linspace(_number(start), _number(stop), num, endpoint, retstep, _or_own(dtype), axis)


@op
def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """`num` numbers with equal ratios from base**start to base**stop."""
    return jnp.logspace(_number(start), _number(stop), num, endpoint, base, _or_own(dtype), axis)


@op
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """`num` numbers with equal ratios from start to stop."""
    return jnp.geomspace(_number(start), _number(stop), num, endpoint, _or_own(dtype), axis)


def _number(x):
    return floating(x)


def eye(N, M=None, k=0, dtype=None):
    """An N x M matrix with ones on the k-th diagonal, zeros elsewhere."""
    return jnp.eye(N, M, k, dtype=canonical(dtype))


def identity(n, dtype=None):
    """The n x n matrix with ones on the diagonal."""
    return jnp.eye(n, dtype=canonical(dtype))


def tri(N, M=None, k=0, dtype=None):
    """An N x M matrix with ones on and below the k-th diagonal."""
    return jnp.tri(N, M, k, dtype=canonical(dtype))


@op
def meshgrid(*x, indexing="xy"):
    """The coordinates of a grid, one array for each vector; 'xy' swaps the first two axes, 'ij' does not."""
    return list(jnp.meshgrid(*map(tensor, x), indexing=indexing))


@op
def vander(x, N=None, increasing=False):
    """The powers of x as columns, from N - 1 down to 0 (or up)."""
    return jnp.vander(tensor(x), N, increasing)


def bartlett(x):
    """The triangular window of length x."""
    return _window(np.bartlett, x)


def blackman(x):
    """The Blackman window of length x: 0.42 - 0.5 cos(2 pi n / (x-1)) + 0.08 cos(4 pi n / (x-1))."""
    return _window(np.blackman, x)


def hamming(x):
    """The Hamming window of length x: 0.54 - 0.46 cos(2 pi n / (x-1))."""
    return _window(np.hamming, x)


def hanning(x):
    """The Hann window of length x: 0.5 - 0.5 cos(2 pi n / (x-1))."""
    return _window(np.hanning, x)


def kaiser(x, beta):
    """The Kaiser window of length x and shape `beta`."""
    return _window(np.kaiser, x, float(beta))


def _window(function, length, *args):
    return jnp.asarray(function(int(length), *args), floatx())
