"""Weights by order of use, for models written as plain functions."""

import contextlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["Frame", "initial"]


class Frame:
    """Hands a function its weights in the order in which it asks for them; without weights it notes what is asked for.

    Args:
        trained: the weights that are trained; None to note them in `wanted`.
        fixed: those that are not.
        statistics: moving averages.
        training: whether this is a training step.
        key: for random numbers.
    """

    def __init__(self, trained=None, fixed=(), statistics=(), training=False, key: Any = None):
        self.wanted = {"trained": [], "fixed": [], "statistics": []}
        self.training = training
        self.updates = []
        self._notes_only = trained is None
        self._rest = {"trained": iter(trained or ()), "fixed": iter(fixed), "statistics": iter(statistics)}
        self._kind, self._key = "trained", key

    def weight(self, *shape):
        """Drawn by Glorot's uniform rule."""
        return self._take(self._kind, shape, _glorot)

    def zeros(self, *shape):
        """A bias."""
        return self._take(self._kind, shape, np.zeros)

    def ones(self, *shape):
        """A scale."""
        return self._take(self._kind, shape, np.ones)

    def statistic(self, channels, make):
        """A moving average, which begins as `make(shape)`."""
        return self._take("statistics", (channels,), make)

    def update(self, value):
        """The new value of a moving average, in order."""
        self.updates.append(value)

    def key(self):
        """A new key."""
        self._key, key = jax.random.split(self._key)
        return key

    @contextlib.contextmanager
    def frozen(self):
        """Weights asked for inside are not trained."""
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
    """kind -> the arrays that a model wants, by one run on shapes alone."""
    frame = Frame()
    jax.eval_shape(lambda x: model(frame, x), x)
    return {
        kind: [np.asarray(make(shape), "float32") for shape, make in wanted] for kind, wanted in frame.wanted.items()
    }
