"""tf.nn: functions that Keras has no op for, or has with other arguments."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina import ops
from lamina.compat.arrays import array
from lamina.compat.functions import constant, per_axis
from lamina.compat.random_numbers import RANDOM
from lamina.compat.strategies import average_loss
from lamina.core.variable import unwrap

__all__ = ["MORE_NN", "SAMPLERS", "convolution"]


def weighted_cross_entropy(labels: Any, logits: Any, pos_weight: Any, name: Any = None) -> Any:
    """`tf.nn.weighted_cross_entropy_with_logits`."""
    labels, logits = array(labels), array(logits)
    weight = 1 + (pos_weight - 1) * labels
    return (1 - labels) * logits + weight * jax.nn.softplus(-logits)


def _pool(op, rank):
    def pool(input, ksize, strides, padding, data_format=None, name=None):
        return op(constant(input), per_axis(ksize, rank), per_axis(strides, rank), padding.lower(), "channels_last")

    return pool


def convolution(rank: int) -> Any:
    """`tf.nn.conv1d`, `conv2d` or `conv3d`."""

    def convolve(input, filters, stride=1, padding="VALID", data_format=None, dilations=None, name=None, **kwargs):
        steps = per_axis(kwargs.get("strides", stride), rank)
        return ops.conv(constant(input), constant(filters), steps, padding.lower(), "channels_last",
                        per_axis(dilations or 1, rank))  # fmt: skip

    return convolve


def depthwise_conv2d(input: Any, filter: Any, strides: Any, padding: Any, data_format: Any = None,
                     dilations: Any = None, name: Any = None) -> Any:  # fmt: skip
    """`tf.nn.depthwise_conv2d`."""
    return ops.depthwise_conv(constant(input), constant(filter), per_axis(strides, 2), padding.lower(), "channels_last",
                              per_axis(dilations or 1, 2))  # fmt: skip


def _conv_transpose(rank):
    def transposed(input, filters, output_shape, strides, padding="SAME", data_format=None, dilations=None, name=None):
        """The gradient of a convolution by its input."""
        steps, shape = per_axis(strides, rank), tuple(map(int, output_shape))
        forward = lambda x: ops.conv(x, array(filters), steps, padding.lower(), "channels_last")  # noqa: E731
        return jax.vjp(forward, jnp.zeros(shape, array(input).dtype))[1](array(input))[0]

    return transposed


def local_response_normalization(input: Any, depth_radius: Any = 5, bias: Any = 1, alpha: Any = 1, beta: Any = 0.5,
                                 name: Any = None) -> Any:  # fmt: skip
    """`tf.nn.local_response_normalization`, of Krizhevsky et al. (2012)."""
    x, radius = array(input), int(depth_radius)
    squares = jnp.pad(jnp.square(x), [(0, 0)] * (x.ndim - 1) + [(radius, radius)])
    total = sum(squares[..., at : at + x.shape[-1]] for at in range(2 * radius + 1))
    return x / (bias + alpha * total) ** beta


def ctc_loss(labels: Any, logits: Any, label_length: Any, logit_length: Any, logits_time_major: Any = True,
             unique: Any = None, blank_index: Any = None, name: Any = None) -> Any:  # fmt: skip
    """`tf.nn.ctc_loss`, of Graves et al. (2006)."""
    labels = array(labels.to_dense() if hasattr(labels, "to_dense") else labels)
    logits = jnp.swapaxes(array(logits), 0, 1) if logits_time_major else array(logits)
    blank = (blank_index or 0) % logits.shape[-1]
    lengths = jnp.full(len(labels), labels.shape[1]) if label_length is None else array(label_length)
    return ops.ctc_loss(labels, logits, lengths, array(logit_length), blank)


def normalize_moments(counts: Any, mean_ss: Any, variance_ss: Any, shift: Any, name: Any = None) -> Any:
    """`tf.nn.normalize_moments`: (mean, variance) from sums."""
    mean = array(mean_ss) / counts
    variance = array(variance_ss) / counts - mean**2
    return mean if shift is None else mean + shift, variance


def moments(x: Any, axes: Any, shift: Any = None, keepdims: Any = False, name: Any = None) -> Any:
    """`tf.nn.moments`: (mean, variance)."""
    return ops.moments(constant(x), [axes] if isinstance(axes, int) else list(axes), keepdims)


def _sampler(probabilities):
    """`tf.random.*_candidate_sampler`: (classes, expected counts of the true ones and of them)."""

    def sample(true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None):
        odds = probabilities(np.arange(int(range_max)))
        draw = np.random.default_rng(int(np.asarray(RANDOM["uniform"]([], 0, 2**31 - 1, "int32", seed=seed))))
        chosen = draw.choice(len(odds), int(num_sampled), replace=not unique, p=odds / odds.sum())

        def expected(places):
            counts = -np.expm1(num_sampled * np.log1p(-odds[places])) if unique else num_sampled * odds[places]
            return jnp.asarray(counts, "float32")

        return jnp.asarray(chosen), expected(np.asarray(unwrap(true_classes))), expected(chosen)

    return sample


SAMPLERS: dict[str, Any] = {
    "log_uniform_candidate_sampler": _sampler(lambda places: np.log1p(1 / (places + 1)) / np.log(len(places) + 1)),
    "uniform_candidate_sampler": _sampler(lambda places: np.full(len(places), 1 / len(places))),
}
MORE_NN: dict[str, Any] = {
    "avg_pool1d": _pool(ops.average_pool, 1), "avg_pool3d": _pool(ops.average_pool, 3), "conv1d": convolution(1),
    "conv3d": convolution(3), "conv2d_transpose": _conv_transpose(2), "conv1d_transpose": _conv_transpose(1),
    "conv3d_transpose": _conv_transpose(3), "crelu": lambda features, axis=-1, name=None: jnp.concatenate(
        [jax.nn.relu(array(features)), jax.nn.relu(-array(features))], axis),
    "ctc_loss": ctc_loss, "depthwise_conv2d": depthwise_conv2d, "l2_loss": lambda t, name=None: jnp.sum(
        jnp.square(array(t))) / 2,
    "local_response_normalization": local_response_normalization, "lrn": local_response_normalization,
    "log_poisson_loss": lambda targets, log_input, compute_full_loss=False, name=None: jnp.exp(
        array(log_input)) - array(log_input) * array(targets),
    "max_pool1d": _pool(ops.max_pool, 1), "max_pool3d": _pool(ops.max_pool, 3), "moments": moments,
    "normalize_moments": normalize_moments, "weighted_cross_entropy_with_logits": weighted_cross_entropy,
    "compute_average_loss": average_loss, "scale_regularization_loss": lambda regularization_loss: jnp.sum(
        array(regularization_loss)),
    "zero_fraction": lambda value, name=None: (array(value) == 0).mean(),
}  # fmt: skip
