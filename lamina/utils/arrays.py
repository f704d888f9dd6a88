"""Arrays: one-hot labels and rows of unit length."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.typing import ArrayLike, Tensor
from lamina.core.variable import unwrap
from lamina.errors import DataError, warn
from lamina.legacy import old_names

__all__ = ["normalize", "to_categorical"]


@old_names("to_categorical")
def to_categorical(x: ArrayLike, num_classes: int | None = None) -> np.ndarray | Tensor:
    """Integer labels as one-hot rows.

    Shapes: (...) or (..., 1) -> (..., num_classes). JAX arrays give JAX arrays; NumPy arrays and lists NumPy arrays.

    Args:
        x: Integer labels from 0 to `num_classes - 1`.
        num_classes: Length of a row; None means the largest label plus one.

    Raises:
        DataError: A label is no class number, or not below `num_classes`.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    values = unwrap(x)
    if isinstance(values, jax.Array):
        labels = values[..., 0] if values.ndim > 1 and values.shape[-1] == 1 else values
        return jax.nn.one_hot(labels, num_classes or int(labels.max()) + 1)
    labels = _class_numbers(np.asarray(values))
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    count = num_classes or int(labels.max()) + 1
    if labels.size and not -count <= labels.min() <= labels.max() < count:
        raise DataError(
            f"With num_classes={count}, labels must be from 0 to {count - 1}; got {labels.min()} to {labels.max()}.",
            fix=f"num_classes={labels.max() + 1}",
        )
    if labels.size and labels.min() < 0:
        place = tuple(map(int, np.argwhere(labels < 0)[0]))
        warn(
            f"to_categorical takes class numbers from 0; x[{', '.join(map(str, place))}] is {labels[place]}, which "
            f"counts as {labels[place] + count}.\nclasses, x = np.unique(x, return_inverse=True)"
        )
    return np.eye(count)[labels]


def _class_numbers(labels):
    """Labels as integers, also those written as text."""
    try:
        numbers = labels.astype("float64")
    except (TypeError, ValueError):
        text = next(value for value in labels.flat if not str(value).lstrip("-").isdigit())
        raise DataError(
            f"to_categorical takes class numbers (0, 1, 2, ...); got {text if text is None else str(text)!r}.",
            fix="classes, x = np.unique(x, return_inverse=True)",
        ) from None
    if not np.isfinite(numbers).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(numbers))[0]))
        raise DataError(
            f"to_categorical takes class numbers (0, 1, 2, ...); x[{', '.join(map(str, place))}] is {numbers[place]}.",
            fix="x = x[np.isfinite(x)]",
        )
    if (fractions := numbers % 1 != 0).any():
        place = tuple(map(int, np.argwhere(fractions)[0]))
        raise DataError(
            f"to_categorical takes class numbers (0, 1, 2, ...); x[{', '.join(map(str, place))}] is {numbers[place]}.",
            fix="x = np.floor(x)",
        )
    return numbers.astype("int64")


def normalize(x: ArrayLike, axis: int = -1, order: int = 2) -> np.ndarray | Tensor:
    """`x / norm(x)` along an axis. Rows of zeros stay zeros.

    Args:
        x: Array.
        axis: Axis along which the norm is computed.
        order: Order of the norm, as in `numpy.linalg.norm`.

    >>> normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    values = unwrap(x)
    xp: Any = np if isinstance(values, np.ndarray) else jnp
    values = xp.asarray(values)
    norm = xp.linalg.norm(values, order, axis, keepdims=True)
    return values / xp.where(norm == 0, 1, norm)
