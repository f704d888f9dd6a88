"""Arrays: one-hot labels and rows of unit length."""

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.variable import unwrap
from lamina.errors import DataError

__all__ = ["normalize", "to_categorical"]


def to_categorical(x, num_classes=None):
    """Integer labels as rows with a one at the label.

    Shapes: (...) or (..., 1) -> (..., num_classes). `num_classes` None means the largest label plus one.

    >>> to_categorical([0, 2])
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    x = unwrap(x)
    if isinstance(x, jax.Array):
        labels = x[..., 0] if x.ndim > 1 and x.shape[-1] == 1 else x
        return jax.nn.one_hot(labels, num_classes or int(labels.max()) + 1)
    labels = np.asarray(x).astype("int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    count = num_classes or int(labels.max()) + 1
    if labels.size and not -count <= labels.min() <= labels.max() < count:
        raise DataError(
            f"With num_classes={count}, labels go from 0 to {count - 1}; got {labels.min()} to {labels.max()}.",
            fix=f"num_classes={labels.max() + 1}",
        )
    return np.eye(count)[labels]


def normalize(x, axis=-1, order=2):
    """`x / norm(x)` along `axis`, where the norm is that of `order`; rows of zeros stay.

    >>> normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    x = unwrap(x)
    xp = np if isinstance(x, np.ndarray) else jnp
    x = xp.asarray(x)
    norm = xp.linalg.norm(x, order, axis, keepdims=True)
    return x / xp.where(norm == 0, 1, norm)
