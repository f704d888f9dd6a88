"""Protocol buffers, written and read by field numbers, and the checksums of TensorFlow's files.

Source: protobuf.dev/programming-guides/encoding, and RFC 3720 for the polynomial of the checksums.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["Double", "Fixed32", "Float", "checksum", "encode", "fields", "read_varint", "varint"]

_LANE = 256  # bytes of which long checksums are computed side by side
_LONG = 16384  # bytes from which that is faster


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


def fields(data: Any) -> Iterator[tuple[int, Any]]:
    """(number, value) of each field of a message: an int, or bytes.

    Args:
        data: The message.

    Raises:
        ValueError: It is no message, or it is damaged.
    """
    if isinstance(data, int):
        raise ValueError("a number stands in place of a message")
    place, end = 0, len(data)
    while place < end:
        key, place = read_varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, place = read_varint(data, place)
        elif wire in (1, 2, 5):
            length, place = read_varint(data, place) if wire == 2 else (8 if wire == 1 else 4, place)
            if place + length > end:
                raise ValueError(f"a field of {length} bytes reaches beyond the end")
            value, place = data[place : place + length], place + length
        else:
            raise ValueError(f"it has a field of wire type {wire}")
        if number == 0:
            raise ValueError("it has a field of number 0")
        yield number, value


def read_varint(data: Any, place: int = 0) -> tuple[int, int]:
    """A number, and the place after it.

    Args:
        data: Bytes.
        place: Place of its first byte.

    Raises:
        ValueError: There is no number.
    """
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(data):
            raise ValueError("it ends within a number")
        byte, place = data[place], place + 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    raise ValueError("it has a number of more than 10 bytes")


@functools.cache
def _table():
    """CRC-32C of each byte (Castagnoli's polynomial)."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(0x82F63B78), table >> 1)
    return table, table.tolist()


@functools.cache
def _shifts():
    """What `_LANE` zeros make of a checksum, for each byte of it: 4 tables of 256."""
    values = (np.arange(256, dtype=np.uint32) << (8 * np.arange(4, dtype=np.uint32))[:, None]).ravel()
    for _ in range(_LANE):
        values = _table()[0][values & 255] ^ values >> 8
    return values.reshape(4, 256).tolist()


def checksum(data: bytes) -> bytes:
    """The CRC-32C of data, masked as TFRecord and LevelDB define it.

    Args:
        data: Bytes.
    """
    crc, (table, entries) = 0xFFFFFFFF, _table()
    if len(data) >= _LONG:
        lanes = len(data) // _LANE
        sums = np.zeros(lanes, np.uint32)
        for column in np.frombuffer(data, np.uint8, lanes * _LANE).reshape(lanes, _LANE).T:
            sums = table[(sums ^ column) & 255] ^ sums >> 8
        first, second, third, fourth = _shifts()
        for one in sums.tolist():
            crc = first[crc & 255] ^ second[crc >> 8 & 255] ^ third[crc >> 16 & 255] ^ fourth[crc >> 24] ^ one
        data = data[lanes * _LANE :]
    for byte in data:
        crc = entries[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
