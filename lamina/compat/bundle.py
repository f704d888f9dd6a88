"""TensorFlow's checkpoint files: a table of names (`.index`, an SSTable) and the bytes of the tensors (`.data-...`).

Source: tensorflow/core/util/tensor_bundle and the table format of LevelDB, https://github.com/google/leveldb.
"""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np

from lamina.core.read_limits import memory_budget, reserve_array
from lamina.errors import FileError, UnsafeFileError
from lamina.runtime.atomic_files import atomic_write

__all__ = ["GRAPH_KEY", "Bundle", "field", "fields_of", "write_bundle"]

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
_MAGIC = 0xDB4775248B80FB57
_DTYPES: dict[int, Any] = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 8: "complex64", 9: "int64", 10: "bool",
    14: ml_dtypes.bfloat16, 17: "uint16", 18: "complex128", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip
_STRING = 7


def _varint(number):
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def field(number: int, value: int | bytes) -> bytes:
    """A field of a message of Protocol Buffers: a whole number, or bytes."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _read_varint(data, place):
    number = shift = 0
    while True:
        byte = data[place]
        number |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return number, place
        if shift > 63:
            raise IndexError


def fields_of(data: bytes) -> Iterator[tuple[int, Any]]:
    """(number, value) of the fields of a message."""
    place = 0
    while place < len(data):
        key, place = _read_varint(data, place)
        if key & 7 == 0:
            value, place = _read_varint(data, place)
        else:
            size, place = _read_varint(data, place) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], place)
            value, place = data[place : place + size], place + size
            if place > len(data):
                raise IndexError
        yield key >> 3, value


class Bundle:
    """The tensors of a checkpoint by name.

    Attributes:
        entries: name -> (dtype, shape, number of the data file, offset, size).
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix = os.fspath(prefix)
        try:
            with open(f"{prefix}.index", "rb") as file:
                self._size = sum(os.path.getsize(path) for path in self._files(prefix))
                table = dict(_table(file.read()))
            self._count = dict(fields_of(table.pop(b""))).get(1, 1)
            self.entries = {key.decode(): _entry(value) for key, value in table.items()}
        except (IndexError, KeyError, ValueError, struct.error) as error:
            raise FileError(f"{prefix}.index is no checkpoint of TensorFlow, or it is damaged.") from error

    @staticmethod
    def _files(prefix):
        folder, name = os.path.split(prefix)
        return [os.path.join(folder, one) for one in os.listdir(folder or ".") if one.startswith(f"{name}.data-")]

    def read(self, name: str) -> Any:
        """A tensor as an array of NumPy, of bytes for text."""
        kind, shape, shard, offset, size = self.entries[name]
        with open(f"{self.prefix}.data-{shard:05}-of-{self._count:05}", "rb") as file:
            if offset + size > os.path.getsize(file.name):
                raise UnsafeFileError(f"{name} of {self.prefix} is said to be longer than the file.")
            file.seek(offset)
            data = file.read(size)
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if kind == _STRING:
            if count > size:
                raise UnsafeFileError(f"{name} of {self.prefix} has fewer bytes than texts.")
            lengths, place = [], 0
            for _ in range(count):
                length, place = _read_varint(data, place)
                lengths.append(length)
            ends = np.cumsum([place + 4, *lengths])
            texts = [data[a:b] for a, b in itertools.pairwise(ends)]
            return np.array(texts, object).reshape(shape)
        dtype = np.dtype(_DTYPES[kind])
        if count * dtype.itemsize != size:
            raise UnsafeFileError(f"{name} of {self.prefix} has {size} bytes for the shape {shape}.")
        with memory_budget(2 * self._size + 2**20, "the checkpoint is smaller"):
            reserve_array(shape, dtype.itemsize, name)
        return np.frombuffer(data, dtype).reshape(shape)


def _entry(data):
    kind, shape, shard, offset, size = 0, (), 0, 0, 0
    for number, value in fields_of(data):
        if number == 1:
            kind = value
        elif number == 2:
            shape = tuple(dict(fields_of(one)).get(1, 0) for field, one in fields_of(value) if field == 2)
        elif number in (3, 4, 5):
            shard, offset, size = ((value, offset, size), (shard, value, size), (shard, offset, value))[number - 3]
        elif number == 7:
            raise ValueError("slices")
    return kind, shape, shard, offset, size


def _handle(data, place=0):
    offset, place = _read_varint(data, place)
    size, place = _read_varint(data, place)
    return offset, size, place


def _table(data):
    if len(data) < 48 or struct.unpack("<Q", data[-8:])[0] != _MAGIC:
        raise ValueError("magic")
    _, _, place = _handle(data, len(data) - 48)
    for _, handle in _block(data, *_handle(data, place)[:2]):
        yield from _block(data, *_handle(handle)[:2])


