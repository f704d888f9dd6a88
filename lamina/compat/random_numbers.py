"""tf.random: random numbers with TensorFlow's names and argument order."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from lamina import random
from lamina.core.dtypes import is_integer, standardize_dtype
from lamina.core.variable import unwrap
from lamina.errors import ConfigError

__all__ = ["RANDOM"]


def uniform(
    shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Sample uniformly from [minval, maxval); integers if the dtype is an integer."""
    if is_integer(standardize_dtype(dtype)):
        if maxval is None:
            raise ConfigError("tf.random.uniform of integers needs maxval.", fix="maxval=10")
        return random.randint(shape, minval, maxval, dtype, seed)
    return random.uniform(shape, minval, 1.0 if maxval is None else maxval, dtype, seed)


def normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Sample from the normal distribution."""
    return random.normal(shape, mean, stddev, dtype, seed)


def truncated_normal(
    shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", seed: Any = None, name: Any = None
) -> Any:
    """Sample from the normal distribution, truncated at two standard deviations."""
    return random.truncated_normal(shape, mean, stddev, dtype, seed)


def shuffle(value: Any, seed: Any = None, name: Any = None) -> Any:
    """Shuffle the rows."""
    rows = random.shuffle(jnp.arange(len(value)), seed=seed)
    return jnp.take(jnp.asarray(unwrap(value)), rows, axis=0)


def categorical(logits: Any, num_samples: Any, dtype: Any = "int64", seed: Any = None, name: Any = None) -> Any:
    """Sample classes with probabilities softmax(logits)."""
    return random.categorical(logits, num_samples, "int32", seed)


RANDOM: dict[str, Any] = {
    "categorical": categorical, "normal": normal, "set_seed": random.set_global_seed, "shuffle": shuffle,
    "truncated_normal": truncated_normal, "uniform": uniform,
}  # fmt: skip
