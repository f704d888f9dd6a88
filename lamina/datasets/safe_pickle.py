"""Read the pickles some data sets are made of, without running anything they ask for.

A pickle names functions to call. Here every name NumPy's own arrays need leads to a stand-in class that only keeps
what it is given, and every other name is refused; arrays are built afterwards from what was kept, after checking it.
"""

import math
import pickle
import re
import zipfile
from typing import Any

import numpy as np

from lamina.errors import FileError

__all__ = ["load_npz", "load_pickle"]


def load_npz(path, *names):
    """The arrays `names` of an .npz file. An object array must hold lists of ints, or arrays of ints (made lists)."""
    with zipfile.ZipFile(path) as archive:
        return [_load_npy(archive, f"{name}.npy", path) for name in names]


def _load_npy(archive, name, path):
    if name not in archive.namelist():
        raise FileError(f"{path} should hold {name}; it holds {sorted(archive.namelist())}.")
    with archive.open(name) as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            return _int_lists(load_pickle(file, f"{path}:{name}"), shape, f"{path}:{name}")
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _int_lists(array, shape, where):
    _need(isinstance(array, np.ndarray) and array.shape == shape and array.ndim == 1, where, "not a row of lists")
    for i, entry in enumerate(array):
        array[i] = entry = entry.tolist() if isinstance(entry, np.ndarray) else entry
        _need(type(entry) is list and set(map(type, entry)) <= {int}, where, f"entry {i} is not a list of ints")
    return array


def load_pickle(file, where, encoding="ASCII") -> Any:
    """The value pickled in the binary `file`: numbers, text, lists, dicts, arrays of these. `where` is for errors.

    Raises FileError for a pickle that names any other class or function, or is damaged.
    """
    try:
        return _built(_Unpickler(file, encoding=encoding).load())
    except FileError as error:
        raise FileError(f"{where}: {error}") from None
    except Exception as error:  # a damaged pickle may raise anything
        raise FileError(f"{where} is damaged: {type(error).__name__}: {error}") from error


class _Kept:
    """A stand-in: keeps its arguments and its state, does nothing with them."""

    __slots__ = ("args", "state")

    def __init__(self, *args):
        self.args = args
        self.state: Any = ()

    def __setstate__(self, state):
        self.state = state


class _Array(_Kept):
    """For `numpy.core.multiarray._reconstruct`; its state is (version, shape, dtype, is_fortran, data)."""

    __slots__ = ()


class _Dtype(_Kept):
    """For `numpy.dtype`; its arguments are (code, align, copy), its state (version, byte order, ...)."""

    __slots__ = ()


class _Bytes(_Kept):
    """For `_codecs.encode`, with which Python 3 spells bytes in pickles meant for Python 2: (text, 'latin1')."""

    __slots__ = ()


_STAND_INS = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _Kept,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _Bytes,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name, global_name):
        stand_in = _STAND_INS.get((module_name, global_name))
        if stand_in is None:
            raise FileError(
                f"the pickle asks for {module_name}.{global_name}, which no data set needs; it was not run."
            )
        return stand_in


def _built(value):
    """`value` with its stand-ins made into arrays: itself, or the values of a dict."""
    return {key: _array(item) for key, item in value.items()} if isinstance(value, dict) else _array(value)


def _array(value, is_entry=False):
    """The array a stand-in is for; other values pass. An entry of an object array cannot be one itself."""
    if not isinstance(value, _Array):
        if isinstance(value, (_Kept, type)):
            raise FileError("something of NumPy's that is no array.")
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
        raise FileError(f"an array of dtype {order + code} is not one a data set needs.")
    return flat.reshape(shape, order="F" if is_fortran else "C")


def _text(value):
    return value.decode("ascii") if isinstance(value, bytes) else value


def _need(condition, where, what):
    if not condition:
        raise FileError(f"{where} should hold lists of ints: {what}.")
