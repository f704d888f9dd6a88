"""Layers of Keras 1 and 2 that Keras 3 no longer has. Files that have them are read with these.

>>> import lamina as keras
>>> keras.layers.keras1.LocallyConnected1D(4, 3)(keras.Input((10, 2))).shape
(None, 8, 4)
"""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina import activations, initializers
from lamina.core import tree
from lamina.errors import ConfigError, ShapeError
from lamina.layers.base.layer import Layer
from lamina.layers.base.settings import keep_arguments
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.spatial import SpatialLayer
from lamina.layers.wrapper import Wrapper

__all__ = [
    "BatchNormalizationOfKeras1",
    "Highway",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "MaxoutDense",
    "ParametricSoftplus",
    "SReLU",
    "TimeMajor",
]


class BatchNormalizationOfKeras1(BatchNormalization):
    """BatchNormalization of Keras 1 with another `mode` than 0: 1 brings each sample to mean 0 and variance 1 along its
    last axis; 2 takes the moments of the batch in prediction too.

    Shapes: those of the inputs.
    """

    def __init__(self, mode, **kwargs):
        super().__init__(**kwargs)
        if mode not in (1, 2):
            raise ConfigError(f"mode of BatchNormalization is 0, 1 or 2; got {mode!r}.")
        self.mode = mode

    def call(self, inputs, training=None, mask=None):
        last = inputs.ndim - 1
        kept = last if self.mode == 1 else self.axis % inputs.ndim
        over = last if self.mode == 1 else tuple(axis for axis in range(inputs.ndim) if axis != kept)
        mean, variance = inputs.mean(over, keepdims=True), inputs.var(over, keepdims=True)
        deviation = jnp.sqrt(variance + self.epsilon) + (self.epsilon if self.mode == 1 else 0)
        shape = [size if axis == kept else 1 for axis, size in enumerate(inputs.shape)]
        gamma: Any = self.gamma
        beta: Any = self.beta
        return (inputs - mean) / deviation * gamma.value.reshape(shape) + beta.value.reshape(shape)


class _LocallyConnected(SpatialLayer):
    """A convolution whose kernel is another one at each place; no padding.

    Its kernel has the shape (places, features of a patch, filters).
    """

    def __init__(
        self, filters, kernel_size, strides=1, padding="valid", data_format=None, activation=None, use_bias=True,
        kernel_initializer="glorot_uniform", bias_initializer="zeros", kernel_regularizer=None, bias_regularizer=None,
        activity_regularizer=None, kernel_constraint=None, bias_constraint=None, implementation=1, **kwargs,
    ):  # fmt: skip
        super().__init__(data_format, activity_regularizer=activity_regularizer, **kwargs)
        kind = type(self).__name__
        if padding != "valid" or implementation != 1:
            raise ConfigError(
                f"{kind} has padding='valid' and implementation=1; got {padding!r} and {implementation!r}."
            )
        keep_arguments(self, locals())
        self.kernel_size, self.strides = self.per_axis("kernel_size", kernel_size), self.per_axis("strides", strides)

    def build(self, input_shape):
        sizes = [input_shape[axis] for axis in self.space]
        if None in sizes:
            raise ShapeError(
                f"{type(self).__name__} needs known sizes: it has a kernel for each place; got {input_shape}."
            )
        self._places = [
            range(0, size - window + 1, stride)
            for size, window, stride in zip(sizes, self.kernel_size, self.strides, strict=True)
        ]
        outer = [len(places) for places in self._places]
        features = math.prod(self.kernel_size) * input_shape[self.channel_axis]
        self.kernel = self._add_weight_of("kernel", (math.prod(outer), features, self.filters))
        self.bias = self._add_weight_of("bias", (*outer, self.filters)) if self.use_bias else None

    def call(self, inputs):
        outer = [len(places) for places in self._places]
        outputs = jnp.einsum("bpk,pkf->bpf", self._patches(inputs), self.kernel.value)
        outputs = outputs.reshape(len(inputs), *outer, self.filters)
        outputs = jnp.moveaxis(outputs, -1, 1) if self.channel_axis == 1 else outputs
        if self.bias is not None:  # (places, filters) whatever the order of axes: Keras took its numbers in a row
            outputs = outputs + self.bias.value.reshape(outputs.shape[1:])
        return self.activation(outputs)

    def _patches(self, inputs):
        """(batch, places, features): the numbers below the kernel at each place, in the order of the axes."""
        rank, index = self.rank, []
        for axis, (places, window) in enumerate(zip(self._places, self.kernel_size, strict=True)):
            at = np.add.outer(np.array(places), np.arange(window))  # (places, window) of this axis among 2 * rank axes
            shape = [1] * (2 * rank)
            shape[axis], shape[rank + axis] = at.shape
            index.append(at.reshape(shape))
        first = self.channel_axis == 1
        patches = jnp.moveaxis(inputs, 1, -1)[:, *index] if first else inputs[:, *index]
        patches = jnp.moveaxis(patches, -1, 1 + rank) if first else patches
        return patches.reshape(len(inputs), math.prod(len(places) for places in self._places), -1)


