"""Stores of weights and functions, masks of cells and counts of classes, by the names that the inside of Keras has for
them."""

from __future__ import annotations

import io
import os
import pathlib
from typing import Any

import h5py

from lamina import ops, random
from lamina.core import bytecode, context, registry
from lamina.errors import ConfigError

__all__ = ["DiskIOStore", "DropoutRNNCell", "H5IOStore", "confusion_matrix", "func_dump", "func_load"]


class H5IOStore:
    """The weights of layers in an HDF5 file: `store.make(path)["0"] = array`, `store.get(path)["0"]`.

    Args:
        root_path: Path of the file; or with `archive`, the name of its member.
        archive: A `zipfile.ZipFile` that has the file.
        mode: "r" or "w".
    """

    def __init__(self, root_path: Any, archive: Any = None, mode: str = "r") -> None:
        self.root_path, self.archive, self.mode = root_path, archive, mode
        target = (
            os.fspath(root_path) if archive is None else io.BytesIO(archive.read(root_path) if mode == "r" else b"")
        )
        self.io_file: Any = target
        self.h5_file: Any = h5py.File(target, mode=mode)

    def make(self, path: str, metadata: Any = None) -> Any:
        """The dict of arrays at a path, which is made."""
        group = self.h5_file.require_group(path) if path else self.h5_file
        group.attrs.update(metadata or {})
        return group.require_group("vars")

    def get(self, path: str) -> Any:
        """The dict of arrays at a path; empty where there is none."""
        group = self.h5_file.get(path) if path else self.h5_file
        return {} if group is None or "vars" not in group else group["vars"]

    def __contains__(self, path: str) -> bool:
        return path in self.h5_file

    def close(self) -> None:
        """Write and close the file."""
        self.h5_file.close()
        if self.archive is not None and self.mode == "w":
            self.archive.writestr(self.root_path, self.io_file.getvalue())


def _is_inside(path):
    return not os.path.isabs(path) and ".." not in path.replace("\\", "/").split("/")


class DiskIOStore:
    """Folders for the files of layers, such as vocabularies.

    Args:
        root_path: Path of the folder.
        archive: A `zipfile.ZipFile` that has the folder; it is read and written by the folder on disk alone.
        mode: "r" or "w".
    """

    def __init__(self, root_path: Any, archive: Any = None, mode: str = "r") -> None:
        self.working_dir = pathlib.Path(root_path)
        self.archive, self.mode = archive, mode

    def make(self, path: str) -> str:
        """The folder at a path, which is made."""
        folder = self._at(path)
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def get(self, path: str) -> str | None:
        """The folder at a path, or None."""
        folder = self._at(path)
        return str(folder) if folder.exists() else None

    def has_path(self, path: str) -> bool:
        """Whether there is a folder at a path of the store."""
        return _is_inside(path) and self._at(path).exists()

    def _at(self, path):
        if not _is_inside(path):
            raise ConfigError(f"Invalid asset path {path!r}: it leads out of the store.", fix='path="layers/dense"')
        return self.working_dir / path

    def close(self) -> None:
        """Nothing is left open."""


def func_dump(func: Any) -> tuple[str, Any, Any]:
    """The bytecode of a function, its defaults and the values that it closes over."""
    config = bytecode.serialize_lambda(func)["config"]
    return config["code"], config["defaults"], config["closure"]


def func_load(code: Any, defaults: Any = None, closure: Any = None, globs: Any = None) -> Any:
    """The function that `func_dump` stored. The program that calls this trusts what it reads."""
    if isinstance(code, (list, tuple)):
        code, defaults, closure = code
    with registry.safe_mode(False):
        return bytecode.deserialize_lambda({"code": code, "defaults": defaults, "closure": closure})


class DropoutRNNCell:
    """The masks of a cell with the attributes `dropout`, `recurrent_dropout` and `seed_generator`; one mask serves a
    sequence."""

    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    dropout_mask_count = None
    seed_generator: Any = None

    def _mask(self, name, like):
        rate = getattr(self, name)
        if not rate:
            return None
        refs = self.__dict__.setdefault("_mask_refs", {})
        ref = refs.setdefault(name, context.Ref())
        if ref.read() is None:
            masks = [random.dropout(like * 0 + 1, rate, seed=self.seed_generator) for _ in range(self.mask_count)]
            ref.write(masks if self.dropout_mask_count else masks[0])
        return ref.read()

    @property
    def mask_count(self) -> int:
        """How many masks a sequence has: one, or one a gate."""
        return self.dropout_mask_count or 1

    def get_dropout_mask(self, step_input: Any) -> Any:
        """The mask of the inputs, None without dropout."""
        return self._mask("dropout", step_input)

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """The mask of the state, None without dropout."""
        return self._mask("recurrent_dropout", step_input)

    def reset_dropout_mask(self) -> None:
        """Make the next sequence draw a new mask."""
        self.__dict__.setdefault("_mask_refs", {}).pop("dropout", None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Make the next sequence draw a new mask."""
        self.__dict__.setdefault("_mask_refs", {}).pop("recurrent_dropout", None)


def confusion_matrix(labels: Any, predictions: Any, num_classes: int, weights: Any = None, dtype: str = "int32") -> Any:
    """How often, or with how much weight, a class (row) was predicted as another (column).

    >>> confusion_matrix([0, 1, 1], [0, 0, 1], 2).tolist()
    [[1, 0], [1, 1]]
    """
    places = ops.stack([ops.cast(labels, "int32"), ops.cast(predictions, "int32")], axis=-1)
    counts = ops.ones_like(places[..., 0]) if weights is None else weights
    return ops.scatter(places, ops.cast(counts, dtype), (num_classes, num_classes))
