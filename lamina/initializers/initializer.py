"""Initializer: what gives the first value of a weight. Values are made by NumPy, so no shape costs a compilation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeAlias

import jax
import numpy as np

from lamina.core import context, dtypes
from lamina.core.configurable import Configurable
from lamina.core.placement import place
from lamina.core.typing import ArrayLike, Config, DTypeLike, ShapeLike, Tensor
from lamina.errors import MissingMethodError

__all__ = ["Initializer", "InitializerLike", "as_array", "numpy_type", "sizes_of"]

InitializerLike: TypeAlias = "str | Config | Callable[..., Any] | Initializer | ArrayLike | None"
"""An initializer by its name, its config, a function (shape, dtype), an object, or the value itself."""


class Initializer(Configurable):
    """Base of all initializers: `initializer(shape, dtype)` returns the first value of a weight.

    Subclasses write `__call__(self, shape, dtype=None)`.

    >>> import lamina as keras
    >>> keras.initializers.Constant(2.0)((2,))
    Array([2., 2.], dtype=float32)
    """

    def __call__(self, shape: ShapeLike, dtype: DTypeLike | None = None) -> Tensor:
        raise MissingMethodError(
            f"{type(self).__name__} needs a method that gives the values.",
            fix="def __call__(self, shape, dtype=None): return keras.ops.zeros(shape, dtype)",
        )

    def clone(self) -> Self:
        """An initializer of the same config."""
        return self.from_config(self.get_config())


def as_array(values: np.ndarray, dtype: DTypeLike | None) -> Tensor:
    """New NumPy values as a JAX array; the cast is NumPy's, since JAX's would compile for each shape."""
    return place(values.astype(numpy_type(dtype), copy=False), context.placement(values.shape))


def numpy_type(dtype: DTypeLike | None) -> Any:
    """The NumPy type in which values of `dtype` are made."""
    return jax.dtypes.canonicalize_dtype(dtypes.numpy_dtype(dtype))


def sizes_of(shape: Any) -> tuple[int, ...]:
    """A shape as a tuple of Python integers."""
    return (int(shape),) if np.ndim(shape) == 0 else tuple(int(size) for size in shape)
