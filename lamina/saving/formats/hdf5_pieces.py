"""An HDF5 file as pieces of bytes, in which the large arrays are used where they are: they are not copied first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from h5py import h5d, h5p  # pyright: ignore[reportAttributeAccessIssue]

from lamina.saving.safety.records import bytes_of, pieces

__all__ = ["HDF5Pieces"]

_PAGE = 2**14


class HDF5Pieces:
    """A file for `h5py.File(file, "w")` that keeps what HDF5 writes in pages, and beside them the arrays whose values
    HDF5 does not get.

    >>> import h5py
    >>> file = HDF5Pieces()
    >>> with h5py.File(file, "w") as opened:
    ...     _ = file.put(opened, "x", np.arange(3.0))
    >>> len(b"".join(file.pieces())) == file.size
    True
    """

    def __init__(self) -> None:
        self.size: int = 0
        self._place = 0
        self._pages: dict[int, bytearray] = {}
        self._arrays: dict[int, Any] = {}  # place in the file -> array

    def put(self, group: Any, name: str, value: np.ndarray[Any, Any]) -> Any:
        """Make a dataset for an array, which must not change before `pieces` has given its bytes.

        Args:
            group: Group of the open file.
            name: Name of the dataset.
            value: The array.
        """
        created = h5p.create(h5p.DATASET_CREATE)
        created.set_alloc_time(h5d.ALLOC_TIME_EARLY)
        created.set_fill_time(h5d.FILL_TIME_NEVER)
        dataset = group.create_dataset(name, value.shape, value.dtype, dcpl=created)
        self._arrays[dataset.id.get_offset()] = value
        return dataset

    def pieces(self) -> Iterator[Any]:
        """The bytes of the file, after h5py has closed it."""
        place = 0
        for start in sorted(self._arrays):
            yield from self._stored(place, start)
            data = bytes_of(self._arrays[start])
            yield from pieces(data)
            place = start + len(data)
        yield from self._stored(place, self.size)

    def _stored(self, start, stop):
        while start < stop:
            page, offset = divmod(start, _PAGE)
            piece = self._pages.get(page, bytes(_PAGE))[offset : offset + stop - start]
            yield piece
            start += len(piece)

    # What h5py calls.

    def seek(self, place: int, whence: int = 0) -> int:
        self._place = place + (0, self._place, self.size)[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def flush(self) -> None:
        pass

    def truncate(self, size: int) -> None:
        self.size = size

    def readinto(self, room: Any) -> int:
        data = b"".join(self._stored(self._place, min(self._place + len(room), self.size)))
        room[: len(data)] = data
        self._place += len(data)
        return len(data)

    def read(self, count: int) -> bytes:
        room = bytearray(count)
        return bytes(room[: self.readinto(room)])

    def write(self, data: Any) -> int:
        view, written = memoryview(data).cast("B"), 0
        while written < len(view):
            page, offset = divmod(self._place, _PAGE)
            piece = view[written : written + _PAGE - offset]
            self._pages.setdefault(page, bytearray(_PAGE))[offset : offset + len(piece)] = piece
            self._place += len(piece)
            written += len(piece)
        self.size = max(self.size, self._place)
        return written
