"""The workloads in plain JAX: functions that request their weights from a Frame, channels last.

A function returns logits; the loss applies the softmax or sigmoid. An abstract evaluation of the function finds which
weights it needs.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina_bench.inception_table import STAGES, STEM

__all__ = [
    "autoencoder", "cnn_1d", "cnn_2d", "dense_32", "dense_128", "inception", "lstm", "regression", "resnet",
    "separable", "text_gru", "text_lstm", "transformer", "transposed_1d", "transposed_2d",
]  # fmt: skip


def dense(frame, x, units):
    """x @ kernel + bias."""
    return x @ frame.weight(x.shape[-1], units) + frame.zeros(units)


def convolution(frame, x, filters, size, strides=1, padding="SAME", bias=True, groups=1):
    """A convolution with as many spatial axes as x has."""
    rank = x.ndim - 2
    size = (size,) * rank if isinstance(size, int) else size
    kernel = frame.weight(*size, x.shape[-1] // groups, filters)
    axes = "HWD"[:rank]
    layout = (f"N{axes}C", f"{axes}IO", f"N{axes}C")
    x = lax.conv_general_dilated(
        x, kernel, (strides,) * rank, padding, dimension_numbers=layout, feature_group_count=groups
    )
    return x + frame.zeros(filters) if bias else x


def transposed(frame, x, filters, size, strides=1):
    """A transposed convolution with "same" padding and a bias."""
    rank = x.ndim - 2
    kernel = frame.weight(*(size,) * rank, filters, x.shape[-1])
    axes = "HWD"[:rank]
    layout = (f"N{axes}C", f"{axes}OI", f"N{axes}C")
    x = lax.conv_transpose(x, kernel, (strides,) * rank, "SAME", dimension_numbers=layout)
    return x + frame.zeros(filters)


def max_pool(x, size=2, strides=2):
    """Max pooling without padding."""
    rank = x.ndim - 2
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, *(size,) * rank, 1), (1, *(strides,) * rank, 1), "VALID")


def flatten(x):
    """Reshape to one row per sample."""
    return x.reshape(len(x), -1)


def normalize(x, mean, variance, epsilon):
    """Standardize with a given mean and variance."""
    return (x - mean) * lax.rsqrt(variance + epsilon)


def batch_norm(frame, x, scale=True, frozen=False, epsilon=1e-3, momentum=0.99):
    """Batch normalization, with batch statistics in training and moving averages in inference."""
    channels = x.shape[-1]
    gamma = frame.ones(channels) if scale else 1.0
    beta = frame.zeros(channels)
    mean, variance = frame.statistic(channels, np.zeros), frame.statistic(channels, np.ones)
    if frame.training and not frozen:
        axes = tuple(range(x.ndim - 1))
        moving, mean, variance = (mean, variance), x.mean(axes), x.var(axes)
        for old, new in zip(moving, (mean, variance), strict=True):
            frame.update(momentum * old + (1 - momentum) * new)
    else:
        frame.update(mean)
        frame.update(variance)
    return normalize(x, mean, variance, epsilon) * gamma + beta


def layer_norm(frame, x, epsilon=1e-6):
    """Layer normalization over the last axis."""
    x = normalize(x, x.mean(-1, keepdims=True), x.var(-1, keepdims=True), epsilon)
    return x * frame.ones(x.shape[-1]) + frame.zeros(x.shape[-1])


def dropout(frame, x, rate):
    """Set random elements to zero during training and scale up the others."""
    if not frame.training:
        return x
    return jnp.where(jax.random.bernoulli(frame.key(), 1 - rate, x.shape), x / (1 - rate), 0.0)


def lstm_layer(frame, x, units):
    """The last output of an LSTM. The projection of the inputs is computed before the loop over time."""
    kernel, recurrent = frame.weight(x.shape[-1], 4 * units), frame.weight(units, 4 * units)
    projected = (x @ kernel + frame.zeros(4 * units)).swapaxes(0, 1)

    def step(state, given):
        hidden, cell = state
        enter, forget, new, leave = jnp.split(given + hidden @ recurrent, 4, -1)
        cell = jax.nn.sigmoid(forget) * cell + jax.nn.sigmoid(enter) * jnp.tanh(new)
        return (jax.nn.sigmoid(leave) * jnp.tanh(cell), cell), None

    zeros = jnp.zeros((len(x), units))
    return lax.scan(step, (zeros, zeros), projected)[0][0]


def gru_layer(frame, x, units):
    """The last output of a GRU with separate biases for the input and recurrent projections."""
    kernel, recurrent = frame.weight(x.shape[-1], 3 * units), frame.weight(units, 3 * units)
    bias = frame.zeros(2, 3 * units)
    projected = (x @ kernel + bias[0]).swapaxes(0, 1)

    def step(hidden, given):
        inner = hidden @ recurrent + bias[1]
        given_gates, given_new = jnp.split(given, [2 * units], -1)
        inner_gates, inner_new = jnp.split(inner, [2 * units], -1)
        keep, reset = jnp.split(jax.nn.sigmoid(given_gates + inner_gates), 2, -1)
        new = jnp.tanh(given_new + reset * inner_new)
        return keep * hidden + (1 - keep) * new, None

    return lax.scan(step, jnp.zeros((len(x), units)), projected)[0]


def dense_32(frame, x, units=32):
    """A dense network, 784-units-10."""
    return dense(frame, jax.nn.relu(dense(frame, x, units)), 10)


def dense_128(frame, x):
    """A dense network, 784-128-10."""
    return dense_32(frame, x, 128)


def regression(frame, x):
    """A dense network for regression, 9-64-64-1."""
    for _ in range(2):
        x = jax.nn.relu(dense(frame, x, 64))
    return dense(frame, x, 1)


def cnn_1d(frame, x):
    """1D convolutions over 20 features."""
    x = max_pool(jax.nn.relu(dense(frame, convolution(frame, x, 128, 5, 2), 256)))
    x = max_pool(jax.nn.relu(dense(frame, convolution(frame, x, 128, 3), 64)))
    return dense(frame, jax.nn.relu(dense(frame, flatten(x), 32)), 2)


def lstm(frame, x):
    """An LSTM on sequences of 50 steps with 12 features."""
    return dense(frame, lstm_layer(frame, x, 64), 9)


def cnn_2d(frame, x):
    """Two 2D convolutions on images of digits."""
    for filters in (32, 64):
        x = max_pool(jax.nn.relu(convolution(frame, x, filters, 3, padding="VALID")))
    return dense(frame, flatten(x), 10)


def inception(frame, x):
    """A new head on a frozen InceptionV3, whose batch normalization stays in inference mode."""

    def layer(what, x):
        if what == "max":
            return max_pool(x, 3)
        if what == "average":
            inside = jnp.ones((1, *x.shape[1:3], 1))  # XLA folds this constant when it compiles
            total, count = (
                lax.reduce_window(part, 0.0, lax.add, (1, 3, 3, 1), (1, 1, 1, 1), "SAME") for part in (x, inside)
            )
            return total / count
        if isinstance(what, tuple) and isinstance(what[0], tuple):
            return jnp.concatenate([layer(part, x) for part in what], -1)
        filters, height, width, stride, padding = what
        x = convolution(frame, x, filters, (height, width), stride, padding.upper(), bias=False)
        return jax.nn.relu(batch_norm(frame, x, scale=False, frozen=True))

    def sequence(whats, x):
        for what in whats:
            x = layer(what, x)
        return x

    with frame.frozen():
        x = sequence(STEM, x)
        for stage in STAGES:
            x = jnp.concatenate([sequence(branch, x) for branch in stage], -1)
    return dense(frame, dropout(frame, jax.nn.relu(dense(frame, flatten(x), 256)), 0.5), 1)


def _text(frame, x, recurrent):
    x = frame.weight(5000, 32)[x]
    both = recurrent(frame, x, 32), recurrent(frame, x[:, ::-1], 32)
    return dense(frame, jnp.concatenate(both, -1), 1)


def text_gru(frame, x):
    """A bidirectional GRU on texts."""
    return _text(frame, x, gru_layer)


def text_lstm(frame, x):
    """A bidirectional LSTM on texts."""
    return _text(frame, x, lstm_layer)


def resnet(frame, x):
    """A stem, a residual block, and a residual block that halves the image size."""

    def normalized(x, filters, size=3, strides=1):
        return batch_norm(frame, convolution(frame, x, filters, size, strides, bias=False))

    def block(x, filters, strides=1):
        shortcut = x if strides == 1 else normalized(x, filters, 1, strides)
        x = jax.nn.relu(normalized(x, filters, strides=strides))
        return jax.nn.relu(normalized(x, filters) + shortcut)

    x = block(block(jax.nn.relu(normalized(x, 32)), 32), 64, 2)
    return dense(frame, x.mean((1, 2)), 10)


def transformer(frame, x):
    """An encoder block that computes queries, keys and values with one product."""
    x = frame.weight(5000, 64)[x]
    batch, length, _ = x.shape
    query, key, value = jnp.moveaxis(dense(frame, x, 3 * 64).reshape(batch, length, 3, 4, 16), 2, 0)
    attended = jax.nn.dot_product_attention(query, key, value).reshape(batch, length, 64)
    x = layer_norm(frame, x + dropout(frame, dense(frame, attended, 64), 0.1))
    fed = dense(frame, jax.nn.relu(dense(frame, x, 128)), 64)
    x = layer_norm(frame, x + dropout(frame, fed, 0.1))
    return dense(frame, x.mean(1), 2)


def separable(frame, x):
    """Three separable convolutions."""

    def both(x, filters):
        x = convolution(frame, x, x.shape[-1], 3, bias=False, groups=x.shape[-1])
        return jax.nn.relu(convolution(frame, x, filters, 1))

    x = both(max_pool(both(both(x, 32), 64)), 128)
    return dense(frame, x.mean((1, 2)), 10)


def autoencoder(frame, x):
    """Downsample images to 7x7 and upsample them again."""
    for _ in range(2):
        x = max_pool(jax.nn.relu(convolution(frame, x, 32, 3)))
    for _ in range(2):
        x = jax.nn.relu(transposed(frame, x, 32, 3, 2))
    return convolution(frame, x, 1, 3)


def transposed_1d(frame, x):
    """Downsample a series to a quarter of its length and upsample it again."""
    for filters in (32, 16):
        x = jax.nn.relu(convolution(frame, x, filters, 7, 2))
    for filters in (16, 32):
        x = jax.nn.relu(transposed(frame, x, filters, 7, 2))
    return transposed(frame, x, 1, 7)


def transposed_2d(frame, x):
    """Generate an image from 64 numbers with transposed convolutions."""
    x = jax.nn.relu(dense(frame, x, 7 * 7 * 64)).reshape(-1, 7, 7, 64)
    for filters in (64, 32):
        x = jax.nn.relu(transposed(frame, x, filters, 4, 2))
    return convolution(frame, x, 1, 5)
