"""The Kullback-Leibler divergence between distributions, and the Poisson loss of counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax.numpy as jnp

from lamina.core.op import op
from lamina.losses.alignment import aligned_floats
from lamina.losses.loss import LossFunctionWrapper
from lamina.runtime import settings

if TYPE_CHECKING:
    from lamina.core.typing import Tensor, TensorLike
    from lamina.losses.loss import DTypeOrPolicy, Reduction

__all__ = ["KLDivergence", "Poisson", "kl_divergence", "poisson"]


@op
def kl_divergence(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """sum(y log(y / p)) over the last axis, y and p clipped to [epsilon, 1].

    Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Target distributions, shape (batch, ..., d).
        y_pred: Predicted distributions, shape (batch, ..., d).

    >>> import lamina as keras
    >>> keras.losses.kl_divergence([[0.5, 0.5]], [[0.5, 0.5]])
    Array([0.], dtype=float32)
    """
    y_true, y_pred = (jnp.clip(y, settings.epsilon(), 1) for y in aligned_floats(y_true, y_pred))
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


@op
def poisson(y_true: TensorLike, y_pred: TensorLike) -> Tensor:
    """mean(y_pred - y_true log(y_pred + epsilon)) over the last axis. Shapes: (batch, ..., d) twice -> (batch, ...).

    Args:
        y_true: Counts, shape (batch, ..., d).
        y_pred: Expected counts, shape (batch, ..., d).

    >>> import lamina as keras
    >>> keras.losses.poisson([[2.0]], [[1.0]])
    Array([0.99999976], dtype=float32)
    """
    y_true, y_pred = aligned_floats(y_true, y_pred)
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + settings.epsilon()), axis=-1)


class KLDivergence(LossFunctionWrapper):
    """The mean of sum(y log(y / p)), for target distributions y and predicted distributions p.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> float(keras.losses.KLDivergence()([[0.5, 0.5]], [[0.5, 0.5]]))
    0.0
    """

    def __init__(
        self,
        reduction: Reduction = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: DTypeOrPolicy = None,
    ) -> None:
        super().__init__(kl_divergence, reduction, name, dtype)


class Poisson(LossFunctionWrapper):
    """The mean of p - y log p, for counts y and expected counts p.

    Shapes: targets and outputs (batch, ..., d).

    Args:
        reduction: "sum_over_batch_size" (the mean), "sum", "mean_with_sample_weight" or "none".
        name: Name of the loss.
        dtype: Type to compute in, or a dtype policy; None means `keras.config.floatx()`.

    >>> import lamina as keras
    >>> round(float(keras.losses.Poisson()([[2.0]], [[1.0]])), 4)
    1.0
    """

    def __init__(
        self, reduction: Reduction = "sum_over_batch_size", name: str | None = "poisson", dtype: DTypeOrPolicy = None
    ) -> None:
        super().__init__(poisson, reduction, name, dtype)
