"""tf.random: the numbers of TensorFlow, bit for bit where they come from its counter-based generator Philox."""

from __future__ import annotations

import random as python_random
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from lamina import random
from lamina.compat.arrays import array, dims
from lamina.compat.host import is_text, on_host, texts
from lamina.compat.lifting import NeedsEager, inside
from lamina.compat.philox import philox, philox_normal, philox_truncated, philox_uniform, stateless_seed
from lamina.core.dtypes import is_integer, standardize_dtype
from lamina.core.variable import unwrap
from lamina.errors import ConfigError

__all__ = ["RANDOM", "RANDOM_EXPERIMENTAL", "Generator"]


def _integers(key, counter, shape, low, high, dtype):
    count, kind = int(np.prod(shape)), np.dtype(dtype)
    words = philox(key, counter, -(-count // 4) if kind.itemsize <= 4 else -(-count // 2)).ravel()
    if kind.itemsize == 8:
        pairs = words.reshape(-1, 2).astype(np.uint64)
        words = pairs[:, 0] | pairs[:, 1] << np.uint64(32)
    if low is None:
        return words[:count].view(kind).reshape(shape)
    return (
        (int(low) + (words[:count] % words.dtype.type(int(high) - int(low))).astype("int64"))
        .astype(kind)
        .reshape(shape)
    )


class _Source:
    """Draws from Philox: each is given (key, counter) for a number of samples."""

    def draw(self, count: int) -> tuple[int, int]:
        """(key, counter) of the next draw.

        Args:
            count: Number of samples.
        """
        raise NotImplementedError

    def uniform(self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", name: Any = None) -> Any:
        """Numbers from minval up to maxval."""
        shape = dims(shape)
        key, counter = self.draw(int(np.prod(shape)))
        if is_integer(standardize_dtype(dtype)):
            if maxval is None and minval is not None:
                raise ConfigError("Uniform integers need maxval.", fix="maxval=10")
            return _given(_integers(key, counter, shape, minval, maxval, dtype))
        found = philox_uniform(key, counter, shape, dtype)
        return jnp.asarray(found) * (array(1.0 if maxval is None else maxval) - minval) + minval

    def normal(self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32", name: Any = None) -> Any:
        """Normal numbers."""
        shape = dims(shape)
        found = philox_normal(*self.draw(int(np.prod(shape))), shape, dtype)
        return jnp.asarray(found) * array(stddev) + array(mean)

    def truncated_normal(self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = "float32",
                         name: Any = None) -> Any:  # fmt: skip
        """Normal numbers of at most two standard deviations."""
        shape = dims(shape)
        found = philox_truncated(*self.draw(int(np.prod(shape))), shape, dtype)
        return jnp.asarray(found) * array(stddev) + array(mean)

    def _jax_key(self, shape):
        key, counter = self.draw(int(np.prod(shape)))
        return jax.random.fold_in(jax.random.key(key & 0xFFFFFFFF), (counter ^ counter >> 64 ^ key >> 32) & 0xFFFFFFFF)

    def uniform_full_int(self, shape: Any, dtype: Any = "uint64", name: Any = None) -> Any:
        """Whole numbers of all values."""
        shape = dims(shape)
        return _given(_integers(*self.draw(int(np.prod(shape))), shape, None, None, dtype))

    def binomial(self, shape: Any, counts: Any, probs: Any, dtype: Any = "int32", name: Any = None) -> Any:
        """Numbers of successes."""
        shape = dims(shape)
        return jax.random.binomial(self._jax_key(shape), array(counts, "float32"), array(probs), shape).astype(
            standardize_dtype(dtype))  # fmt: skip

    def gamma(self, shape: Any, alpha: Any, beta: Any = 1.0, dtype: Any = "float32", name: Any = None) -> Any:
        """Samples of the gamma distribution."""
        shape, alpha = dims(shape), array(alpha, dtype)
        return jax.random.gamma(self._jax_key(shape), alpha, shape) / array(beta)

    def poisson(self, shape: Any, lam: Any, dtype: Any = "int32", name: Any = None) -> Any:
        """Samples of the Poisson distribution."""
        shape = dims(shape)
        return jax.random.poisson(self._jax_key(shape), array(lam, "float32"), shape).astype(standardize_dtype(dtype))

    def categorical(self, logits: Any, num_samples: Any, dtype: Any = "int64", name: Any = None) -> Any:
        """Classes with the probabilities softmax(logits)."""
        logits = array(logits, "float32")
        shape = (logits.shape[0], int(num_samples))
        found = jax.random.categorical(self._jax_key(shape), logits[:, None], axis=-1, shape=shape)
        return found.astype("int32")

    def shuffle(self, value: Any, name: Any = None) -> Any:
        """The rows in another order."""
        rows = np.arange(len(value))
        words = philox(*self.draw(len(value)), -(-len(value) // 4)).ravel().tolist()
        for at in range(len(value) - 1):
            other = at + words[at] % (len(value) - at)
            rows[[at, other]] = rows[[other, at]]
        return on_host(texts(value)[rows]) if is_text(value) else jnp.take(array(value), rows, axis=0)


def _in_compiled():
    """Whether a function is being compiled."""
    return isinstance(jnp.zeros(()), Tracer)


def _given(found):
    return on_host(found) if found.dtype.itemsize == 8 else jnp.asarray(found)


class _Stateless(_Source):
    def __init__(self, seed):
        self.state = stateless_seed(seed)

    def draw(self, count):
        return self.state


class _Op(_Source):
    """One operation with the seeds of `set_seed` and its own."""

    def __init__(self, seed, name):
        self.seed, self.name = seed, name

    def draw(self, count):
        first = _GLOBAL["seed"]
        if first is None:
            if self.seed is None:
                return python_random.getrandbits(64), python_random.getrandbits(64) << 64
            first, second = 87654321, self.seed
        else:
            second = _GLOBAL["rng"].randint(0, 2**31 - 1) if self.seed is None else self.seed
        if self.seed is not None:  # the same operation goes on where it stopped
            place = _GLOBAL["used"].get((self.name, first, second), 0)
            _GLOBAL["used"][self.name, first, second] = place + 256 * count
            return int(first), int(second) << 64 | place
        return int(first), int(second) << 64


_GLOBAL: dict[str, Any] = {"seed": None, "rng": None, "used": {}, "generator": None}


def set_seed(seed: int) -> None:
    """`tf.random.set_seed`: fix all random numbers, also Keras's and those of data sets."""
    random.set_global_seed(int(seed))
    _GLOBAL.update(seed=int(seed), rng=python_random.Random(int(seed)), used={})


class Generator(_Source):
    """`tf.random.Generator`: a counter and a key."""

    def __init__(self, copy_from: Any = None, state: Any = None, alg: Any = "philox") -> None:
        given = copy_from.state if copy_from is not None else state
        numbers = [int(one) & (2**64 - 1) for one in np.asarray(unwrap(given)).ravel().tolist()]
        self._counter, self._key = numbers[0] | numbers[1] << 64, numbers[2]

    @classmethod
    def from_seed(cls, seed: Any, alg: Any = "philox") -> Generator:
        """A generator from one number."""
        return cls(state=[*np.ravel(unwrap(seed)).tolist(), 0, 0][:3])

    @classmethod
    def from_state(cls, state: Any, alg: Any = "philox") -> Generator:
        """A generator from the state of another."""
        return cls(state=state)

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = "philox") -> Generator:
        """A generator from chance."""
        return cls(state=[0, 0, python_random.SystemRandom().getrandbits(63)])

    @classmethod
    def from_key_counter(cls, key: Any, counter: Any, alg: Any = "philox") -> Generator:
        """A generator from a key and a counter of two numbers."""
        return cls(state=[*np.ravel(unwrap(counter)).tolist(), int(np.ravel(unwrap(key))[0])])

    @property
    def state(self) -> Any:
        """Counter (two numbers) and key."""
        numbers = [self._counter & (2**64 - 1), self._counter >> 64, self._key]
        return on_host(np.asarray(numbers, np.uint64).view(np.int64))

    @property
    def key(self) -> Any:
        """The key."""
        return self.state[2]

    @property
    def algorithm(self) -> int:
        """1, for Philox."""
        return 1

    def reset(self, state: Any) -> None:
        """Go to a state."""
        self.__init__(state=state)

    def reset_from_seed(self, seed: Any) -> None:
        """Begin anew with a seed."""
        self.__init__(copy_from=Generator.from_seed(seed))

    def reset_from_key_counter(self, key: Any, counter: Any) -> None:
        """Begin anew with a key and a counter."""
        self.__init__(copy_from=Generator.from_key_counter(key, counter))

    def skip(self, delta: int) -> Any:
        """Go on by as many blocks as `delta` samples take, each of 256."""
        before = self.state
        self._counter = (self._counter + int(delta) * 256) % 2**128
        return before

    def draw(self, count: int) -> tuple[int, int]:
        """The key and counter now; the counter goes on by 256 for each number, as in TensorFlow.

        Args:
            count: Number of samples.
        """
        at = self._key, self._counter
        self.skip(count)
        return at

    def __getattribute__(self, name: str) -> Any:
        method = object.__getattribute__(self, name)
        if name not in _DRAWS or not _in_compiled():
            return method
        if inside():
            raise NeedsEager("it draws from a tf.random.Generator, whose numbers are made on the host")
        return _COMPILED.get(name, method)  # numbers of the host would be constants of the compiled function

    def make_seeds(self, count: int = 1) -> Any:
        """(2, count) seeds for `stateless_*`."""
        numbers = np.asarray(self.uniform_full_int([int(count)], "int64"))
        return on_host(np.stack([numbers, np.zeros_like(numbers)]))

    def split(self, count: int = 1) -> list[Generator]:
        """Generators that are independent of each other."""
        numbers = np.asarray(self.uniform_full_int([int(count)], "int64"))
        return [Generator(state=[0, 0, number]) for number in numbers.tolist()]


def get_global_generator() -> Generator:
    """`tf.random.get_global_generator`."""
    if _GLOBAL["generator"] is None:
        _GLOBAL["generator"] = Generator.from_non_deterministic_state() if _GLOBAL["seed"] is None else (
            Generator.from_seed(_GLOBAL["seed"]))  # fmt: skip
    return _GLOBAL["generator"]


def _compiled_uniform(shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = "float32", seed: Any = None) -> Any:
    if is_integer(standardize_dtype(dtype)):
        return random.randint(dims(shape), minval, maxval, dtype, seed)
    return random.uniform(dims(shape), minval, 1.0 if maxval is None else maxval, dtype, seed)


def _compiled_shuffle(value, seed=None):
    return jnp.take(array(value), random.shuffle(jnp.arange(len(value)), seed=seed), axis=0)


_COMPILED: dict[str, Any] = {
    "uniform": _compiled_uniform, "shuffle": _compiled_shuffle,
    "normal": lambda shape, mean=0.0, stddev=1.0, dtype="float32", seed=None: random.normal(
        dims(shape), mean, stddev, dtype, seed),
    "truncated_normal": lambda shape, mean=0.0, stddev=1.0, dtype="float32", seed=None: random.truncated_normal(
        dims(shape), mean, stddev, dtype, seed),
    "categorical": lambda logits, num_samples, dtype="int64", seed=None: random.categorical(
        logits, num_samples, "int32", seed),
    "gamma": lambda shape, alpha, beta=1.0, dtype="float32", seed=None: random.gamma(
        dims(shape), array(alpha), dtype, seed) / array(beta),
}  # fmt: skip


def _op(name):
    def draw(*args, seed=None, **kwargs):
        kwargs.pop("name", None)
        if name in ("gamma", "poisson"):  # samples of this shape for each of the rates
            shape, *rest = args or (kwargs.pop("shape"),)
            rates = *rest[:2], *(kwargs[one] for one in ("alpha", "beta", "lam") if one in kwargs)
            args = *((*dims(shape), *np.broadcast_shapes(*map(np.shape, rates))),), *rest
        if _in_compiled():  # numbers of the host would be constants of the compiled function
            return _COMPILED[name](*args, seed=seed, **kwargs)
        return getattr(_Op(seed, name), name)(*args, **kwargs)

    draw.__name__ = name
    return draw


def _stateless(name):
    def draw(*args, alg=None, **kwargs):
        given = list(args)
        seed = kwargs.pop("seed") if "seed" in kwargs else given.pop(2 if name == "categorical" else 1)
        return getattr(_Stateless(seed), name)(*given, **kwargs)

    return draw


def _dtype_of(seed):
    return np.asarray(unwrap(seed)).dtype if hasattr(seed, "dtype") else np.dtype("int32")


def split(seed: Any, num: Any = 2, alg: Any = None) -> Any:
    """`tf.random.split`: seeds (num, 2) from one."""
    return _Stateless(seed).uniform_full_int([int(num), 2], _dtype_of(seed))


def fold_in(seed: Any, data: Any, alg: Any = None) -> Any:
    """`tf.random.fold_in`: a seed from a seed and a number."""
    kind = _dtype_of(seed)
    first = np.asarray(_Stateless(seed).uniform_full_int([1], kind))
    return _given(np.concatenate([first, np.ravel(unwrap(data)).astype(kind)]))


_DRAWS = {name for name in vars(_Source) if name[0] != "_"} - {"draw"} | {"make_seeds", "split", "state"}
_KINDS = "uniform normal truncated_normal categorical gamma poisson".split()
RANDOM: dict[str, Any] = {
    **{name: _op(name) for name in [*_KINDS, "shuffle"]},
    **{f"stateless_{name}": _stateless(name) for name in [*_KINDS, "binomial"]},
    "stateless_parameterized_truncated_normal": _stateless("truncated_normal"), "Generator": Generator,
    "fold_in": fold_in,
    "get_global_generator": get_global_generator, "set_seed": set_seed, "split": split,
    "set_global_generator": lambda generator: _GLOBAL.update(generator=generator),
    "create_rng_state": lambda seed, alg="philox": Generator.from_seed(seed).state,
}  # fmt: skip
RANDOM["experimental"] = RANDOM_EXPERIMENTAL = SimpleNamespace(
    Generator=Generator, create_rng_state=RANDOM["create_rng_state"], get_global_generator=get_global_generator,
    set_global_generator=RANDOM["set_global_generator"], stateless_fold_in=fold_in, stateless_split=split,
    stateless_shuffle=lambda value, seed, alg=None, name=None: _Stateless(seed).shuffle(value),
)  # fmt: skip
