"""The file of `Dataset.cache(filename)`: the elements of one pass, in records, which contain no pickle.

magic | length of a record | a list of elements | ... | 0
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

from lamina.errors import DataError, FileError
from lamina.runtime.atomic_files import atomic_write
from lamina.saving.safety.records import read_record, write_record
from lamina.training.data.elements import leaves_of, map_leaves

__all__ = ["cached_elements", "while_caching"]

_REMOVE = "os.remove({!r})  # the next pass writes it anew"
_MAGIC = b"lamina cache 1\n"
_BYTES, _COUNT = 4 * 2**20, 256  # a record ends with the element that reaches one of these sizes


def while_caching(elements: Iterable[Any], path: str) -> Iterator[Any]:
    """The elements; the file `path` is complete once the last one was taken, and is not there before.

    Args:
        elements: Elements of one pass.
        path: File that is written. Its folder is made.

    Raises:
        DataError: An element has objects that are not numbers or text.
    """
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with atomic_write(path) as beside, open(beside, "wb") as file:
        file.write(_MAGIC)
        group, size = [], 0
        for element in elements:
            group.append(map_leaves(_plain, element))
            size += sum(getattr(leaf, "nbytes", 0) for leaf in leaves_of(element))
            if size >= _BYTES or len(group) == _COUNT:
                _append(file, group)
                group, size = [], 0
            yield element
        if group:
            _append(file, group)
        file.write(bytes(8))


def _plain(leaf):
    return str(leaf) if isinstance(leaf, str) else leaf


def _append(file, group):
    start = file.tell()
    file.write(bytes(8))
    try:
        write_record(group, file)
    except TypeError as error:
        fix = ".cache() keeps the elements in memory."
        raise DataError(f"The elements cannot be kept in the file {file.name}: {error}.", fix=fix) from error
    end = file.tell()
    file.seek(start)
    file.write((end - start - 8).to_bytes(8, "little"))
    file.seek(end)


def cached_elements(path: str) -> Iterator[Any]:
    """The elements in a file, read one record at a time.

    Args:
        path: File that `while_caching` wrote.

    Raises:
        FileError: The file is damaged, or no such file.
    """
    with open(path, "rb") as file:
        size = os.path.getsize(path)
        if file.read(len(_MAGIC)) != _MAGIC:
            raise FileError(f"{path} is no file that Dataset.cache wrote.", fix="dataset.cache('another_name')")
        while length := _length(file, size, path):
            try:
                elements = list(read_record(file.read(length), path))
            except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
                raise FileError(f"{path} is damaged: {error}.", fix=_REMOVE.format(path)) from error
            yield from elements


def _length(file, size, path):
    read = file.read(8)
    length = int.from_bytes(read, "little")
    if len(read) < 8 or length > size - file.tell():
        raise FileError(f"{path} is damaged: it ends early.", fix=_REMOVE.format(path))
    return length
