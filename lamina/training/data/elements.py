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

__all__ = ["Composite", "TensorSpec", "Views", "array_of", "call", "leaves_of", "map_leaves", "on_device", "row_of",
           "row_spec", "spec_of", "stack", "stack_as",
           "words_of"]  # fmt: skip


class Composite:
    """A component of an element that is no array, such as a data set or a ragged tensor: it is passed on as it is.

    Its `spec` has `row()`, the spec of a row; `batched(size)`, that of a batch; and `joined(items)`, which batches.
    """

    spec: Any
    stacked: Any
    """Function from a list of such components, and arrays, to one batch."""


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
        sizes = (self.shape,) if isinstance(self.shape, int) else self.shape
        object.__setattr__(self, "shape", None if sizes is None else Views.shape(sizes))
        object.__setattr__(self, "dtype", "string" if is_text else np.dtype(self.dtype))

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        """The spec of an array.

        Args:
            tensor: Array.
            name: Name, or None.
        """
        spec = spec_of(tensor)
        return cls(spec.shape, spec.dtype, name)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Whether an array, or each array of a spec, has this dtype and the sizes that are known.

        Args:
            spec_or_value: Array or TensorSpec.
        """
        other = spec_or_value if isinstance(spec_or_value, TensorSpec) else spec_of(spec_or_value)
        if self.dtype != other.dtype or None in (self.shape, other.shape):
            return self.dtype == other.dtype
        sizes = zip(self.shape, other.shape, strict=False)
        return len(self.shape) == len(other.shape) and all(a == b or None in (a, b) for a, b in sizes)

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
    if isinstance(value, (np.ndarray, Composite)):
        return value
    if isinstance(value, bytes):
        return np.array(value, object)  # bytes of NumPy lose the zeros at their end
    array = np.asarray(unwrap(value))
    if Views.narrow and isinstance(value, (list, tuple, int, float)) and array.dtype in _NARROW and _is_plain(value):
        return array.astype(_NARROW[array.dtype])
    return np.asarray(value, object) if array.dtype.kind == "S" else array


_NARROW = {np.dtype("int64"): np.dtype("int32"), np.dtype("float64"): np.dtype("float32")}


def _is_plain(value):
    """Whether it is a number of Python, or a list of them."""
    while isinstance(value, (list, tuple)) and value:
        value = value[0]
    return not isinstance(value, (np.ndarray, np.generic))


class Text(np.ndarray):
    """Texts, which have `numpy()` as tensors of TensorFlow do; it returns bytes."""

    def numpy(self) -> Any:
        """The texts in UTF-8."""
        return np.frompyfunc(lambda text: text.encode() if isinstance(text, str) else text, 1, 1)(np.asarray(self))

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return OneText(found) if isinstance(found, str) else OneBytes(found) if isinstance(found, bytes) else found

    def __iter__(self) -> Any:
        return (self[row] for row in range(len(self)))


class OneText(str):
    """A text, which has `numpy()` as a tensor of TensorFlow does."""

    __slots__ = ()

    def numpy(self) -> bytes:
        """The text in UTF-8."""
        return self.encode()


class OneBytes(bytes):
    """Bytes, which have `numpy()` as a tensor of TensorFlow does."""

    __slots__ = ()

    def numpy(self) -> bytes:
        """The bytes."""
        return bytes(self)


class Views:
    """How the arrays of an element are shown; programs for TensorFlow have their own kinds.

    Attributes:
        to_functions: What functions of elements get for an array; None is the array as it is.
        narrow: Whether numbers and lists of Python become int32 and float32.
        to_numpy: What `as_numpy_iterator` gives for an array.
        to_text: What iteration gives for an array of texts.
        shape: Class of the shape of a TensorSpec.
    """

    to_functions: Callable[[Any], Any] | None = None
    narrow: bool = False
    shape: Callable[[Any], Any] = tuple
    to_numpy: Callable[[Any], Any] = staticmethod(array_of)
    to_text: Callable[[Any], Any] = staticmethod(lambda array: array.view(Text))


def on_device(value: Any) -> Any:
    """A value as an array of JAX; text stays an array of NumPy.

    Args:
        value: Array of any kind.
    """
    if isinstance(value, (jax.Array, Composite)):
        return value
    array = array_of(value)
    return Views.to_text(array.astype(object)) if array.dtype.kind in "USO" else jnp.asarray(array)


def row_of(arrays: Any, row: Any) -> Any:
    """Row `row` of each array.

    Args:
        arrays: Array, or tuple or dict of arrays.
        row: Index.
    """
    return map_leaves(lambda leaf: leaf[row], arrays)


def row_spec(spec: Any) -> Any:
    """The spec of the rows of a component.

    Args:
        spec: TensorSpec, or the spec of another kind of component, which has `row()`.
    """
    return TensorSpec(spec.shape[1:], spec.dtype) if isinstance(spec, TensorSpec) else spec.row()


def spec_of(value: Any) -> Any:
    """The TensorSpec of each array of an element.

    Args:
        value: Element.

    >>> spec_of((np.zeros((2, 3)), "text"))
    (TensorSpec(shape=(2, 3), dtype=float64), TensorSpec(shape=(), dtype=string))
    """
    return map_leaves(lambda leaf: _spec(array_of(leaf)), value)


def _spec(array):
    if isinstance(array, Composite):
        return array.spec
    return TensorSpec(array.shape, "string" if array.dtype.kind in "USO" else array.dtype)


def stack(*elements: Any) -> Any:
    """Elements as one batch.

    Args:
        *elements: Elements of the same structure and shapes.

    Raises:
        DataError: The shapes differ.
    """
    return map_leaves(_stack, *elements)


def stack_as(spec: Any) -> Callable[..., Any]:
    """The function that stacks elements of a spec.

    Args:
        spec: TensorSpec of each component, or None.
    """
    if spec is None or all(isinstance(leaf, TensorSpec) for leaf in leaves_of(spec)):
        return stack
    return lambda *elements: map_leaves(
        lambda one, *leaves: _stack(*leaves) if isinstance(one, TensorSpec) else one.joined(leaves), spec, *elements
    )


def _stack(*leaves):
    composite = next((leaf for leaf in leaves if isinstance(leaf, Composite)), None)
    if composite is not None:
        return composite.stacked(leaves)
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
    if Views.to_functions is not None:
        element = map_leaves(Views.to_functions, element)
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
