"""Layers that bring their inputs to mean 0 and variance 1, or to a fixed length. They compute in float32 or better."""

import jax
import jax.numpy as jnp

from lamina import initializers
from lamina.core.read_limits import reserve_steps
from lamina.errors import ConfigError, ShapeError, warn
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.base.settings import keep_arguments
from lamina.layers.wrapper import Wrapper
from lamina.legacy import moved_from
from lamina.runtime import settings

from lamina.ops.normalization import (  # isort: skip
    along, at_least_float32, layer_normalization, moments, normalize, positive_axes, rms_normalization, standardize,
)  # fmt: skip

__all__ = [
    "BatchNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization", "SpectralNormalization",
    "UnitNormalization",
]  # fmt: skip


class _ScaledAndCentered(Layer):
    """Normalization along `axis`, then a trained scale `gamma` (if `scale`) and offset `beta` (if `center`)."""

    _traits = frozenset(("normalization", "pointwise"))

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        keep_arguments(self, locals())
        self.axis = _checked_axis(axis)
        self.gamma = self.beta = None
        self.supports_masking = True

    def build(self, input_shape):
        shape = _sizes(input_shape, self.axis, self)
        if self.scale:
            self.gamma = self._add_weight_of("gamma", shape, autocast=False)
        if self.center:
            self.beta = self._add_weight_of("beta", shape, autocast=False)

    def _scale_and_offset(self, dtype):
        """(gamma, beta) as arrays; None where there is none."""
        return (None if weight is None else weight.value.astype(dtype) for weight in (self.gamma, self.beta))


def _checked_axis(axis):
    axes = axis if isinstance(axis, (list, tuple)) else [axis]
    if not axes or not all(isinstance(one, int) for one in axes):
        raise ConfigError(f"axis is a whole number or several of them; got {axis!r}.")
    return axis


def _sizes(input_shape, axis, layer):
    """The sizes of the inputs along `axis`, which must be there and known."""
    axes, rank = axis if isinstance(axis, (list, tuple)) else [axis], len(input_shape)
    name, got = f"{type(layer).__name__}(axis={axis})", f"got shape {tuple(input_shape)}."
    if any(not -rank <= one < rank for one in axes):
        raise ShapeError(f"{name} needs inputs with this axis; {got}")
    shape = tuple(input_shape[one] for one in positive_axes(axis, rank))
    if None in shape:
        raise ShapeError(f"{name} needs a known size there; {got}", fix="Give the size in Input(shape=...).")
    return shape


