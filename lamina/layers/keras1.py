"""Layers of Keras 1 and 2 that Keras 3 no longer has. Files that have them are read with these.

>>> import lamina as keras
>>> keras.layers.keras1.LocallyConnected1D(4, 3)(keras.Input((10, 2))).shape
(None, 8, 4)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import activations, initializers
from lamina.core import tree
from lamina.core.arguments import choice
from lamina.errors import ShapeError
from lamina.layers.base.layer import Layer
from lamina.layers.base.settings import keep_arguments
from lamina.layers.batch_normalization import BatchNormalization
from lamina.layers.image.random_sizes import RandomHeight, RandomWidth
from lamina.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from lamina.layers.random_fourier_features import RandomFourierFeatures
from lamina.layers.text.category_crossing import CategoryCrossing
from lamina.layers.wrapper import Wrapper

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.activations import ActivationLike
    from lamina.constraints import ConstraintLike
    from lamina.core.typing import CommonLayerArguments, LayerArguments, Shape, Tensor
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = [
    "BatchNormalizationOfKeras1",
    "CategoryCrossing",
    "Highway",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "MaxoutDense",
    "ParametricSoftplus",
    "RandomFourierFeatures",
    "RandomHeight",
    "RandomWidth",
    "SReLU",
    "TimeMajor",
]


class BatchNormalizationOfKeras1(BatchNormalization):
    """BatchNormalization of Keras 1 with another `mode` than 0: 1 brings each sample to mean 0 and variance 1 along its
    last axis; 2 takes the moments of the batch in prediction too.

    Shapes: those of the inputs.

    Args:
        mode: 1 normalizes each sample along its last axis; 2 uses the statistics of the batch in prediction too.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    def __init__(self, mode: int, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        choice("BatchNormalization", "mode", mode, (1, 2, 0))
        self.mode = mode

    def call(self, inputs: Tensor, training: bool | None = None, mask: Any = None) -> Tensor:
        last = inputs.ndim - 1
        kept = last if self.mode == 1 else self.axis % inputs.ndim
        over = last if self.mode == 1 else tuple(axis for axis in range(inputs.ndim) if axis != kept)
        mean, variance = inputs.mean(over, keepdims=True), inputs.var(over, keepdims=True)
        deviation = jnp.sqrt(variance + self.epsilon) + (self.epsilon if self.mode == 1 else 0)
        shape = [size if axis == kept else 1 for axis, size in enumerate(inputs.shape)]
        gamma: Any = self.gamma
        beta: Any = self.beta
        return (inputs - mean) / deviation * gamma.value.reshape(shape) + beta.value.reshape(shape)


class MaxoutDense(Layer):
    """The largest of `nb_feature` products: `max over n of inputs @ kernel[n] + bias[n]` (Goodfellow et al., 2013).

    Shapes: (batch, features) -> (batch, output_dim).

    Args:
        output_dim: Number of outputs.
        nb_feature: Number of products of which the largest counts.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.
    """

    kernel: Any
    bias: Any | None

    output_dim: int
    nb_feature: int
    use_bias: bool

    def __init__(
        self,
        output_dim: int,
        nb_feature: int = 4,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[CommonLayerArguments],
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        keep_arguments(self, {**locals(), "bias_initializer": "zeros"})

    def build(self, input_shape: Shape) -> None:
        self.kernel = self._add_weight_of("kernel", (self.nb_feature, input_shape[-1], self.output_dim))
        self.bias = self._add_weight_of("bias", (self.nb_feature, self.output_dim)) if self.use_bias else None

    def call(self, inputs: Tensor) -> Tensor:
        products = jnp.einsum("bi,nio->bno", inputs, self.kernel.value)
        return (products if self.bias is None else products + self.bias.value).max(1)


class Highway(Layer):
    """`t * activation(inputs @ kernel + bias) + (1 - t) * inputs` with `t = sigmoid(inputs @ carry + carry_bias)`
    (Srivastava et al., 2015).

    Shapes: (batch, features) -> (batch, features).

    Args:
        activation: Activation applied to the sum. None leaves it as it is.
        use_bias: Whether a bias is added.
        kernel_initializer: Initializer of the kernel.
        kernel_regularizer: Regularizer of the kernel, added to the loss.
        bias_regularizer: Regularizer of the bias, added to the loss.
        activity_regularizer: Regularizer of the outputs, added to the loss.
        kernel_constraint: Constraint on the kernel after each update.
        bias_constraint: Constraint on the bias after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`.
    """

    kernel: Any
    carry: Any

    use_bias: bool
    activation: Any

    def __init__(
        self,
        activation: ActivationLike = None,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "glorot_uniform",
        kernel_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        activity_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        **kwargs: Unpack[CommonLayerArguments],
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        keep_arguments(self, {**locals(), "bias_initializer": "zeros"})

    def build(self, input_shape: Shape) -> None:
        size = input_shape[-1]
        self.kernel, self.carry = (self._add_weight_of("kernel", (size, size), name) for name in ("kernel", "carry"))
        self.bias: Any = None
        self.carry_bias: Any = None
        if self.use_bias:
            self.bias = self._add_weight_of("bias", (size,))
            self.carry_bias = self._add_weight_of("bias", (size,), "carry_bias", initializer="ones")

    def call(self, inputs: Tensor) -> Tensor:
        carried, product = inputs @ self.carry.value, inputs @ self.kernel.value
        if self.use_bias:
            carried, product = carried + self.carry_bias.value, product + self.bias.value
        share = activations.sigmoid(carried)
        return share * self.activation(product) + (1 - share) * inputs


class _ShapedByWeights(Layer):
    """An activation with trained parameters, one of each for each position; along `shared_axes` they are shared."""

    _starts: dict[str, Any]  # name of a weight -> initializer

    def __init__(self, shared_axes: int | Sequence[int] | None = None, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.shared_axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes and list(shared_axes)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        shared = {axis % len(input_shape) for axis in self.shared_axes or ()}
        sizes = [1 if axis in shared else size for axis, size in enumerate(input_shape)][1:]
        if None in sizes:
            raise ShapeError(
                f"{type(self).__name__} has parameters for each position, so sizes must be known; got {input_shape}.",
                fix="Share them: shared_axes=[1, 2] is one a channel for images.",
            )
        for name, start in self._starts.items():
            setattr(self, name, self.add_weight(shape=sizes, name=name, initializer=initializers.get(start)))


class ParametricSoftplus(_ShapedByWeights):
    """`alphas * log(1 + exp(betas * x))` with trained alphas and betas.

    Shapes: those of the inputs.

    Args:
        alpha_init: Initial value of alphas.
        beta_init: Initial value of betas.
        shared_axes: Axes along which the trained values are shared.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    alpha_init: float
    beta_init: float

    alphas: Any
    betas: Any

    def __init__(
        self,
        alpha_init: float = 0.2,
        beta_init: float = 5.0,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(shared_axes, **kwargs)
        self.alpha_init, self.beta_init = alpha_init, beta_init
        self._starts = {"alphas": initializers.Constant(alpha_init), "betas": initializers.Constant(beta_init)}

    def call(self, inputs: Tensor) -> Tensor:
        return self.alphas.value * activations.softplus(self.betas.value * inputs)


class SReLU(_ShapedByWeights):
    """`x` between two thresholds, and lines with trained slopes beyond them (Jin et al., 2015, arXiv:1512.07030).

    The right threshold is `t_left + |t_right|`. Shapes: those of the inputs.

    Args:
        t_left_init: Initializer of the left threshold.
        a_left_init: Initializer of the slope on the left.
        t_right_init: Initializer of the distance to the right threshold.
        a_right_init: Initializer of the slope on the right.
        shared_axes: Axes along which the trained values are shared.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    t_left: Any
    a_left: Any
    t_right: Any
    a_right: Any

    def __init__(
        self,
        t_left_init: InitializerLike = "zeros",
        a_left_init: InitializerLike = "glorot_uniform",
        t_right_init: InitializerLike = "glorot_uniform",
        a_right_init: InitializerLike = "ones",
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(shared_axes, **kwargs)
        self.t_left_init, self.a_left_init = t_left_init, a_left_init
        self.t_right_init, self.a_right_init = t_right_init, a_right_init
        self._starts = {
            "t_left": t_left_init, "a_left": a_left_init, "t_right": t_right_init, "a_right": a_right_init
        }  # fmt: skip

    def call(self, inputs: Tensor) -> Tensor:
        left = self.t_left.value
        right = left + jnp.abs(self.t_right.value)
        below = self.a_left.value * jnp.minimum(inputs - left, 0)
        above = self.a_right.value * jnp.maximum(inputs - right, 0)
        return jnp.clip(inputs, left, right) + below + above


class TimeMajor(Wrapper):
    """A recurrent layer on sequences whose first axis is time: what Keras 2 called time_major=True.

    Shapes: (time, batch, features) -> (batch, units), or (time, batch, units) if the layer returns sequences.

    Args:
        layer: Recurrent layer.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> layer = keras.layers.LSTM(4, return_sequences=True)
    >>> keras.layers.keras1.TimeMajor(layer)(keras.Input((8, 3), batch_size=5)).shape
    (5, 8, 4)
    """

    def __init__(self, layer: Layer, **kwargs: Unpack[LayerArguments]):
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, sequences_shape: Any, initial_state_shape: Any = None
    ) -> None:
        super().build((sequences_shape[1], sequences_shape[0], *sequences_shape[2:]))

    def call(self, sequences: Tensor, initial_state: Any = None, mask: Any = None) -> Any:
        given = {"initial_state": initial_state, "mask": None if mask is None else mask.T}
        outputs = self.layer(jnp.swapaxes(sequences, 0, 1), **{k: v for k, v in given.items() if v is not None})
        layer: Any = self.layer
        if not layer.return_sequences:
            return outputs
        return tree.map_structure(lambda one: jnp.swapaxes(one, 0, 1) if one.ndim > 2 else one, outputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        layer: Any = self.layer
        return tree.flatten(previous_mask)[0] if layer.return_sequences else None