class LocallyConnected1D(_LocallyConnected):
    """A 1-D convolution whose kernel is another one at each step.

    Shapes: (batch, steps, channels) -> (batch, new_steps, filters).
    """

    rank = 1


class LocallyConnected2D(_LocallyConnected):
    """A 2-D convolution whose kernel is another one at each pixel.

    Shapes: (batch, rows, columns, channels) -> (batch, new_rows, new_columns, filters).
    """

    rank = 2


class MaxoutDense(Layer):
    """The largest of `nb_feature` products: `max over n of inputs @ kernel[n] + bias[n]` (Goodfellow et al., 2013).

    Shapes: (batch, features) -> (batch, output_dim).
    """

    def __init__(
        self, output_dim, nb_feature=4, use_bias=True, kernel_initializer="glorot_uniform", kernel_regularizer=None,
        bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        keep_arguments(self, {**locals(), "bias_initializer": "zeros"})

    def build(self, input_shape):
        self.kernel = self._add_weight_of("kernel", (self.nb_feature, input_shape[-1], self.output_dim))
        self.bias = self._add_weight_of("bias", (self.nb_feature, self.output_dim)) if self.use_bias else None

    def call(self, inputs):
        products = jnp.einsum("bi,nio->bno", inputs, self.kernel.value)
        return (products if self.bias is None else products + self.bias.value).max(1)


class Highway(Layer):
    """`t * activation(inputs @ kernel + bias) + (1 - t) * inputs` with `t = sigmoid(inputs @ carry + carry_bias)`
    (Srivastava et al., 2015).

    Shapes: (batch, features) -> (batch, features).
    """

    def __init__(
        self, activation=None, use_bias=True, kernel_initializer="glorot_uniform", kernel_regularizer=None,
        bias_regularizer=None, activity_regularizer=None, kernel_constraint=None, bias_constraint=None, **kwargs,
    ):  # fmt: skip
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        keep_arguments(self, {**locals(), "bias_initializer": "zeros"})

    def build(self, input_shape):
        size = input_shape[-1]
        self.kernel, self.carry = (self._add_weight_of("kernel", (size, size), name) for name in ("kernel", "carry"))
        self.bias: Any = None
        self.carry_bias: Any = None
        if self.use_bias:
            self.bias = self._add_weight_of("bias", (size,))
            self.carry_bias = self._add_weight_of("bias", (size,), "carry_bias", initializer="ones")

    def call(self, inputs):
        carried, product = inputs @ self.carry.value, inputs @ self.kernel.value
        if self.use_bias:
            carried, product = carried + self.carry_bias.value, product + self.bias.value
        share = activations.sigmoid(carried)
        return share * self.activation(product) + (1 - share) * inputs


class _ShapedByWeights(Layer):
    """An activation whose numbers are trained, one of each for each position; along shared_axes they are shared."""

    _starts: dict[str, Any]  # name of a weight -> initializer

    def __init__(self, shared_axes=None, **kwargs):
        super().__init__(**kwargs)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes and list(shared_axes)
        self.supports_masking = True

    def build(self, input_shape):
        shared = {axis % len(input_shape) for axis in self.shared_axes or ()}
        sizes = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        if None in sizes:
            raise ShapeError(
                f"{type(self).__name__} has numbers for each position, so sizes must be known; got {input_shape}.",
                fix="Share them: shared_axes=[1, 2] is one a channel for images.",
            )
        for name, start in self._starts.items():
            setattr(self, name, self.add_weight(shape=sizes, name=name, initializer=initializers.get(start)))


class ParametricSoftplus(_ShapedByWeights):
    """`alphas * log(1 + exp(betas * x))` with trained alphas and betas.

    Shapes: those of the inputs.
    """

    alphas: Any
    betas: Any

    def __init__(self, alpha_init=0.2, beta_init=5.0, shared_axes=None, **kwargs):
        super().__init__(shared_axes, **kwargs)
        self.alpha_init, self.beta_init = alpha_init, beta_init
        self._starts = {"alphas": initializers.Constant(alpha_init), "betas": initializers.Constant(beta_init)}

    def call(self, inputs):
        return self.alphas.value * activations.softplus(self.betas.value * inputs)


class SReLU(_ShapedByWeights):
    """`x` between two thresholds, and lines with trained slopes beyond them (Jin et al., 2015, arXiv:1512.07030).

    The right threshold is `t_left + |t_right|`. Shapes: those of the inputs.
    """

    t_left: Any
    a_left: Any
    t_right: Any
    a_right: Any

    def __init__(
        self, t_left_init="zeros", a_left_init="glorot_uniform", t_right_init="glorot_uniform", a_right_init="ones",
        shared_axes=None, **kwargs,
    ):  # fmt: skip
        super().__init__(shared_axes, **kwargs)
        self.t_left_init, self.a_left_init = t_left_init, a_left_init
        self.t_right_init, self.a_right_init = t_right_init, a_right_init
        self._starts = {
            "t_left": t_left_init, "a_left": a_left_init, "t_right": t_right_init, "a_right": a_right_init
        }  # fmt: skip

    def call(self, inputs):
        left = self.t_left.value
        right = left + jnp.abs(self.t_right.value)
        below = self.a_left.value * jnp.minimum(inputs - left, 0)
        above = self.a_right.value * jnp.maximum(inputs - right, 0)
        return jnp.clip(inputs, left, right) + below + above


class TimeMajor(Wrapper):
    """A recurrent layer on sequences whose first axis is time: what Keras 2 called time_major=True.

    Shapes: (time, batch, features) -> (batch, units), or (time, batch, units) if the layer returns sequences.

    >>> import lamina as keras
    >>> layer = keras.layers.LSTM(4, return_sequences=True)
    >>> keras.layers.keras1.TimeMajor(layer)(keras.Input((8, 3), batch_size=5)).shape
    (5, 8, 4)
    """

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, sequences_shape, initial_state_shape=None):
        super().build((sequences_shape[1], sequences_shape[0], *sequences_shape[2:]))

    def call(self, sequences, initial_state=None, mask=None):
        given = {"initial_state": initial_state, "mask": None if mask is None else mask.T}
        outputs = self.layer(jnp.swapaxes(sequences, 0, 1), **{k: v for k, v in given.items() if v is not None})
        layer: Any = self.layer
        if not layer.return_sequences:
            return outputs
        return tree.map_structure(lambda one: jnp.swapaxes(one, 0, 1) if one.ndim > 2 else one, outputs)

    def compute_mask(self, inputs, previous_mask=None):
        layer: Any = self.layer
        return tree.flatten(previous_mask)[0] if layer.return_sequences else None
