"""TensorFlow's checkpoint files: a table of names (`.index`, an SSTable) and the bytes of the tensors (`.data-...`).

Source: tensorflow/core/util/tensor_bundle and the table format of LevelDB, https://github.com/google/leveldb.
"""

from __future__ import annotations

import itertools
import os
import pathlib
import struct
from typing import Any

import numpy as np

from lamina.core.read_limits import memory_budget, reserve_array
from lamina.errors import FileError, UnsafeFileError
from lamina.export.savedmodel.bundle import DTYPES, MAGIC, STRING
from lamina.runtime.protobufs import fields, read_varint
from lamina.saving.safety.damage import contents_of, file_beside

__all__ = ["Bundle"]


class Bundle:
    """The tensors of a checkpoint by name.

    Attributes:
        entries: name -> (dtype, shape, number of the data file, offset, size).
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix = os.fspath(prefix)
        index = contents_of(pathlib.Path(f"{prefix}.index"))
        try:
            self._size = sum(os.path.getsize(path) for path in self._files(prefix))
            table = dict(_table(index))
            self._count = dict(fields(table.pop(b""))).get(1, 1)
            self.entries = {key.decode(): _entry(value) for key, value in table.items()}
        except (IndexError, KeyError, ValueError, struct.error) as error:
            fix = "Give the path without .index: tf.train.latest_checkpoint(folder) finds it."
            raise FileError(f"{prefix}.index is no checkpoint of TensorFlow, or it is damaged.", fix=fix) from error

    @staticmethod
    def _files(prefix):
        folder, name = os.path.split(prefix)
        return [os.path.join(folder, one) for one in os.listdir(folder or ".") if one.startswith(f"{name}.data-")]

    def read(self, name: str) -> Any:
        """A tensor as an array of NumPy, of bytes for text."""
        kind, shape, shard, offset, size = self.entries[name]
        beside = f"{os.path.basename(self.prefix)}.data-{shard:05}-of-{self._count:05}"
        with open(file_beside(f"{self.prefix}.index", beside), "rb") as file:
            if offset + size > os.path.getsize(file.name):
                raise UnsafeFileError(f"{name} of {self.prefix} is said to be longer than the file.")
            file.seek(offset)
            data = file.read(size)
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if kind == STRING:
            if count > size:
                raise UnsafeFileError(f"{name} of {self.prefix} has fewer bytes than texts.")
            lengths, place = [], 0
            for _ in range(count):
                length, place = read_varint(data, place)
                lengths.append(length)
            ends = np.cumsum([place + 4, *lengths])
            texts = [data[a:b] for a, b in itertools.pairwise(ends)]
            return np.array(texts, object).reshape(shape)
        dtype = np.dtype(DTYPES[kind])
        if count * dtype.itemsize != size:
            raise UnsafeFileError(f"{name} of {self.prefix} has {size} bytes for the shape {shape}.")
        with memory_budget(2 * self._size + 2**20, "the checkpoint is smaller"):
            reserve_array(shape, dtype.itemsize, name)
        return np.frombuffer(data, dtype).reshape(shape)


def _entry(data):
    kind, shape, shard, offset, size = 0, (), 0, 0, 0
    for number, value in fields(data):
        if number == 1:
            kind = value
        elif number == 2:
            shape = tuple(dict(fields(one)).get(1, 0) for field, one in fields(value) if field == 2)
        elif number in (3, 4, 5):
            shard, offset, size = ((value, offset, size), (shard, value, size), (shard, offset, value))[number - 3]
        elif number == 7:
            raise ValueError("slices")
    return kind, shape, shard, offset, size


def _handle(data, place=0):
    offset, place = read_varint(data, place)
    size, place = read_varint(data, place)
    return offset, size, place


def _table(data):
    if len(data) < 48 or struct.unpack("<Q", data[-8:])[0] != MAGIC:
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
        shared, place = read_varint(block, place)
        rest, place = read_varint(block, place)
        length, place = read_varint(block, place)
        key = key[:shared] + block[place : place + rest]
        yield key, block[place + rest : place + rest + length]
        place += rest + length
