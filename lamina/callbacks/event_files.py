"""Event files of TensorBoard: records with checksums (TFRecord), each a protobuf message, encoded here."""

from __future__ import annotations

import itertools
import os
import pathlib
import socket
import struct
import time
import zlib
from typing import Any

import numpy as np

__all__ = ["EventFile"]

_numbers = itertools.count()


class EventFile:
    """A file of events, which TensorBoard reads while it grows. Only `flush` opens it, so a run that fails
    leaves no open file.

    Args:
        path: Folder of the file.
    """

    def __init__(self, path: str | os.PathLike[str]):
        folder = pathlib.Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}.v2"
        self._path, self._records = folder / name, []
        self._write(_text(3, "brain.Event:2"))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Write a number.

        Args:
            tag: Name of the curve.
            value: Number.
            step: Number of the step or epoch.
        """
        self._write_value(step, _text(1, tag), _key(2, 5) + struct.pack("<f", value))

    def histogram(self, tag: str, values: Any, step: int, buckets: int = 30) -> None:
        """Write the distribution of values.

        Args:
            tag: Name of the histogram.
            values: Array.
            step: Number of the step or epoch.
            buckets: Number of equal parts of the range in which values are counted.
        """
        values = np.asarray(values, "float64").ravel()
        values = values[np.isfinite(values)]
        if not values.size:
            return
        counts, edges = np.histogram(values, buckets)
        figures = (values.min(), values.max(), values.size, values.sum(), (values**2).sum())
        parts = [_double(number, figure) for number, figure in enumerate(figures, 1)]
        self._write_value(
            step, _text(1, tag), _bytes(5, b"".join([*parts, _doubles(6, edges[1:]), _doubles(7, counts)]))
        )

    def image(self, tag: str, pixels: Any, step: int) -> None:
        """Write an image.

        Args:
            tag: Name of the image.
            pixels: Bytes of shape (height, width, channels), with 1, 3 or 4 channels.
            step: Number of the step or epoch.
        """
        height, width, channels = pixels.shape
        sizes = _integer(1, height) + _integer(2, width) + _integer(3, channels)
        self._write_value(step, _text(1, tag), _bytes(4, sizes + _bytes(4, png(pixels))))

    def text(self, tag: str, text: str, step: int, plugin: str = "text") -> None:
        """Write a text.

        Args:
            tag: Name of the text.
            text: Text, in Markdown for the plugin "text".
            step: Number of the step or epoch.
            plugin: Plugin of TensorBoard that shows it.
        """
        tensor = _integer(1, 7) + _bytes(2, b"") + _text(8, text)  # one string
        metadata = _bytes(1, _text(1, plugin)) + _integer(4, 2)
        self._write_value(step, _text(1, tag), _bytes(9, metadata), _bytes(8, tensor))

    def flush(self) -> None:
        """Append to the file what was written since the last call."""
        with open(self._path, "ab") as file:
            file.write(b"".join(self._records))
        self._records = []

    def _write_value(self, step, *fields):
        self._write(_integer(2, step), _bytes(5, _bytes(1, b"".join(fields))))

    def _write(self, *fields):
        event = b"".join([_double(1, time.time()), *fields])
        length = struct.pack("<Q", len(event))
        self._records += [length, _checksum(length), event, _checksum(event)]


# Protobuf: a field is its number and kind, then the value.


def _varint(value):
    """Seven bits in each byte, the lowest first; the highest bit is set if more follow."""
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value >= 128:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def _key(number, kind):
    return _varint(number << 3 | kind)


def _integer(number, value):
    return _key(number, 0) + _varint(int(value))


def _double(number, value):
    return _key(number, 1) + struct.pack("<d", value)


def _bytes(number, value):
    return _key(number, 2) + _varint(len(value)) + value


def _text(number, value):
    return _bytes(number, value.encode())


def _doubles(number, values):
    return _bytes(number, np.asarray(values, "<f8").tobytes())


def _crc_table():
    """CRC-32C of each byte (Castagnoli's polynomial, RFC 3720)."""
    table = np.arange(256, dtype="uint32")
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(0x82F63B78), table >> 1)
    return table.tolist()


_TABLE = _crc_table()


def _checksum(data):
    """The CRC-32C of `data`, masked as TFRecord defines it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def png(pixels: Any) -> bytes:
    """An image as PNG (ISO/IEC 15948).

    Args:
        pixels: Bytes of shape (height, width, channels), with 1, 3 or 4 channels.
    """
    height, width, channels = pixels.shape
    rows = np.pad(np.ascontiguousarray(pixels, "uint8").reshape(height, -1), ((0, 0), (1, 0)))  # each row: filter 0
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
