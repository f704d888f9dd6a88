"""Attention with and without lamina-native: one value, one gradient, one second derivative."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lamina.kernels.native import without_native
from lamina.ops import dot_product_attention

pytest.importorskip("lamina_native")
SHAPES = (2, 5, 4, 6), (2, 7, 4, 6), (2, 7, 4, 3)


def arrays():
    random = np.random.default_rng(0)
    return [random.normal(size=shape).astype("float32") for shape in SHAPES]


@pytest.mark.parametrize("settings", [
    {},
    {"scale": 0.3, "is_causal": True},
    {"mask": np.random.default_rng(1).random((2, 1, 5, 7)) > 0.3},
    {"mask": np.random.default_rng(1).random((5, 7)) > 0.3},
    {"mask": np.random.default_rng(1).random((2, 4, 5, 7)) > 0.3, "is_causal": True},
], ids=["plain", "causal", "of keys", "of two axes", "of heads"])  # fmt: skip
def test_the_kernel_is_the_formula(settings):
    def all_of():
        def attend(*arrays):
            return dot_product_attention(*arrays, **settings)

        def loss(*arrays):
            return (attend(*arrays) ** 2).sum()

        def penalty(*arrays):
            return sum((part**2).sum() for part in jax.grad(loss, (0, 1, 2))(*arrays))

        return attend(*arrays()), jax.grad(loss, (0, 1, 2))(*arrays()), jax.grad(penalty, (0, 1, 2))(*arrays())

    found = jax.jit(all_of)()
    with without_native():
        wanted = jax.jit(lambda: all_of())()
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5 * max(1.0, float(jnp.abs(b).max())))


def test_fewer_heads_of_keys_and_values():
    query, key, value = arrays()
    found = dot_product_attention(query, key[:, :, :2], value[:, :, :2])
    repeated = [np.repeat(array[:, :, :2], 2, 2) for array in (key, value)]
    with without_native():
        np.testing.assert_allclose(found, dot_product_attention(query, *repeated), rtol=1e-5, atol=1e-6)
