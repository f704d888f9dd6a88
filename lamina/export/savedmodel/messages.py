"""The parts of a SavedModel as protocol buffers: shapes, nodes, functions, structures of arguments.

The numbers are those of the fields in TensorFlow's `graph.proto`, `function.proto`, `struct.proto` and
`saved_object_graph.proto`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from lamina.errors import ConfigError
from lamina.runtime.protobufs import encode

__all__ = ["argument_spec", "attribute", "data_type", "entries", "node", "shape_of", "structure", "types"]

_TYPES = (
    "float32 float64 int32 uint8 int16 int8 string complex64 int64 bool - - - bfloat16 - - uint16 complex128 float16 - "
    "- uint32 uint64 float8_e5m2 float8_e4m3fn"
).split()


def data_type(dtype: Any) -> int:
    """The number that TensorFlow has for a dtype.

    Args:
        dtype: NumPy dtype or its name.
    """
    name = str(np.dtype(dtype)) if dtype != "string" else dtype
    if name not in _TYPES:
        raise ConfigError(f"TensorFlow has no type {name!r}.", fix='model.export("name.jax")')
    return _TYPES.index(name) + 1


def shape_of(shape: Iterable[Any]) -> bytes:
    """A TensorShapeProto; a symbolic size is open."""
    return encode(*((2, encode((1, size if isinstance(size, int) else -1))) for size in shape))


def entries(number: int, values: Mapping[str, Any]) -> list[tuple[int, bytes]]:
    """The fields of a map."""
    return [(number, encode((1, key), (2, value))) for key, value in values.items()]


def types(dtypes: Iterable[Any]) -> bytes:
    """An attribute that is a list of types."""
    return encode((1, encode(*((6, data_type(dtype)) for dtype in dtypes))))


def attribute(value: Any) -> bytes:
    """An attribute of a node: an int, text or bytes; a list of texts or of messages of shapes."""
    if isinstance(value, list):
        return encode((1, encode(*((2, each) for each in value))))
    if isinstance(value, bool):
        return encode((5, value))
    return encode((3 if isinstance(value, int) else 2, value))


def node(name: str, operation: str, inputs: Iterable[str] = (), **attributes: bytes) -> bytes:
    """A NodeDef."""
    return encode((1, name), (2, operation), *((3, each) for each in inputs), *entries(5, attributes))


def structure(value: Any) -> bytes:
    """A StructuredValue: None, text, lists, tuples and dicts, and shapes and types with a name as leaves.

    Args:
        value: The structure; a leaf has `name`, `shape` and `dtype`.
    """
    if value is None:
        return encode((1, b""))
    if isinstance(value, str):
        return encode((13, value))
    if isinstance(value, dict):
        return encode((53, encode(*entries(1, {key: structure(value[key]) for key in sorted(value)}))))
    if isinstance(value, (list, tuple)):
        return encode((52 if isinstance(value, tuple) else 51, encode(*((1, structure(each)) for each in value))))
    return encode((33, encode((1, value.name), (2, shape_of(value.shape)), (3, data_type(value.dtype)))))


def argument_spec(names: Iterable[str], keywords: Iterable[str] = (), signature: Any = None) -> bytes:
    """A FunctionSpec: the arguments of a function by position and by name.

    Args:
        names: Arguments by position.
        keywords: Arguments by name alone.
        signature: Tuple of structures of specs, or None.
    """
    parts = {"args": list(names), "varargs": None, "varkw": None, "defaults": None, "kwonlyargs": list(keywords),
             "kwonlydefaults": None, "annotations": {}}  # fmt: skip
    pairs = [(2, encode((1, key), (2, structure(value)))) for key, value in parts.items()]
    full = encode((54, encode((1, "FullArgSpec"), *pairs)))
    return encode((1, full), (5, structure(signature)))
