"""The opcodes of a pickle, as unpicklers read them: they take numbers and texts that `pickletools` does not."""

from __future__ import annotations

import codecs
import pickletools
import re
from collections.abc import Iterator
from typing import Any

__all__ = ["opcodes_in"]

_OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
_NUMBER = re.compile(rb"\s*[+-]?(0[xob])?[0-9a-f_]+L?\s*", re.IGNORECASE)


def opcodes_in(file: Any) -> Iterator[tuple[Any, Any]]:
    """(opcode, as pickletools describes it, argument) up to STOP.

    Args:
        file: File open for reading bytes.

    Raises:
        ValueError: The bytes are no opcodes.

    >>> import io
    >>> [(opcode.name, argument) for opcode, argument in opcodes_in(io.BytesIO(b"I0x10\\n0cos\\nsystem\\n."))]
    [('INT', 16), ('POP', None), ('GLOBAL', ('os', 'system')), ('STOP', None)]
    """
    while True:
        code = file.read(1)
        opcode: Any = _OPCODES.get(code)
        if opcode is None:
            raise ValueError(f"it has the opcode {code!r}" if code else "it ends before STOP")
        if opcode.name in _READERS:
            argument = _READERS[opcode.name](file)
        else:
            argument = opcode.arg.reader(file) if opcode.arg else None
        yield opcode, argument
        if code == b".":
            return


def _line(file):
    line = file.readline()
    if not line.endswith(b"\n"):
        raise ValueError("it ends within a line")
    return line[:-1]


def _number(file):
    text = _line(file)
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"it has the number {text[:40]!r}")
    try:
        return int(text.strip().removesuffix(b"L"), 10 if text.strip(b" 0123456789L") == b"" else 0)
    except ValueError:  # of more digits than Python converts, say: what follows counts
        return None


def _quoted(file):
    text = _line(file).strip()
    if len(text) < 2 or text[:1] != text[-1:] or text[:1] not in b"\"'":
        raise ValueError("it has a text without quotes")
    try:
        return codecs.escape_decode(text[1:-1])[0].decode("latin-1")  # pyright: ignore[reportAttributeAccessIssue]
    except ValueError:
        return text[1:-1].decode("latin-1")


def _raw(file):
    line = _line(file)
    try:
        return line.decode("raw-unicode-escape")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _names(file):
    return _line(file).decode("utf-8", "replace"), _line(file).decode("utf-8", "replace")


_READERS = {"INT": _number, "LONG": _number, "STRING": _quoted, "UNICODE": _raw, "GLOBAL": _names, "INST": _names}
