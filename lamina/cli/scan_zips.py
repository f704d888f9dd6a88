"""Members of zip archives, whether or not the archive is sound."""

from __future__ import annotations

import bz2
import io
import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

__all__ = ["FREE", "RATIO", "leads_out", "members"]

_MOST_BYTES = 1 << 30  # of one member, unpacked
RATIO, FREE = 200, 2**24  # a member that is larger than RATIO times what it takes, and FREE, is not unpacked whole


def leads_out(name: str) -> bool:
    """Whether a name of a member, or where a link leads, may be outside of the folder of the archive.

    Args:
        name: The name.
    """
    return name.startswith(("/", "\\")) or name[1:2] == ":" or ".." in name.replace("\\", "/").split("/")


def members(data: Any) -> Iterator[tuple[str, int, int, Any, bool]]:
    """(name, packed bytes, unpacked bytes, contents or what is wrong, whether it is a link) of each member. Flags,
    checksums and the names in local headers are not believed: readers of models differ in what they check.

    Args:
        data: Bytes of the archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
        infos = [(entry.filename, entry.header_offset, entry.compress_size, entry.file_size) for entry in entries]
        links = {entry.header_offset for entry in entries if stat.S_ISLNK(entry.external_attr >> 16)}
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error):
        infos, links = [], set()
    known = {offset for _, offset, _, _ in infos}
    text = bytes(data) if len(data) < _MOST_BYTES else b""
    before = text[: min(known)] if known else text  # no directory, or another archive: the local headers
    for match in re.finditer(rb"PK\x03\x04", before):
        if match.start() + 30 <= len(before):
            packed, size, length = struct.unpack_from("<IIH", data, match.start() + 18)
            name = bytes(data[match.start() + 30 : match.start() + 30 + length]).decode("utf-8", "replace")
            infos.append((name, match.start(), packed or len(before) - match.start(), size))
    for name, offset, packed, size in infos:
        if name.endswith("/") and not packed:
            continue
        yield name, packed, size, _raw(data, offset, packed), offset in links


def _raw(data, offset, packed):
    if bytes(data[offset : offset + 4]) != b"PK\x03\x04":
        return "has no local header where the directory says"
    (method,) = struct.unpack_from("<H", data, offset + 8)
    name, extra = struct.unpack_from("<HH", data, offset + 26)
    begin = offset + 30 + name + extra
    contents = bytes(data[begin : begin + min(packed, _MOST_BYTES)])
    if method == 0:
        return contents
    try:
        if method == 8:
            stream: Any = zlib.decompressobj(-15)
        elif method == 12:
            stream = bz2.BZ2Decompressor()
        elif method == 14:  # two bytes of a version, two of the length of the properties, the properties
            size = int.from_bytes(contents[2:4], "little")
            filters = [lzma._decode_filter_properties(lzma.FILTER_LZMA1, contents[4 : 4 + size])]  # pyright: ignore[reportAttributeAccessIssue]
            stream, contents = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters), contents[4 + size :]
        else:
            return f"is compressed by method {method}"
        most = min(_MOST_BYTES, RATIO * len(contents) + FREE)
        unpacked = stream.decompress(contents, most)
    except (zlib.error, OSError, lzma.LZMAError, ValueError, MemoryError) as error:
        return f"cannot be unpacked: {error}"
    return unpacked if len(unpacked) < most else f"unpacks to more than {most} bytes"
