"""Conversion of array-like values in the bodies of ops, and the few rules of types in which Keras differs from JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core.dtypes import numpy_dtype, standardize_dtype
from lamina.core.sparse import is_sparse_leaf
from lamina.core.variable import unwrap
from lamina.runtime.process import configure_process
from lamina.runtime.settings import floatx

if TYPE_CHECKING:
    from lamina.core.typing import DTypeLike, Tensor

__all__ = [
    "axes", "canonical", "canonical_or_none", "float_operands", "floating", "operand", "sizes", "tensor",
    "upcast",
]  # fmt: skip


def canonical(dtype: DTypeLike | None) -> Any:
    """The NumPy type of a type; 64-bit types become 32-bit ones unless JAX's 64-bit mode is on.

    Args:
        dtype: A type, or its name; None means floatx.
    """
    configure_process()  # ops that create arrays without an input ask for their type first
    return jax.dtypes.canonicalize_dtype(numpy_dtype(standardize_dtype(dtype)))


def canonical_or_none(dtype: DTypeLike | None) -> Any:
    """`canonical(dtype)`, and None for None.

    Args:
        dtype: A type, its name, or None.
    """
    return None if dtype is None else canonical(dtype)


def tensor(x: Any, dtype: DTypeLike | None = None) -> Tensor:
    """`x` as a JAX array. Numbers stay weakly typed unless `dtype` is given.

    Args:
        x: Array, variable, number, or nested list of numbers and arrays.
        dtype: Type of the result; None means that of `x`, and floatx for lists with floats.
    """
    if dtype is not None:
        return jnp.asarray(_stacked(x), canonical(dtype))
    if isinstance(x, jax.Array):
        return x  # jnp.asarray takes ten microseconds to find that out
    configure_process()
    if isinstance(x, np.ndarray):
        return jnp.asarray(x)
    x = _stacked(x)
    if isinstance(x, (list, tuple)) and _holds_floats(x):
        return jnp.asarray(x, floatx())
    return jnp.asarray(x)


def _stacked(x):
    """Lists that contain arrays (also tracers) as one array."""
    x = unwrap(x)
    if is_sparse_leaf(x):  # JAX would make an array of it row by row
        raise TypeError("A sparse array is no dense one: keras.ops.convert_to_tensor(x, sparse=False)")
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


def floating(x: Any) -> Tensor:
    """`x` as an array of floats or complex numbers: integers and booleans become floatx.

    Args:
        x: Array-like value.
    """
    x = tensor(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(floatx())


def sizes(shape: Any) -> Any:
    """A shape that an array with values holds, as a tuple; others as they are.

    Args:
        shape: Shape, or array of sizes. In a compiled function the items of an array would be traced.
    """
    known = isinstance(shape, jax.Array) and not isinstance(shape, Tracer) and shape.ndim
    return tuple(np.asarray(shape).tolist()) if known else shape


def operand(x: Any) -> Any:
    """`x` as an array; a Python number stays as it is, so that it takes the type of the array it is combined with.

    Args:
        x: Array-like value.
    """
    return x if isinstance(x, (bool, int, float, complex)) else tensor(x)


def float_operands(x1: Any, x2: Any) -> tuple[Any, Any]:
    """Two operands of a function whose result is a float: if both are integers or booleans, both become floatx.

    Args:
        x1, x2: Array-like values.
    """
    x1, x2 = operand(x1), operand(x2)
    if not jnp.issubdtype(jnp.result_type(x1, x2), jnp.inexact):
        x1, x2 = jnp.asarray(x1, floatx()), jnp.asarray(x2, floatx())
    return x1, x2


def axes(axis: Any) -> Any:
    """Axes as JAX takes them: a tuple in place of a list.

    Args:
        axis: An axis, a list or tuple of axes, or None.
    """
    return tuple(axis) if isinstance(axis, list) else axis


def upcast(x: Tensor) -> Tensor:
    """`x` in float32 if its type is a smaller float, for sums and squares that would overflow or lose digits.

    Args:
        x: Array.
    """
    return x.astype(jnp.float32) if x.dtype in (jnp.float16, jnp.bfloat16) else x
