"""Random numbers: `SeedGenerator` and draws from distributions, the same numbers as Keras on JAX for the same seed."""

import random as python_random
import threading

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core import context, dtypes
from lamina.core.configurable import Configurable
from lamina.core.op import op
from lamina.core.variable import Variable
from lamina.errors import CallError, ConfigError, ShapeError
from lamina.kernels.random_bits import bernoulli

__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "set_global_seed",
    "shuffle", "truncated_normal", "uniform",
]  # fmt: skip

_ONE_DRAW = np.array([0, 1], "uint32")


def is_seed(seed):
    """Whether `seed` is an integer."""
    return isinstance(seed, (int, np.integer))


def default_seed():
    """A seed for what is given none, from Python's `random`: `set_random_seed` and `random.seed` fix it."""
    return python_random.randint(1, int(1e9))


_drawing = threading.RLock()  # layers of data draw in threads: no two draws may get one key


class SeedGenerator(Configurable):
    """A seed that moves on with each draw: `state` is the pair (seed, number of draws so far), which is a key of JAX.

    Hand one as `seed` to draws inside a layer: the state is a variable, so a compiled step gives new numbers each time.

    >>> import lamina as keras
    >>> seed = keras.random.SeedGenerator(5)
    >>> seed.next(), seed.next()
    (Array([5, 0], dtype=uint32), Array([5, 1], dtype=uint32))
    """

    _config_skips = frozenset({"kwargs"})

    def __init__(self, seed=None, name=None, **kwargs):
        if kwargs:
            raise ConfigError(f"SeedGenerator takes seed and name; got {', '.join(kwargs)}.")
        if seed is not None and (not is_seed(seed) or not 0 <= seed < 2**32):
            raise ConfigError(f"A seed is an integer from 0 to 2**32 - 1; got {seed!r}.")
        self.seed = None if seed is None else int(seed)
        self.name = name or context.unique_name("seed_generator")
        start = np.array([default_seed() if seed is None else seed, 0], "uint32")
        with context.name_scope(self.name):
            self.state = Variable(start, dtype="uint32", trainable=False, autocast=False, name="seed_generator_state")

    def next(self, ordered=True):
        """The key for one draw; the state moves on: it counts or, with `ordered=False`, scatters."""
        with _drawing:
            key = self.state.read()
            moved = key + _ONE_DRAW if ordered else (key + jnp.uint32(1)) * 5387 % 933199
            if isinstance(moved, Tracer) and not context.is_bound():
                raise CallError(
                    f"A draw from {self.name!r} inside a function that JAX compiles would leave its state behind.",
                    fix="Pass seed=<int>, or carry seed_generator.state through it with stateless_call or bind.",
                )
            self.state.write(moved)
        return key


_global_generator = _global_seed = None


def global_seed():
    """The seed that `set_global_seed` set last, or None."""
    return _global_seed


def global_seed_generator():
    """The SeedGenerator of draws that are given no seed; made when first asked for."""
    global _global_generator
    if _global_generator is None:
        with context.concrete(), context.without_distribution():
            _global_generator = SeedGenerator(default_seed(), name="global_seed_generator")
        context.global_state("global_seed_generator", _global_generator.state)
    return _global_generator


def set_global_seed(seed):
    """Fix all random numbers of this process: Python's, NumPy's, initial values and draws that are given no seed."""
    global _global_generator, _global_seed
    if not is_seed(seed) or not 0 <= seed < 2**32:
        raise ConfigError(f"A seed is an integer from 0 to 2**32 - 1; got {seed!r}.")
    python_random.seed(int(seed))
    np.random.seed(int(seed))
    _global_generator, _global_seed = None, int(seed)


def draw_seed(seed):
    """A key of JAX from an integer, a SeedGenerator, a key, or None (the global generator)."""
    if seed is None:
        return global_seed_generator().next(ordered=False)
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, jax.Array) and (seed.dtype == "uint32" or jnp.issubdtype(seed.dtype, jax.dtypes.prng_key)):
        return seed
    if not is_seed(seed) or not 0 <= seed < 2**32:
        raise ConfigError(f"seed is an integer from 0 to 2**32 - 1 or a SeedGenerator; got {seed!r}.")
    return jax.device_put(np.array([seed, 0], "uint32"))


