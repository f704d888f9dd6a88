"""Models and weights in files of every format, which the ending of the name or the contents of the file tell."""

from __future__ import annotations

import json
import logging
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import h5py

from lamina.core.keywords import keywords
from lamina.core.serialization import deserialize
from lamina.core.serialization import serialize as serialize_keras_object
from lamina.errors import FileError
from lamina.legacy import warn_renamed
from lamina.runtime.atomic_files import make_folder
from lamina.saving.formats.assets import refuse_assets
from lamina.saving.formats.folder import is_saved_folder
from lamina.saving.formats.further import further
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
from lamina.saving.report import LoadReport
from lamina.saving.safety.damage import damaged, other_format
from lamina.saving.safety.hdf5 import check_overwrite, open_hdf5, whole_or_unchanged
from lamina.saving.safety.limits import expect_model, naming, parse_json, reading
from lamina.spelling.paths import nearest_path

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


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """The object that a config stands for, or the value with an object in place of each config in it.

    Names are looked up in a fixed table, among registered objects and in `custom_objects`, nowhere else.

    Args:
        config: Config of `serialize_keras_object`, or a list, dict or plain value that contains configs.
        custom_objects: Classes and functions by the names that the config has for them.
        safe_mode: False allows Python bytecode in a config, as does a scope with `safe_mode=False`.
        **kwargs: `module_objects`, further names like `custom_objects`; a class that is given by its name alone is made
            without arguments. `printable_module_name` is ignored.

    Raises:
        ConfigError: A name is unknown.
        UnsafeFileError: The config has bytecode in safe mode.

    >>> import lamina as keras
    >>> keras.saving.deserialize_keras_object({"class_name": "Dense", "config": {"units": 3}})
    Dense(3, name="dense")
    """
    module_objects, _ = keywords("deserialize_keras_object", kwargs, module_objects=None, printable_module_name=None)
    objects = {**(module_objects or {}), **(custom_objects or {})}
    if isinstance(config, str) and config in objects:
        is_from_module = isinstance(objects[config], type) and config not in (custom_objects or {})
        return objects[config]() if is_from_module else objects[config]
    return deserialize(config, objects, False if safe_mode is False else None)


