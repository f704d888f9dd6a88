"""Load checkpoint folders written by `callbacks.OrbaxCheckpoint` onto the devices of this process."""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from lamina.core.placement import sharding_of
from lamina.core.serialization import deserialize
from lamina.errors import ConfigError, FileError, UnsafeFileError
from lamina.saving.formats.assets import read_assets, write_assets
from lamina.saving.formats.keras_archive import compile_or_warn
from lamina.saving.migration.configs import upgrade
from lamina.saving.safety.damage import check_files_below
from lamina.saving.safety.limits import naming, parse_json, reading
from lamina.saving.safety.zip import FREE, RATIO
from lamina.saving.state_tree import flatten, pairs_of

__all__ = ["assets_of", "is_orbax", "load_orbax_model", "load_orbax_weights", "orbax_v1"]


def orbax_v1() -> Any:
    """Orbax's version 1 API; Orbax is an optional package."""
    try:
        from orbax.checkpoint import v1  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ConfigError("Orbax checkpoints need orbax-checkpoint.", fix="pip install orbax-checkpoint") from error
    return v1


def is_orbax(folder: str | os.PathLike[str]) -> bool:
    """Whether `folder` is an Orbax checkpoint, or contains checkpoints in folders named by step."""
    folder = pathlib.Path(folder)
    return (folder / "pytree").is_dir() or any(folder.glob("[0-9]*/pytree"))


def _latest(folder):
    """`folder` itself if it is a checkpoint, otherwise the latest checkpoint in it."""
    folder = pathlib.Path(folder).absolute()
    if (folder / "pytree").is_dir():
        check_files_below(folder)
        return folder
    steps = [step.parent for step in folder.glob("[0-9]*/pytree") if step.parent.name.isdigit()]
    if not steps:
        raise FileError(f"{folder} has no Orbax checkpoint.", fix="Pass the folder of keras.callbacks.OrbaxCheckpoint.")
    latest = max(steps, key=lambda step: int(step.name))
    check_files_below(latest)
    return latest


def load_orbax_weights(model: Any, folder: str | os.PathLike[str]) -> Any:
    """Assign the values in a checkpoint to `model`: weights, and optimizer state and metrics if both the checkpoint and
    the model have them. Each device reads its own part, regardless of the devices that wrote the checkpoint."""
    folder = _latest(folder)
    with naming(folder):
        _assign(model, folder, orbax_v1())


def _assign(model, folder, orbax):
    stored = _stored(folder)
    pairs = pairs_of(model, stored, folder)
    wanted = {(group, path): variable for variable, group, path in pairs}
    here = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])

    def abstract(group, path, leaf):
        variable = wanted.get((group, path))
        sharding = None if variable is None else sharding_of(variable.layout)
        return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding or here)

    request = {
        group: _map(lambda path, leaf, group=group: abstract(group, path, leaf), tree) for group, tree in stored.items()
    }
    loaded = orbax.load_checkpointables(folder, {"pytree": request})["pytree"]
    values = {group: flatten(tree) for group, tree in loaded.items()}
    for variable, group, path in pairs:
        variable.assign(values[group][path])


def _stored(folder, part="pytree"):
    """Nested dicts with the shape and dtype of each array in a part. They are limited by the size of the files."""
    stored = orbax_v1().checkpointables_metadata(folder).metadata[part]
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if _bytes_of(stored) > RATIO * size + FREE:
        message = f"The arrays would take {_bytes_of(stored) >> 20} MiB, but the files have only {size >> 20} MiB."
        raise UnsafeFileError(message).within(folder)
    return stored


def _bytes_of(stored):
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in flatten(stored).values())


def _map(function, tree, path=()):
    if not isinstance(tree, dict):
        return function("/".join(path), tree)
    return {name: _map(function, part, (*path, str(name))) for name, part in tree.items()}


def load_orbax_model(
    folder: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Load the model from a checkpoint that was written with `save_weights_only=False`."""
    folder, orbax = _latest(folder), orbax_v1()
    if not (folder / "model_config").is_dir():
        raise FileError(
            f"{folder} has weights but no model: it was written with save_weights_only=True.",
            fix="Build the model, then model.load_weights(folder).",
        )
    with naming(folder):
        text = orbax.load_checkpointables(folder, {"model_config": None})["model_config"]["config"]
    config = parse_json(text, f"{folder}, model_config")
    with naming(folder):
        stored = _bytes_of(_stored(folder))
    with reading(folder, stored, safe_mode):
        config = upgrade(config)
        compile_config = config.pop("compile_config", None)
        model: Any = deserialize(config, custom_objects, safe_mode=safe_mode)
        model.compiled = False
        if compile and compile_config:
            compile_or_warn(model, compile_config, custom_objects, safe_mode)
        load_orbax_weights(model, folder)
        if (folder / "assets").is_dir():
            _stored(folder, "assets")
            tree = orbax.load_checkpointables(folder, {"assets": None})["assets"]
            read_assets(model, _Assets(folder, flatten({"assets": tree})))
    return model


def assets_of(model: Any) -> Any:
    """The assets of layers as nested dicts, keyed by the components of their paths, with contents as arrays."""
    assets = _Assets(None, {})
    write_assets(model, assets)
    tree: dict[str, Any] = {}
    for name, data in assets.infos.items():
        _, *folders, last = name.split("/")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = data
    return tree


class _Assets:
    """The assets in a checkpoint by name, with the same interface as `zip.Members`."""

    def __init__(self, filepath, infos):
        self.filepath, self.infos = filepath, infos

    def writestr(self, name, data):
        self.infos[name] = np.frombuffer(data, "uint8")

    def size(self, name):
        return self.infos[name].size

    packed = size

    def read(self, name):
        return np.asarray(self.infos[name]).astype("uint8").tobytes()
