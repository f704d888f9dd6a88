"""TensorFlow's checkpoint files: a table of names (`.index`, an SSTable) and the bytes of the tensors (`.data-...`).

Source: tensorflow/core/util/tensor_bundle and the table format of LevelDB, https://github.com/google/leveldb.
"""

from __future__ import annotations

import os
import struct
from typing import Any

import ml_dtypes
import numpy as np

from lamina.runtime.atomic_files import atomic_write
from lamina.runtime.protobufs import Fixed32, checksum, encode, varint

__all__ = ["DTYPES", "GRAPH_KEY", "MAGIC", "STRING", "write_bundle"]

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
MAGIC = 0xDB4775248B80FB57  # of LevelDB's tables
DTYPES: dict[int, Any] = {
    1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 8: "complex64", 9: "int64", 10: "bool",
    14: ml_dtypes.bfloat16, 17: "uint16", 18: "complex128", 19: "float16", 22: "uint32", 23: "uint64",
}  # fmt: skip
STRING = 7


def write_bundle(prefix: str | os.PathLike[str], tensors: dict[str, Any]) -> None:
    """Write `prefix.index` and its data.

    Args:
        prefix: Path of the files, without their endings. Its folder is made.
        tensors: Arrays, and bytes for text, by name.
    """
    prefix = os.fspath(prefix)
    os.makedirs(os.path.dirname(prefix) or ".", exist_ok=True)
    entries, offset = {b"": encode((1, 1), (3, encode((1, 1))))}, 0
    with atomic_write(f"{prefix}.data-00000-of-00001") as path, open(path, "wb") as file:
        for name in sorted(tensors):
            data, kind, shape, summed = _stored(tensors[name])
            sizes = encode(*((2, encode((1, size))) for size in shape))
            place = (4, offset or None)
            entries[name.encode()] = encode(
                (1, kind), (2, sizes), place, (5, len(data)), (6, Fixed32(checksum(summed)))
            )
            file.write(data)
            offset += len(data)
    with atomic_write(f"{prefix}.index") as path, open(path, "wb") as file:
        file.write(_table(entries))


_NUMBERS = {np.dtype(dtype): number for number, dtype in DTYPES.items()}


def _stored(value):
    """The bytes of a tensor in the file, its dtype, its shape, and the bytes that its checksum is of."""
    if isinstance(value, bytes):  # its length is counted in 4 bytes, and written as a varint
        size = struct.pack("<I", len(value))
        rest = checksum(size) + value
        return varint(len(value)) + rest, STRING, (), size + rest
    array = np.ascontiguousarray(value).reshape(np.shape(value))
    data = array.tobytes()
    return data, _NUMBERS[array.dtype], array.shape, data


def _table(entries):
    """A table of one block of entries, an empty block, and a block that says where the first is."""
    found, handles = b"", []
    for pairs in (sorted(entries.items()), [], None):
        block = _block([(max(entries) + b"\0", handles[0])] if pairs is None else pairs)
        handles.append(varint(len(found)) + varint(len(block)))
        found += block + b"\0" + checksum(block + b"\0")
    return found + (handles[1] + handles[2]).ljust(40, b"\0") + struct.pack("<Q", MAGIC)


def _block(pairs):
    """Entries with their whole keys, not compressed, and where each begins."""
    block, starts = b"", []
    for key, value in pairs:
        starts.append(len(block))
        block += varint(0) + varint(len(key)) + varint(len(value)) + key + value
    starts = starts or [0]
    return block + struct.pack(f"<{len(starts) + 1}I", *starts, len(starts))
