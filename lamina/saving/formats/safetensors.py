"""`.safetensors` files: a JSON header followed by the values of the weights. Many libraries can read them.

Names are the same as in `.weights.h5`: `layers/dense/vars/0` is the first variable of the first Dense. Optimizer state
is not stored. The format is specified at https://huggingface.co/docs/safetensors.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import ml_dtypes
import numpy as np

from lamina.core.placement import to_numpy
from lamina.core.read_limits import reserve_array
from lamina.errors import FileError, UnsafeFileError
from lamina.saving.formats.weights_h5 import read_tree, stores_of
from lamina.saving.safety.damage import check_name, damaged
from lamina.saving.safety.hdf5 import written
from lamina.saving.safety.limits import parse_json

__all__ = ["Tensors", "load_safetensors", "save_safetensors", "tensors_of", "write_tensors"]

_TYPES = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "U16": np.uint16, "I16": np.int16, "U32": np.uint32,
    "I32": np.int32, "U64": np.uint64, "I64": np.int64, "F16": np.float16, "BF16": ml_dtypes.bfloat16,
    "F32": np.float32, "F64": np.float64, "F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E5M2": ml_dtypes.float8_e5m2,
}  # fmt: skip
_NAMES = {np.dtype(dtype): name for name, dtype in _TYPES.items()}
_HEADER = 100 * 10**6  # bytes; the limit set by the format


def save_safetensors(model: Any, filepath: str | os.PathLike[str]) -> None:
    """Write the weights of `model`."""
    write_tensors(tensors_of(model), filepath, "keras")


def tensors_of(model: Any) -> dict[str, np.ndarray]:
    """The weights by the names of `.weights.h5`."""
    optimizer = getattr(model, "optimizer", None)
    return {
        f"{path}/vars/{key}": to_numpy(value, copy=False)
        for path, part, store in stores_of(model)
        if part is not optimizer
        for key, value in store.items()
    }


def write_tensors(arrays: Mapping[str, np.ndarray], filepath: str | os.PathLike[str], format: str) -> None:
    """Write arrays by name.

    Args:
        arrays: The arrays.
        filepath: File.
        format: What the metadata say: "keras", or "pt" for libraries on PyTorch.
    """
    header: dict = {"__metadata__": {"format": format}}
    offset = 0
    for name, array in arrays.items():
        if array.dtype not in _NAMES:
            raise FileError(
                f"safetensors cannot store {array.dtype}, the dtype of {name}.", fix="Save the weights as .weights.h5."
            )
        header[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": array.shape,
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with written(filepath) as beside, open(beside, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).tobytes())


def load_safetensors(model: Any, filepath: str | os.PathLike[str], skip_mismatch: bool = False) -> Any:
    """Load a file written by `save_safetensors`. Returns a LoadReport."""
    with open(filepath, "rb") as file:
        return read_tree(model, Tensors(file, filepath), filepath, skip_mismatch).tell()


class Tensors:
    """The arrays in an open file, by the paths of the model's objects."""

    def __init__(self, file, filepath):
        size = pathlib.Path(filepath).stat().st_size
        length = int.from_bytes(file.read(8), "little")
        if length > min(_HEADER, size - 8):
            raise UnsafeFileError(
                f"The header would have {length} bytes, more than the file or a header can have."
            ).within(filepath)
        header = parse_json(file.read(length), f"{filepath}, header")
        header.pop("__metadata__", None)
        self._arrays, start = {}, 8 + length
        for name, entry in header.items():
            check_name(name)
            array = _Tensor(file, f"{name} in {filepath}", entry, start, size)
            self._arrays.setdefault(name.rpartition("/")[0], {})[name.rpartition("/")[2]] = array
        end = 0
        for begin, after in sorted(entry["data_offsets"] for entry in header.values()):
            if begin != end:
                raise damaged(f"{filepath} has arrays that overlap, or bytes of none, at byte {start + end}.")
            end = after
        if start + end != size:
            raise damaged(f"{filepath} has {size - start - end} bytes behind its arrays.")

    def join(self, other: Tensors) -> None:
        """Take the arrays of another file too."""
        for folder, store in other._arrays.items():
            self._arrays.setdefault(folder, {}).update(store)

    def by_name(self) -> dict[str, Any]:
        """The arrays by their names in the file."""
        return {f"{folder}/{key}".lstrip("/"): a for folder, store in self._arrays.items() for key, a in store.items()}

    def at(self, path):
        return self._arrays.get(f"{path}/vars")

    def arrays(self):
        return ((f"{folder}/{key}", a.shape) for folder, store in self._arrays.items() for key, a in store.items())


class _Tensor:
    """An array in the file. Its shape and dtype are known; its values are read when they are used."""

    def __init__(self, file, name, entry, start, size):
        try:
            self.shape, self.dtype = tuple(entry["shape"]), np.dtype(_TYPES[entry["dtype"]])
            begin, end = entry["data_offsets"]
            length = math.prod(self.shape) * self.dtype.itemsize
            sound = all(isinstance(n, int) and n >= 0 for n in (*self.shape, begin, end)) and end - begin == length
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(f"{name} has no valid entry in the safetensors header: {entry}.") from error
        if not sound or start + end > size:
            raise UnsafeFileError(f"{name} is outside of the file, or its size does not match its shape: {entry}.")
        self.ndim, self._name, self._file, self._place, self._length = (
            len(self.shape),
            name,
            file,
            start + begin,
            length,
        )

    def __array__(self, dtype=None, copy=None):
        reserve_array(self.shape, self.dtype.itemsize, self._name)
        self._file.seek(self._place)
        values = np.frombuffer(self._file.read(self._length), self.dtype).reshape(self.shape)
        return values.astype(dtype or self.dtype, copy=False)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index):
        return np.asarray(self)[index]
