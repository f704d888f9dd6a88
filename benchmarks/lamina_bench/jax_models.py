"""The workloads for the libraries of JAX, channels last: functions of `net`, which has the layers, and the inputs.

A function asks `net` for its layers in their order, and returns logits; the loss applies the softmax or sigmoid. `net`
is a Frame (plain JAX), or has layers of Flax NNX or of Equinox.
"""

import jax
import jax.numpy as jnp
from jax import lax

from lamina_bench.inception_table import STAGES, STEM

__all__ = [
    "autoencoder", "cnn_1d", "cnn_2d", "dense_32", "dense_128", "inception", "loss_of", "lstm", "predictions_of",
    "regression", "resnet", "separable", "text_gru", "text_lstm", "transformer", "transposed_1d", "transposed_2d",
]  # fmt: skip


def loss_of(target, outputs, y):
    """The mean loss of logits, for a kind of targets."""
    if target == "classes":
        return -jnp.take_along_axis(jax.nn.log_softmax(outputs), y[:, None], -1).mean()
    if target == "numbers":
        return jnp.square(outputs - y).mean()
    return (jax.nn.softplus(outputs) - y * outputs).mean()


def predictions_of(target, outputs):
    """What `predict` gives for logits."""
    if target == "classes":
        return jax.nn.softmax(outputs)
    return outputs if target == "numbers" else jax.nn.sigmoid(outputs)


def max_pool(x, size=2, strides=2):
    """Max pooling without padding."""
    rank = x.ndim - 2
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, *(size,) * rank, 1), (1, *(strides,) * rank, 1), "VALID")


def flatten(x):
    """Reshape to one row per sample."""
    return x.reshape(len(x), -1)


def dense_32(net, x, units=32):
    """A dense network, 784-units-10."""
    return net.dense(jax.nn.relu(net.dense(x, units)), 10)


def dense_128(net, x):
    """A dense network, 784-128-10."""
    return dense_32(net, x, 128)


def regression(net, x):
    """A dense network for regression, 9-64-64-1."""
    for _ in range(2):
        x = jax.nn.relu(net.dense(x, 64))
    return net.dense(x, 1)


def cnn_1d(net, x):
    """1D convolutions over 20 features."""
    x = max_pool(jax.nn.relu(net.dense(net.convolution(x, 128, 5, 2), 256)))
    x = max_pool(jax.nn.relu(net.dense(net.convolution(x, 128, 3), 64)))
    return net.dense(jax.nn.relu(net.dense(flatten(x), 32)), 2)


def lstm(net, x):
    """An LSTM on sequences of 50 steps with 12 features."""
    return net.dense(net.lstm(x, 64), 9)


def cnn_2d(net, x):
    """Two 2D convolutions on images of digits."""
    for filters in (32, 64):
        x = max_pool(jax.nn.relu(net.convolution(x, filters, 3, padding="VALID")))
    return net.dense(flatten(x), 10)


def inception(net, x):
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
        x = net.convolution(x, filters, (height, width), stride, padding.upper(), bias=False)
        return jax.nn.relu(net.batch_norm(x, scale=False, frozen=True))

    def sequence(whats, x):
        for what in whats:
            x = layer(what, x)
        return x

    with net.frozen():
        x = sequence(STEM, x)
        for stage in STAGES:
            x = jnp.concatenate([sequence(branch, x) for branch in stage], -1)
    return net.dense(net.dropout(jax.nn.relu(net.dense(flatten(x), 256)), 0.5), 1)


def _text(net, x, recurrent):
    x = net.embedding(x, 5000, 32)
    both = recurrent(x, 32), recurrent(x[:, ::-1], 32)
    return net.dense(jnp.concatenate(both, -1), 1)


def text_gru(net, x):
    """A bidirectional GRU on texts."""
    return _text(net, x, net.gru)


def text_lstm(net, x):
    """A bidirectional LSTM on texts."""
    return _text(net, x, net.lstm)


def resnet(net, x):
    """A stem, a residual block, and a residual block that halves the image size."""

    def normalized(x, filters, size=3, strides=1):
        return net.batch_norm(net.convolution(x, filters, size, strides, bias=False))

    def block(x, filters, strides=1):
        shortcut = x if strides == 1 else normalized(x, filters, 1, strides)
        x = jax.nn.relu(normalized(x, filters, strides=strides))
        return jax.nn.relu(normalized(x, filters) + shortcut)

    x = block(block(jax.nn.relu(normalized(x, 32)), 32), 64, 2)
    return net.dense(x.mean((1, 2)), 10)


def transformer(net, x):
    """An encoder block that computes queries, keys and values with one product."""
    x = net.embedding(x, 5000, 64)
    batch, length, _ = x.shape
    query, key, value = jnp.moveaxis(net.dense(x, 3 * 64).reshape(batch, length, 3, 4, 16), 2, 0)
    attended = jax.nn.dot_product_attention(query, key, value).reshape(batch, length, 64)
    x = net.layer_norm(x + net.dropout(net.dense(attended, 64), 0.1))
    fed = net.dense(jax.nn.relu(net.dense(x, 128)), 64)
    x = net.layer_norm(x + net.dropout(fed, 0.1))
    return net.dense(x.mean(1), 2)


def separable(net, x):
    """Three separable convolutions."""

    def both(x, filters):
        x = net.convolution(x, x.shape[-1], 3, bias=False, groups=x.shape[-1])
        return jax.nn.relu(net.convolution(x, filters, 1))

    x = both(max_pool(both(both(x, 32), 64)), 128)
    return net.dense(x.mean((1, 2)), 10)


def autoencoder(net, x):
    """Downsample images to 7x7 and upsample them again."""
    for _ in range(2):
        x = max_pool(jax.nn.relu(net.convolution(x, 32, 3)))
    for _ in range(2):
        x = jax.nn.relu(net.transposed(x, 32, 3, 2))
    return net.convolution(x, 1, 3)


def transposed_1d(net, x):
    """Downsample a series to a quarter of its length and upsample it again."""
    for filters in (32, 16):
        x = jax.nn.relu(net.convolution(x, filters, 7, 2))
    for filters in (16, 32):
        x = jax.nn.relu(net.transposed(x, filters, 7, 2))
    return net.transposed(x, 1, 7)


def transposed_2d(net, x):
    """Generate an image from 64 numbers with transposed convolutions."""
    x = jax.nn.relu(net.dense(x, 7 * 7 * 64)).reshape(-1, 7, 7, 64)
    for filters in (64, 32):
        x = jax.nn.relu(net.transposed(x, filters, 4, 2))
    return net.convolution(x, 1, 5)
