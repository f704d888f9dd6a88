"""Rows brought to mean 0 and variance 1, against the formula."""

import jax
import jax.numpy as jnp
import lamina_native as native
import pytest
from shapes import random_cases, rows


def reference(x):
    return (x - x.mean(1, keepdims=True)) / jnp.sqrt(x.var(1, keepdims=True) + 1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 16), (5, 50), (600, 512), *random_cases(rows).values()])
def test_values_and_gradient(shape, arrays, close):
    x, dy = 3 + 2 * arrays(*shape), arrays(*shape)
    y, pull = jax.vjp(reference, x)
    close(native.standardize(x, epsilon=1e-3), y, 3e-6)
    close(native.standardize_gradient(x, dy, epsilon=1e-3), pull(dy)[0], 3e-6)


def test_errors(arrays):
    x = arrays(3, 4)
    for wrong in (x[0], x.astype(jnp.bfloat16)):
        with pytest.raises(ValueError, match="rows in float32"):
            native.standardize(wrong, epsilon=1e-3)
    with pytest.raises(ValueError, match="of one shape"):
        native.standardize_gradient(x, x[:2], epsilon=1e-3)
