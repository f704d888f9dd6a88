"""KerasFileEditor: inspect and change the weights in a file, and save them to a new one."""

from __future__ import annotations

import contextlib
import io
import os
from typing import Any

import h5py
import numpy as np

from lamina.errors import FileError, UnsafeFileError
from lamina.runtime.terminal import console, one_line
from lamina.saving.formats.weights_h5 import stores_of
from lamina.saving.safety.hdf5 import StoredArray, open_hdf5, write_array, written
from lamina.saving.safety.hdf5_contents import arrays_in, attribute, check_dataset, stored_bytes
from lamina.saving.safety.limits import TEXT, naming, parse_json, reading
from lamina.saving.safety.zip import open_zip

__all__ = ["KerasFileEditor"]


class KerasFileEditor:
    """The weights of a `.keras` or `.weights.h5` file as nested dicts of arrays, which can be changed and saved.

    Objects, layers and their containers, are named by path, "layers/dense_2", or by the last part of the path where
    that is unique; weights are named "0", "1", ... The file itself is not changed.

    Args:
        filepath: Path of the file.

    Attributes:
        weights_dict: name -> dict or array.
        object_metadata: path -> {"name": name of the layer}.
        config, metadata: Contents of these members of a `.keras` file.

    Raises:
        FileError: The file has another format or is damaged.
        UnsafeFileError: The file has links, or arrays in other files.

    >>> import tempfile, lamina as keras
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save_weights(f"{folder}/model.weights.h5")
    ...     editor = keras.saving.KerasFileEditor(f"{folder}/model.weights.h5")
    >>> editor.rename_object("layers/dense", "dense_1")
    >>> list(editor.weights_dict["layers"])
    ['dense_1']
    """

    def __init__(self, filepath: str | os.PathLike[str]) -> None:
        self.filepath: str = str(filepath)
        self.metadata: Any = None
        self.config: Any = None
        self.weights_dict: dict[str, Any] = {}
        self.object_metadata: dict[str, dict[str, str]] = {}
        with naming(self.filepath), self._open() as file, reading(self.filepath, stored_bytes(file)):
            _refuse_links(file)
            for path, dataset in arrays_in(file):
                check_dataset(dataset)
                self._take(path, dataset)

    @contextlib.contextmanager
    def _open(self):
        if self.filepath.endswith(".weights.h5"):
            with open_hdf5(self.filepath, self.filepath) as file:
                yield file
        elif self.filepath.endswith(".keras"):
            with open_zip(self.filepath) as members:
                self.config = parse_json(members.read("config.json", TEXT), "config.json")
                self.metadata = parse_json(members.read("metadata.json", TEXT), "metadata.json")
                with open_hdf5(io.BytesIO(members.read("model.weights.h5")), "model.weights.h5") as file:
                    yield file
        else:
            raise FileError(
                f"The editor reads .keras and .weights.h5 files; got {self.filepath!r}.",
                fix="Load it with keras.models.load_model, save the model as .keras, and edit that.",
            )

    def _take(self, path, dataset):
        folder, _, name = path.rpartition("/")
        owner = "" if folder == "vars" else folder.removesuffix("/vars")
        place = self.weights_dict
        for part in filter(None, owner.split("/")):
            place = place.setdefault(part, {})
        place[name] = np.asarray(StoredArray(dataset))
        known_as = attribute(dataset.parent, "name")
        if known_as is not None:
            self.object_metadata[owner] = {"name": known_as}

    def summary(self) -> None:
        """Print the objects of the file, and the shape and type of each weight."""
        from rich.text import Text
        from rich.tree import Tree

        def grow(branch, weights, path):
            for name, value in weights.items():
                below = f"{path}/{name}" if path else name
                if isinstance(value, dict):
                    known_as = self.object_metadata.get(below, {}).get("name")
                    title = Text.assemble((name, "bold"), f" ({known_as!r})" if known_as else "")
                    grow(branch.add(title), value, below)
                else:
                    branch.add(f"{name}: shape={np.shape(value)}, dtype={np.asarray(value).dtype}")
            return branch

        console(highlight=False).print(grow(Tree(self.filepath), self.weights_dict, ""))

    def compare(self, reference_model: Any) -> dict[str, Any]:
        """Print where the weights differ from those of a model, in names or shapes.

        Args:
            reference_model: Built model.

        Returns:
            A dict with "status" ("success" or "error"), "error_count" (number of differences) and "match_count" (number
            of weights that agree).
        """
        wanted = {}
        for path, _, store in stores_of(reference_model):
            place = wanted
            if store:
                for part in filter(None, path.split("/")):
                    place = place.setdefault(part, {})
                place.update(store)
        errors, matches = [], []
        _compare(self.weights_dict, wanted, "", errors, matches)
        print("\n".join(map(one_line, errors)) or f"The file fits the model: {len(matches)} weights agree.")
        return {
            "status": "error" if errors else "success", "error_count": len(errors), "match_count": len(matches)
        }  # fmt: skip

    def rename_object(self, object_name: str, new_name: str) -> None:
        """Rename an object.

        Args:
            object_name: Path, or unique last part of the path.
            new_name: New name, not a path: the object stays where it is.
        """
        if "/" in new_name:
            raise FileError(
                f"new_name must be a name without '/'; got {new_name!r}.",
                fix=f"editor.rename_object({object_name!r}, {new_name.rpartition('/')[2]!r})",
            )
        parent, name = self._find(object_name)
        parent[new_name] = parent.pop(name)

    def delete_object(self, object_name: str) -> None:
        """Delete an object with all that it contains.

        Args:
            object_name: Path, or unique last part of the path.
        """
        parent, name = self._find(object_name)
        del parent[name]

    def add_object(self, object_path: str, weights: dict[str, Any]) -> None:
        """Add an object.

        Args:
            object_path: Whole path of the object. All but its last part must exist.
            weights: Dict of arrays: {"0": kernel, "1": bias}.
        """
        folder, _, name = object_path.rpartition("/")
        place = self.weights_dict
        for part in filter(None, folder.split("/")):
            place = place.get(part)
            if not isinstance(place, dict):
                raise FileError(
                    f"There is no object {folder!r} to put {name!r} into.", fix="editor.summary() shows what there is."
                )
        place[name] = _checked(weights)

    def delete_weight(self, object_name: str, weight_name: str) -> None:
        """Delete one weight of an object.

        Args:
            object_name: Path, or unique last part of the path.
            weight_name: Name of the weight, such as "0".
        """
        parent, name = self._find(object_name)
        if weight_name not in parent[name]:
            raise FileError(
                f"{object_name} has no weight {weight_name!r}; it has {', '.join(map(repr, parent[name]))}.",
                fix=f"editor.delete_weight({object_name!r}, {next(iter(parent[name]), '0')!r})",
            )
        del parent[name][weight_name]

    def add_weights(self, object_name: str, weights: dict[str, Any]) -> None:
        """Add weights to an object, or replace them.

        Args:
            object_name: Path, or unique last part of the path.
            weights: Dict of arrays: {"0": kernel, "1": bias}.
        """
        parent, name = self._find(object_name)
        parent[name].update(_checked(weights))

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Write the weights to a file.

        Args:
            filepath: Path that ends in `.weights.h5`.

        Raises:
            FileError: The path has another ending.
        """
        if not str(filepath).endswith(".weights.h5"):
            stem = str(filepath).rsplit(".", 1)[0].removesuffix(".weights")
            raise FileError(
                f"The editor writes .weights.h5 files; got {str(filepath)!r}.",
                fix=f"editor.save({stem + '.weights.h5'!r})",
            )
        with written(filepath) as beside, h5py.File(beside, "w") as file:
            self._write(file, self.weights_dict, "")

    def resave_weights(self, filepath: str | os.PathLike[str]) -> None:
        """The same as `save`.

        Args:
            filepath: Path that ends in `.weights.h5`.
        """
        self.save(filepath)

    def _write(self, file, weights, path):
        arrays = {name: value for name, value in weights.items() if not isinstance(value, dict)}
        if arrays:
            group = file.require_group(f"{path}/vars")
            group.attrs["name"] = self.object_metadata.get(path, {}).get("name", path.rpartition("/")[2])
            for name, value in arrays.items():
                write_array(group, name, value)
        for name, value in weights.items():
            if isinstance(value, dict):
                self._write(file, value, f"{path}/{name}" if path else name)

    def _find(self, name):
        """(parent dict, name in it) of an object that a path or a unique name gives."""
        folder, _, last = name.rpartition("/")
        found = [
            parent
            for path, parent in _dicts(self.weights_dict, "")
            if isinstance(parent.get(last), dict) and (not folder or path == folder)
        ]
        if len(found) != 1:
            many = f"{len(found)} objects are called {name!r}" if found else f"No object is called {name!r}"
            fix = "Pass the whole path of one." if found else "editor.summary() shows what there is."
            raise FileError(f"{many} in {self.filepath}.", fix=fix)
        return found[0], last


def _dicts(weights, path):
    """(path, dict) of each nested dict."""
    yield path, weights
    for name, value in weights.items():
        if isinstance(value, dict):
            yield from _dicts(value, f"{path}/{name}" if path else name)


def _compare(held, wanted, path, errors, matches):
    """Append to `errors` a line for each object or weight that only one side has, or whose shapes differ."""
    for name in [*wanted, *(name for name in held if name not in wanted)]:
        place = f"{path}/{name}" if path else name
        one, other = held.get(name), wanted.get(name)
        what = "Object" if isinstance(other if one is None else one, dict) else "Weight"
        if one is None or other is None:
            errors.append(f"{what} {place} is in the {'model' if one is None else 'file'} only.")
        elif isinstance(one, dict) and isinstance(other, dict):
            _compare(one, other, place, errors, matches)
        elif isinstance(one, dict) or isinstance(other, dict):
            errors.append(f"{place} is an object on one side, a weight on the other.")
        elif np.shape(one) != np.shape(other):
            errors.append(f"Weight {place} has shape {np.shape(one)} in the file, {np.shape(other)} in the model.")
        else:
            matches.append(place)


def _checked(weights):
    if not isinstance(weights, dict):
        raise FileError(
            f"weights must be a dict of arrays; got {type(weights).__name__}.", fix='{"0": kernel, "1": bias}'
        )
    return dict(weights)


def _refuse_links(file):
    link = file.visititems_links(lambda name, link: None if isinstance(link, h5py.HardLink) else (name, link))
    if link is not None:
        raise UnsafeFileError(f"{link[0]} is a {type(link[1]).__name__}; files of weights have no links.")
