"""Elements of a data set: arrays, or tuples and dicts of arrays. As in TensorFlow, a list is one array."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.core.variable import unwrap
from lamina.errors import DataError

__all__ = ["TensorSpec", "array_of", "call", "leaves_of", "map_leaves", "on_device", "row_of", "spec_of", "stack",
           "words_of"]  # fmt: skip


@dataclass(frozen=True)
class TensorSpec:
    """Shape and dtype of a component of the elements of a data set.

    Attributes:
        shape: Tuple of sizes, with None for a size that differs between elements.
        dtype: dtype of NumPy, or "string".
        name: Name, or None.

    >>> TensorSpec([None, 3], "int32")
    TensorSpec(shape=(None, 3), dtype=int32)
    """

    shape: Any
    dtype: Any = "float32"
    name: str | None = None

    def __post_init__(self) -> None:
        is_text = str(self.dtype) == "string" or self.dtype is str
        object.__setattr__(self, "shape", None if self.shape is None else tuple(self.shape))
        object.__setattr__(self, "dtype", "string" if is_text else np.dtype(self.dtype))

    def __repr__(self) -> str:
        return f"TensorSpec(shape={self.shape}, dtype={self.dtype})"


def map_leaves(function: Callable[..., Any], first: Any, *others: Any) -> Any:
    """The same structure with a function of each array.

    Args:
        function: Function of as many arrays as there are structures.
        first: Array, or tuple or dict of arrays.
        *others: Structures of the same form.

    >>> map_leaves(lambda leaf: leaf + 1, {"a": 1, "b": (2, 3)})
    {'a': 2, 'b': (3, 4)}
    """
    if isinstance(first, dict):
        return {key: map_leaves(function, value, *(other[key] for other in others)) for key, value in first.items()}
    if isinstance(first, tuple):
        parts = [map_leaves(function, *same) for same in zip(first, *others, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    return function(first, *others)


def leaves_of(element: Any) -> list[Any]:
    """The arrays of an element.

    Args:
        element: Array, or tuple or dict of arrays.
    """
    found: list[Any] = []
    map_leaves(found.append, element)
    return found


def array_of(value: Any) -> Any:
    """A value as an array of NumPy.

    Args:
        value: Array of any kind, number, text or list.
    """
    return value if isinstance(value, np.ndarray) else np.asarray(unwrap(value))


class Text(np.ndarray):
    """Texts, which have `numpy()` as tensors of TensorFlow do; it returns bytes."""

    def numpy(self) -> Any:
        """The texts in UTF-8."""
        return np.frompyfunc(lambda text: text.encode() if isinstance(text, str) else text, 1, 1)(np.asarray(self))

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return OneText(found) if isinstance(found, str) else found

    def __iter__(self) -> Any:
        return (self[row] for row in range(len(self)))


class OneText(str):
    """A text, which has `numpy()` as a tensor of TensorFlow does."""

    __slots__ = ()

    def numpy(self) -> bytes:
        """The text in UTF-8."""
        return self.encode()


def on_device(value: Any) -> Any:
    """A value as an array of JAX; text stays an array of NumPy.

    Args:
        value: Array of any kind.
    """
    if isinstance(value, jax.Array):
        return value
    array = array_of(value)
    return array.astype(object).view(Text) if array.dtype.kind in "USO" else jnp.asarray(array)


def row_of(arrays: Any, row: Any) -> Any:
    """Row `row` of each array.

    Args:
        arrays: Array, or tuple or dict of arrays.
        row: Index.
    """
    return map_leaves(lambda leaf: leaf[row], arrays)


def spec_of(value: Any) -> Any:
    """The TensorSpec of each array of an element.

    Args:
        value: Element.

    >>> spec_of((np.zeros((2, 3)), "text"))
    (TensorSpec(shape=(2, 3), dtype=float64), TensorSpec(shape=(), dtype=string))
    """
    return map_leaves(lambda leaf: _spec(array_of(leaf)), value)


def _spec(array):
    return TensorSpec(array.shape, "string" if array.dtype.kind in "USO" else array.dtype)


def stack(*elements: Any) -> Any:
    """Elements as one batch.

    Args:
        *elements: Elements of the same structure and shapes.

    Raises:
        DataError: The shapes differ.
    """
    return map_leaves(_stack, *elements)


def _stack(*leaves):
    arrays = [array_of(leaf) for leaf in leaves]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise DataError(
            f"A batch needs elements of one shape; got {', '.join(map(str, sorted(shapes)[:4]))}.",
            fix="dataset.padded_batch(32)",
        )
    return np.stack(arrays)


def call(function: Callable[..., Any], element: Any) -> Any:
    """A function of an element; the components of a tuple are separate arguments.

    Args:
        function: Function.
        element: Element.
    """
    return function(*element) if isinstance(element, tuple) else function(element)


def words_of(spec: Any) -> str:
    """A spec in a few words.

    Args:
        spec: TensorSpec, or tuple or dict of them.

    >>> words_of((TensorSpec((None, 8)), {"a": TensorSpec((None,), "string")}))
    'float32 (None, 8), {a: string (None,)}'
    """
    if isinstance(spec, TensorSpec):
        return f"{spec.dtype} {tuple(spec.shape) if spec.shape is not None else 'of any shape'}"
    if isinstance(spec, dict):
        return "{" + ", ".join(f"{key}: {words_of(value)}" for key, value in spec.items()) + "}"
    if isinstance(spec, tuple):
        return ", ".join(f"({words_of(part)})" if type(part) is tuple else words_of(part) for part in spec)
    return str(spec)
