"""Tensors in the memory of the host: what functions of data sets get, and all texts. Arrays of NumPy with the methods
of tensors."""

from __future__ import annotations

import operator
from typing import Any

import jax
import numpy as np
from jax.core import Tracer

from lamina.core.keras_tensor import KerasTensor
from lamina.core.variable import Variable, unwrap
from lamina.errors import LaminaError
from lamina.layers.base import shapes
from lamina.training.data.elements import Composite, Text, Views, array_of

__all__ = [
    "HostTensor",
    "InvalidArgumentError",
    "TextType",
    "as_bytes",
    "as_printed",
    "as_text",
    "check_places",
    "each",
    "is_text",
    "on_host",
    "readable",
    "show_tensors",
    "texts",
]


class InvalidArgumentError(LaminaError, ValueError):
    """`tf.errors.InvalidArgumentError`: shapes that do not fit, a check that failed, or an index outside."""


class TextType(str):
    """`tf.string`: equal to the dtype of arrays of texts."""

    name = "string"

    def __hash__(self) -> int:  # that of the dtype of texts, which a dict of dtypes is asked for
        return hash(np.dtype(object))

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) is True or getattr(other, "kind", "") == "O"

    def __ne__(self, other: object) -> bool:
        return not self == other


class HostTensor(Text):
    """An array of NumPy with the methods of a tensor. Operations on it, also on single numbers, give such arrays."""

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return np.asarray(array).view(HostTensor)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, tuple):
            index = tuple(np.asarray(part) if isinstance(part, jax.Array) else part for part in index)
        found = np.asarray(self)[np.asarray(index) if isinstance(index, jax.Array) else index]
        return on_host(found)

    def __iter__(self) -> Any:
        return (self[row] for row in range(len(self)))

    def __str__(self) -> str:
        return str(self.numpy())

    def __format__(self, format_spec: str) -> str:
        return format(self.numpy(), format_spec)

    def __repr__(self) -> str:
        return repr(self.numpy())

    def numpy(self) -> Any:
        """The array of NumPy; text as bytes."""
        return Text.numpy(self) if self.dtype.kind == "O" else np.asarray(self)[()]

    def get_shape(self) -> Any:
        """The shape."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Nothing to do: the shape is known."""


def _anew(operation):
    """`x += y` as `x = x + y`: a tensor does not change, nor the data that it shows."""
    return lambda self, other: operation(self, other)


for _name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
    setattr(HostTensor, f"__i{_name}__", _anew(getattr(operator, f"__{_name}__")))


def on_host(value: Any) -> Any:
    """A value as a tensor of the host; ragged and sparse tensors and data sets are passed on."""
    if isinstance(value, (HostTensor, Composite)):
        return value
    array = array_of(value)
    return (array.astype(object) if array.dtype.kind in "US" else array).view(HostTensor)


def is_text(value: Any) -> bool:
    """Whether it is text, or an array or list of texts."""
    if isinstance(value, (str, bytes)):
        return True
    if isinstance(value, (list, tuple)):
        return bool(value) and is_text(value[0])
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "USO":
        return False
    return value.dtype.kind != "O" or not value.size or isinstance(value.flat[0], (str, bytes))


def as_text(text: Any) -> str:
    """A text of a tensor; bytes that are no UTF-8 become surrogates, which `as_bytes` turns back."""
    text = text.item() if isinstance(text, np.ndarray) else text
    return text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else str(text)


def as_bytes(text: Any) -> bytes:
    """The bytes of a text of a tensor."""
    text = text.item() if isinstance(text, np.ndarray) else text
    return bytes(text) if isinstance(text, (bytes, bytearray)) else str(text).encode("utf-8", "surrogateescape")


def readable(data: bytes) -> str | bytes:
    """Bytes as text if they are UTF-8, else as they are."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def as_printed(value: Any, summarize: int = 3) -> str:
    """A value as `tf.print` and `tf.strings.format` write it, with `summarize` items at each end of an axis."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key!r}: {as_printed(value[key], summarize)}' for key in sorted(value))}}}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(as_printed(one, summarize) for one in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if not isinstance(value, (jax.Array, np.ndarray, np.generic)):
        return repr(value) if isinstance(value, str) else str(value)
    writers: Any = {"float_kind": _number, "int_kind": str, "bool": "{:d}".format}
    writers["object"] = lambda text: f'"{as_text(text)}"'
    ends = summarize if summarize >= 0 else 10**9
    array = np.asarray(value)
    return np.array2string(array, 10**9, separator=" ", threshold=2 * ends, edgeitems=ends, formatter=writers)


def _number(number):
    digits = (15, 17) if isinstance(number, np.float64) else (6, 9)
    short = f"{number:.{digits[0]}g}"
    return short if type(number)(short) == number or number != number else f"{number:.{digits[1]}g}"


def texts(values: Any) -> np.ndarray:
    """An array of texts from texts, or from an array or list of them."""
    if isinstance(values, Composite):
        return values.flat_values  # pyright: ignore[reportAttributeAccessIssue]
    return np.asarray(array_of(values), object)


def check_places(places: Any, size: int) -> None:
    """Indices outside of an axis are an error, as on TensorFlow's CPU, where their numbers are known.

    Args:
        places: Indices.
        size: Size of the axis.
    """
    if isinstance(places, Tracer) or jax.default_backend() != "cpu":
        return
    numbers = np.asarray(places)
    if (outside := numbers[(numbers < 0) | (numbers >= size)]).size:
        message = f"Index {outside[0]} is not in [0, {size})."
        raise InvalidArgumentError(message, fix=f"tf.clip_by_value(indices, 0, {size - 1})")


def each(function: Any, values: Any, dtype: Any = object) -> Any:
    """A function of each text, as a tensor of the same shape; of ragged and sparse tensors too."""
    if isinstance(values, Composite):
        return values.with_flat_values(each(function, values.flat_values, dtype))  # pyright: ignore[reportAttributeAccessIssue]
    found = np.frompyfunc(function, 1, 1)(texts(values))
    array = np.empty((), object) if not isinstance(found, np.ndarray) else found
    if array is not found:
        array[()] = found
    return array.astype(dtype).view(HostTensor)


def _to_numpy(value):
    if isinstance(value, (Composite, Variable)):
        return value if isinstance(value, Composite) else np.asarray(unwrap(value))
    array = array_of(value)
    if array.dtype.kind in "USO":
        return Text.numpy(array.astype(object).view(Text))
    found = array[...]
    found.flags.writeable = False  # as TensorFlow's: it shows the data of the data set
    return found[()]


def show_tensors(shape_class: Any) -> None:
    """From now on functions of data sets get tensors of the host, and iterators of NumPy give texts as bytes.

    Args:
        shape_class: Class of the shapes of tensors.
    """
    sizes: Any = np.ndarray.shape
    HostTensor.shape = property(lambda self: shape_class(sizes.__get__(self)))  # pyright: ignore
    KerasTensor.shape = property(lambda self: shape_class(self._shape))  # pyright: ignore
    shapes.shape_class = Views.shape = shape_class
    Views.to_functions, Views.to_numpy, Views.to_text = on_host, _to_numpy, on_host
    Views.narrow = True
