"""Frame: supplies weights in order of use to models written as plain functions."""

import contextlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["Frame", "initial"]


class Frame:
    """Gives a function its weights in the order in which it requests them. Without weights, it records what is
    requested.

    Args:
        trained: Trainable weights. None records the requests in `wanted`.
        fixed: Frozen weights.
        statistics: Moving averages.
        training: Whether this is a training step.
        key: Key for random numbers.
    """

    def __init__(self, trained=None, fixed=(), statistics=(), training=False, key: Any = None):
        self.wanted = {"trained": [], "fixed": [], "statistics": []}
        self.training = training
        self.updates = []
        self._notes_only = trained is None
        self._rest = {"trained": iter(trained or ()), "fixed": iter(fixed), "statistics": iter(statistics)}
        self._kind, self._key = "trained", key

    def weight(self, *shape):
        """A weight with Glorot uniform initialization."""
        return self._take(self._kind, shape, _glorot)

    def zeros(self, *shape):
        """A weight initialized with zeros, such as a bias."""
        return self._take(self._kind, shape, np.zeros)

    def ones(self, *shape):
        """A weight initialized with ones, such as a scale."""
        return self._take(self._kind, shape, np.ones)

    def statistic(self, channels, make):
        """A moving average, initialized with `make(shape)`."""
        return self._take("statistics", (channels,), make)

    def update(self, value):
        """Append the new value of the next moving average."""
        self.updates.append(value)

    def key(self):
        """A new random key."""
        self._key, key = jax.random.split(self._key)
        return key

    @contextlib.contextmanager
    def frozen(self):
        """Inside the block, requested weights are frozen."""
        self._kind = "fixed"
        yield
        self._kind = "trained"

    def _take(self, kind, shape, make):
        if not self._notes_only:
            return next(self._rest[kind])
        self.wanted[kind].append((shape, make))
        return jnp.zeros(shape)


def _glorot(shape):
    space = int(np.prod(shape[:-2]))
    limit = (6 / (space * (shape[-2] + shape[-1]))) ** 0.5
    return np.random.default_rng().uniform(-limit, limit, shape)


def initial(model, x):
    """{kind: arrays} that a model requests, found by one abstract evaluation (`jax.eval_shape`)."""
    frame = Frame()
    jax.eval_shape(lambda x: model(frame, x), x)
    return {
        kind: [np.asarray(make(shape), "float32") for shape, make in wanted] for kind, wanted in frame.wanted.items()
    }
