"""TFRecord files: for each record its length, masked CRC-32C of it, data, masked CRC-32C.

Source: tensorflow.org/tutorials/load_data/tfrecord.
"""

from __future__ import annotations

import gzip
import io
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Self

from lamina.compat.host import as_bytes, as_text
from lamina.errors import DataError
from lamina.runtime.protobufs import checksum

__all__ = ["TFRecordOptions", "TFRecordWriter", "read_records"]


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
            if len(head) < 12 or checksum(head[:8]) != head[8:]:
                raise DataError(f"{path} is damaged, or no TFRecord file of compression_type={compression_type!r}.",
                                fix="compression_type='GZIP', 'ZLIB' or '', as it was written")  # fmt: skip
            data, end = file.read(length), file.read(4)
            if len(data) < length or checksum(data) != end:
                raise DataError(f"{path} is damaged: a record ends early, or its checksum is wrong.",
                                fix="Write the file anew, or read what is before by .ignore_errors().")  # fmt: skip
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
        whole = b"".join([length, checksum(length), data, checksum(data)])
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
