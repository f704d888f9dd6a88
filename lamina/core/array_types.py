"""Type aliases that need no class of lamina. `lamina.core.typing` has all type aliases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import numpy as np

__all__ = ["DTypeLike", "Shape", "ShapeLike", "Tensor"]

Tensor: TypeAlias = jax.Array
"""The result of layers and ops on arrays: a JAX array."""

DTypeLike: TypeAlias = "str | type | np.dtype[Any] | jax.typing.DTypeLike"
"""A dtype: a name ("float32"), a NumPy or JAX dtype, or a Python type."""

Shape: TypeAlias = "tuple[int | None, ...]"
"""A shape, with None for unknown sizes."""

ShapeLike: TypeAlias = "int | Sequence[int | None]"
"""A shape as users pass it: an int, or a list or tuple of ints, with None for unknown sizes."""
