"""Records: serialize plain values (numbers, strings, arrays, containers, random generators) to bytes without pickle.

    magic | length of the JSON | JSON | the arrays, one after the other | SHA-256 of everything before

The JSON contains the values, with an index in place of each array, and the dtype and shape of each array.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from lamina.core.dtypes import numpy_dtype
from lamina.errors import FileError
from lamina.saving.safety.damage import damaged
from lamina.saving.safety.limits import naming

__all__ = ["bytes_of", "is_plain", "pieces", "read_record", "write_as", "write_record"]

_MAGIC = b"lamina 1"
_BIT_GENERATORS = {kind.__name__: kind for kind in (np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937,
                                                    np.random.Philox, np.random.SFC64)}  # fmt: skip


def _generator(name, state):
    bits = _BIT_GENERATORS[name]()
    bits.state = state
    return np.random.Generator(bits)


def _legacy_generator(state):
    generator = np.random.RandomState()
    generator.set_state(state)
    return generator


def _python_generator(state):
    generator = random.Random()
    generator.setstate((state[0], tuple(state[1]), state[2]))
    return generator


# Types that JSON lacks: type -> (tag, function from value to parts, function from parts to value). Subclasses count as
# different types.
_KINDS: dict[type, Any] = {
    tuple: ("tuple", list, tuple),
    set: ("set", list, set),
    frozenset: ("frozenset", list, frozenset),
    dict: ("dict", lambda value: [list(item) for item in value.items()], lambda parts: {k: v for k, v in parts}),
    bytes: ("bytes", lambda value: value.hex(), bytes.fromhex),
    complex: ("complex", lambda value: [value.real, value.imag], lambda parts: complex(*parts)),
    np.random.Generator: (
        "generator",
        lambda value: [type(value.bit_generator).__name__, value.bit_generator.state],
        lambda parts: _generator(*parts),
    ),
    np.random.RandomState: ("legacy_generator", lambda value: value.get_state(legacy=False), _legacy_generator),
    random.Random: ("python_generator", lambda value: list(value.getstate()), _python_generator),
}
_MAKERS = {tag: make for tag, _, make in _KINDS.values()}
_PLAIN = (type(None), bool, int, float, str)
_MAKERS["objects"] = lambda parts: _objects(*parts)


def write_as(cls: type, plain: type) -> None:
    """Let values of a subclass be written, and read back, as those of the plain type.

    Args:
        cls: The subclass.
        plain: The type, such as dict.
    """
    _KINDS[cls] = _KINDS[plain]


def is_plain(value: Any) -> bool:
    """Whether `write_record` can write a value.

    Args:
        value: Any value.

    >>> is_plain({"wait": 3, "best": np.float32(0.5)}), is_plain(print)
    (True, False)
    """
    try:
        _take_apart(value, [])
    except (TypeError, RecursionError):
        return False
    return True


def write_record(value: Any, file: Any) -> None:
    """Write a plain value to a file.

    value: Plain value.
        value: Plain value.
        file: File that is open for writing bytes.

    Raises:
        TypeError: The value is not plain.

    >>> import io
    >>> file = io.BytesIO()
    >>> write_record({"epoch": 3, "weights": [np.zeros(2)]}, file)
    >>> read_record(file.getvalue())
    {'epoch': 3, 'weights': [array([0., 0.])]}
    """
    arrays = []
    tree = _take_apart(value, arrays)
    arrays = [np.asarray(array) for array in arrays]
    described = [[array.dtype.name, list(array.shape)] for array in arrays]
    head = json.dumps({"tree": tree, "arrays": described}).encode()
    digest = hashlib.sha256()
    for part in (_MAGIC, len(head).to_bytes(8, "little"), head, *map(bytes_of, arrays)):
        for piece in pieces(part):
            digest.update(piece)
            file.write(piece)
    file.write(digest.digest())


def read_record(data: Any, name: str = "The record") -> Any:
    """The value that `write_record` stored.

    Args:
        data: Bytes of the file.
        name: Name of the file in an error.

    Raises:
        FileError: The checksum does not match the bytes, or they are of no record.
    """
    whole = len(data) > len(_MAGIC) + 8 + 32 and data[: len(_MAGIC)] == _MAGIC
    if not whole or hashlib.sha256(memoryview(data)[:-32]).digest() != data[-32:]:
        raise damaged(f"{name} is damaged: its checksum does not match its contents.")
    start = len(_MAGIC) + 8
    stop = start + int.from_bytes(data[len(_MAGIC) : start], "little")
    try:
        with naming(name):
            head, arrays = json.loads(data[start:stop]), []
            for dtype, shape in head["arrays"]:
                dtype, count = np.dtype(numpy_dtype(dtype)), math.prod(shape)
                arrays.append(np.frombuffer(data, dtype, count, stop).reshape(shape).copy())
                stop += count * dtype.itemsize
            return _put_together(head["tree"], arrays)
    except ValueError as error:  # of NumPy, of JSON; a FileError says all
        raise error if isinstance(error, FileError) else damaged(f"{name} cannot be read: {error}.") from error


def pieces(data: Any, size: int = 2**20) -> Iterator[memoryview]:
    """The bytes of an object in pieces that stay in the cache of a core while they are digested and written.

    Args:
        data: Object with the buffer protocol.
        size: Bytes of a piece.
    """
    view = memoryview(data)
    return (view[start : start + size] for start in range(0, len(view), size))


def bytes_of(array: np.ndarray[Any, Any]) -> memoryview:
    """The bytes of an array, without a copy if it is contiguous.

    Args:
        array: Array.
    """
    return np.ascontiguousarray(array).reshape(-1).view("uint8").data


def _take_apart(value, arrays):
    """Convert `value` to JSON-able values. Its arrays are appended to `arrays`."""
    if type(value) in _PLAIN:
        return value
    if type(value) is list:
        return [_take_apart(item, arrays) for item in value]
    is_array = isinstance(value, (np.ndarray, np.generic, jax.Array))
    if is_array and value.dtype.kind in "biufcV" and not value.dtype.names:
        arrays.append(value)
        return {"scalar" if isinstance(value, np.generic) else "array": len(arrays) - 1}
    if is_array and value.dtype.kind in "USO":
        values = np.asarray(value)
        return {"objects": _take_apart([values.dtype.kind, list(values.shape), values.ravel().tolist()], arrays)}
    if type(value) not in _KINDS:
        raise TypeError(f"{type(value).__name__} is not a plain value")
    tag, parts_of, _ = _KINDS[type(value)]
    return {tag: _take_apart(parts_of(value), arrays)}


def _objects(kind, shape, values):
    """An array of text ("U"), bytes ("S") or objects ("O")."""
    array = np.empty(len(values), object)
    for index, value in enumerate(values):
        array[index] = value
    return array.reshape(shape).astype(kind)[()]


def _put_together(value, arrays):
    if isinstance(value, list):
        return [_put_together(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    ((tag, parts),) = value.items()
    if tag == "array":
        return arrays[parts]
    if tag == "scalar":
        return arrays[parts][()]
    return _MAKERS[tag](_put_together(parts, arrays))
