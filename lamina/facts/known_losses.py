"""Which of lamina's losses a function of the user's own computes, found by its values."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina import losses
from lamina.core.variable import unwrap
from lamina.losses import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["OwnLoss", "tried"]

_ROWS, _DRAWS = 16, 3
_SYMMETRIC = 4  # of the first candidates it does not matter which argument comes first
_LIKE = 1e-3  # share by which quotients may differ that are meant to be one number


class OwnLoss:
    """A loss of the user's own with some labels, traced once for the values of all predictions.

    Args:
        function: Loss: a function, or an object.
        labels: Labels, as it takes them; the first rows are used.
        shape: Shape of the outputs, with the batch.

    Attributes:
        labels: The labels of the first rows.
        shape: Shape of predictions for them, with 4 for what is not known.
    """

    def __init__(self, function: Any, labels: np.ndarray, shape: tuple[int | None, ...]):
        self.labels: np.ndarray = np.asarray(labels[:_ROWS], "float32")
        self.shape: tuple[int, ...] = (len(self.labels), *(size or 4 for size in shape[1:]))
        self._mean: Any = jax.jit(lambda labels, some: _mean(_as_loss(function), labels, some))

    def values(self, predictions: Sequence[Any], labels: np.ndarray | None = None) -> np.ndarray | None:
        """Its values for each of several predictions; None where it cannot be computed so.

        Args:
            predictions: Arrays of `shape`.
            labels: Other labels than its own.
        """
        labels = self.labels if labels is None else labels
        return tried(lambda: np.array([self._mean(labels, np.asarray(some, "float32")) for some in predictions]))

    def is_flat(self, predictions: Sequence[Any]) -> bool:
        """Whether it has no slope at any of several predictions, as where it rounds or compares them.

        Args:
            predictions: Arrays of `shape`.
        """
        slope = jax.grad(self._mean, 1)
        found = tried(lambda: [np.any(slope(self.labels, np.asarray(some, "float32"))) for some in predictions])
        return found is not None and not any(found)

    @functools.cached_property
    def known(self) -> tuple[Loss | None, Loss | None]:
        """(the loss of lamina's whose values it has, times a number perhaps, the one whose values it has with outputs
        and labels in each other's place); None for none."""
        draws = np.random.default_rng(0).normal(size=(_DRAWS, *self.shape))
        draws = np.asarray(jax.nn.softmax(draws) if draws.shape[-1] > 1 else jax.nn.sigmoid(draws), "float32")
        candidates = _candidates(self.labels.shape == self.shape)
        turned, count = candidates[_SYMMETRIC:], len(candidates)
        own = self.values(list(draws))
        values = tried(_means, candidates, turned, self.labels, draws)
        if own is None or values is None:
            return None, None
        values = np.asarray(values)
        return _like(own, values[:, :count], candidates), _like(own, values[:, count:], turned, swapped=True)


def tried(function: Callable[..., Any], *given: Any) -> Any:
    """What a function of the user's loss returns, without its warnings; None where it raises an error.

    Args:
        function: Function.
        *given: Its arguments.
    """
    try:
        with warnings.catch_warnings():  # about losses that do not fit these labels
            warnings.simplefilter("ignore")
            return function(*given)
    except Exception:  # of the user's loss, which may not be traced like this, or not on such outputs
        return None


def _like(own, values, candidates, swapped=False):
    """The candidate of whose values those of the loss are a multiple."""
    if not candidates:
        return None
    with np.errstate(all="ignore"):
        quotients = own[:, None] / values
        spread = np.ptp(quotients, axis=0) / np.abs(quotients[0])
    if swapped:  # with labels of 0 and 1 a crossentropy is then a multiple of the mean absolute error
        spread += np.abs(quotients[0] - 1)
    found = np.flatnonzero((spread < _LIKE) & (quotients[0] > 0) & (np.ptp(values, axis=0) > 0))
    return candidates[found[0]] if found.size else None


@functools.partial(jax.jit, static_argnums=(0, 1))
def _means(candidates, turned, labels, draws):
    """The values of the candidates, and of those with labels and predictions in each other's place, for each draw."""

    def means(some):
        straight = [_mean(one, labels, some) for one in candidates]
        return jnp.stack(straight + [_mean(one, some, labels) for one in turned])

    return jax.vmap(means)(draws)


def _mean(loss, labels, predictions):
    return jnp.mean(unwrap(loss(labels, predictions)).astype("float32"))


def _as_loss(function):
    return function if isinstance(function, Loss) else losses.LossFunctionWrapper(function)


@functools.cache  # one program for all losses on labels of one shape
def _candidates(same_shape: bool) -> tuple[Loss, ...]:
    if not same_shape:
        return tuple(losses.SparseCategoricalCrossentropy(from_logits=logits) for logits in (False, True))
    crossentropies = losses.BinaryCrossentropy, losses.CategoricalCrossentropy
    return (
        losses.MeanSquaredError(), losses.MeanAbsoluteError(), losses.Huber(), losses.LogCosh(),
        *(make(from_logits=logits) for make in crossentropies for logits in (False, True)),
        losses.KLDivergence(), losses.Poisson(), losses.Hinge(), losses.SquaredHinge(),
    )  # fmt: skip
