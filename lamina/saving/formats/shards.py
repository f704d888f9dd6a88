"""`.weights.json`: weights in several HDF5 files of limited size, and an index of the objects stored in them."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
from typing import Any

import h5py

from lamina.core.placement import to_numpy
from lamina.errors import FileError
from lamina.saving.formats.weights_h5 import read_tree, stores_of
from lamina.saving.safety.damage import file_beside
from lamina.saving.safety.hdf5 import Store, group_at, open_hdf5, write_array, written
from lamina.saving.safety.hdf5_contents import arrays_in, stored_bytes
from lamina.saving.safety.limits import parse_json, reading

__all__ = ["load_shards", "save_shards"]

_ENDING = ".weights.json"


def save_shards(model: Any, filepath: str | os.PathLike[str], max_shard_size: float) -> None:
    """Write the variables of a model and its optimizer to files of at most `max_shard_size` GB next to `filepath`."""
    filepath = pathlib.Path(filepath)
    shards, sizes, places = [[]], [0], {}
    for path, _, store in stores_of(model):
        for key, value in store.items():
            value = to_numpy(value, copy=False)
            if shards[-1] and sizes[-1] + value.nbytes > max_shard_size * 2**30:
                shards.append([])
                sizes.append(0)
            shards[-1].append((f"{path}/vars/{key}", value))
            sizes[-1] += value.nbytes
            name = f"{filepath.name.removesuffix(_ENDING)}_{len(shards) - 1:05}.weights.h5"
            files = places.setdefault(f"/{path}/vars" if path else "/vars", [])
            files.extend([name] if name not in files else [])
    for number, arrays in enumerate(shards):
        name = f"{filepath.name.removesuffix(_ENDING)}_{number:05}.weights.h5"
        with written(filepath.with_name(name)) as beside, h5py.File(beside, "w") as file:
            for path, value in arrays:
                write_array(file, path, value)
    contents = {"metadata": {"total_size": float(sum(sizes))}, "weight_map": places}
    with written(filepath) as beside:
        pathlib.Path(beside).write_text(json.dumps(contents, indent=4), encoding="utf-8")


def load_shards(model: Any, filepath: str | os.PathLike[str], skip_mismatch: bool = False) -> Any:
    """Load files written by `save_shards` or Keras. Returns a LoadReport."""
    filepath = pathlib.Path(filepath)
    contents = parse_json(filepath.read_bytes(), filepath).get("weight_map")
    if not isinstance(contents, dict):
        raise FileError(
            f"{filepath} is not a list of weight files: it has no weight_map.",
            fix="Pass the .weights.json that save_weights(max_shard_size=...) wrote.",
        )
    names = {path.strip("/"): [where] if isinstance(where, str) else where for path, where in contents.items()}
    with contextlib.ExitStack() as stack:
        files = {
            name: stack.enter_context(_shard(filepath, name)) for row in names.values() for name in sorted(set(row))
        }
        stack.enter_context(reading(filepath, sum(map(stored_bytes, files.values()))))
        return read_tree(model, _Shards(names, files), filepath, skip_mismatch).tell()


def _shard(filepath, name):
    shard = file_beside(filepath, name)
    return open_hdf5(shard, shard)


class _Shards:
    """The arrays in open shards, by the paths of the model's objects."""

    def __init__(self, names, files):
        self._names, self._files = names, files

    def at(self, path):
        place = f"{path}/vars" if path else "vars"
        groups = [group_at(self._files[name], place) for name in self._names.get(place, ())]
        return _Stores([Store(group) for group in groups if group is not None]) if groups else None

    def arrays(self):
        return ((path, found.shape) for file in self._files.values() for path, found in arrays_in(file))


class _Stores:
    """The arrays of one object, which are spread over several shards, as a single dict."""

    def __init__(self, stores):
        self._stores = {key: store for store in stores for key in store}

    def keys(self):
        return self._stores.keys()

    def __iter__(self):
        return iter(self._stores)

    def __len__(self) -> int:
        return len(self._stores)

    def __contains__(self, key):
        return key in self._stores

    def __getitem__(self, key):
        return self._stores[key][key]
