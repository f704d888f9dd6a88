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

from lamina.runtime import processes
from lamina.runtime.atomic_files import make_folder
from lamina.runtime.protobufs import Double, Float, checksum, encode

__all__ = ["EventFile"]

_numbers = itertools.count()


class EventFile:
    """A file of events, which TensorBoard reads while it grows. Only `flush` opens it, so a run that fails
    leaves no open file. Of several processes that train together, the first alone writes.

    Args:
        path: Folder of the file.
    """

    def __init__(self, path: str | os.PathLike[str]):
        folder = pathlib.Path(path)
        if processes.is_first():
            make_folder(folder)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_numbers)}.v2"
        self._path, self._records = folder / name, []
        self._write((3, "brain.Event:2"))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Write a number.

        Args:
            tag: Name of the curve.
            value: Number.
            step: Number of the step or epoch.
        """
        self._write_value(step, (1, tag), (2, Float(value)))

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
        parts = [(number, Double(figure)) for number, figure in enumerate(figures, 1)]
        packed = [(number, np.asarray(array, "<f8").tobytes()) for number, array in ((6, edges[1:]), (7, counts))]
        self._write_value(step, (1, tag), (5, encode(*parts, *packed)))

    def image(self, tag: str, pixels: Any, step: int) -> None:
        """Write an image.

        Args:
            tag: Name of the image.
            pixels: Bytes of shape (height, width, channels), with 1, 3 or 4 channels.
            step: Number of the step or epoch.
        """
        height, width, channels = pixels.shape
        picture = encode((1, height), (2, width), (3, channels), (4, png(pixels)))
        self._write_value(step, (1, tag), (4, picture))

    def text(self, tag: str, text: str, step: int, plugin: str = "text") -> None:
        """Write a text.

        Args:
            tag: Name of the text.
            text: Text, in Markdown for the plugin "text".
            step: Number of the step or epoch.
            plugin: Plugin of TensorBoard that shows it.
        """
        tensor = encode((1, 7), (2, b""), (8, text))  # one string
        metadata = encode((1, encode((1, plugin))), (4, 2))
        self._write_value(step, (1, tag), (9, metadata), (8, tensor))

    def flush(self) -> None:
        """Append to the file what was written since the last call."""
        if processes.is_first():
            with open(self._path, "ab") as file:
                file.write(b"".join(self._records))
        self._records = []

    def _write_value(self, step, *fields):
        self._write((2, step), (5, encode((1, encode(*fields)))))

    def _write(self, *fields):
        event = encode((1, Double(time.time())), *fields)
        length = struct.pack("<Q", len(event))
        self._records += [length, checksum(length), event, checksum(event)]


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
