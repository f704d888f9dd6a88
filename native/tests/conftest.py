"""What the tests share: random arrays, and how close two results must be."""

import os

# XLA compiles the programs that the kernels are compared with, and tests run each once: before jax is imported.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

import jax
import jax.numpy as jnp
import numpy as np
import pytest


@pytest.fixture
def arrays():
    """A function from a shape (and dtype) to an array of normal numbers, the same ones in each test."""
    generator = np.random.default_rng(7)
    return lambda *shape, dtype=jnp.float32: jnp.asarray(generator.normal(size=shape), dtype)


@pytest.fixture
def close():
    """A function that compares trees of arrays: at most `tolerance` times the largest element apart."""

    def check(found, wanted, tolerance=1e-5):
        assert jax.tree.structure(found) == jax.tree.structure(wanted)
        for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(wanted), strict=True):
            assert one.shape == other.shape and one.dtype == other.dtype
            one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
            assert np.isfinite(one).all()
            if one.size:
                assert np.abs(one - other).max() <= tolerance * max(np.abs(other).max(), 1e-3)

    return check
