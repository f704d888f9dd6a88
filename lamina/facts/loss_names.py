"""Names of losses and metrics, and which kind of targets each loss takes."""

from __future__ import annotations

from typing import Any

from lamina.core.context import snake_case
from lamina.core.registry import is_builtin
from lamina.legacy import SHORT_LOSS_NAMES
from lamina.losses import Loss

__all__ = ["BINARY", "EXCLUSIVE", "HINGE", "REGRESSION", "is_builtin_loss", "name_of"]

EXCLUSIVE = frozenset((
    "sparse_categorical_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
))  # fmt: skip
"""Losses over classes of which exactly one is true."""

BINARY = frozenset(("binary_crossentropy", "binary_focal_crossentropy"))
"""Losses over classes each of which may be true or false."""

REGRESSION = frozenset((
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "huber", "log_cosh",
))  # fmt: skip
"""Losses for quantities."""

HINGE = frozenset(("hinge", "squared_hinge"))
"""Losses whose labels are -1 and 1."""

_SHORT = {**SHORT_LOSS_NAMES, "acc": "accuracy"}


def name_of(function: Any) -> str:
    """The snake-case name of a loss or metric; "" for None.

    Args:
        function: Loss or metric as `compile` takes it: a name, a function, an object or None.

    >>> import lamina as keras
    >>> name_of("mse"), name_of(keras.losses.Huber(name="mine")), name_of(keras.losses.kl_divergence), name_of(None)
    ('mean_squared_error', 'huber', 'kl_divergence', '')
    """
    if function is None:
        return ""
    if isinstance(function, Loss):  # its own name may be the user's
        function = getattr(function, "fn", None) or type(function).__name__
    name = function if isinstance(function, str) else getattr(function, "__name__", None) or type(function).__name__
    return _SHORT.get(name, snake_case(name) if name[:1].isupper() else name)


def is_builtin_loss(loss: Any) -> bool:
    """Whether lamina defines a loss, so that its name says what it computes.

    Args:
        loss: Loss as `compile` takes it.
    """
    return isinstance(loss, str) or is_builtin(type(loss) if isinstance(loss, Loss) else loss)
