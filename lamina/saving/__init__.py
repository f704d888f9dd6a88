"""Files: models and weights in Keras's formats. Names in them are looked up in closed tables; nothing is run."""

import json
import pathlib

from lamina.core.configurable import deserialize
from lamina.core.configurable import serialize as serialize_keras_object
from lamina.core.keywords import keywords
from lamina.core.registry import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from lamina.errors import FileError
from lamina.legacy import told
from lamina.saving.archive import load_archive, load_archive_weights, save_archive
from lamina.saving.assets import refuse_assets
from lamina.saving.file_editor import KerasFileEditor
from lamina.saving.files import check_overwrite, open_hdf5
from lamina.saving.legacy_h5 import (
    is_legacy,
    load_legacy_model,
    load_legacy_weights,
    save_legacy_model,
    save_legacy_weights,
)
from lamina.saving.limits import naming, parse_json, reading
from lamina.saving.orbax import is_orbax, load_orbax_model, load_orbax_weights
from lamina.saving.upgrade import upgrade
from lamina.saving.weights import load_weights_file, save_weights_file

__all__ = [
    "CustomObjectScope",
    "KerasFileEditor",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "model_from_json",
    "register_keras_serializable",
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
        module_objects: further names, as custom_objects.

    >>> import lamina as keras
    >>> keras.saving.deserialize_keras_object({"class_name": "Dense", "config": {"units": 3}})
    Dense(units=3)
    """
    (module_objects,) = keywords("deserialize_keras_object", kwargs, module_objects=None)
    objects = {**(module_objects or {}), **(custom_objects or {})}
    if isinstance(config, str) and config in objects:
        return objects[config]
    return deserialize(config, objects, None if safe_mode else False)


def save_model(model, filepath, overwrite=True, zipped=None, **kwargs):
    """Write a whole model: to `.keras`, or to legacy HDF5 where the name ends in `.h5` or `.hdf5`.

    Args:
        zipped: only True or None: a `.keras` file is always one zip archive.
        include_optimizer: whether a legacy file holds compile settings and the optimizer's state.
        save_format: old; the name says it.
    """
    include_optimizer, save_format = keywords("save_model", kwargs, include_optimizer=True, save_format=None)
    if save_format:
        told(f"save_model has no save_format={save_format!r} since Keras 3: the ending of {str(filepath)!r} says it.")
    if zipped is False:
        raise FileError("A model is saved as one file, so zipped=False cannot be.", fix="Leave zipped out.")
    check_overwrite(filepath, overwrite)
    name = str(filepath)
    if name.endswith(".keras"):
        save_archive(model, filepath)
    elif name.endswith(_LEGACY):
        refuse_assets(model, filepath)
        save_legacy_model(model, filepath, include_optimizer)
    else:
        raise FileError(f"{name} has no ending that says how to save it.", fix=f"model.save({name + '.keras'!r})")


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """The model in a `.keras` or legacy `.h5` file, or in a folder of `callbacks.OrbaxCheckpoint`: its last
    checkpoint.

    Args:
        custom_objects: name -> class or function, for names that are not Keras's.
        compile: whether to compile it as it was when saved.
        safe_mode: False allows Python bytecode (of Lambda layers) in the file to run: only for files you trust.
    """
    if is_orbax(filepath):
        return load_orbax_model(filepath, custom_objects, compile, safe_mode)
    path = _existing(filepath)
    if path.suffix == ".keras":
        return load_archive(path, custom_objects, compile, safe_mode)
    if path.suffix in _LEGACY:
        return load_legacy_model(path, custom_objects, compile, safe_mode)
    raise FileError(f"{path} is neither a .keras nor a .h5 file.")


def save_weights(model, filepath, overwrite=True, max_shard_size=None, **kwargs):
    """Write the weights: to `.weights.h5`, or in the legacy format to any other `.h5`."""
    keywords("save_weights", kwargs)
    if max_shard_size is not None:
        raise FileError("Weights are saved as one file, so max_shard_size cannot be.", fix="Leave it out.")
    check_overwrite(filepath, overwrite)
    name = str(filepath)
    if name.endswith(".weights.h5"):
        save_weights_file(model, filepath)
    elif name.endswith(_LEGACY):
        today = name.rsplit(".", 1)[0] + ".weights.h5"
        told(f"save_weights({name!r}) writes the legacy format of Keras 2; today's is {today!r}.")
        save_legacy_weights(model, filepath)
    else:
        raise FileError(f"{name} does not end in .weights.h5.", fix=f"model.save_weights({name + '.weights.h5'!r})")


def load_weights(model, filepath, skip_mismatch=False, **kwargs):
    """Read weights from a `.weights.h5`, `.keras` or legacy `.h5` file, or the last checkpoint in a folder of
    `callbacks.OrbaxCheckpoint` (and the state of the optimizer with them), into a built model.

    Args:
        skip_mismatch: leave what does not fit as it is, with a warning, instead of an error.
        by_name: match layers by name, not by order (legacy files only).
    """
    (by_name,) = keywords("load_weights", kwargs, by_name=False)
    if is_orbax(filepath):
        return load_orbax_weights(model, filepath)
    path = _existing(filepath)
    if path.suffix == ".keras":
        return load_archive_weights(model, path, skip_mismatch)
    with open_hdf5(path, path) as file:
        legacy = is_legacy(file)
    if legacy:
        return load_legacy_weights(model, path, by_name, skip_mismatch)
    if by_name:
        raise FileError(f"{path} is no legacy file: its weights are found by path, so by_name does not apply.")
    with naming(path):
        return load_weights_file(model, path, str(path), skip_mismatch)


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
