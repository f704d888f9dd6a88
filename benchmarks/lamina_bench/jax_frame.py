"""Frame: supplies weights in order of use to models written as plain functions."""

import contextlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

__all__ = ["Frame", "initial"]


def normalize(x, mean, variance, epsilon):
    """Standardize with a given mean and variance."""
    return (x - mean) * lax.rsqrt(variance + epsilon)


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

    def dense(self, x, units):
        """x @ kernel + bias."""
        return x @ self.weight(x.shape[-1], units) + self.zeros(units)

    def convolution(self, x, filters, size, strides=1, padding="SAME", bias=True, groups=1):
        """A convolution with as many spatial axes as x has."""
        rank = x.ndim - 2
        size = (size,) * rank if isinstance(size, int) else size
        kernel = self.weight(*size, x.shape[-1] // groups, filters)
        axes = "HWD"[:rank]
        layout = (f"N{axes}C", f"{axes}IO", f"N{axes}C")
        x = lax.conv_general_dilated(
            x, kernel, (strides,) * rank, padding, dimension_numbers=layout, feature_group_count=groups
        )
        return x + self.zeros(filters) if bias else x

    def transposed(self, x, filters, size, strides=1):
        """A transposed convolution with "same" padding and a bias."""
        rank = x.ndim - 2
        kernel = self.weight(*(size,) * rank, filters, x.shape[-1])
        axes = "HWD"[:rank]
        layout = (f"N{axes}C", f"{axes}OI", f"N{axes}C")
        x = lax.conv_transpose(x, kernel, (strides,) * rank, "SAME", dimension_numbers=layout)
        return x + self.zeros(filters)

    def batch_norm(self, x, scale=True, frozen=False, epsilon=1e-3, momentum=0.99):
        """Batch normalization, with batch statistics in training and moving averages in inference."""
        channels = x.shape[-1]
        gamma = self.ones(channels) if scale else 1.0
        beta = self.zeros(channels)
        mean, variance = self.statistic(channels, np.zeros), self.statistic(channels, np.ones)
        if self.training and not frozen:
            axes = tuple(range(x.ndim - 1))
            moving, mean, variance = (mean, variance), x.mean(axes), x.var(axes)
            for old, new in zip(moving, (mean, variance), strict=True):
                self.update(momentum * old + (1 - momentum) * new)
        else:
            self.update(mean)
            self.update(variance)
        return normalize(x, mean, variance, epsilon) * gamma + beta

    def layer_norm(self, x, epsilon=1e-6):
        """Layer normalization over the last axis."""
        x = normalize(x, x.mean(-1, keepdims=True), x.var(-1, keepdims=True), epsilon)
        return x * self.ones(x.shape[-1]) + self.zeros(x.shape[-1])

    def dropout(self, x, rate):
        """Set random elements to zero during training and scale up the others."""
        if not self.training:
            return x
        return jnp.where(jax.random.bernoulli(self.key(), 1 - rate, x.shape), x / (1 - rate), 0.0)

    def embedding(self, x, count, units):
        """Rows of a table."""
        return self.weight(count, units)[x]

    def lstm(self, x, units):
        """The last output of an LSTM. The projection of the inputs is computed before the loop over time."""
        kernel, recurrent = self.weight(x.shape[-1], 4 * units), self.weight(units, 4 * units)
        projected = (x @ kernel + self.zeros(4 * units)).swapaxes(0, 1)

        def step(state, given):
            hidden, cell = state
            enter, forget, new, leave = jnp.split(given + hidden @ recurrent, 4, -1)
            cell = jax.nn.sigmoid(forget) * cell + jax.nn.sigmoid(enter) * jnp.tanh(new)
            return (jax.nn.sigmoid(leave) * jnp.tanh(cell), cell), None

        zeros = jnp.zeros((len(x), units))
        return lax.scan(step, (zeros, zeros), projected)[0][0]

    def gru(self, x, units):
        """The last output of a GRU with separate biases for the input and recurrent projections."""
        kernel, recurrent = self.weight(x.shape[-1], 3 * units), self.weight(units, 3 * units)
        bias = self.zeros(2, 3 * units)
        projected = (x @ kernel + bias[0]).swapaxes(0, 1)

        def step(hidden, given):
            inner = hidden @ recurrent + bias[1]
            given_gates, given_new = jnp.split(given, [2 * units], -1)
            inner_gates, inner_new = jnp.split(inner, [2 * units], -1)
            keep, reset = jnp.split(jax.nn.sigmoid(given_gates + inner_gates), 2, -1)
            new = jnp.tanh(given_new + reset * inner_new)
            return keep * hidden + (1 - keep) * new, None

        return lax.scan(step, jnp.zeros((len(x), units)), projected)[0]

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
