"""Read HDF5 files without following links, and write files that are either complete or absent."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from lamina.core.abstract import without_value
from lamina.core.dtypes import is_float, numpy_dtype, standardize_dtype
from lamina.core.placement import to_numpy
from lamina.core.read_limits import reserve_array
from lamina.errors import FileError, UnsafeFileError
from lamina.runtime.atomic_files import atomic_write
from lamina.runtime.interrupts import Interrupts
from lamina.saving.safety.damage import check_name, damaged, other_format
from lamina.saving.safety.hdf5_contents import (
    attribute,
    check_chunks,
    check_dataset,
    check_heaps,
    reading_texts_up_to,
    touching,
)


def written(filepath: str | os.PathLike[str]) -> Any:
    """`atomic_files.atomic_write`, with an error message that names a missing folder."""
    target = pathlib.Path(filepath)
    if not target.parent.is_dir():
        raise FileError(
            f"There is no folder {target.parent} to write {target.name} into.",
            fix=f"import os; os.makedirs({str(target.parent)!r})",
        )
    return atomic_write(target)


def check_overwrite(filepath: str | os.PathLike[str], overwrite: bool) -> None:
    """Raise an error if a file exists, unless the caller allows replacing it."""
    if not overwrite and pathlib.Path(filepath).exists():
        raise FileError(
            f"{filepath} exists, and overwrite=False.", fix="Pass overwrite=True to replace it, or another name."
        )


@contextlib.contextmanager
def open_hdf5(file: Any, name: Any, data: bytes | None = None) -> Iterator[Any]:
    """An HDF5 file opened for reading. Errors for a damaged or missing file name the file.

    Args:
        file: Path or BytesIO.
        name: Its name in errors.
        data: The bytes of a BytesIO, from which arrays are then taken as they are.
    """
    try:
        reading_texts_up_to(check_heaps(file))
        opened = h5py.File(file, "r")
    except FileError as error:
        raise other_format(file, name, "HDF5", error.message) from error
    except (OSError, ValueError, OverflowError, RuntimeError) as error:
        raise other_format(file, name, "HDF5", error) from error
    number = opened.id.id
    if data is not None and not opened.userblock_size:
        _in_memory[number] = data
    try:
        with opened:
            yield opened
    finally:
        _in_memory.pop(number, None)


_LARGE = 2**16  # bytes from which a copy of an array costs more than a place of its own
_in_memory: dict[int, bytes] = {}  # number that HDF5 gives an open file -> its bytes


def group_at(group: Any, path: Any) -> Any:
    """The group at `path`, or None. Only hard links are followed."""
    for part in filter(None, path.split("/")):
        group = _member(group, part)
        if group is None:
            return None
        if not isinstance(group, h5py.Group):
            raise damaged(f"{path} in the file is not a group.")
    return group


def _member(group, name):
    with touching(f"{group.name}/{name}"):
        if name not in group:
            return None
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise UnsafeFileError(f"{group.name}/{name} is a link to another place; files of weights have no links.")
        return group[name]


def array_at(group: Any, path: Any) -> Any:
    """The numeric array at `path` below `group`, which must be stored in this file. Its values are not read yet."""
    check_name(path)
    folder, _, name = path.rpartition("/")
    parent = group_at(group, folder)
    dataset = None if parent is None else _member(parent, name)
    if not isinstance(dataset, h5py.Dataset):
        raise damaged(f"The file has no array {group.name}/{path}.")
    check_dataset(dataset)
    return StoredArray(dataset)


class StoredArray:
    """An array in a file. Its shape and dtype are known; its values are read when they are used."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset
        self.shape: tuple[int, ...] = dataset.shape
        self.ndim: int = dataset.ndim
        stored = attribute(dataset, "dtype")  # the name of a dtype that HDF5 does not support
        self.dtype: Any = dataset.dtype if stored is None else np.dtype(numpy_dtype(standardize_dtype(stored)))
        if self.dtype.itemsize != dataset.dtype.itemsize:
            raise damaged(f"{dataset.name} has the dtype {dataset.dtype}, which cannot be read as {self.dtype}.")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        values = self.part((), dtype)
        return values if copy is False or values.flags.writeable else values.copy()

    def part(self, index: Any, dtype: Any = None) -> np.ndarray[Any, Any]:
        """The values at an index, such as those of one device; nothing else is read. The array may be read-only.

        Args:
            index: Tuple of slices; () means all.
            dtype: Type of the values; None means that of the file.
        """
        self._check_type(self.dtype if dtype is None else np.dtype(dtype))
        check_chunks(self._dataset)
        sizes = [len(range(size)[one]) for size, one in zip(self.shape, index, strict=False)]
        reserve_array((*sizes, *self.shape[len(sizes) :]), self.dtype.itemsize, self._dataset.name)
        with touching(self._dataset.name):
            values = np.asarray(_stored_values(self._dataset, index))
        values = values if values.dtype == self.dtype else values.view(self.dtype)
        return values.astype(dtype or self.dtype, copy=False)

    def _check_type(self, wanted):
        """Check the dtype: another width is accepted, another kind is not, except for a count stored as a float."""
        loses = self.dtype.kind == "c" != wanted.kind or (is_float(self.dtype) and wanted.kind in "iub" and self.ndim)
        if loses:
            raise damaged(f"{self._dataset.name} has the dtype {self.dtype}; the model needs {wanted}.")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        return np.asarray(self)[index]


