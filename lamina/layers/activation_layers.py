"""Activations that are layers of their own: those with settings or weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax.numpy as jnp

from lamina import activations
from lamina.core.arguments import real
from lamina.errors import ShapeError
from lamina.layers.base.input_spec import InputSpec
from lamina.layers.base.layer import Layer
from lamina.layers.base.settings import keep_arguments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from lamina.constraints import ConstraintLike
    from lamina.core.typing import LayerArguments, Shape, Tensor
    from lamina.initializers import InitializerLike
    from lamina.regularizers import RegularizerLike

__all__ = ["ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"]


class _Activation(Layer):
    """An activation with settings. Shapes stay as they are, masks pass."""

    _traits = frozenset(("pointwise", "activation"))

    def __init__(self, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.supports_masking = True

    def _shape_rule(self, input_shape):
        return input_shape

    def _require_not_negative(self, *names):
        for name in names:
            value = getattr(self, name)
            real(self, name, value, least=0, example=getattr(type(self), name, None) and 1.0)


class ReLU(_Activation):
    """`x` from `threshold` on, cut off at `max_value`; `negative_slope * (x - threshold)` below.

    Args:
        max_value: Upper limit of the outputs; None for no limit.
        negative_slope: Slope below the threshold.
        threshold: Inputs from which on the outputs equal the inputs.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.ReLU(max_value=6.0, negative_slope=0.1)(keras.ops.array([-10.0, 3.0, 9.0])).tolist()
    [-1.0, 3.0, 6.0]
    """

    max_value: float | None
    negative_slope: float
    threshold: float

    _activation_name = "relu"

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold
        self._require_not_negative("negative_slope", "threshold", *(["max_value"] if max_value is not None else []))

    def call(self, inputs: Tensor) -> Tensor:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(_Activation):
    """`x` where it is positive, `negative_slope * x` elsewhere (Maas et al., 2013).

    Args:
        negative_slope: Slope of the negative part.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    _activation_name = "leaky_relu"

    def __init__(self, negative_slope: float = 0.3, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.negative_slope = negative_slope
        self._require_not_negative("negative_slope")

    def call(self, inputs: Tensor) -> Tensor:
        return activations.leaky_relu(inputs, self.negative_slope)


class PReLU(_Activation):
    """`x` where it is positive, `alpha * x` elsewhere, with a trained `alpha` (He et al., 2015, arXiv:1502.01852).

    Args:
        alpha_initializer: Initializer of alpha.
        alpha_regularizer: Regularizer of alpha, added to the loss.
        alpha_constraint: Constraint on alpha after each update.
        shared_axes: Axes along which one alpha is shared; [1, 2] gives one alpha for each channel of images.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    alpha: Any
    alpha_initializer: Any
    alpha_regularizer: Any
    alpha_constraint: Any
    _activation_name = "prelu"

    def __init__(
        self,
        alpha_initializer: InitializerLike = "Zeros",
        alpha_regularizer: RegularizerLike = None,
        alpha_constraint: ConstraintLike = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Unpack[LayerArguments],
    ):
        super().__init__(**kwargs)
        keep_arguments(self, locals())
        self.shared_axes: Any = [shared_axes] if isinstance(shared_axes, int) else shared_axes and list(shared_axes)

    def build(self, input_shape: Shape) -> None:
        shared = {axis % len(input_shape) for axis in self.shared_axes or ()}
        own = {axis: size for axis, size in enumerate(input_shape) if axis > 0 and axis not in shared}
        if None in own.values():
            raise ShapeError(
                f"PReLU has one alpha for each position, so sizes must be known; got shape {tuple(input_shape)}.",
                fix=f"PReLU(shared_axes={[axis for axis, size in own.items() if size is None]})",
            )
        self.alpha = self._add_weight_of("alpha", [own.get(axis, 1) for axis in range(1, len(input_shape))])
        self.input_spec: Any = InputSpec(ndim=len(input_shape), axes=own)

    def call(self, inputs: Tensor) -> Tensor:
        return activations.relu(inputs) - self.alpha.value * activations.relu(-inputs)


class ELU(_Activation):
    """`x` where it is positive, `alpha * (exp(x) - 1)` elsewhere (Clevert et al., 2016, arXiv:1511.07289).

    Args:
        alpha: Limit of the negative part: outputs are above -alpha.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.
    """

    _activation_name = "elu"

    def __init__(self, alpha: float = 1.0, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Tensor) -> Tensor:
        return activations.elu(inputs, self.alpha)


class Softmax(_Activation):
    """`exp(x) / sum(exp(x))` along `axis`, one or several. Where the `mask` of a call is False, x counts as minus inf.

    Args:
        axis: Axis, or several, along which the outputs sum to 1.
        **kwargs: Arguments of every layer: `name`, `dtype`, `trainable`, `autocast`, `activity_regularizer`.

    >>> import lamina as keras
    >>> keras.layers.Softmax()(keras.ops.array([1.0, 1.0, 5.0]), mask=keras.ops.array([True, True, False])).tolist()
    [0.5, 0.5, 0.0]
    """

    _activation_name = "softmax"

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Unpack[LayerArguments]):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Tensor, mask: Any = None) -> Tensor:
        axis: Any = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        if mask is None:
            return activations.softmax(inputs, axis)
        _check_mask(mask.shape, inputs.shape)
        keep = mask if mask.dtype == bool else mask > 0.5
        lowest = -3e4 if inputs.dtype == "float16" else -1e9  # finite, so that a row without any True gives no NaN
        return jnp.where(keep, activations.softmax(jnp.where(keep, inputs, lowest), axis), 0)


def _check_mask(mask, inputs):
    pairs = zip(reversed(mask), reversed(inputs), strict=False)
    if len(mask) > len(inputs) or any(size not in (1, other) for size, other in pairs):
        raise ShapeError(
            f"The mask of Softmax needs a shape that broadcasts to that of the inputs, {inputs}; got {mask}.",
            fix="mask[..., None] has an axis more.",
        )
