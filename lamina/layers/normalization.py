"""Normalization of each sample by itself: layer, group, RMS and unit normalization, in float32 or better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina.core.arguments import whole
from lamina.errors import ShapeError, warn
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.normalization_base import _ScaledAndCentered, checked_axis, sizes_along
from lamina.legacy import moved_from
from lamina.ops.normalization import (
    at_least_float32,
    broadcast_along,
    layer_normalization,
    moments,
    normalize,
    rms_normalization,
    standardize,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.constraints import ConstraintLike
    from lamina.core.typing import LayerArguments, Shape, Tensor
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["GroupNormalization", "LayerNormalization", "RMSNormalization", "UnitNormalization"]


class LayerNormalization(_ScaledAndCentered):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, with the moments of each sample along `axis`, one or
    several (Ba et al., 2016, arXiv:1607.06450).

    Args:
        axis: Axis, or several, over which the statistics are taken.
        epsilon: Small number added to the variance, against division by zero.
        center: Whether a trained offset beta is added.
        scale: Whether the result is multiplied by a trained scale gamma.
        beta_initializer: Initializer of the offset beta.
        gamma_initializer: Initializer of the scale gamma.
        beta_regularizer: Regularizer of the offset beta, added to the loss.
        gamma_regularizer: Regularizer of the scale gamma, added to the loss.
        beta_constraint: Constraint on the offset beta after each update.
        gamma_constraint: Constraint on the scale gamma after each update.
        rms_scaling: Whether the inputs are divided by their deviation without being centered; see RMSNormalization.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.LayerNormalization()(keras.ops.array([[1.0, 3.0]])).round(2).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        *,
        rms_scaling: bool = False,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(
            axis, epsilon, center and not rms_scaling, scale or rms_scaling, beta_initializer, gamma_initializer,
            beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        if rms_scaling:
            warn("rms_scaling=True divides by the deviation, not the root mean square: see RMSNormalization.")
        self.rms_scaling = rms_scaling
        self.autocast = False

    def call(self, inputs: Tensor) -> Tensor:
        gamma, beta = self._scale_and_offset(jnp.promote_types(inputs.dtype, jnp.float32))
        outputs = layer_normalization(inputs, gamma, beta, self.axis, self.epsilon, self.rms_scaling)
        return outputs.astype(self.compute_dtype)


def _largest_divisor(number, limit):
    """The largest divisor of `number` up to `limit`, and up to a thousand."""
    return next(size for size in range(min(limit, number, 1000), 0, -1) if number % size == 0)


class GroupNormalization(_ScaledAndCentered):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, with the moments of each sample and group of channels
    (Wu and He, 2018, arXiv:1803.08494).

    Args:
        groups: Number of groups of channels; 1 is layer normalization over all axes, -1 (one group a channel) is
            instance normalization.
        axis: Axis of the channels.
        epsilon: Small number added to the variance, against division by zero.
        center: Whether a trained offset beta is added.
        scale: Whether the result is multiplied by a trained scale gamma.
        beta_initializer: Initializer of the offset beta.
        gamma_initializer: Initializer of the scale gamma.
        beta_regularizer: Regularizer of the offset beta, added to the loss.
        gamma_regularizer: Regularizer of the scale gamma, added to the loss.
        beta_constraint: Constraint on the offset beta after each update.
        gamma_constraint: Constraint on the scale gamma after each update.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    _traits = frozenset(("normalization",))

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        if groups != -1:
            groups = whole(self, "groups", groups)
        self.groups = groups
        self.autocast = False

    def build(self, input_shape: Shape) -> None:
        (channels,) = sizes_along(input_shape, self.axis, self)
        if channels % self.groups:
            raise ShapeError(
                f"GroupNormalization needs channels that {self.groups} groups can share; got {channels} on axis "
                f"{self.axis} of shape {tuple(input_shape)}.",
                fix=f"GroupNormalization(groups={_largest_divisor(channels, self.groups)})",
            )
        super().build(input_shape)
        self.input_spec: Any = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Tensor) -> Tensor:
        axis, channels = self.axis % inputs.ndim, inputs.shape[self.axis]
        groups = channels if self.groups == -1 else self.groups
        apart = (groups, channels // groups)
        x = at_least_float32(inputs).reshape(*inputs.shape[:axis], *apart, *inputs.shape[axis + 1 :])
        mean, variance = moments.compute(x, [one for one in range(1, x.ndim) if one != axis], keepdims=True)  # pyright: ignore
        gamma, beta = (
            None if weight is None else broadcast_along(weight.reshape(apart), (axis, axis + 1), x.ndim)
            for weight in self._scale_and_offset(x.dtype)
        )
        outputs = standardize(x, mean, variance, gamma, beta, self.epsilon)
        return outputs.reshape(inputs.shape).astype(self.compute_dtype)


class RMSNormalization(Layer):
    """`x / sqrt(mean(x**2) + epsilon) * scale` along `axis` (Zhang and Sennrich, 2019, arXiv:1910.07467).

    Args:
        axis: Axis, or several, over which the statistics are taken.
        epsilon: Small number added to the variance, against division by zero.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    axis: Any
    epsilon: float
    scale: Any

    _traits = frozenset(("normalization", "pointwise"))

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        checked_axis(axis)
        self.axis, self.epsilon = axis, epsilon

    def build(self, input_shape: Shape) -> None:
        self.scale = self.add_weight(shape=sizes_along(input_shape, self.axis, self), initializer="ones", name="scale")

    def call(self, x: Tensor) -> Tensor:
        return rms_normalization(x, self.scale, self.axis, self.epsilon)


class UnitNormalization(Layer):
    """`x / sqrt(sum(x**2))` along `axis`, one or several: vectors of length 1.

    Args:
        axis: Axis, or several, along which vectors get length 1.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.UnitNormalization()(keras.ops.array([[3.0, 4.0]]))
    Array([[0.6, 0.8]], dtype=float32)
    """

    _traits = frozenset(("normalization",))

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.axis: Any = checked_axis(axis)
        self.supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        return normalize(inputs, self.axis, epsilon=1e-12)


__getattr__: Any = moved_from(__name__)
