"""Models and weights in files of every kind: the kind is told by the ending, or by what is in the file."""

import json
import pathlib
from typing import Any

import h5py

from lamina.core.keywords import keywords
from lamina.core.serialization import deserialize
from lamina.core.serialization import serialize as serialize_keras_object
from lamina.errors import FileError
from lamina.legacy import warn_renamed
from lamina.saving.formats.assets import refuse_assets
from lamina.saving.formats.folder import is_saved_folder
from lamina.saving.formats.keras_archive import load_archive, load_archive_weights, save_archive
from lamina.saving.formats.legacy_h5 import (
    is_legacy,
    load_legacy_model,
    load_legacy_weights,
    save_legacy_model,
    save_legacy_weights,
)
from lamina.saving.formats.orbax import is_orbax, load_orbax_model, load_orbax_weights
from lamina.saving.formats.safetensors import load_safetensors, save_safetensors
from lamina.saving.formats.shards import load_shards, save_shards
from lamina.saving.formats.tensorflowjs import load_tensorflowjs
from lamina.saving.formats.weights_h5 import load_weights_file, save_weights_file
from lamina.saving.migration.configs import upgrade
from lamina.saving.safety.hdf5 import check_overwrite, open_hdf5
from lamina.saving.safety.limits import naming, parse_json, reading

__all__ = [
    "deserialize_keras_object",
    "load_model",
    "load_weights",
    "model_from_json",
    "save_model",
    "save_weights",
    "serialize_keras_object",
    "to_json",
]


_LEGACY = (".h5", ".hdf5", ".hdf", ".he5")


def deserialize_keras_object(config, custom_objects=None, safe_mode=True, **kwargs):
    """The object that a config (or a list, dict or plain value with configs in it) stands for.

    Names are looked up in a closed table, among registered objects and in `custom_objects`, nowhere else.

    Args:
        safe_mode: False lets a config hold Python bytecode; so does a scope that was told so.
        module_objects: further names, as custom_objects; a class of them that is named alone is made without arguments.

    >>> import lamina as keras
    >>> keras.saving.deserialize_keras_object({"class_name": "Dense", "config": {"units": 3}})
    <Dense name=dense, built=False>
    """
    module_objects, _ = keywords("deserialize_keras_object", kwargs, module_objects=None, printable_module_name=None)
    objects = {**(module_objects or {}), **(custom_objects or {})}
    if isinstance(config, str) and config in objects:
        by_default = isinstance(objects[config], type) and config not in (custom_objects or {})
        return objects[config]() if by_default else objects[config]
    return deserialize(config, objects, False if safe_mode is False else None)


def save_model(model, filepath, overwrite=True, zipped=None, **kwargs):
    """Write a whole model: to `.keras`, or to legacy HDF5 where the name ends in `.h5` or `.hdf5`.

    Args:
        zipped: False writes the members of a `.keras` archive as files into a folder instead.
        include_optimizer: whether a legacy file holds compile settings and the optimizer's state.
        save_format: old; the name says it.
    """
    include_optimizer, save_format = keywords("save_model", kwargs, include_optimizer=True, save_format=None)
    if save_format:
        warn_renamed(
            f"save_model has no save_format={save_format!r} since Keras 3: the ending of {str(filepath)!r} says it."
        )
    check_overwrite(filepath, overwrite)
    name = str(filepath)
    if zipped is False:
        if name.endswith((".keras", *_LEGACY)):
            raise FileError(f"{name} is the name of a file; zipped=False writes a folder.", fix="Leave the ending out.")
        save_archive(model, filepath, zipped=False)
    elif name.endswith(".keras"):
        save_archive(model, filepath)
    elif name.endswith(_LEGACY):
        refuse_assets(model, filepath)
        save_legacy_model(model, filepath, include_optimizer)
    else:
        raise FileError(f"{name} has no ending that says how to save it.", fix=f"model.save({name + '.keras'!r})")


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """The model in a `.keras`, legacy `.h5` or TensorFlow.js `.json` file, in a folder that `save_model(zipped=False)`
    wrote, or in one of `callbacks.OrbaxCheckpoint`: its last checkpoint. Files of Keras 1, 2 and tf.keras are read
    with the meaning they had there.

    Args:
        custom_objects: name -> class or function, for names that are not Keras's.
        compile: whether to compile it as it was when saved.
        safe_mode: False allows Python bytecode (of Lambda layers) in the file to run: only for files you trust.
    """
    if is_orbax(filepath):
        return load_orbax_model(filepath, custom_objects, compile, safe_mode)
    path = pathlib.Path(filepath) if is_saved_folder(filepath) else _existing(filepath)
    if path.is_dir() or path.suffix == ".keras":
        return load_archive(path, custom_objects, compile, safe_mode)
    if path.suffix == ".json":
        return load_tensorflowjs(path, custom_objects, compile, safe_mode)
    if path.suffix in _LEGACY or h5py.is_hdf5(path):
        return load_legacy_model(path, custom_objects, compile, safe_mode)
    raise FileError(f"{path} is neither a .keras nor a .h5 file, nor a model.json of TensorFlow.js.")


