"""What files of arrays alone, those of NumPy and safetensors, would run or allocate."""

from __future__ import annotations

import ast
import io
import json
import math
import re
import struct
from collections.abc import Iterator
from typing import Any

from lamina.cli.scan_pickles import read_pickle

__all__ = ["is_safetensors", "numpy_findings", "safetensors_findings"]

_MOST_BYTES = 1 << 30  # of a pickle in an array
_MOST_HEADER = 1 << 20  # NumPy reads no header above 10,000 bytes, but any where it may unpickle
_LONG = re.compile(r"\b(\d+)L\b")  # numbers as Python 2 wrote them


def numpy_findings(data: Any) -> Iterator[tuple[str, str]]:
    """(rule, sentence) if an array of NumPy holds Python objects, or declares more than it holds.

    Args:
        data: Bytes of the file.
    """
    import numpy as np  # it takes a while to import

    major = data[6]
    length = struct.unpack_from("<H" if major == 1 else "<I", data, 8)[0]
    begin = 10 + length + (2 if major > 1 else 0)
    if length > _MOST_HEADER:
        yield "memory", f"has a header of {length} bytes"
        return
    text = bytes(data[10 + (2 if major > 1 else 0) : begin]).decode("latin-1").strip()
    header = ast.literal_eval(_LONG.sub(r"\1", text))
    try:
        has_objects = np.dtype(header["descr"]).hasobject
    except (TypeError, ValueError, SyntaxError):
        has_objects = True
    if has_objects:
        report = read_pickle(io.BytesIO(bytes(data[begin : begin + _MOST_BYTES])))
        names, what = report.harmful(), "is an array of Python objects, which is a pickle"
        if names:
            yield "code", f"{what} that imports {', '.join(names[:12])}"
        elif report.damage or not report.pickles:
            yield "damaged", f"{what} that ends early: {report.damage[:200]}"
        else:
            yield "custom", f"{what} of plain values"
        if report.growth:
            yield "memory", report.growth
    elif math.prod(header["shape"]) > 8 * len(data):
        yield "memory", f"declares more elements than its {len(data)} bytes hold"


def is_safetensors(data: Any) -> bool:
    """Whether bytes begin as a safetensors file does.

    Args:
        data: Bytes of the file.
    """
    length = int.from_bytes(data[:8], "little")
    return 2 <= length <= 100 * 10**6 and bytes(data[8:9]) == b"{" and (length <= len(data) or length < 2**20)


def safetensors_findings(data: Any) -> Iterator[tuple[str, str]]:
    """(rule, sentence) for a header that does not describe the bytes after it.

    Args:
        data: Bytes of the file.
    """
    length = int.from_bytes(data[:8], "little")
    if length > len(data) - 8:
        yield "memory", f"declares a header of {length} bytes in {len(data)}"
        return
    pairs = json.loads(bytes(data[8 : 8 + length]), object_pairs_hook=lambda pairs: pairs)
    header = {name: dict(entry) for name, entry in pairs}
    header.pop("__metadata__", None)
    end, damage = 0, "names a tensor twice" if len(dict(pairs)) < len(pairs) else ""
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        count, bits = math.prod(entry["shape"]), re.findall(r"\d+", entry["dtype"].replace("BOOL", "8"))
        if not 0 <= begin <= stop <= len(data) - 8 - length or count * int(bits[0]) != 8 * (stop - begin):
            yield "memory", f"declares the tensor {name!r} outside of what it holds"
            return
        damage = damage or (f"has the tensor {name!r} not where the one before it ends" if begin != end else "")
        end = stop
    if end != len(data) - 8 - length:
        damage = damage or f"holds {len(data) - 8 - length - end} bytes that are of no tensor"
    if damage:
        yield "damaged", damage
