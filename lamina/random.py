"""Random numbers: `SeedGenerator` and draws from distributions, the same numbers as Keras on JAX for the same seed."""

from __future__ import annotations

import random as python_random
import threading
from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina.core import context, dtypes
from lamina.core.arguments import one_shape, rank, whole
from lamina.core.configurable import Configurable
from lamina.core.keywords import keywords
from lamina.core.lazy import missing_from
from lamina.core.op import op
from lamina.core.typing import DTypeLike, SeedLike, Size, Tensor, TensorLike
from lamina.core.variable import Variable
from lamina.errors import CallError, ConfigError
from lamina.kernels.random_bits import bernoulli

__all__ = [
    "SeedGenerator", "beta", "binomial", "categorical", "dropout", "gamma", "normal", "randint", "set_global_seed",
    "shuffle", "truncated_normal", "uniform",
]  # fmt: skip
__getattr__: Any = missing_from(__name__)

NumberLike: TypeAlias = "float | jax.Array | np.ndarray[Any, Any]"
"""A parameter of a distribution: a number, or an array that broadcasts to the shape of the result."""

_ONE_DRAW = np.array([0, 1], "uint32")


def default_seed() -> int:
    """A new seed from Python's `random`, which `set_random_seed` and `random.seed` fix."""
    return python_random.randint(1, int(1e9))


_drawing = threading.RLock()  # data pipelines draw in threads: no two draws may get the same key


class SeedGenerator(Configurable):
    """A seed that advances with each draw: `state` is the pair (seed, number of draws so far), which is a key of JAX.

    Pass one as `seed` to draws inside a layer: the state is a variable, so a compiled step draws new numbers each time.

    Args:
        seed: Whole number from 0 to 2**32 - 1; None draws one.
        name: Name of the generator, and the first part of its variable's path.

    Raises:
        ConfigError: The seed is not a whole number of 32 bits.

    >>> import lamina as keras
    >>> keras.random.SeedGenerator(5).next()
    Array([5, 0], dtype=uint32)
    """

    _config_skips, _read_by_calls = frozenset({"kwargs"}), ("state",)  # for the latter see core/program_settings.py

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        self.backend: Any = kwargs.pop("backend", None)  # kept for those who gave it; the numbers are JAX's
        keywords("SeedGenerator", kwargs)
        if seed is not None:
            whole("SeedGenerator", "seed", seed, 0, 2**32 - 1, example=1)
        self.seed: int | None = None if seed is None else int(seed)
        self.name: str = name or context.unique_name("seed_generator")
        start = np.array([default_seed() if seed is None else seed, 0], "uint32")
        with context.name_scope(self.name):
            self.state: Variable = Variable(
                start, dtype="uint32", trainable=False, autocast=False, name="seed_generator_state"
            )

    def next(self, ordered: bool = True) -> Tensor:
        """The key for one draw; the state advances.

        Args:
            ordered: Whether the state counts up. False changes it by a step that scatters.

        Raises:
            CallError: In a function that JAX compiles, where no `bind` carries the state.
        """
        with _drawing:
            key = self.state.read()
            advanced = key + _ONE_DRAW if ordered else (key + jnp.uint32(1)) * 5387 % 933199
            if isinstance(advanced, Tracer) and not context.is_bound():
                raise CallError(
                    f"A draw from {self.name!r} inside a function that JAX compiles would leave its state behind.",
                    fix="Pass seed=<int>, or carry seed_generator.state through it with stateless_call or bind.",
                )
            self.state.write(advanced)
        return key


_global_generator: SeedGenerator | None = None
_global_seed: int | None = None


def global_seed() -> int | None:
    """The seed that `set_global_seed` set last, or None."""
    return _global_seed


def global_seed_generator() -> SeedGenerator:
    """The SeedGenerator of draws without a seed; it is made at the first such draw."""
    global _global_generator
    if _global_generator is None:
        with context.concrete(), context.without_distribution():
            _global_generator = SeedGenerator(default_seed(), name="global_seed_generator")
        context.global_state("global_seed_generator", _global_generator.state)
    return _global_generator


