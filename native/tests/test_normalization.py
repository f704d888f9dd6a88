"""Rows brought to mean 0 and variance 1, against the formula."""

import jax.numpy as jnp
import lamina_native as native
import numpy as np
import pytest
from shapes import random_cases, rows


def formulas(x, dy):
    """The values and the gradient in float64, and for each row what float32 may leave of them: its precision times how
    much the differences from the mean, and the sums over the row, cancel."""
    x, dy = np.asarray(x, np.float64), np.asarray(dy, np.float64)
    mean, scale = x.mean(1, keepdims=True), 1 / np.sqrt(x.var(1, keepdims=True) + 1e-3)
    y = (x - mean) * scale
    gradient = scale * (dy - dy.mean(1, keepdims=True) - y * (dy * y).mean(1, keepdims=True))
    cancelled = 1 + np.abs(x).max(1, keepdims=True) * scale
    return y, gradient, cancelled, cancelled * scale * np.abs(dy).max(1, keepdims=True)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (7, 16), (5, 50), (600, 512), *random_cases(rows).values()])
def test_values_and_gradient(shape, arrays):
    x, dy = 3 + 2 * arrays(*shape), arrays(*shape)
    y, gradient, of_values, of_gradient = formulas(x, dy)
    assert (np.abs(native.standardize(x, epsilon=1e-3) - y) <= 3e-7 * of_values).all()
    assert (np.abs(native.standardize_gradient(x, dy, epsilon=1e-3) - gradient) <= 3e-7 * of_gradient).all()


def test_errors(arrays):
    x = arrays(3, 4)
    for wrong in (x[0], x.astype(jnp.bfloat16)):
        with pytest.raises(ValueError, match="rows in float32"):
            native.standardize(wrong, epsilon=1e-3)
    with pytest.raises(ValueError, match="of one shape"):
        native.standardize_gradient(x, x[:2], epsilon=1e-3)
