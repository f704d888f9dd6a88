"""Which of lamina's losses a function of the user's own computes, found by its values."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina import losses
from lamina.core.variable import unwrap
from lamina.losses import Loss

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["known_loss", "values_of"]

_ROWS, _DRAWS = 6, 3
_SYMMETRIC = 4  # of the first candidates it does not matter which argument comes first
_LIKE = 1e-3  # share by which quotients may differ that are meant to be one number


def known_loss(function: Any, labels: np.ndarray, shape: tuple[int | None, ...], swapped: bool = False) -> Loss | None:
    """The loss of lamina's whose values a function has, times a number perhaps; None where it has those of none.

    Args:
        function: Loss of the user's own: a function, or an object.
        labels: Labels of some rows, as the function takes them.
        shape: Shape of the outputs, with the batch.
        swapped: Whether the loss of lamina's takes outputs and labels in each other's place.
    """
    y = jnp.asarray(labels[:_ROWS], "float32")
    draws = np.random.default_rng(0).normal(size=(_DRAWS, len(y), *(size or 4 for size in shape[1:])))
    draws = jax.nn.softmax(draws) if draws.shape[-1] > 1 else jax.nn.sigmoid(draws)
    known = _candidates(y.shape == draws.shape[1:])[_SYMMETRIC if swapped else 0 :]

    def means(outputs):
        given = (outputs, y) if swapped else (y, outputs)
        pairs = [(_as_loss(function), (y, outputs)), *((loss, given) for loss in known)]
        return [jnp.mean(unwrap(loss(*pair)).astype("float32")) for loss, pair in pairs]

    try:
        with warnings.catch_warnings():  # about losses that do not fit these labels
            warnings.simplefilter("ignore")
            values = np.array(jax.jit(lambda some: [means(one) for one in some])(draws))
    except Exception:  # of the user's function, which may not be traced like this, or not on such outputs
        return None
    with np.errstate(all="ignore"):
        quotients = values[:, :1] / values[:, 1:]
        spread = np.ptp(quotients, axis=0) / np.abs(quotients[0])
    if swapped:  # with labels of 0 and 1 a crossentropy is then a multiple of the mean absolute error
        spread += np.abs(quotients[0] - 1)
    found = np.flatnonzero((spread < _LIKE) & (quotients[0] > 0) & (np.ptp(values[:, 1:], axis=0) > 0))
    return known[found[0]] if found.size else None


def values_of(function: Any, labels: np.ndarray, predictions: Sequence[np.ndarray]) -> np.ndarray | None:
    """The values of a loss for some labels and each of several predictions; None where it cannot be computed so.

    Args:
        function: Loss: a function, or an object.
        labels: Labels, as the function takes them.
        predictions: Arrays of one shape.
    """

    def values(labels, several):
        return [jnp.mean(unwrap(_as_loss(function)(labels, one)).astype("float32")) for one in several]

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.array(jax.jit(values)(jnp.asarray(labels, "float32"), [jnp.asarray(one) for one in predictions]))
    except Exception:  # of the user's function, as above
        return None


def _as_loss(function):
    return function if isinstance(function, Loss) else losses.LossFunctionWrapper(function)


def _candidates(same_shape: bool) -> list[Loss]:
    if not same_shape:
        return [losses.SparseCategoricalCrossentropy(from_logits=logits) for logits in (False, True)]
    crossentropies = losses.BinaryCrossentropy, losses.CategoricalCrossentropy
    return [
        losses.MeanSquaredError(), losses.MeanAbsoluteError(), losses.Huber(), losses.LogCosh(),
        *(make(from_logits=logits) for make in crossentropies for logits in (False, True)),
        losses.KLDivergence(), losses.Poisson(), losses.Hinge(), losses.SquaredHinge(),
    ]  # fmt: skip
