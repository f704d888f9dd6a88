"""Check arrays and attributes of an HDF5 file before they are read.

HDF5 can store an array in another file, assemble it from parts of other arrays, follow links, load filters from disk,
and decompress a few bytes to gigabytes. Files of weights need none of this.
"""

from __future__ import annotations

import contextlib
import errno
import math
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import h5py
from h5py import h5d, h5g, h5l, h5o, h5z  # pyright: ignore[reportAttributeAccessIssue]

from lamina.errors import FileError, UnsafeFileError
from lamina.saving.safety.damage import check_name, damaged

__all__ = [
    "arrays_in",
    "attribute",
    "check_chunks",
    "check_dataset",
    "check_heaps",
    "reading_texts_up_to",
    "stored_bytes",
    "touching",
]

# Allowed filters, in the order in which they are applied, at most one per entry: all lossless filters of h5py.
_PIPELINE = ((h5z.FILTER_SHUFFLE,), (h5z.FILTER_DEFLATE, h5z.FILTER_LZF), (h5z.FILTER_FLETCHER32,))
_NUMBERS = "fiubcV"  # kinds of dtypes; V is for dtypes that HDF5 does not support, stored as bytes
_RATIO = 20  # gzip compresses weights at most to a twentieth
_SLACK = 2**20  # bytes by which a chunk may be larger than its array
_HEAP = b"GCOL\x01"  # first bytes of a global heap; HDF5 ignores the three after them
_TEXTS = 2**30  # maximum bytes in an attribute of many variable-length strings


