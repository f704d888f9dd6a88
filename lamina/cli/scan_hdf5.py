"""What an HDF5 file holds beside arrays of its own."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

from lamina.cli.scan_pickles import read_pickle
from lamina.saving.safety.hdf5_contents import check_heaps

__all__ = ["hdf5_findings"]

_CONFIGS = ("model_config", "training_config")
_MOST_BYTES = 1 << 28  # of an array in which pickles are looked for


def hdf5_findings(data: Any, config: Callable[[Any, str, int], None]) -> Iterator[tuple[str, str, str]]:
    """(place, rule, sentence) for each link, each array in another file, and each one larger than what is stored.

    Args:
        data: Bytes of the file.
        config: Called with the text, the place and the stored bytes of each config of Keras.
    """
    file = io.BytesIO(data)
    check_heaps(file)
    with h5py.File(file, "r") as root:
        groups: list[Any] = [root]
        seen, stored = set(), 0
        yield from _pickles_among("/", root.attrs)
        while groups:
            group = groups.pop()
            for name in group:
                path, link = f"{group.name.rstrip('/')}/{name}", group.get(name, getlink=True)
                if isinstance(link, h5py.ExternalLink):
                    yield path, "files", f"is a link into the file {link.filename!r}"
                    continue
                if isinstance(link, h5py.SoftLink):
                    yield path, "damaged", f"is a link to {link.path!r}"
                    continue
                item = group[name]
                key = h5py.h5o.get_info(item.id).addr  # pyright: ignore[reportAttributeAccessIssue]
                if key in seen:
                    continue
                seen.add(key)
                yield from _pickles_among(path, item.attrs)
                if isinstance(item, h5py.Group):
                    groups.append(item)
                elif isinstance(item, h5py.Dataset):
                    stored += item.id.get_storage_size()
                    yield from _of_array(path, item)
        for name in _CONFIGS:
            if name in root.attrs:
                text: Any = root.attrs[name]
                config(text.encode() if isinstance(text, str) else bytes(text), f"/{name}", stored)


def _pickles_among(path, attributes):
    """What PyTables, and pandas through it, would unpickle: attributes whose bytes are a pickle."""
    for name, value in attributes.items():
        for names in _imported_by(value):
            yield path, "code", f"has the attribute {name!r}, a pickle that imports {names}"


def _imported_by(value):
    """The harmful imports of each pickle among texts and bytes."""
    for name in value.dtype.names or () if isinstance(value, (np.ndarray, np.void)) else ():
        yield from _imported_by(value[name])
    if isinstance(value, np.ndarray) and value.dtype.kind in "biu" and value.dtype.itemsize == 1:
        value = value.tobytes()
    for one in value.ravel() if isinstance(value, np.ndarray) else [value]:
        if isinstance(one, np.ndarray) and one.dtype.itemsize == 1:  # of a length of its own
            one = one.tobytes()
        data = one.tobytes() if isinstance(one, np.void) else one.encode() if isinstance(one, str) else one
        if isinstance(data, bytes):
            report = read_pickle(io.BytesIO(data))
            if (report.calls or data[:1] == b"\x80") and (names := report.harmful()):
                yield ", ".join(names[:12])


def _of_array(path, array):
    if array.is_virtual:
        yield path, "files", f"is put together from {sorted({source.file_name for source in array.virtual_sources()})}"
    elif array.external:
        yield path, "files", f"has its values in the file {array.external[0][0]!r}"
    elif array.shape is not None and array.nbytes > 64 * 2**20 + 200 * array.id.get_storage_size():
        yield path, "memory", f"declares {array.nbytes} bytes, and {array.id.get_storage_size()} are stored"
    elif array.shape is not None and array.nbytes <= _MOST_BYTES and _may_be_bytes(array.dtype):
        for names in _imported_by(array[()]):
            yield path, "code", f"holds a pickle that imports {names}"


def _may_be_bytes(dtype):
    return dtype.kind in "OSV" or (dtype.kind in "biu" and dtype.itemsize == 1)
