"""BatchNormalization: inputs brought to mean 0 and variance 1 by the statistics of the batch, or by moving averages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from lamina import initializers
from lamina.core.arguments import shown
from lamina.core.real_rows import OVER_COUNTED_ROWS, rows_that_count
from lamina.errors import ConfigError, ShapeError
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.normalization_base import _ScaledAndCentered, sizes_along
from lamina.ops.normalization import at_least_float32, broadcast_along, moments, positive_axes, standardize
from lamina.runtime import settings

if TYPE_CHECKING:
    from typing import Unpack

    from lamina.constraints import ConstraintLike
    from lamina.core.typing import LayerArguments, Shape, Tensor
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["BatchNormalization"]


class BatchNormalization(_ScaledAndCentered):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta` for each position of `axis` (Ioffe and Szegedy, 2015,
    arXiv:1502.03167).

    In training the moments are those of the batch, and the moving ones follow:
    `moving = momentum * moving + (1 - momentum) * batch`. Otherwise, and always with `trainable = False`, the moving
    moments are used and kept. Masked positions do not count.

    Args:
        axis: Axis that keeps its own statistics: the channels.
        momentum: Share of the old value in each update of the moving statistics.
        epsilon: Small number added to the variance, against division by zero.
        center: Whether a trained offset beta is added.
        scale: Whether the result is multiplied by a trained scale gamma.
        beta_initializer: Initializer of the offset beta.
        gamma_initializer: Initializer of the scale gamma.
        moving_mean_initializer: Initializer of the moving mean.
        moving_variance_initializer: Initializer of the moving variance.
        beta_regularizer: Regularizer of the offset beta, added to the loss.
        gamma_regularizer: Regularizer of the scale gamma, added to the loss.
        beta_constraint: Constraint on the offset beta after each update.
        gamma_constraint: Constraint on the scale gamma after each update.
        renorm: Whether the statistics of the batch are corrected towards the moving ones (Ioffe, 2017,
            arXiv:1702.03275), for small batches.
        renorm_clipping: Bounds of that correction: a dict with any of "rmax", "rmin" and "dmax"; None sets no bounds.
        renorm_momentum: Momentum of the statistics of `renorm`.
        synchronized: Changes nothing: statistics of a batch that is sharded over devices are always those of the whole
            batch.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> layer = keras.layers.BatchNormalization(momentum=0.5)
    >>> layer(keras.ops.array([[0.0], [2.0]]), training=True).round(2).tolist(), layer.moving_mean.numpy().tolist()
    ([[-1.0], [1.0]], [0.5])
    """

    renorm: bool
    renorm_momentum: float
    synchronized: bool
    moving_mean: Any
    moving_variance: Any
    moving_stddev: Any
    renorm_mean: Any
    renorm_stddev: Any

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: InitializerLike = "zeros",
        gamma_initializer: InitializerLike = "ones",
        moving_mean_initializer: InitializerLike = "zeros",
        moving_variance_initializer: InitializerLike = "ones",
        beta_regularizer: RegularizerLike = None,
        gamma_regularizer: RegularizerLike = None,
        beta_constraint: ConstraintLike = None,
        gamma_constraint: ConstraintLike = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        if not isinstance(axis, int):
            if not isinstance(axis, (list, tuple)) or len(axis) != 1:
                raise ConfigError(f"BatchNormalization takes one axis; got {shown(axis)}.", fix="axis=-1")
            self.axis: Any = axis[0]
        self.momentum = momentum
        self.moving_mean_initializer: Any = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer: Any = initializers.get(moving_variance_initializer)
        self.renorm, self.renorm_momentum, self.synchronized = renorm, renorm_momentum, synchronized
        self.renorm_clipping: Any = _checked_clipping(renorm_clipping or {}) if renorm else renorm_clipping

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        shape = sizes_along(input_shape, self.axis, self)

        def initial_deviation(shape, dtype=None):
            return jnp.sqrt(jnp.asarray(self.moving_variance_initializer(shape, dtype=dtype)))

        def add(name, initializer):
            return self.add_weight(shape, initializer, trainable=False, autocast=False, name=name)

        self.moving_mean = add("moving_mean", self.moving_mean_initializer)
        self.moving_variance = add("moving_variance", self.moving_variance_initializer)
        if self.renorm:
            self.moving_stddev = add("moving_stddev", initial_deviation)
            self.renorm_mean = add("renorm_mean", self.moving_mean_initializer)
            self.renorm_stddev = add("renorm_stddev", initial_deviation)
        self.input_spec: Any = InputSpec(ndim=len(input_shape), axes={self.axis: shape[0]})

    def call(self, inputs: Tensor, training: bool | None = None, mask: Any = None) -> Tensor:
        x = at_least_float32(inputs)
        gamma, beta = self._scale_and_offset(x.dtype)
        if training and self.trainable:
            mean, variance = self._batch_moments(x, mask)
            if self.renorm:
                gamma, beta = self._corrected(mean, variance, gamma, beta)
            self._move(mean, variance)
        else:
            mean, variance = self.moving_mean.value.astype(x.dtype), self.moving_variance.value.astype(x.dtype)
        axes = positive_axes(self.axis, x.ndim)
        mean, variance, gamma, beta = (
            broadcast_along(vector, axes, x.ndim) for vector in (mean, variance, gamma, beta)
        )
        return standardize(x, mean, variance, gamma, beta, self.epsilon).astype(self.compute_dtype)

    def _shape_rule(self, input_shape):
        return input_shape

    def _batch_moments(self, x, mask):
        """(mean, variance) of each position of `axis` over the batch, of what the mask leaves."""
        axes = tuple(axis for axis in range(x.ndim) if axis != self.axis % x.ndim)
        rows = rows_that_count(x)
        if mask is None and rows is None:
            return moments.compute(x, axes)  # pyright: ignore
        if mask is not None and mask.ndim != x.ndim - 1:
            raise ShapeError(
                f"The mask needs one axis less than the inputs, {x.shape}; got shape {mask.shape}.",
                fix=f"mask of shape {x.shape[:-1]}: mask[..., 0]"
                if mask.ndim == x.ndim
                else f"np.ones({x.shape[:-1]}, bool) masks nothing.",
            )
        keep = jnp.ones(x.shape, bool) if mask is None else jnp.broadcast_to(mask[..., None].astype(bool), x.shape)

        def moments_of_counted(x, keep, rows):
            keep = keep if rows is None else keep & rows.reshape(-1, *[1] * (x.ndim - 1))
            count = jnp.sum(keep, axes, dtype=x.dtype, keepdims=True) + settings.epsilon()
            mean = jnp.sum(jnp.where(keep, x, 0), axes, keepdims=True) / count
            variance = jnp.sum(jnp.where(keep, x - mean, 0) ** 2, axes, keepdims=True) / count
            return mean.ravel(), variance.ravel()

        moments_of_counted.__name__ = OVER_COUNTED_ROWS
        return (moments_of_counted if rows is None else jax.jit(moments_of_counted))(x, keep, rows)

    def _move(self, mean, variance):
        """The moving moments, one step on."""
        _follow(self.moving_mean, mean, self.momentum)
        if not self.renorm:
            _follow(self.moving_variance, variance, self.momentum)
            return
        deviation = jnp.sqrt(variance + self.epsilon)
        _follow(self.renorm_mean, mean, self.renorm_momentum)
        _follow(self.renorm_stddev, deviation, self.renorm_momentum)
        moving = _follow(self.moving_stddev, deviation, self.momentum)
        self.moving_variance.assign(jax.nn.relu(moving**2 - self.epsilon))

    def _corrected(self, mean, variance, gamma, beta):
        """(r * gamma, d * gamma + beta): `normalized * r + d` is what the moments of `renorm` would have given."""
        deviation = jnp.maximum(self.renorm_stddev.value.astype(mean.dtype), self.epsilon**0.5)
        r = jnp.sqrt(variance + self.epsilon) / deviation
        d = (mean - self.renorm_mean.value.astype(mean.dtype)) / deviation
        bounds = self.renorm_clipping or {}
        r = jax.lax.stop_gradient(jnp.clip(r, bounds.get("rmin"), bounds.get("rmax")))
        if "dmax" in bounds:
            d = jnp.clip(d, -bounds["dmax"], bounds["dmax"])
        d = jax.lax.stop_gradient(d)
        scaled = (r, d) if gamma is None else (r * gamma, d * gamma)
        return scaled[0], scaled[1] if beta is None else scaled[1] + beta


def _follow(variable, value, momentum):
    """`momentum * variable + (1 - momentum) * value`, kept and returned."""
    moved = variable.value.astype(value.dtype) * momentum + value * (1.0 - momentum)
    variable.assign(moved)
    return moved


def _checked_clipping(bounds):
    bounds = {name: bound for name, bound in bounds.items() if bound is not None}
    unknown = set(bounds) - {"rmax", "rmin", "dmax"}
    if unknown or bounds.get("rmin", 0) > bounds.get("rmax", float("inf")) or bounds.get("dmax", 0) < 0:
        raise ConfigError(
            f"renorm_clipping has any of 'rmax' >= 'rmin' and 'dmax' >= 0; got {bounds}.",
            fix="renorm_clipping={'rmin': 0.5, 'rmax': 2.0, 'dmax': 1.0}",
        )
    return bounds