def set_global_seed(seed: int) -> None:
    """Fix all random numbers of this process: Python's, NumPy's, initial values and draws without a seed.

    Args:
        seed: Whole number from 0 to 2**32 - 1.

    Raises:
        ConfigError: The seed is not a whole number of 32 bits.
    """
    global _global_generator, _global_seed
    seed = whole("set_random_seed", "seed", seed, 0, 2**32 - 1, example=1)
    python_random.seed(seed)
    np.random.seed(seed)
    _global_generator, _global_seed = None, seed


def draw_seed(seed: SeedLike) -> Tensor:
    """A key of JAX for one draw.

    Args:
        seed: Whole number, SeedGenerator, key of JAX, or None for the global generator.

    Raises:
        ConfigError: The seed is of another kind.
    """
    if seed is None:
        return global_seed_generator().next(ordered=False)
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, jax.Array) and (seed.dtype == "uint32" or jnp.issubdtype(seed.dtype, jax.dtypes.prng_key)):
        return seed
    whole("A draw", "seed", seed, 0, 2**32 - 1, example=1)
    return jax.device_put(np.array([seed, 0], "uint32"))


def _float(dtype):
    """The type of a draw of floats, checked."""
    if not dtypes.is_float(dtype):
        raise ConfigError(
            f"A draw of floats has a float dtype; got {dtypes.standardize_dtype(dtype)!r}.",
            fix="dtype='float32'; keras.random.randint draws integers.",
        )
    return jax.dtypes.canonicalize_dtype(dtypes.numpy_dtype(dtype))


def _shape(shape):
    return (int(shape),) if np.ndim(shape) == 0 else tuple(int(size) for size in shape)


@op(settings=("shape",), name="random_normal")
def normal(
    shape: Size, mean: NumberLike = 0.0, stddev: NumberLike = 1.0, dtype: DTypeLike | None = None, seed: SeedLike = None
) -> Tensor:
    """Draws from the normal distribution.

    Args:
        shape: Shape of the result.
        mean: Mean of the distribution.
        stddev: Standard deviation of the distribution.
        dtype: Float type of the result; None means `keras.config.floatx()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.

    >>> normal((2,), seed=5)
    Array([-0.6510326 , -0.42383033], dtype=float32)
    """
    dtype = _float(dtype)
    return (jax.random.normal(draw_seed(seed), _shape(one_shape(shape, mean)), dtype) * stddev + mean).astype(dtype)


@op(settings=("shape",), name="random_uniform")
def uniform(
    shape: Size,
    minval: NumberLike = 0.0,
    maxval: NumberLike = 1.0,
    dtype: DTypeLike | None = None,
    seed: SeedLike = None,
) -> Tensor:
    """Draws evenly from [minval, maxval).

    Args:
        shape: Shape of the result.
        minval: Lower bound, which may be drawn.
        maxval: Upper bound, which is never drawn.
        dtype: Float type of the result; None means `keras.config.floatx()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
    """
    return jax.random.uniform(draw_seed(seed), _shape(one_shape(shape, minval)), _float(dtype), minval, maxval)


@op(settings=("shape", "minval", "maxval"), name="random_randint")
def randint(
    shape: Size, minval: NumberLike, maxval: NumberLike, dtype: DTypeLike | None = "int32", seed: SeedLike = None
) -> Tensor:
    """Draws evenly from the integers of [minval, maxval).

    Args:
        shape: Shape of the result.
        minval: Lower bound, which may be drawn.
        maxval: Upper bound, which is never drawn.
        dtype: Integer type of the result.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.

    Raises:
        ConfigError: `dtype` is no integer type.
    """
    dtype = "int32" if dtype is None else dtype
    if not dtypes.is_integer(dtype):
        raise ConfigError(
            f"randint has an integer dtype; got {dtypes.standardize_dtype(dtype)!r}.", fix="dtype='int32'"
        )
    dtype = jax.dtypes.canonicalize_dtype(dtypes.numpy_dtype(dtype))
    return jax.random.randint(draw_seed(seed), _shape(shape), minval, maxval, dtype)