class BatchNormalization(_ScaledAndCentered):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta` for each position of `axis` (Ioffe and Szegedy, 2015,
    arXiv:1502.03167).

    In training the moments are those of the batch, and the moving ones follow:
    `moving = momentum * moving + (1 - momentum) * batch`. Otherwise, and always with `trainable = False`, the moving
    moments are used and kept. Masked positions do not count.

    Args:
        axis: the axis that keeps its own moments: the channels.
        renorm: corrects the batch's moments towards moving ones (Ioffe, 2017, arXiv:1702.03275), for small batches.
        renorm_clipping: dict with any of 'rmax', 'rmin', 'dmax', the bounds of that correction.
        renorm_momentum: the momentum of the moments of `renorm`.
        synchronized: changes nothing: the moments of a batch spread over devices are those of the whole anyway.

    >>> import lamina as keras
    >>> layer = keras.layers.BatchNormalization(momentum=0.5)
    >>> layer(keras.ops.array([[0.0], [2.0]]), training=True).round(2).tolist(), layer.moving_mean.numpy().tolist()
    ([[-1.0], [1.0]], [0.5])
    """

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        renorm=False,
        renorm_clipping=None,
        renorm_momentum=0.99,
        synchronized=False,
        **kwargs,
    ):
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        if not isinstance(axis, int):
            if not isinstance(axis, (list, tuple)) or len(axis) != 1:
                raise ConfigError(f"BatchNormalization takes one axis; got {axis!r}.")
            self.axis = axis[0]  # files of Keras 2
        self.momentum = momentum
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm, self.renorm_momentum, self.synchronized = renorm, renorm_momentum, synchronized
        self.renorm_clipping = _checked_clipping(renorm_clipping or {}) if renorm else renorm_clipping

    def build(self, input_shape):
        super().build(input_shape)
        shape = _sizes(input_shape, self.axis, self)

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
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: shape[0]})

    def call(self, inputs, training=None, mask=None):
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
        mean, variance, gamma, beta = (along(vector, axes, x.ndim) for vector in (mean, variance, gamma, beta))
        return standardize(x, mean, variance, gamma, beta, self.epsilon).astype(self.compute_dtype)

    def _shape_rule(self, input_shape):
        return input_shape

    def _batch_moments(self, x, mask):
        """(mean, variance) of each position of `axis` over the batch, of what the mask leaves."""
        axes = tuple(axis for axis in range(x.ndim) if axis != self.axis % x.ndim)
        if mask is None:
            return moments.compute(x, axes)
        if mask.ndim != x.ndim - 1:
            raise ShapeError(f"The mask needs one axis less than the inputs, {x.shape}; got shape {mask.shape}.")
        keep = jnp.broadcast_to(mask[..., None].astype(bool), x.shape)
        count = jnp.sum(keep, axes, dtype=x.dtype, keepdims=True) + settings.epsilon()
        mean = jnp.sum(jnp.where(keep, x, 0), axes, keepdims=True) / count
        variance = jnp.sum(jnp.where(keep, x - mean, 0) ** 2, axes, keepdims=True) / count
        return mean.ravel(), variance.ravel()

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
        raise ConfigError(f"renorm_clipping has any of 'rmax' >= 'rmin' and 'dmax' >= 0; got {bounds}.")
    return bounds


class LayerNormalization(_ScaledAndCentered):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, with the moments of each sample along `axis`, one or
    several (Ba et al., 2016, arXiv:1607.06450).

    >>> import lamina as keras
    >>> keras.layers.LayerNormalization()(keras.ops.array([[1.0, 3.0]])).round(2).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        *,
        rms_scaling=False,
        **kwargs,
    ):
        super().__init__(
            axis, epsilon, center and not rms_scaling, scale or rms_scaling, beta_initializer, gamma_initializer,
            beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        if rms_scaling:
            warn("rms_scaling=True divides by the deviation, not the root mean square: see RMSNormalization.")
        self.rms_scaling = rms_scaling
        self.autocast = False

    def call(self, inputs):
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
        groups: how many; 1 is layer normalization over all axes, -1 (one for each channel) is instance normalization.
        axis: the channels.
    """

    _traits = frozenset(("normalization",))

    def __init__(
        self,
        groups=32,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(
            axis, epsilon, center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer,
            beta_constraint, gamma_constraint, **kwargs,
        )  # fmt: skip
        if not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ConfigError(f"GroupNormalization needs groups, a whole number above 0 or -1; got {groups!r}.")
        self.groups = groups
        self.autocast = False

    def build(self, input_shape):
        (channels,) = _sizes(input_shape, self.axis, self)
        if channels % self.groups:
            raise ShapeError(
                f"GroupNormalization needs channels that {self.groups} groups can share; got {channels} on axis "
                f"{self.axis} of shape {tuple(input_shape)}.",
                fix=f"GroupNormalization(groups={_largest_divisor(channels, self.groups)})",
            )
        super().build(input_shape)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs):
        axis, channels = self.axis % inputs.ndim, inputs.shape[self.axis]
        groups = channels if self.groups == -1 else self.groups
        apart = (groups, channels // groups)
        x = at_least_float32(inputs).reshape(*inputs.shape[:axis], *apart, *inputs.shape[axis + 1 :])
        mean, variance = moments.compute(x, [one for one in range(1, x.ndim) if one != axis], keepdims=True)
        gamma, beta = (
            None if weight is None else along(weight.reshape(apart), (axis, axis + 1), x.ndim)
            for weight in self._scale_and_offset(x.dtype)
        )
        outputs = standardize(x, mean, variance, gamma, beta, self.epsilon)
        return outputs.reshape(inputs.shape).astype(self.compute_dtype)


class RMSNormalization(Layer):
    """`x / sqrt(mean(x**2) + epsilon) * scale` along `axis` (Zhang and Sennrich, 2019, arXiv:1910.07467)."""

    _traits = frozenset(("normalization", "pointwise"))

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis, self.epsilon = _checked_axis(axis), epsilon

    def build(self, input_shape):
        self.scale = self.add_weight(shape=_sizes(input_shape, self.axis, self), initializer="ones", name="scale")

    def call(self, x):
        return rms_normalization(x, self.scale, self.axis, self.epsilon)


class UnitNormalization(Layer):
    """`x / sqrt(sum(x**2))` along `axis`, one or several: vectors of length 1.

    >>> import lamina as keras
    >>> keras.layers.UnitNormalization()(keras.ops.array([[3.0, 4.0]]))
    Array([[0.6, 0.8]], dtype=float32)
    """

    _traits = frozenset(("normalization",))

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = _checked_axis(axis)
        self.supports_masking = True

    def call(self, inputs):
        return normalize(inputs, self.axis, epsilon=1e-12)


class SpectralNormalization(Wrapper):
    """Divides the kernel of `layer` (the table of an Embedding) by its largest singular value in each step of training,
    and so bounds how fast the layer's outputs can change (Miyato et al., 2018, arXiv:1802.05957).

    Args:
        layer: a layer with a `kernel` or `embeddings`.
        power_iterations: steps of power iteration, from the vector of the call before, that estimate the value.
    """

    _traits = frozenset(("wrapper",))

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ConfigError(f"power_iterations is a whole number above 0; got {power_iterations!r}.")
        self.power_iterations = power_iterations

    def build(self, input_shape):
        super().build(input_shape)
        name = next((name for name in ("kernel", "embeddings") if getattr(self.layer, name, None) is not None), None)
        if name is None:
            raise ConfigError(f"SpectralNormalization needs a layer with a kernel; got {self.layer!r}.")
        self.kernel = getattr(self.layer, name)
        self.vector_u = self.add_weight(
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=self.kernel.dtype,
            name="vector_u",
        )
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})

    def call(self, inputs, training=False):
        if training:
            unchanged = self.vector_u.value, self.kernel.value
            vector_u, kernel = jax.lax.cond(jnp.all(unchanged[1] == 0), lambda: unchanged, self.normalized_weights)
            self.vector_u.assign(vector_u)
            self.kernel.assign(kernel)
        return self.layer(inputs).astype(inputs.dtype)

    def normalized_weights(self):
        """(the next vector of the power iteration, the kernel divided by its largest singular value)."""
        kernel, u = self.kernel.value, self.vector_u.value
        matrix = kernel.reshape(-1, kernel.shape[-1])
        v = u  # replaced in the first step
        reserve_steps(self.power_iterations, self.name)
        for _ in range(self.power_iterations):
            v = normalize(u @ matrix.T, axis=None)
            u = normalize(v @ matrix, axis=None)
        u, v = jax.lax.stop_gradient((u, v))
        largest = v @ matrix @ u.T
        return u.astype(self.vector_u.value.dtype), (kernel / largest).astype(kernel.dtype)


__getattr__ = moved_from(__name__)
