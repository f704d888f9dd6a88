"""Bernoulli samples by Threefry with the bits of `jax.random`, in a form that is fast on CPUs.

JAX's own program for CPUs runs the rounds as a loop over whole arrays, which takes 2.7 times as long as all rounds of
one element in sequence (docs/performance.md).

Source: J. Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["bernoulli"]

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA


def bernoulli(key: jax.Array, p: float, shape: Sequence[int]) -> jax.Array:
    """`jax.random.bernoulli(key, p, shape)`: True with probability `p`.

    >>> key = jax.random.PRNGKey(0)
    >>> bool((bernoulli(key, 0.5, (8,)) == jax.random.bernoulli(key, 0.5, (8,))).all())
    True
    """
    size = math.prod(shape) if all(isinstance(size, int) for size in shape) else 2**32
    threefry = key.dtype == "uint32" and key.shape == (2,) and _setting("jax_default_prng_impl") == "threefry2x32"
    if jax.default_backend() != "cpu" or not threefry or not _setting("jax_threefry_partitionable") or size >= 2**32:
        return jax.random.bernoulli(key, p, tuple(shape))
    # jax.random draws a float of 23 bits, which is below p if and only if its bits are below p * 2**23.
    return _are_below(key, math.ceil(np.float32(p) * 2**23), tuple(shape))


@functools.partial(jax.jit, static_argnums=(1, 2), inline=True)  # one program where it is called on arrays
def _are_below(key, limit, shape):
    size = math.prod(shape)
    first, second = _threefry(key, jnp.zeros(shape, "uint32"), jnp.arange(size, dtype="uint32").reshape(shape))
    below = ((first ^ second) >> 9) < limit
    return jax.lax.optimization_barrier(below)  # otherwise XLA computes the mask again for each use


def _setting(name):
    return getattr(jax.config, name, None)


def _threefry(key, first, second):
    """Encrypt two arrays of counters by 20 rounds."""
    keys = key[0], key[1], key[0] ^ key[1] ^ jnp.uint32(_PARITY)
    first, second = first + keys[0], second + keys[1]
    for group in range(5):
        for distance in _ROTATIONS[group % 2]:
            first = first + second
            second = first ^ ((second << distance) | (second >> (32 - distance)))
        first = first + keys[(group + 1) % 3]
        second = second + keys[(group + 2) % 3] + jnp.uint32(group + 1)
    return first, second
