"""Draws of True and False are those of JAX, to the bit."""

import jax
import numpy as np
import pytest

from lamina.kernels.random_bits import bernoulli


@pytest.mark.parametrize("shape", [(), (1,), (7,), (3, 5, 9), (64, 130)])
@pytest.mark.parametrize("p", [0.9, 0.5, 1 / 3, 1e-8, 0.99999997])
def test_the_draws_of_jax(p, shape):
    for seed in (0, 123456):
        key = jax.random.fold_in(jax.random.PRNGKey(seed), 7)
        np.testing.assert_array_equal(bernoulli(key, p, shape), jax.random.bernoulli(key, p, shape))


def test_in_a_program_and_over_keys():
    keys = jax.random.split(jax.random.PRNGKey(3), 4)
    found = jax.jit(jax.vmap(lambda key: bernoulli(key, 0.3, (50,))))(keys)
    np.testing.assert_array_equal(found, jax.vmap(lambda key: jax.random.bernoulli(key, 0.3, (50,)))(keys))


@pytest.mark.parametrize("key", [jax.random.key(5), jax.random.key(5, impl="rbg")], ids=["typed", "of another kind"])
def test_keys_of_other_types_are_left_to_jax(key):
    np.testing.assert_array_equal(bernoulli(key, 0.4, (20,)), jax.random.bernoulli(key, 0.4, (20,)))
