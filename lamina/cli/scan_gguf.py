"""What a GGUF file would run or allocate: templates of chats are programs of Jinja, and counts may exceed the file."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

__all__ = ["gguf_findings", "template_findings"]

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes of a value by its type
_TEXT, _LIST = 8, 9
_DUNDER = re.compile(
    r"__\w+__|\|\s*attr\b|\bself\._|\bcycler\b|\blipsum\b|\bjoiner\b|[\"']_+[\"']\s*[+~]|\\x5f"
)  # ways out of Jinja's sandbox


def gguf_findings(data: Any) -> Iterator[tuple[str, str]]:
    """(rule, sentence) for each template that reaches Python's objects, and for counts that the file cannot hold.

    Args:
        data: Bytes of the file.
    """
    version, tensors, pairs = struct.unpack_from("<IQQ", data, 4)
    if not 1 <= version <= 10 or max(tensors, pairs) > len(data) // 8:
        yield "memory", f"declares {tensors} tensors and {pairs} settings in {len(data)} bytes"
        return
    place = 24
    for _ in range(pairs):
        key, place = _text(data, place)
        kind, place = struct.unpack_from("<I", data, place)[0], place + 4
        value, place = _value(data, place, kind, 0)
        yield from template_findings(key, value)


def template_findings(key: Any, value: Any) -> Iterator[tuple[str, str]]:
    """(rule, sentence) if a setting is a template of chats that reaches Python's objects.

    Args:
        key: Name of the setting.
        value: The setting.
    """
    if isinstance(value, str) and isinstance(key, str) and "template" in key and (found := _DUNDER.search(value)):
        yield "code", f"has the template {key!r}, which uses {found.group()!r} to reach Python"


def _text(data, place):
    (length,) = struct.unpack_from("<Q", data, place)
    if place + 8 + length > len(data):
        raise ValueError(f"a text of {length} bytes reaches beyond the end")
    return bytes(data[place + 8 : place + 8 + length]).decode("utf-8", "replace"), place + 8 + length


def _value(data, place, kind, depth):
    """(text or None, where it ends) of a value."""
    if kind == _TEXT:
        return _text(data, place)
    if kind == _LIST and depth < 4:
        inner, count = struct.unpack_from("<IQ", data, place)
        place += 12
        if inner in _SIZES:
            if place + count * _SIZES[inner] > len(data):
                raise ValueError(f"a list of {count} numbers reaches beyond the end")
            return None, place + count * _SIZES[inner]
        for _ in range(count):
            _, place = _value(data, place, inner, depth + 1)
        return None, place
    if kind not in _SIZES:
        raise ValueError(f"it has a value of type {kind}")
    return None, place + _SIZES[kind]