def save_model(
    model: Any, filepath: str | os.PathLike[str], overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
) -> None:
    """Write a whole model: architecture, weights, compile settings and the state of the optimizer.

    Args:
        model: Model.
        filepath: Path of the file. The ending `.keras` means the format of Keras 3; `.h5` and `.hdf5` mean legacy HDF5.
        overwrite: Whether a file that exists is replaced without a question.
        zipped: False writes the members of a `.keras` archive as files into a folder.
        **kwargs: `include_optimizer`, whether a legacy file holds compile settings and the state of the optimizer;
            `save_format` of Keras 2 is ignored with a warning.

    Raises:
        FileError: The name has no known ending.
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
            raise FileError(
                f"{name} is the name of a file; zipped=False writes a folder.",
                fix=f"model.save({name.rsplit('.', 1)[0]!r}, zipped=False)",
            )
        save_archive(model, filepath, zipped=False)
    elif name.endswith(".keras"):
        save_archive(model, filepath)
    elif name.endswith(_LEGACY):
        refuse_assets(model, filepath)
        logging.getLogger("lamina").warning(
            "%s is an HDF5 file, which is considered legacy: model.save(%r) writes the native Keras format.",
            name, f"{os.path.splitext(os.path.basename(name))[0]}.keras",
        )  # fmt: skip
        save_legacy_model(model, filepath, include_optimizer)
    elif "save_model" in further and not os.path.splitext(name)[1].strip(".0123456789"):
        further["save_model"](model, name)
    else:
        ending = os.path.splitext(name)[1]
        to_export = ending in (".onnx", ".jax", ".tflite")
        if not isinstance(filepath, (str, os.PathLike)):
            raise FileError(
                f"The second argument, filepath, is the path of a file; got {type(filepath).__name__}.",
                fix=f"keras.models.save_model(model, {model if isinstance(model, str) else 'model.keras'!r})",
            )
        raise FileError(
            f"A model is saved as .keras or .h5; got {name!r}."
            + (f" An {ending} file is written by `export`." if to_export else ""),
            fix=f"model.export({name!r})" if to_export else f"model.save({_with_ending(name, '.keras')!r})",
        )


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Read a model from a file or a folder. Files of Keras 1, 2 and tf.keras keep the meaning that they had there.

    Args:
        filepath: Path of a `.keras` file, a legacy `.h5` file, a `.json` file of TensorFlow.js or `to_json`, a folder
            of `save_model(zipped=False)`, or a folder of `callbacks.OrbaxCheckpoint`, of which the last checkpoint is
            read.
        custom_objects: Classes and functions by the names that the file has for them, for names that are not those of
            Keras.
        compile: Whether the model is compiled with the settings in the file.
        safe_mode: False allows Python bytecode in the file (of Lambda layers) to run: only for files that you trust.

    Raises:
        FileError: The file does not exist, is damaged, or has another format.
        UnsafeFileError: The file contains code, links, or more data than it declares.
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
    raise other_format(path, path, "a .keras or .h5 model, or a model.json of TensorFlow.js", "its format is unknown")


def save_weights(
    model: Any,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Write the weights of a layer or model.

    Args:
        model: Layer or model.
        filepath: Path of the file. It ends in `.weights.h5`, `.safetensors`, or another `.h5` for the legacy format;
            with `max_shard_size` it ends in `.weights.json`, a list of the files.
        overwrite: Whether a file that exists is replaced without a question.
        max_shard_size: Largest size of a file in gigabytes; None means one file for all.
        **kwargs: `objects_to_skip`, layers whose weights are left out of a `.weights.h5` file.

    Raises:
        FileError: The name has no known ending, or does not fit `max_shard_size`.
    """
    (skipped,) = keywords("save_weights", kwargs, objects_to_skip=None)
    name = str(filepath)
    if name.endswith(".weights.json") != (max_shard_size is not None):
        raise FileError(
            f"Weights in several files need max_shard_size and a name that ends in .weights.json; got {name!r} and "
            f"max_shard_size={max_shard_size}.",
            fix="model.save_weights('name.weights.json', max_shard_size=5)"
            if name.endswith(".json")
            else f"model.save_weights({name!r})"
            if name.endswith((".weights.h5", ".safetensors"))
            else "model.save_weights('name.weights.h5')",
        )
    check_overwrite(filepath, overwrite)
    if further:
        make_folder(os.path.dirname(name) or ".")
    if max_shard_size is not None:
        save_shards(model, filepath, max_shard_size)
    elif name.endswith(".weights.h5"):
        save_weights_file(model, filepath, skipped or ())
    elif name.endswith(".safetensors"):
        save_safetensors(model, filepath)
    elif name.endswith(_LEGACY):
        modern = name.rsplit(".", 1)[0] + ".weights.h5"
        warn_renamed(
            f"save_weights({name!r}) writes the legacy format of Keras 2; the format of Keras 3 is {modern!r}."
        )
        save_legacy_weights(model, filepath)
    elif "save_weights" in further:
        further["save_weights"](model, name)
    else:
        raise FileError(
            f"Weights are saved as .weights.h5, .safetensors or .h5; got {name!r}.",
            fix=f"model.save_weights({_with_ending(name, '.weights.h5')!r})",
        )


