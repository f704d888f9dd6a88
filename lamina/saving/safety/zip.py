"""Members of a zip archive, read into memory. They are never extracted, and never larger than their declared size."""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from lamina.errors import UnsafeFileError
from lamina.saving.safety.damage import damaged, other_format

__all__ = ["Members", "open_zip"]

RATIO = 20  # gzip compresses weights at most to a twentieth
FREE = 64 * 2**20  # size in bytes allowed for a member regardless of its compressed size
ENTRIES = 100_000
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, RuntimeError)


@contextlib.contextmanager
def open_zip(filepath: str | os.PathLike[str], kind: str = ".keras") -> Iterator[Any]:
    """The `Members` of the archive at `filepath`, open for reading."""
    try:
        archive = zipfile.ZipFile(filepath)
    except _DAMAGE as error:
        raise other_format(filepath, filepath, f"a {kind} archive", error) from error
    with archive:
        yield Members(archive, filepath)


class Members:
    """The members of an open archive by name, each checked before it is decompressed."""

    def __init__(self, archive: Any, filepath: str | os.PathLike[str]) -> None:
        self._archive = archive
        self.filepath = filepath
        self.infos: Any = {}
        entries = archive.infolist()
        if len(entries) > ENTRIES:
            raise UnsafeFileError(f"The archive has {len(entries)} members; at most {ENTRIES} are read.").within(
                filepath
            )
        for info in entries:
            if info.filename in self.infos:
                raise self._unsafe(info.filename, "occurs twice")
            self.infos[info.filename] = info
        ordered = sorted(entries, key=lambda info: info.header_offset)
        for info, following in itertools.pairwise(ordered):
            if info.header_offset + 30 + info.compress_size > following.header_offset:
                raise self._unsafe(following.filename, "overlaps another member")

    def __contains__(self, name: Any) -> bool:
        return name in self.infos

    def size(self, name: Any) -> int:
        """The declared size of a member in bytes."""
        return self._info(name).file_size

    def packed(self, name: Any) -> int:
        """The compressed size of a member in bytes."""
        return self._info(name).compress_size

    def read(self, name: Any, limit: int | None = None) -> Any:
        """The contents of a member. A member larger than `limit` is refused."""
        info = self._info(name)
        if info.flag_bits & 1:
            raise self._unsafe(name, "is encrypted")
        if info.compress_type not in _PACKINGS:
            raise self._unsafe(name, f"is compressed by method {info.compress_type}, neither stored nor deflated")
        allowed = RATIO * info.compress_size + FREE if limit is None else limit
        if info.file_size > allowed:
            raise self._unsafe(name, f"would decompress to {info.file_size >> 20} MiB")
        try:
            with self._archive.open(info) as file:
                data = file.read(info.file_size + 1)
        except _DAMAGE as error:
            raise damaged(f"{name} in {self.filepath} is damaged: {error}.") from error
        if len(data) != info.file_size:
            raise damaged(f"{name} in {self.filepath} is damaged: it has fewer bytes than the archive lists.")
        return data

    def _info(self, name):
        if name not in self.infos:
            raise damaged(f"{self.filepath} has no {name}: it is incomplete, or not a Keras model.")
        return self.infos[name]

    def _unsafe(self, name, what):
        return UnsafeFileError(f"The member {name!r} {what}.").within(self.filepath)
