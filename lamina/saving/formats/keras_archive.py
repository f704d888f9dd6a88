"""`.keras` files: a zip archive of metadata.json, config.json, model.weights.h5 and the assets of layers."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import os
import time
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import h5py

from lamina import tree
from lamina.core import registry
from lamina.core.abstract import abstract, draw_missing
from lamina.core.serialization import deserialize, serialize
from lamina.errors import LaminaError, warn
from lamina.saving.formats.assets import read_assets, write_assets
from lamina.saving.formats.folder import FolderWriter, open_members
from lamina.saving.formats.hdf5_pieces import HDF5Pieces
from lamina.saving.formats.huggingface import (
    KERAS_CONFIG,
    has_safetensors,
    open_safetensors,
    read_safetensors,
)  # fmt: skip
from lamina.saving.formats.safetensors import Tensors
from lamina.saving.formats.weights_h5 import read_tree, write_tree
from lamina.saving.migration.configs import upgrade, upgrade_compile
from lamina.saving.migration.version import origin_of
from lamina.saving.safety.hdf5 import open_hdf5, written
from lamina.saving.safety.hdf5_contents import stored_bytes
from lamina.saving.safety.limits import CONFUSED, TEXT, expect_model, parse_json, reading

KERAS_VERSION = "3.15.1"  # the Keras version whose format is written
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"


def save_archive(model: Any, filepath: str | os.PathLike[str], zipped: bool = True) -> None:
    """Write architecture, compile settings, weights and optimizer state. With zipped=False they are written to a
    folder."""
    metadata = {"keras_version": KERAS_VERSION, "date_saved": f"{datetime.datetime.now():%Y-%m-%d@%H:%M:%S}"}
    weights = HDF5Pieces()
    with h5py.File(weights, "w") as file:
        write_tree(model, file, put=weights.put)
    with _writing(filepath, zipped) as archive:
        archive.writestr(_METADATA, json.dumps(metadata))
        archive.writestr(_CONFIG, json.dumps(serialize(model)))
        described = zipfile.ZipInfo(_WEIGHTS, time.localtime()[:6])
        described.file_size, described.external_attr = weights.size, 0o600 << 16
        with archive.open(described, "w") as member:
            member.writelines(weights.pieces())
        write_assets(model, archive)


@contextlib.contextmanager
def _writing(filepath, zipped):
    """Open an archive or a folder for writing members."""
    if not zipped:
        yield FolderWriter(filepath)
        return
    with written(filepath) as beside, zipfile.ZipFile(beside, "w") as archive:
        yield archive


def load_archive(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Load the model from a `.keras` file, or from a folder with its members."""
    with open_members(filepath) as members, _weights_of(members) as weights:
        known = KERAS_CONFIG in members
        config_file = KERAS_CONFIG if known else _CONFIG
        config: dict = parse_json(members.read(config_file, TEXT), f"{filepath}, {config_file}")
        version = parse_json(members.read(_METADATA, TEXT), f"{filepath}, {_METADATA}").get("keras_version")
        of_tensors = isinstance(weights, Tensors)
        size = sum(members.size(name) for name in members.infos) if of_tensors else stored_bytes(weights)
        with reading(filepath, size, safe_mode):
            config = upgrade(config, version)
            compile_config = config.pop("compile_config", None)
            with abstract():  # values that the file holds are not drawn first
                model = expect_model(deserialize(config, custom_objects, safe_mode=safe_mode), filepath)
                model.compiled = False
                if compile and compile_config:
                    compile_or_warn(model, compile_config, custom_objects, safe_mode, version)
            if of_tensors:
                read_safetensors(model, weights, filepath, known)
            else:
                read_tree(model, weights, filepath, origin=origin_of(config, version)).tell()
            read_assets(model, members)
            draw_missing(model)
    return model


def compile_or_warn(
    model: Any,
    compile_config: Any,
    custom_objects: Mapping[str, Any] | None,
    safe_mode: bool = True,
    version: str | None = None,
    backend: str | None = None,
) -> None:
    """Compile with the settings in the file. Unreadable settings only cause a warning, since the weights are valid."""
    try:
        compile_config = upgrade_compile(compile_config, version, backend, model.output_names or ())
        compile_config = deserialize(compile_config, custom_objects, safe_mode=safe_mode)
        with registry.CustomObjectScope(custom_objects):
            for key in ("loss", "metrics", "weighted_metrics"):  # `compile` looks names up when the first batch comes
                if key in compile_config:
                    compile_config[key] = tree.map_structure(_of_the_user, compile_config[key])
            model.compile_from_config(compile_config)
    except (LaminaError, *CONFUSED) as error:
        warn(f"The model is loaded but not compiled: {error} Call compile() to train it.")


def _of_the_user(name):
    """The user's class or function where a file has its name alone, as those of Keras 1 and 2 do."""
    return (registry.get_registered_object(name) if isinstance(name, str) else None) or name


def load_archive_weights(model: Any, filepath: str | os.PathLike[str], skip_mismatch: bool = False) -> Iterator[Any]:
    """Load only the weights of a `.keras` file."""
    with open_members(filepath) as members, _weights_of(members) as weights, reading(filepath, stored_bytes(weights)):
        return read_tree(model, weights, str(filepath), skip_mismatch).tell()


def _weights_of(members):
    if has_safetensors(members):
        return open_safetensors(members)
    data = members.read(_WEIGHTS)
    return open_hdf5(io.BytesIO(data), f"{_WEIGHTS} in {members.filepath}", data)
