"""A reader of the pickles of some data sets that runs none of the code which they name.

A pickle names functions to call. Here the names that NumPy arrays need refer to placeholder classes that only store
their arguments, and every other name is an error. Arrays are built afterwards from the stored arguments, after checks.
"""

from __future__ import annotations

import math
import pickle
import re
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.errors import FileError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["load_npz", "load_pickle"]


def load_npz(path: Path, *names: str) -> list[np.ndarray]:
    """The arrays of an .npz file. Object arrays must contain lists or arrays of integers, and are returned with lists.

    Args:
        path: Path of the file.
        *names: Names of the arrays.
    """
    with zipfile.ZipFile(path) as archive:
        return [_load_npy(archive, f"{name}.npy", path) for name in names]


def _load_npy(archive, name, path):
    if name not in archive.namelist():
        raise FileError(f"{path} should contain {name}; it contains {sorted(archive.namelist())}.")
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            return _int_lists(load_pickle(file, f"{path}:{name}"), shape, f"{path}:{name}")
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _int_lists(array, shape, where):
    _need(
        isinstance(array, np.ndarray) and array.shape == shape and array.ndim == 1,
        where,
        "no 1-D array of lists",
    )
    for i, entry in enumerate(array):
        array[i] = entry = entry.tolist() if isinstance(entry, np.ndarray) else entry
        _need(type(entry) is list and set(map(type, entry)) <= {int}, where, f"entry {i} is not a list of integers")
    return array


def load_pickle(file: BinaryIO, where: str, encoding: str = "ASCII") -> Any:
    """The value of a pickle: numbers, text, lists, dicts, and arrays of these.

    Args:
        file: Binary file.
        where: Name of the file in errors.
        encoding: Encoding of the strings of Python 2.

    Raises:
        FileError: For a pickle that names any other class or function, or is damaged.
    """
    try:
        return _built(_Unpickler(file, encoding=encoding).load())
    except FileError as error:
        raise FileError(f"{where}: {error}") from None
    except Exception as error:  # a damaged pickle may raise anything
        raise FileError(f"{where} is damaged: {type(error).__name__}: {error}") from error


class _Placeholder:
    """A placeholder that stores its arguments and its state."""

    __slots__ = ("args", "state")

    def __init__(self, *args):
        self.args = args
        self.state: Any = ()

    def __setstate__(self, state):
        self.state = state


class _Array(_Placeholder):
    """Placeholder of `numpy.core.multiarray._reconstruct`, with the state (version, shape, dtype, is_fortran, data)."""

    __slots__ = ()


class _Dtype(_Placeholder):
    """Placeholder of `numpy.dtype`, with arguments (code, align, copy) and the state (version, byte order, ...)."""

    __slots__ = ()


class _Bytes(_Placeholder):
    """Placeholder of `_codecs.encode`, by which Python 3 writes bytes for Python 2: (text, 'latin1')."""

    __slots__ = ()


_PLACEHOLDERS = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Placeholder,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _Bytes,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name, global_name):
        placeholder = _PLACEHOLDERS.get((module_name, global_name))
        if placeholder is None:
            raise FileError(f"the pickle names {module_name}.{global_name}, which no data set needs; it was not run.")
        return placeholder


def _built(value):
    """`value`, or the values of a dict, with arrays in place of placeholders."""
    return {key: _array(item) for key, item in value.items()} if isinstance(value, dict) else _array(value)


def _array(value, is_entry=False):
    """The array of a placeholder; other values are returned. Object arrays cannot be nested."""
    if not isinstance(value, _Array):
        if isinstance(value, (_Placeholder, type)):
            raise FileError("a NumPy object that is not an array.")
        return value
    _, shape, dtype, is_fortran, data = value.state
    code, order = _text(dtype.args[0]), _text(dtype.state[1])
    if re.fullmatch("O[48]?", code) and not is_entry:
        if type(data) is not list or len(data) != math.prod(shape):
            raise FileError("an object array has no list of its entries.")
        flat = np.fromiter((_array(entry, is_entry=True) for entry in data), object, len(data))
    elif re.fullmatch("b1|[iu][1248]|f[48]", code) and order in ("<", ">", "|", "="):
        data = data.args[0].encode("latin1") if isinstance(data, _Bytes) else data
        flat = np.frombuffer(data, np.dtype(order + code)).copy()
    else:
        raise FileError(f"an array of dtype {order + code}, which no data set needs.")
    return flat.reshape(shape, order="F" if is_fortran else "C")


def _text(value):
    return value.decode("ascii") if isinstance(value, bytes) else value


def _need(condition, where, what):
    if not condition:
        raise FileError(f"{where} should contain lists of integers: {what}.")
