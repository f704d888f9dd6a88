"""What the bodies of ops share: arrays from anything array-like, and the few rules of types in which Keras differs
from JAX."""

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.dtypes import numpy_dtype, standardize_dtype
from lamina.core.variable import unwrap
from lamina.runtime.process import configure_process
from lamina.runtime.settings import floatx

__all__ = ["canonical", "floating", "last_axis_moved", "tensor", "upcast"]


def canonical(dtype):
    """The NumPy type object of a type name; 64-bit types become 32-bit ones unless JAX's 64-bit mode is on."""
    configure_process()  # ops that make arrays from nothing ask for their type first
    return jax.dtypes.canonicalize_dtype(numpy_dtype(standardize_dtype(dtype)))


def tensor(x, dtype=None):
    """`x` (array, number or nested list) as a JAX array. Numbers stay weakly typed unless `dtype` is given."""
    if dtype is not None:
        return jnp.asarray(_stacked(x), canonical(dtype))
    if isinstance(x, (jax.Array, np.ndarray)):
        return jnp.asarray(x)
    x = _stacked(x)
    if isinstance(x, (list, tuple)) and _holds_floats(x):
        return jnp.asarray(x, floatx())
    return jnp.asarray(x)


def _stacked(x):
    """Lists with arrays in them (variables were unwrapped, tracers may be among them) as one array."""
    x = unwrap(x)
    if isinstance(x, (list, tuple)) and any(isinstance(leaf, jax.Array) for leaf in jax.tree_util.tree_leaves(x)):
        return jnp.stack([jnp.asarray(_stacked(item)) for item in x])
    return x


def _holds_floats(x):
    leaves = jax.tree_util.tree_leaves(x)
    return (
        bool(leaves)
        and any(type(leaf) is float for leaf in leaves)
        and all(type(leaf) in (int, float) for leaf in leaves)
    )


def floating(x):
    """`x` as an array of floats (or complex numbers): integers and booleans become floatx."""
    x = tensor(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(floatx())


def upcast(x):
    """`x` in float32 where its own type is a smaller float: for sums and squares that overflow or lose digits."""
    return x.astype(jnp.float32) if x.dtype in (jnp.float16, jnp.bfloat16) else x


def last_axis_moved(function, x, axis):
    """`function`, which works on the last axis, on `axis` of `x`."""
    return jnp.moveaxis(function(jnp.moveaxis(x, axis, -1)), -1, axis)
