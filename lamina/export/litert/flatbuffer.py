"""Flatbuffers: nested values as the bytes that readers of a schema find their way in."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Reader", "serialize"]

ALIGNMENT = 16  # of vectors: runtimes compute on weights where they lie in the file


def serialize(root: dict[int, Any], identifier: bytes) -> bytes:
    """A table as a file.

    Args:
        root: A table: the slot of each field -> its value, a NumPy scalar, a vector (a NumPy array of one axis), a
            string, a list of tables or strings, or another table. Fields that are None are left out.
        identifier: Four bytes that name the schema.
    """
    data = bytearray(4) + identifier
    waiting = [(0, root)]
    while waiting:  # what a field refers to lies behind it
        place, value = waiting.pop()
        start = _write(data, value, waiting)
        data[place : place + 4] = np.uint32(start - place).tobytes()
    return bytes(data)


def _write(data, value, waiting):
    """Append a value; what it refers to is added to `waiting`. Returns where it starts."""
    if isinstance(value, dict):
        return _write_table(data, {slot: item for slot, item in value.items() if item is not None}, waiting)
    content = value.encode() if isinstance(value, str) else value
    _align(data, 4 if isinstance(value, (str, list)) else ALIGNMENT, behind=4)
    start = len(data)
    data += np.uint32(len(content)).tobytes()
    if isinstance(content, list):
        waiting += [(start + 4 + 4 * index, item) for index, item in enumerate(content)]
        data += bytes(4 * len(content))
    else:
        data += content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes()
    if isinstance(value, str):
        data += b"\0"
    return start


def _write_table(data, fields, waiting):
    """A table is its fields, behind the list of where they are."""
    places, size = {}, 4
    for slot, item in sorted(fields.items(), key=lambda field: -_width(field[1])):  # wide ones first
        width = _width(item)
        size = -(-size // width) * width
        places[slot], size = size, size + width
    slots = max(fields, default=-1) + 1
    header = 4 + 2 * slots
    _align(data, 8, behind=header)
    data += np.asarray([header, size, *(places.get(slot, 0) for slot in range(slots))], np.uint16).tobytes()
    start = len(data)
    data += np.int32(header).tobytes() + bytes(size - 4)
    for slot, item in fields.items():
        place = start + places[slot]
        if isinstance(item, np.generic):
            data[place : place + item.nbytes] = item.tobytes()
        else:
            waiting.append((place, item))
    return start


def _width(item):
    return item.nbytes if isinstance(item, np.generic) else 4


def _align(data, alignment, behind):
    """Fill up so that what comes `behind` bytes further is aligned."""
    data += bytes(-(len(data) + behind) % alignment)


class Reader:
    """A table of a file.

    Args:
        data: The file.
        place: Where the table starts; None means the root.
    """

    def __init__(self, data: bytes, place: int | None = None) -> None:
        self._data = data
        self._place = self._at(0, np.uint32) if place is None else place

    def _at(self, place, dtype):
        return int(np.frombuffer(self._data, dtype, 1, place)[0])

    def _field(self, slot):
        header = self._place - self._at(self._place, np.int32)
        if 4 + 2 * slot >= self._at(header, np.uint16):
            return 0
        offset = self._at(header + 4 + 2 * slot, np.uint16)
        return offset and self._place + offset

    def number(self, slot: int, dtype: Any) -> int:
        """A scalar field; 0 where it is left out."""
        place = self._field(slot)
        return self._at(place, dtype) if place else 0

    def tables(self, slot: int) -> list[Reader]:
        """A field that is a vector of tables."""
        place = self._field(slot)
        if not place:
            return []
        start = place + self._at(place, np.uint32)
        places = range(start + 4, start + 4 + 4 * self._at(start, np.uint32), 4)
        return [Reader(self._data, item + self._at(item, np.uint32)) for item in places]
