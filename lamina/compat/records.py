"""TFRecord files: for each record its length, masked CRC-32C of it, data, masked CRC-32C.

Source: tensorflow.org/tutorials/load_data/tfrecord, and RFC 3720 for the polynomial.
"""

from __future__ import annotations

import functools
import gzip
import io
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from lamina.compat.host import as_bytes, as_text
from lamina.errors import DataError

__all__ = ["TFRecordOptions", "TFRecordWriter", "read_records"]

_LANE = 256  # bytes of which the checksums are computed side by side


@functools.cache
def _table():
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(0x82F63B78), table >> 1)
    return table


@functools.cache
def _shifts():
    """What `_LANE` zeros make of a checksum, for each byte of it: 4 tables of 256."""
    values = (np.arange(256, dtype=np.uint32) << (8 * np.arange(4, dtype=np.uint32))[:, None]).ravel()
    for _ in range(_LANE):
        values = _table()[values & 255] ^ (values >> 8)
    return values.reshape(4, 256).tolist()


def masked_crc(data: bytes) -> int:
    """The CRC-32C of bytes, masked as in TFRecord files."""
    state, table = 0xFFFFFFFF, _table()
    lanes = len(data) // _LANE
    if lanes > 1:
        columns = np.frombuffer(data, np.uint8, lanes * _LANE).reshape(lanes, _LANE).T
        sums = np.zeros(lanes, np.uint32)
        for column in columns:
            sums = table[(sums ^ column) & 255] ^ (sums >> 8)
        first, second, third, fourth = _shifts()
        for one in sums.tolist():
            state = first[state & 255] ^ second[state >> 8 & 255] ^ third[state >> 16 & 255] ^ fourth[state >> 24] ^ one
        data = data[lanes * _LANE :]
    entries = _entries()
    for byte in data:
        state = entries[(state ^ byte) & 255] ^ (state >> 8)
    state ^= 0xFFFFFFFF
    return ((state >> 15 | state << 17) + 0xA282EAD8) & 0xFFFFFFFF


@functools.cache
def _entries():
    return _table().tolist()


def read_records(path: Any, compression_type: Any = None) -> Iterator[bytes]:
    """The records of a TFRecord file.

    Args:
        path: Path of the file.
        compression_type: "GZIP", "ZLIB", or "" or None.

    Raises:
        DataError: The file is damaged, or no TFRecord file.
    """
    path = as_text(path)
    with open(path, "rb") as raw:
        file: Any = gzip.open(raw) if compression_type == "GZIP" else _unpacked(raw, compression_type)  # noqa: SIM115
        while head := file.read(12):
            length = int.from_bytes(head[:8], "little")
            if len(head) < 12 or masked_crc(head[:8]) != int.from_bytes(head[8:], "little"):
                raise DataError(f"{path} is damaged, or no TFRecord file of compression_type={compression_type!r}.")
            data, end = file.read(length), file.read(4)
            if len(data) < length or masked_crc(data) != int.from_bytes(end, "little"):
                raise DataError(f"{path} is damaged: a record ends early, or its checksum is wrong.")
            yield data


def _unpacked(raw, compression_type):
    if not compression_type:
        return raw
    return io.BytesIO(zlib.decompress(raw.read()))


class TFRecordOptions:
    """`tf.io.TFRecordOptions`."""

    def __init__(self, compression_type: Any = None, **settings: Any) -> None:
        self.compression_type = compression_type or ""


class TFRecordWriter:
    """`tf.io.TFRecordWriter(path)`: writes records into a file."""

    def __init__(self, path: Any, options: Any = None) -> None:
        self._kind = getattr(options, "compression_type", options) or ""
        opened: Any = gzip.open if self._kind == "GZIP" else open
        self._file: Any = opened(as_text(path) if not isinstance(path, os.PathLike) else path, "wb")
        self._pack = zlib.compressobj() if self._kind == "ZLIB" else None

    def write(self, record: Any) -> None:
        """Append a record."""
        data = as_bytes(record.numpy() if hasattr(record, "numpy") else record)
        length = struct.pack("<Q", len(data))
        whole = b"".join([length, struct.pack("<I", masked_crc(length)), data, struct.pack("<I", masked_crc(data))])
        self._file.write(self._pack.compress(whole) if self._pack else whole)

    def flush(self) -> None:
        """Write out what is buffered."""
        self._file.flush()

    def close(self) -> None:
        """Complete the file."""
        if self._pack and not self._file.closed:
            self._file.write(self._pack.flush())
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()
