"""Loss: a function of targets and outputs that gives one number to make small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import jax.numpy as jnp

from lamina import dtype_policies
from lamina.core import context, tree
from lamina.core.configurable import Configurable
from lamina.core.keras_tensor import get_mask
from lamina.core.op import op
from lamina.core.serialization import serialize
from lamina.core.variable import unwrap
from lamina.errors import ConfigError
from lamina.losses.alignment import same_rank, spread
from lamina.runtime import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from lamina.core.typing import Config

__all__ = [
    "REDUCTIONS",
    "Loss",
    "LossFunctionWrapper",
    "LossLike",
    "compute_dtype",
    "divide_no_nan",
    "masked_weights",
    "reduce_weighted",
]

LossLike: TypeAlias = "str | Config | type[Loss] | Loss | Callable[[Any, Any], Any]"
"""A loss as users write it: its name, its config, its class, an object, or a function of y_true and y_pred."""

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)


def compute_dtype(dtype):
    """The type to compute in, from a type, the name of a policy, a policy, or None for floatx."""
    policy: Any = dtype_policies.get(settings.floatx() if dtype is None else dtype)
    return policy.compute_dtype


def divide_no_nan(a, b):
    """a / b, and 0 where b is 0."""
    zero = b == 0
    return jnp.where(zero, 0, a / jnp.where(zero, 1, b))


class Loss(Configurable):
    """Base of losses: write `call(y_true, y_pred)` to give one value a sample; the object weighs and reduces them.

    Args:
        reduction: 'sum_over_batch_size' or 'mean' (sum / number of values), 'sum', 'mean_with_sample_weight'
            (sum / sum of weights), 'none' or None (the values as they are).
        dtype: type to compute in, or a policy; None means floatx.

    A mask on y_pred (or on what `call` returns) leaves masked values out, of the sum and of the number.

    >>> import lamina as keras
    >>> class Absolute(keras.losses.Loss):
    ...     def call(self, y_true, y_pred):
    ...         return abs(y_true - y_pred)
    >>> float(Absolute()([1.0, 2.0], [1.0, 4.0], sample_weight=[1.0, 0.5]))
    0.5
    """

    _integer_targets = False  # class numbers stay whole: a small float type cannot hold them

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        if reduction not in REDUCTIONS:
            raise ConfigError(
                f"Invalid value for argument `reduction`: expected one of {REDUCTIONS}; got {reduction!r}."
            )
        self.name = name or context.unique_name(context.snake_case(type(self).__name__))
        self.reduction = reduction
        self._dtype = compute_dtype(dtype)

    @property
    def dtype(self):
        """The type the loss is computed in."""
        return self._dtype

    def __call__(self, y_true, y_pred, sample_weight=None):
        return loss_value(self, y_true, y_pred, sample_weight)

    def call(self, y_true, y_pred):
        """One value a sample. To be written by each loss."""
        raise NotImplementedError(f"{type(self).__name__} needs a call(y_true, y_pred) method.")

    def get_config(self):
        """The arguments by name; `dtype` (of some losses `axis`, `delta`), which Keras leaves out, only where set."""
        config = super().get_config()
        unwritten = {"dtype": settings.floatx(), **self._unwritten}
        return {key: value for key, value in config.items() if key not in unwritten or value != unwritten[key]}

    _unwritten = {}  # argument -> the default that its config leaves out


@op(settings=("loss",))
def loss_value(loss, y_true, y_pred, sample_weight=None):
    """What `loss(y_true, y_pred, sample_weight)` computes."""
    targets = _arrays(y_true, None if loss._integer_targets else loss.dtype)
    values = loss.call(targets, _arrays(y_pred, loss.dtype))
    mask = _both(get_mask(y_pred), get_mask(values))
    return reduce_weighted(jnp.asarray(values, loss.dtype), sample_weight, mask, loss.reduction)


def _both(mask, other):
    if mask is None or other is None:
        return other if mask is None else mask
    return jnp.asarray(mask, bool) & jnp.asarray(other, bool)


def _arrays(structure, dtype):
    """Arrays of `dtype` for the leaves of `structure`; a list of plain numbers is one array."""
    if all(isinstance(leaf, (bool, int, float)) for leaf in tree.flatten(structure)):
        return jnp.asarray(structure, dtype)
    return tree.map_structure(lambda leaf: leaf if leaf is None else jnp.asarray(unwrap(leaf), dtype), structure)


def reduce_weighted(values, sample_weight=None, mask=None, reduction="sum_over_batch_size"):
    """Values times weights, reduced. What a mask leaves out counts neither in the sum nor in the number of values."""
    weights = masked_weights(sample_weight, mask, values.dtype, mean=reduction in ("mean", "sum_over_batch_size"))
    if weights is not None:
        spread_weights, values = spread(weights, values)
        values = values * spread_weights
    if reduction in (None, "none") or values.ndim == 0:
        return values
    if reduction == "sum":
        return jnp.sum(values)
    if reduction == "mean_with_sample_weight" and weights is not None:
        return divide_no_nan(jnp.sum(values), jnp.sum(weights))
    return divide_no_nan(jnp.sum(values), jnp.asarray(values.size, values.dtype))


def masked_weights(weights, mask, dtype, mean=False) -> Any:
    """Weights that are 0 where the mask is false; for a mean scaled so that sum / all is sum / valid."""
    weights = None if weights is None else jnp.asarray(unwrap(weights), dtype)
    if mask is None:
        return weights
    mask = jnp.asarray(mask, dtype)
    if mean:
        mask = mask * divide_no_nan(jnp.asarray(mask.size, dtype), jnp.sum(mask))
    if weights is None:
        return mask
    smaller, larger = spread(*sorted((weights, mask), key=lambda array: array.ndim))
    return smaller * larger


class LossFunctionWrapper(Loss):
    """A loss from a function `fn(y_true, y_pred, **kwargs)` that gives one value a sample.

    >>> from lamina.losses import LossFunctionWrapper, huber
    >>> float(LossFunctionWrapper(huber, delta=2.0)([[0.0]], [[1.0]]))
    0.5
    """

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self._settings = tuple(kwargs)
        for key, value in kwargs.items():
            setattr(self, key, value)

    def call(self, y_true, y_pred):
        if hasattr(y_true, "ndim") and hasattr(y_pred, "ndim"):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **{key: getattr(self, key) for key in self._settings})

    def get_config(self):
        config = super().get_config()
        if "fn" in config:
            config["fn"] = serialize(self.fn)
            config.update({key: serialize(getattr(self, key)) for key in self._settings})
        return config
