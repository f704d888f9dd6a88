"""Regularizers: penalties on weights or outputs, added to the loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import jax.numpy as jnp

from lamina.core.arguments import choice
from lamina.core.configurable import Configurable
from lamina.core.family import Family
from lamina.core.typing import ArrayLike, Config, Tensor
from lamina.core.variable import to_array, unwrap
from lamina.errors import ConfigError, ShapeError
from lamina.legacy import old_names_of
from lamina.runtime.tracebacks import filters_traceback

__all__ = [
    "L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "RegularizerLike", "deserialize", "get", "l1", "l1_l2",
    "l2", "orthogonal_regularizer", "serialize",
]  # fmt: skip


RegularizerLike: TypeAlias = "str | Config | Callable[..., Any] | Regularizer | None"
"""A regularizer by its name, its config, a function of a tensor, or an object."""


class Regularizer(Configurable):
    """Base of all regularizers: `regularizer(x)` returns a penalty, one number. Subclasses write `__call__(self, x)`.

    >>> import lamina as keras
    >>> keras.regularizers.L2(0.5)(jnp.array([1.0, 2.0]))
    Array(2.5, dtype=float32)
    """

    def __call__(self, x: ArrayLike) -> float | Tensor:
        return 0.0


def _factor(value, name):
    """`value` checked: a number of 0 or more."""
    number = isinstance(value, (int, float)) or getattr(value, "ndim", None) == 0
    if not number or not math.isfinite(value) or value < 0:
        raise ConfigError(f"{name} is a number of 0 or more; got {value!r}.", fix=f"{name}=0.01")
    return float(value)


class L1(Regularizer):
    """`l1 * sum(|x|)`.

    Args:
        l1: Factor of the penalty, 0 or more.
    """

    def __init__(self, l1: float | None = 0.01) -> None:
        self.l1: float = _factor(0.01 if l1 is None else l1, "l1")

    def __call__(self, x: ArrayLike) -> Tensor:
        return self.l1 * jnp.sum(jnp.abs(to_array(unwrap(x))))


class L2(Regularizer):
    """`l2 * sum(x**2)`.

    Args:
        l2: Factor of the penalty, 0 or more.
    """

    def __init__(self, l2: float | None = 0.01) -> None:
        self.l2: float = _factor(0.01 if l2 is None else l2, "l2")

    def __call__(self, x: ArrayLike) -> Tensor:
        return self.l2 * jnp.sum(jnp.square(to_array(unwrap(x))))


class L1L2(Regularizer):
    """`l1 * sum(|x|) + l2 * sum(x**2)`.

    Args:
        l1: Factor of the sum of absolute values, 0 or more.
        l2: Factor of the sum of squares, 0 or more.
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0) -> None:
        self.l1: float = _factor(l1 or 0.0, "l1")
        self.l2: float = _factor(l2 or 0.0, "l2")

    def __call__(self, x: ArrayLike) -> Tensor:
        values = to_array(unwrap(x))
        penalty = jnp.zeros((), values.dtype)
        if self.l1:
            penalty += self.l1 * jnp.sum(jnp.abs(values))
        if self.l2:
            penalty += self.l2 * jnp.sum(jnp.square(values))
        return penalty


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean of |cosine| between two different rows (or columns) of a matrix.

    Shapes: (rows, columns) -> ().

    Args:
        factor: Factor of the penalty, 0 or more.
        mode: "rows" compares the rows of the matrix, "columns" its columns.

    Raises:
        ConfigError: For another mode.
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor: float = _factor(factor, "factor")
        self.mode = mode
        choice(self, "mode", mode, ("rows", "columns"))

    def __call__(self, inputs: ArrayLike) -> Tensor:  # type: ignore[override]  # Keras's name of the argument
        vectors = to_array(unwrap(inputs))
        if vectors.ndim != 2:
            raise ShapeError(
                f"OrthogonalRegularizer needs a matrix; got shape {vectors.shape}.",
                fix="L2(0.01) regularizes weights of any rank.",
            )
        if self.mode == "columns":
            vectors = vectors.T
        squares = jnp.sum(jnp.square(vectors), axis=1, keepdims=True)
        unit = vectors / jnp.sqrt(jnp.maximum(squares, 1e-12))
        cosines = unit @ unit.T
        count = vectors.shape[0]
        different = 1 - jnp.eye(count, dtype=cosines.dtype)
        return self.factor * jnp.sum(jnp.abs(cosines * different)) / (count * (count - 1))


l1 = L1
l2 = L2
l1_l2 = L1L2
orthogonal_regularizer = OrthogonalRegularizer
_ALIASES = {"regularizer": Regularizer, "l1": L1, "l2": L2, "l1l2": L1L2, "l1_l2": L1L2,
            "orthogonal_regularizer": OrthogonalRegularizer}  # fmt: skip
_FAMILY = Family("regularizer", "keras.regularizers", base=Regularizer, aliases=_ALIASES)


@filters_traceback
def get(identifier: RegularizerLike) -> Any:
    """A regularizer from a name, a config, a class or an object.

    Args:
        identifier: Name, config, class, function or object; None gives None.

    Raises:
        ConfigError: The name is unknown, or the value is of another kind.
    """
    return _FAMILY.get(identifier)


def serialize(regularizer: Any) -> Config:
    """A JSON-able description of a regularizer, as files hold it.

    Args:
        regularizer: Object or function that is described.
    """
    return _FAMILY.serialize(regularizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A regularizer from a name or a description.

    Args:
        config: Name, or what `serialize` returned.
        custom_objects: Classes and functions of the user by the names that the description has for them.
    """
    return _FAMILY.deserialize(config, custom_objects)


__getattr__: Any = old_names_of(__name__)