def _stored_values(dataset, index):
    """The values at an index. Of a file in memory they are a view of it, which takes no time."""
    place = dataset.id.get_offset()  # None of an array in chunks, and of one without values
    data = _in_memory.get(dataset.file.id.id)
    if data is None or place is None or place + dataset.nbytes > len(data):
        return dataset[index]
    return np.frombuffer(data, dataset.dtype, dataset.size, place).reshape(dataset.shape)[index]


@contextlib.contextmanager
def whole_or_unchanged(model: Any) -> Iterator[Any]:
    """A context that restores the variables of a model and its optimizer if an error occurs."""
    optimizer = getattr(model, "optimizer", None)
    variables = [*model.variables, *(optimizer.variables if optimizer is not None else ())]
    variables = [variable for variable in variables if not without_value(variable)]  # of `keras.abstract()`
    values = [variable.read() for variable in variables]
    try:
        yield
    except BaseException:
        with Interrupts() as interrupts:
            interrupts.hold()
            for variable, value in zip(variables, values, strict=True):
                variable.write(value)
        raise


class Store:
    """The `vars` group of one object in a file, as a dict of arrays with the keys '0', '1', ..."""

    def __init__(self, group: Any) -> None:
        self.group = group

    def keys(self) -> Any:
        return [] if self.group is None else sorted(self.group.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __iter__(self) -> Any:
        return iter(self.keys())

    def __contains__(self, key: Any) -> bool:
        return key in self.keys()

    def __getitem__(self, key: Any) -> Any:
        if self.group is None:
            raise KeyError(key)
        return array_at(self.group, key)


def write_array(group: Any, name: Any, value: Any, put: Any = None) -> None:
    """Write an array. The name of a dtype that HDF5 does not support is stored as an attribute, as Keras does for
    bfloat16.

    Args:
        group: Group of an open file.
        name: Name of the array in it.
        value: The array.
        put: Function (group, name, value) that writes large arrays; None means HDF5.
    """
    value = to_numpy(value, copy=False)
    is_known = value.dtype.kind != "V" and value.dtype.name in ("bool", *np.sctypeDict)
    stored = value if is_known or value.dtype.name == "bfloat16" else value.view(f"u{value.dtype.itemsize}")
    if put is not None and value.nbytes >= _LARGE and stored.dtype.kind in "biufcV":
        dataset = put(group, name, stored)
    else:
        dataset = group.create_dataset(name, data=stored)
    if not is_known:
        dataset.attrs["dtype"] = value.dtype.name


def text_attribute(group: Any, name: Any) -> Any:
    """A text attribute of a group, or None."""
    text = attribute(group, name)
    if text is not None and not isinstance(text, (bytes, str)):
        raise damaged(f"The attribute {name} of {group.name} is not a text.")
    return _decoded(text, group, name)


def _decoded(text, group, name):
    with touching(f"The attribute {name} of {group.name}"):
        return text.decode() if isinstance(text, bytes) else text


def names_attribute(group: Any, name: Any) -> Any:
    """The names in an attribute, each once. A list too long for HDF5 is split into `name0`, `name1`, ..."""
    whole = attribute(group, name)
    pieces = [whole] if whole is not None else _pieces(group, name)
    values = [value for piece in pieces for value in np.ravel(piece).tolist()]
    if not all(isinstance(value, (bytes, str)) for value in values):
        raise damaged(f"The attribute {name} of {group.name} is not a list of names.")
    return list(dict.fromkeys(_decoded(value, group, name) for value in values))


def _pieces(group, name):
    number = 0
    while (piece := attribute(group, f"{name}{number}")) is not None:
        yield piece
        number += 1
