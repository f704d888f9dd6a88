"""A checkpoint of TensorFlow (tensor bundle) that holds the graph of objects alone: the weights are in the program."""

from __future__ import annotations

import pathlib
import struct

from lamina.runtime.protobufs import Fixed32, checksum, encode, varint

__all__ = ["write_bundle"]

_MAGIC = 0xDB4775248B80FB57  # of LevelDB's tables
_STRING = 7


def write_bundle(folder: pathlib.Path, graph: bytes) -> None:
    """Write `variables.index` and its data.

    Args:
        folder: Folder for the files, which is made.
        graph: A TrackableObjectGraph.
    """
    folder.mkdir(parents=True)
    sizes = struct.pack("<I", len(graph))  # counted in the checksums in 4 bytes, and written as a varint
    data = varint(len(graph)) + checksum(sizes) + graph
    (folder / "variables.data-00000-of-00001").write_bytes(data)
    total = checksum(sizes + checksum(sizes) + graph)
    entry = encode((1, _STRING), (2, b""), (5, len(data)), (6, Fixed32(total)))
    header = encode((1, 1), (3, encode((1, 1))))
    table = _block([(b"", header), (b"_CHECKPOINTABLE_OBJECT_GRAPH", entry)])
    middle = _block([])
    handles = [varint(0) + varint(len(table) - 5), varint(len(table)) + varint(len(middle) - 5)]
    index = _block([(b"`", handles[0])])
    ends = handles[1] + varint(len(table) + len(middle)) + varint(len(index) - 5)
    footer = ends.ljust(40, b"\0") + struct.pack("<Q", _MAGIC)
    (folder / "variables.index").write_bytes(table + middle + index + footer)


def _block(entries):
    """Entries with their whole keys, one restart, no compression, a checksum."""
    parts = [varint(0) + varint(len(key)) + varint(len(value)) + key + value for key, value in entries]
    data = b"".join(parts) + struct.pack("<II", 0, 1) + b"\0"
    return data + checksum(data)