@op(settings=("shape",), name="random_truncated_normal")
def truncated_normal(
    shape: Size, mean: NumberLike = 0.0, stddev: NumberLike = 1.0, dtype: DTypeLike | None = None, seed: SeedLike = None
) -> Tensor:
    """Draws from the normal distribution; those further than 2 `stddev` from `mean` are drawn again.

    Args:
        shape: Shape of the result.
        mean: Mean of the distribution before it is truncated.
        stddev: Standard deviation of the distribution before it is truncated.
        dtype: Float type of the result; None means `keras.config.floatx()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
    """
    dtype = _float(dtype)
    return (jax.random.truncated_normal(draw_seed(seed), -2.0, 2.0, _shape(shape), dtype) * stddev + mean).astype(dtype)


@op(settings=("num_samples",), name="random_categorical")
def categorical(
    logits: TensorLike, num_samples: int, dtype: DTypeLike | None = "int32", seed: SeedLike = None
) -> Tensor:
    """Draws of classes with probabilities softmax(logits).

    Shapes: (batch, classes) -> (batch, num_samples).

    Args:
        logits: Logits of shape (batch, classes).
        num_samples: Number of draws for each row.
        dtype: Integer type of the result.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.

    Raises:
        ShapeError: `logits` is no matrix.
    """
    logits = jnp.asarray(logits)
    rank("categorical", "logits", logits.shape, 2, 2, "(batch, classes)")
    shape = (logits.shape[0], num_samples)
    draws = jax.random.categorical(draw_seed(seed), logits[..., None], axis=1, shape=shape)
    return draws.astype(jax.dtypes.canonicalize_dtype(dtypes.numpy_dtype(dtype)))


@op(settings=("rate",), name="random_dropout")
def dropout(
    inputs: TensorLike, rate: float, noise_shape: Sequence[int | None] | None = None, seed: SeedLike = None
) -> Tensor:
    """`inputs / (1 - rate)`, in which each value is 0 with probability `rate` (Srivastava et al., 2014).

    Args:
        inputs: Tensor.
        rate: Probability of 0, from 0 to 1.
        noise_shape: Shape of the noise. A size of 1 is shared along its axis, None stands for the size of the input.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
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
def shuffle(x: TensorLike, axis: int = 0, seed: SeedLike = None) -> Tensor:
    """The values along one axis in a random order, a different one for each position of the other axes.

    Args:
        x: Tensor.
        axis: Axis whose values are shuffled.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
    """
    return jax.random.permutation(draw_seed(seed), jnp.asarray(x), axis, independent=True)


@op(settings=("shape",), name="random_gamma")
def gamma(shape: Size, alpha: NumberLike, dtype: DTypeLike | None = None, seed: SeedLike = None) -> Tensor:
    """Draws from the gamma distribution of shape `alpha` and scale 1.

    Args:
        shape: Shape of the result.
        alpha: Shape parameter of the distribution.
        dtype: Float type of the result; None means `keras.config.floatx()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
    """
    return jax.random.gamma(draw_seed(seed), jnp.asarray(alpha), _shape(shape), _float(dtype))


@op(settings=("shape",), name="random_binomial")
def binomial(
    shape: Size, counts: NumberLike, probabilities: NumberLike, dtype: DTypeLike | None = None, seed: SeedLike = None
) -> Tensor:
    """Draws from the binomial distribution: numbers of trials that succeed.

    Args:
        shape: Shape of the result.
        counts: Numbers of trials.
        probabilities: Probabilities that a trial succeeds.
        dtype: Float type of the result; None means `keras.config.floatx()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
    """
    trials = jnp.asarray(counts), jnp.asarray(probabilities)
    return jax.random.binomial(draw_seed(seed), *trials, _shape(shape), _float(dtype))


@op(settings=("shape",), name="random_beta")
def beta(
    shape: Size, alpha: NumberLike, beta: NumberLike, dtype: DTypeLike | None = None, seed: SeedLike = None
) -> Tensor:
    """Draws from the beta distribution.

    Args:
        shape: Shape of the result.
        alpha, beta: Parameters of the distribution.
        dtype: Float type of the result; None means `keras.config.floatx()`.
        seed: Whole number or `keras.random.SeedGenerator`; None draws one.
    """
    return jax.random.beta(draw_seed(seed), jnp.asarray(alpha), jnp.asarray(beta), _shape(shape), _float(dtype))
