"""Layers and ops on concrete arrays run one program for each shape; inside a step the same operations stand inline."""

import jax
import numpy as np
import pytest

import lamina as keras
from lamina.kernels.random_bits import _are_below, bernoulli
from lamina.ops.pooling import _combine_slices

X = np.random.default_rng(0).normal(size=(2, 7, 6, 3)).astype("float32")
CASES = {
    "dropout": (_are_below, lambda x: bernoulli(jax.random.PRNGKey(0), 0.3, x.shape)),
    "max_pool": (_combine_slices, lambda x: keras.ops.max_pool(x, 3, 2)),
    "average_pool": (_combine_slices, lambda x: keras.ops.average_pool(x, 2, padding="same")),
}


@pytest.mark.parametrize("name", CASES)
def test_one_program_for_a_shape_which_is_inline_in_a_step(name):
    program, function = CASES[name]
    assert f"@{program.__name__}" not in jax.jit(function).lower(X).as_text()  # JAX 0.12 inlines when it lowers
    size = program._cache_size()
    first = function(X)
    made = program._cache_size() - size
    assert 1 <= made <= 2  # an average with padding counts the elements too
    np.testing.assert_array_equal(first, function(X))
    np.testing.assert_array_equal(first, jax.jit(function)(X))
    assert program._cache_size() == size + made