def _block(data, offset, size):
    if data[offset + size] != 0:
        raise ValueError("compressed")
    block = data[offset : offset + size]
    end = len(block) - 4 - 4 * struct.unpack("<I", block[-4:])[0]
    place, key = 0, b""
    while place < end:
        shared, place = _read_varint(block, place)
        rest, place = _read_varint(block, place)
        length, place = _read_varint(block, place)
        key = key[:shared] + block[place : place + rest]
        yield key, block[place + rest : place + rest + length]
        place += rest + length


def write_bundle(prefix: str, tensors: dict[str, Any]) -> None:
    """Write arrays, and bytes for text, as a checkpoint of TensorFlow."""
    os.makedirs(os.path.dirname(prefix) or ".", exist_ok=True)
    numbers = {np.dtype(dtype): number for number, dtype in _DTYPES.items()}
    entries, offset = {b"": field(1, 1) + field(3, field(1, 1))}, 0
    with atomic_write(f"{prefix}.data-00000-of-00001") as path, open(path, "wb") as file:
        for name in sorted(tensors):
            value, length = tensors[name], b""
            if isinstance(value, bytes):
                length = _varint(len(value))
                data, kind, shape = length + _checksum(struct.pack("<I", len(value))) + value, _STRING, ()
            else:
                array = np.ascontiguousarray(value).reshape(np.shape(value))
                data, kind, shape = array.tobytes(), numbers[array.dtype], array.shape
            sizes = b"".join(field(2, field(1, size)) for size in shape)
            told = field(1, kind) + field(2, sizes) + (field(4, offset) if offset else b"") + field(5, len(data))
            summed = data if kind != _STRING else struct.pack("<I", len(value)) + data[len(length) :]
            entries[name.encode()] = told + _varint(6 << 3 | 5) + _checksum(summed)
            file.write(data)
            offset += len(data)
    with atomic_write(f"{prefix}.index") as path, open(path, "wb") as file:
        file.write(_as_table(entries))


def _as_table(entries):
    found = b""
    handles = []
    last = max(entries) + b"\0"
    for pairs in ([(key, entries[key]) for key in sorted(entries)], [], None):
        pairs = [(last, handles[0])] if pairs is None else pairs
        block, restarts = b"", []
        for key, value in pairs:
            restarts.append(len(block))
            block += b"\0" + _varint(len(key)) + _varint(len(value)) + key + value
        restarts = restarts or [0]
        block += struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))
        handles.append(_varint(len(found)) + _varint(len(block)))
        found += block + b"\0" + _checksum(block + b"\0")
    return found + (handles[1] + handles[2]).ljust(40, b"\0") + struct.pack("<Q", _MAGIC)


def _crc_table():
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(0x82F63B78), table >> 1)
    return table.astype(np.uint32)


_CRC = _crc_table()


def _steps(state, rows):
    """CRC-32C of several rows of bytes at once."""
    for column in rows.T:
        state = _CRC[(state ^ column) & 255] ^ state >> 8
    return state


def _checksum(data):
    """CRC-32C of bytes, masked as in LevelDB, as four bytes. Long ones are summed in rows, which are then combined."""
    data = np.frombuffer(data, np.uint8)
    width = 64 if len(data) < 2**18 else 4096
    count = len(data) // width
    rows, rest = data[: count * width].reshape(count, width), data[count * width :]
    sums = _steps(np.zeros(count, np.uint32), rows)
    if count:
        bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
        zeros = _steps(bits.copy(), np.zeros((32, width), np.uint8))  # what `width` bytes of zeros make of each bit
        start = np.uint32(0xFFFFFFFF)
        while len(sums) & (len(sums) - 1):  # to a power of two; leading zeros change nothing
            sums = np.concatenate([np.zeros((1 << (len(sums) - 1).bit_length()) - len(sums), np.uint32), sums])
        state, total = _shifted(zeros, start, count), zeros
        while len(sums) > 1:
            sums = _apply(total, sums[::2]) ^ sums[1::2]
            total = _apply(total, total)
        state = state ^ sums[0]
    else:
        state = np.uint32(0xFFFFFFFF)
    state = int(_steps(np.array([state], np.uint32), rest.reshape(1, -1))[0]) ^ 0xFFFFFFFF
    return struct.pack("<I", ((state >> 15 | state << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _apply(matrix, values):
    """A linear map of 32 bits, of each value."""
    found = np.zeros(np.shape(values), np.uint32)
    for bit in range(32):
        found ^= np.where(np.asarray(values) >> np.uint32(bit) & 1, matrix[bit], np.uint32(0)).astype(np.uint32)
    return found


def _shifted(matrix, value, count):
    """The map applied `count` times."""
    while count:
        if count & 1:
            value = _apply(matrix, value)
        matrix, count = _apply(matrix, matrix), count >> 1
    return value
