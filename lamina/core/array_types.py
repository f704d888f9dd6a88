"""Names for types that need no class of lamina; `lamina.core.typing` has all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import numpy as np

__all__ = ["DTypeLike", "Shape", "ShapeLike", "Tensor"]

Tensor: TypeAlias = jax.Array
"""What layers and ops return for arrays: an array of JAX."""

DTypeLike: TypeAlias = "str | type | np.dtype[Any] | jax.typing.DTypeLike"
"""A type by its name ("float32"), as a NumPy or JAX type, or as a Python type."""

Shape: TypeAlias = "tuple[int | None, ...]"
"""A shape; None stands for a size that is not known."""

ShapeLike: TypeAlias = "int | Sequence[int | None]"
"""A shape as users write it: a number, or a list or tuple with None for sizes that are not known."""