def save_weights(model, filepath, overwrite=True, max_shard_size=None, **kwargs):
    """Write the weights: to `.weights.h5`, `.safetensors`, or in the legacy format to any other `.h5`.

    Args:
        max_shard_size: gigabytes that one file may have; `filepath` then ends in `.weights.json` and lists them.
        objects_to_skip: layers whose weights a `.weights.h5` file is to be without.
    """
    (skipped,) = keywords("save_weights", kwargs, objects_to_skip=None)
    name = str(filepath)
    if name.endswith(".weights.json") != (max_shard_size is not None):
        raise FileError(
            f"Weights in several files need a max_shard_size and a name in .weights.json; got {name!r} and "
            f"{max_shard_size}.",
            fix="model.save_weights('name.weights.json', max_shard_size=5), or 'name.weights.h5' alone.",
        )
    check_overwrite(filepath, overwrite)
    if max_shard_size is not None:
        save_shards(model, filepath, max_shard_size)
    elif name.endswith(".weights.h5"):
        save_weights_file(model, filepath, skipped or ())
    elif name.endswith(".safetensors"):
        save_safetensors(model, filepath)
    elif name.endswith(_LEGACY):
        today = name.rsplit(".", 1)[0] + ".weights.h5"
        warn_renamed(f"save_weights({name!r}) writes the legacy format of Keras 2; today's is {today!r}.")
        save_legacy_weights(model, filepath)
    else:
        raise FileError(f"{name} does not end in .weights.h5.", fix=f"model.save_weights({name + '.weights.h5'!r})")


def load_weights(model, filepath, skip_mismatch=False, **kwargs):
    """Read weights from a `.weights.h5`, `.weights.json`, `.safetensors`, `.keras` or legacy `.h5` file, or the last
    checkpoint in a folder of `callbacks.OrbaxCheckpoint` (and the optimizer's state with them), into a built model.

    Returns a report of what was loaded, skipped and left over in the file, which is warned of too.

    Args:
        skip_mismatch: leave what does not fit as it is, with a warning, instead of an error.
        by_name: match layers by name, not by order (legacy files only).
        objects_to_skip: layers that keep the weights they have (`.weights.h5` files only).
    """
    by_name, skipped = keywords("load_weights", kwargs, by_name=False, objects_to_skip=None)
    if is_orbax(filepath):
        return load_orbax_weights(model, filepath)
    path = pathlib.Path(filepath) if is_saved_folder(filepath) else _existing(filepath)
    load: Any = _weights_reader(path)
    if load is load_legacy_weights:
        return load(model, path, by_name, skip_mismatch)
    if by_name:
        raise FileError(f"{path} is no legacy file: its weights are found by path, so by_name does not apply.")
    with naming(path):
        if skipped and load is load_weights_file:
            return load(model, path, skip_mismatch, skipped)
        return load(model, path, skip_mismatch)


def _weights_reader(path):
    """What reads weights from a file of this ending and kind."""
    if path.is_dir():
        return load_archive_weights
    readers = {".keras": load_archive_weights, ".safetensors": load_safetensors, ".json": load_shards}
    if path.suffix in readers:
        return readers[path.suffix]
    with open_hdf5(path, path) as file:
        return load_legacy_weights if is_legacy(file) else load_weights_file


def to_json(model, **kwargs):
    """The architecture, without weights, as JSON; `kwargs` go to `json.dumps`."""
    return json.dumps(serialize_keras_object(model), **kwargs)


def model_from_json(json_string, custom_objects=None):
    """The model that `to_json` described, with new weights."""
    name = "The JSON"
    with reading(name):
        return deserialize(upgrade(parse_json(json_string, name)), custom_objects)


def _existing(filepath):
    path = pathlib.Path(filepath)
    if path.is_dir():
        raise FileError(
            f"{path} is a folder, not a file, and no checkpoint of OrbaxCheckpoint.",
            fix="Models are read from .keras and .h5 files, and from folders that OrbaxCheckpoint wrote.",
        )
    if not path.is_file():
        raise FileError(f"There is no file {path} (in {path.absolute().parent}).", fix="Is the path right?")
    return path