def load_weights(
    model: Any, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any
) -> LoadReport | None:
    """Read weights into a built layer or model.

    Args:
        model: Built layer or model.
        filepath: Path of a `.weights.h5`, `.weights.json`, `.safetensors`, `.keras` or legacy `.h5` file, or of a
            folder of `callbacks.OrbaxCheckpoint`, of which the last checkpoint is read with the state of the optimizer.
        skip_mismatch: Whether weights that do not fit keep their values, with a warning, instead of an error.
        **kwargs: `by_name`, whether layers are matched by name and not by order (legacy files only); `objects_to_skip`,
            layers that keep their values (`.weights.h5` files only).

    Returns:
        A report of the weights that were loaded, were skipped, or are in the file alone, which is
        logged too; None for a folder of checkpoints.

    Raises:
        FileError: The file is damaged or does not fit the model.
    """
    by_name, skipped = keywords("load_weights", kwargs, by_name=False, objects_to_skip=None)
    if "load_weights" in further and os.path.exists(f"{filepath}.index"):
        return further["load_weights"](model, str(filepath))
    if is_orbax(filepath):
        with whole_or_unchanged(model):
            return load_orbax_weights(model, filepath)
    path = pathlib.Path(filepath) if is_saved_folder(filepath) else _existing(filepath)
    load: Any = _weights_reader(path)
    if skipped is not None and load is not load_weights_file:
        raise FileError(
            f"objects_to_skip only supports loading '.weights.h5' files; got {path}.",
            fix=f"model.load_weights({str(path)!r}, skip_mismatch=True)",
        )
    if load is load_legacy_weights:
        with whole_or_unchanged(model):
            return load(model, path, by_name, skip_mismatch)
    if by_name:
        raise FileError(
            f"by_name=True is for legacy .h5 files; the weights in {path} are matched by the paths of layers.",
            fix=f"model.load_weights({str(path)!r}, skip_mismatch=True)",
        )
    with whole_or_unchanged(model), naming(path):
        if skipped:
            return load(model, path, skip_mismatch, skipped)
        return load(model, path, skip_mismatch)


def _weights_reader(path):
    """The function that reads weights from a file of this format."""
    if path.is_dir():
        return load_archive_weights
    readers = {".keras": load_archive_weights, ".safetensors": load_safetensors, ".json": load_shards}
    if path.suffix in readers:
        return readers[path.suffix]
    with open_hdf5(path, path) as file:
        return load_legacy_weights if is_legacy(file) else load_weights_file


def to_json(model: Any, **kwargs: Any) -> str:
    """The architecture of a model, without weights, as JSON.

    Args:
        model: Model.
        **kwargs: Arguments of `json.dumps`.
    """
    return json.dumps(serialize_keras_object(model), **kwargs)


def model_from_json(json_string: str | bytes, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The model that `to_json` described, with new weights.

    Args:
        json_string: Text of `to_json`, of Keras 1, 2 or 3.
        custom_objects: Classes and functions by the names that the text has for them.

    Raises:
        ConfigError: A name is unknown.
        FileError: The text is not JSON of a model.
    """
    name = "The JSON"
    if isinstance(json_string, str) and json_string.lower().endswith((".json", ".keras", ".h5")):
        code = f"open({json_string!r}).read()" if json_string.endswith(".json") else ""
        raise FileError(
            f"model_from_json takes the text that to_json wrote; got the path {json_string!r}.",
            fix=f"keras.models.model_from_json({code})" if code else f"keras.models.load_model({json_string!r})",
        )
    with reading(name):
        return expect_model(deserialize(upgrade(parse_json(json_string, name)), custom_objects), name)


def _existing(filepath):
    path = pathlib.Path(filepath)
    if (path / "model.json").is_file():  # of TensorFlow.js
        return path / "model.json"
    if path.is_dir():
        what = "a folder without a model: it has neither a checkpoint of OrbaxCheckpoint nor config.json."
        fix = "Pass the path of a .keras or .h5 file, or of a folder that OrbaxCheckpoint or zipped=False wrote."
        if (path / "saved_model.pb").is_file():
            what = "a SavedModel of TensorFlow: a program, without the code of its layers."
            fix = f"tf.saved_model.load({str(path)!r}) runs it; model.save('model.h5') keeps the layers of a model."
        raise FileError(f"{path} is {what}", fix=fix)
    if path.exists() and not path.is_file():
        raise damaged(f"{path} is a pipe or a device, not a file.")
    if not path.is_file():
        fix = nearest_path(path, (".keras", *_LEGACY, ".json", ".safetensors"))
        raise FileError(f"There is no file {path} (in {path.absolute().parent}).", fix=fix)
    return path


def _with_ending(name, ending):
    """The name with this ending in place of its own."""
    path = pathlib.PurePath(name)
    return str(path.with_name(path.name.split(".")[0] + ending)) if path.name.split(".")[0] else name + ending