def _float(dtype):
    """The type of a draw of floats, checked."""
    if not dtypes.is_float(dtype):
        raise ConfigError(f"A draw of floats has a float dtype; got {dtypes.standardize_dtype(dtype)!r}.")
    return jax.dtypes.canonicalize_dtype(dtypes.numpy_dtype(dtype))


def _shape(shape):
    return (int(shape),) if np.ndim(shape) == 0 else tuple(int(size) for size in shape)


@op(settings=("shape",), name="random_normal")
def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Draws from the normal distribution.

    >>> normal((2,), seed=5)
    Array([-0.6510326 , -0.42383033], dtype=float32)
    """
    dtype = _float(dtype)
    return (jax.random.normal(draw_seed(seed), _shape(shape), dtype) * stddev + mean).astype(dtype)


@op(settings=("shape",), name="random_uniform")
def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Draws evenly from [minval, maxval)."""
    return jax.random.uniform(draw_seed(seed), _shape(shape), _float(dtype), minval, maxval)


@op(settings=("shape", "minval", "maxval"), name="random_randint")
def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Draws evenly from the integers of [minval, maxval)."""
    dtype = "int32" if dtype is None else dtype
    if not dtypes.is_integer(dtype):
        raise ConfigError(f"randint has an integer dtype; got {dtypes.standardize_dtype(dtype)!r}.", fix="Use uniform.")
    dtype = jax.dtypes.canonicalize_dtype(dtypes.numpy_dtype(dtype))
    return jax.random.randint(draw_seed(seed), _shape(shape), minval, maxval, dtype)


@op(settings=("shape",), name="random_truncated_normal")
def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Draws from the normal distribution, those further than 2 `stddev` from `mean` drawn anew."""
    dtype = _float(dtype)
    return (jax.random.truncated_normal(draw_seed(seed), -2.0, 2.0, _shape(shape), dtype) * stddev + mean).astype(dtype)


@op(settings=("num_samples",), name="random_categorical")
def categorical(logits, num_samples, dtype="int32", seed=None):
    """Draws of classes with probabilities softmax(logits). Shapes: (batch, classes) -> (batch, num_samples)."""
    logits = jnp.asarray(logits)
    if logits.ndim != 2:
        raise ShapeError(f"categorical needs logits of shape (batch, classes); got {logits.shape}.")
    shape = (logits.shape[0], num_samples)
    draws = jax.random.categorical(draw_seed(seed), logits[..., None], axis=1, shape=shape)
    return draws.astype(jax.dtypes.canonicalize_dtype(dtypes.numpy_dtype(dtype)))


@op(settings=("rate",), name="random_dropout")
def dropout(inputs, rate, noise_shape=None, seed=None):
    """`inputs / (1 - rate)` with each value 0 at probability `rate` (Srivastava et al., 2014).

    `noise_shape` says which values fall together: a size of 1 is shared along its axis, None takes the input's size.
    """
    inputs = jnp.asarray(inputs)
    if rate >= 1.0:
        return jnp.zeros_like(inputs)
    if rate <= 0.0:
        return inputs
    sizes = inputs.shape if noise_shape is None else noise_shape
    shape = tuple(size if given is None else given for given, size in zip(sizes, inputs.shape, strict=True))
    keep = 1.0 - rate
    return jnp.where(bernoulli(draw_seed(seed), keep, shape), inputs / keep, 0)


@op(name="random_shuffle")
def shuffle(x, axis=0, seed=None):
    """`x` with the values along `axis` in a random order, another one for each position of the other axes."""
    return jax.random.permutation(draw_seed(seed), jnp.asarray(x), axis, independent=True)


@op(settings=("shape",), name="random_gamma")
def gamma(shape, alpha, dtype=None, seed=None):
    """Draws from the gamma distribution of shape `alpha` and scale 1."""
    return jax.random.gamma(draw_seed(seed), alpha, _shape(shape), _float(dtype))


@op(settings=("shape",), name="random_binomial")
def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """Draws of how many of `counts` trials succeed at `probabilities`."""
    counts, probabilities = jnp.asarray(counts), jnp.asarray(probabilities)
    return jax.random.binomial(draw_seed(seed), counts, probabilities, _shape(shape), _float(dtype))


@op(settings=("shape",), name="random_beta")
def beta(shape, alpha, beta, dtype=None, seed=None):
    """Draws from the beta distribution."""
    return jax.random.beta(draw_seed(seed), alpha, beta, _shape(shape), _float(dtype))