@contextlib.contextmanager
def touching(place: Any) -> Iterator[Any]:
    """A context that converts errors of h5py to a FileError that names the place."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, FileError):
            raise
        raise damaged(f"{place} in the file is damaged: {error}.") from error


_longest_text: ContextVar = ContextVar("longest_text", default=None)  # in the file being read


def reading_texts_up_to(length: Any) -> None:
    """Set the length of the longest string in the file that is read in this context."""
    _longest_text.set(length)


def check_heaps(file: Any) -> Any:
    """Refuse a file (a path or a BytesIO) with damaged global heaps, which would put libhdf5 in an infinite loop.
    Returns the length of its longest string in bytes.

    A heap consists of a header, strings that are each preceded by 16 bytes with their length, and the free space.
    """
    with contextlib.ExitStack() as stack:
        if hasattr(file, "getvalue"):
            data = file.getvalue()
            parts = iter([(0, len(data))])
        else:
            opened = stack.enter_context(open(file, "rb"))
            if not os.fstat(opened.fileno()).st_size:
                return 0
            data = stack.enter_context(mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ))
            parts = _written_parts(opened.fileno(), len(data))
        longest = 0
        for begin, end in parts:
            start = data.find(_HEAP, begin, end)
            while start >= 0:
                longest = max(longest, _check_heap(data, start))
                start = data.find(_HEAP, start + 1, end)
    return longest


def _written_parts(descriptor, size):
    """(begin, end) of each part of an open file that was written. The zeros between them, of which a file of a few
    kilobytes may have a terabyte, are not read."""
    end = 0 if hasattr(os, "SEEK_DATA") else size
    if end:
        yield 0, size
    while end < size:
        try:
            begin = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # which means that only zeros follow
                raise
            return
        end = os.lseek(descriptor, begin, os.SEEK_HOLE)
        yield begin, end


def _check_heap(data, start):
    """The length of the longest string in the heap that starts here."""
    (size,) = struct.unpack_from("<Q", data[start + 8 : start + 16].ljust(8, b"\0"))
    place, end, longest = start + 16, start + size, 0
    sound = size >= 32 and end <= len(data)
    if not sound and any(data[start + 5 : start + 8]):
        return 0  # values of an array: HDF5 reads no heap of such a size
    while sound and end - place >= 16:
        number, length = struct.unpack_from("<H6xQ", data, place)
        if number == 0:
            sound, place = length == end - place, end
        else:
            place += 16 + -(-length // 8) * 8
            sound, longest = place <= end, max(longest, length)
    if not sound:
        raise damaged(f"The HDF5 is damaged: the sizes in its heap at byte {start} are inconsistent.")
    return longest


def check_dataset(dataset: Any) -> None:
    """Refuse an array that is stored in another file, is not numeric, or uses a filter that h5py does not have."""
    with touching(dataset.name):
        if dataset.external or dataset.is_virtual:
            raise _unsafe(dataset, "has its data in another file")
        dtype = dataset.dtype
        if dtype.kind not in _NUMBERS or dtype.names or dtype.subdtype or dataset.shape is None:
            raise _unsafe(dataset, f"has values of {dtype}, not numbers")
        if dataset.chunks and _chunk_bytes(dataset) > dataset.nbytes + _SLACK:
            raise _unsafe(dataset, f"has chunks of {_chunk_bytes(dataset)} bytes, more than the whole array")
        _check_filters(dataset)


def _check_filters(dataset):
    rows = iter(_PIPELINE)
    for code in _filters(dataset):
        if not any(code in row for row in rows):
            raise _unsafe(dataset, f"is compressed by filter {code}; only shuffle, gzip, lzf and fletcher32 are read")


def _filters(dataset):
    created = dataset.id.get_create_plist()
    return [created.get_filter(index)[0] for index in range(created.get_nfilters())]


def check_chunks(dataset: Any) -> None:
    """Refuse chunks that decompress to more than their declared size. HDF5 notices this only after decompression."""
    filters = _filters(dataset)
    if not filters:
        return
    with touching(dataset.name):
        size, end = _chunk_bytes(dataset), dataset.file.id.get_filesize()
        chunks = []
        dataset.id.chunk_iter(chunks.append)
        for chunk in chunks:
            if chunk.byte_offset + chunk.size > end:
                raise _unsafe(dataset, "has a chunk beyond the end of the file")
            if h5z.FILTER_DEFLATE in filters:
                _check_inflated(dataset, chunk, size)
            elif h5z.FILTER_LZF in filters and chunk.size > 2 * size + _SLACK:
                raise _unsafe(dataset, "has a compressed chunk that is larger than its contents")


def _check_inflated(dataset, chunk, size):
    skipped, data = dataset.id.read_direct_chunk(chunk.chunk_offset)
    place = _filters(dataset).index(h5z.FILTER_DEFLATE)
    if not skipped & (1 << place):
        try:
            inflated = zlib.decompressobj().decompress(data, size + 1)
        except zlib.error as error:
            raise damaged(f"{dataset.name} in the file is damaged: {error}.") from error
        if len(inflated) > size:
            raise _unsafe(dataset, f"has a chunk that decompresses to more than its {size} bytes")


def _chunk_bytes(dataset):
    return math.prod(dataset.chunks) * dataset.dtype.itemsize


def _unsafe(item, what):
    return UnsafeFileError(f"{item.name} {what}.")


def attribute(group: Any, name: Any) -> Any:
    """An attribute of strings or numbers as h5py returns it, or None."""
    with touching(f"The attribute {name} of {group.name}"):
        if name not in group.attrs:
            return None
        found = group.attrs.get_id(name)
        count = math.prod(found.shape or ())
        if found.dtype.kind == "O":
            if h5py.check_string_dtype(found.dtype) is None:
                raise _unsafe(group, f"has an attribute {name} of the type {found.dtype}")
            longest = _longest_text.get()
            longest = group.file.id.get_filesize() if longest is None else longest
            if count > 1 and count * longest > _TEXTS:
                raise _unsafe(group, f"has an attribute {name} of {count} texts without a limit to their length")
        return group.attrs[name]


def arrays_in(group: Any) -> Any:
    """(path, dataset) for each array below `group`, following hard links. Each object appears once, even in cycles."""
    seen, stack = set(), [("", group.id)]
    while stack:
        path, parent = stack.pop()
        with touching(f"{group.name}/{path}"):
            children = []
            for name in parent:  # by the functions of HDF5 itself: a file may have 100,000 empty groups
                if parent.links.get_info(name).type == h5l.TYPE_HARD:
                    info = h5o.get_info(parent, name)
                    if (info.fileno, info.addr) not in seen:
                        seen.add((info.fileno, info.addr))
                        check_name(text := name.decode("utf-8", "surrogateescape"))
                        children.append((f"{path}/{text}" if path else text, h5o.open(parent, name)))
        stack.extend((name, child) for name, child in reversed(children) if isinstance(child, h5g.GroupID))
        yield from ((name, h5py.Dataset(child)) for name, child in children if isinstance(child, h5d.DatasetID))


def stored_bytes(group: Any) -> int:
    """The number of bytes that the arrays really occupy: their declared size, limited by their storage in the file."""
    total = 0
    for _, dataset in arrays_in(group):
        with touching(dataset.name):
            total += min(dataset.nbytes, _RATIO * dataset.id.get_storage_size())
    return total
