"""Protocol buffers, written by field numbers, and the checksums of TensorFlow's files."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

__all__ = ["Double", "Fixed32", "Float", "checksum", "encode", "varint"]


class Float(float):
    """A number that is written in 4 bytes."""


class Double(float):
    """A number that is written in 8 bytes."""


class Fixed32(bytes):
    """Four bytes as they are."""


def varint(value: int) -> bytes:
    """Seven bits in each byte, the lowest first; the highest bit is set if more follow.

    Args:
        value: Integer; a negative one is written as that plus 2**64.
    """
    value &= (1 << 64) - 1
    encoded = bytearray()
    while value >= 128:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def encode(*fields: tuple[int, Any]) -> bytes:
    """A message.

    Args:
        *fields: Number and value of each field: bool and int become varints, text and bytes (a message within this
            one) are written with their length, None is left out.
    """
    return b"".join(_field(number, value) for number, value in fields if value is not None)


def _field(number, value):
    if isinstance(value, Fixed32):
        return varint(number << 3 | 5) + value
    if isinstance(value, Float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, Double):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, (str, bytes)):
        data = value.encode() if isinstance(value, str) else value
        return varint(number << 3 | 2) + varint(len(data)) + data
    return varint(number << 3) + varint(int(value))


def _crc_table():
    """CRC-32C of each byte (Castagnoli's polynomial, RFC 3720)."""
    table = np.arange(256, dtype="uint32")
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(0x82F63B78), table >> 1)
    return table.tolist()


_TABLE = _crc_table()


def checksum(data: bytes) -> bytes:
    """The CRC-32C of data, masked as TFRecord defines it.

    Args:
        data: Bytes.
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
