"""Standardization of rows to mean 0 and variance 1, in float32."""

import jax.numpy as jnp

from lamina_native.library import call_all

__all__ = ["standardize", "standardize_gradient"]


def standardize(x, *, epsilon):
    """`(x - mean) / sqrt(variance + epsilon)`, with mean and variance computed per row.

    Shapes: x (rows, n) -> (rows, n).
    """
    _check(x)
    return call_all("standardize", (x.shape,), x, epsilon=float(epsilon))[0]


def standardize_gradient(x, dy, *, epsilon):
    """The gradient of `standardize` with respect to `x`, given the gradient `dy` of its outputs. The Jacobian is
    symmetric, so this is also the directional derivative (JVP) along `dy`."""
    _check(x, dy)
    return call_all("standardize_gradient", (x.shape,), x, dy, epsilon=float(epsilon))[0]


def _check(x, *others):
    for array in (x, *others):
        if x.ndim != 2 or array.shape != x.shape or array.dtype != jnp.float32:
            raise ValueError(f"standardize needs rows in float32, all of one shape; got {array.dtype}{array.shape}.")
