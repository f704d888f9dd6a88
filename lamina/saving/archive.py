"""`.keras`: a zip archive of metadata.json, config.json, model.weights.h5 and the assets of layers."""

import datetime
import io
import json
import zipfile

import h5py

from lamina.core.configurable import deserialize, serialize
from lamina.errors import ConfigError, FileError, LaminaError, warn
from lamina.saving.files import written
from lamina.saving.upgrade import upgrade
from lamina.saving.weights import load_weights_file, write_tree

KERAS_VERSION = "3.15.1"  # the version of the format that is written
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LIMIT = 64 * 2**20  # a config of more text than this is no config
_RATIO = 20  # weights do not compress to less than a twentieth


def save_archive(model, filepath):
    """Write the model, its compile settings, its weights and its optimizer's state."""
    metadata = {"keras_version": KERAS_VERSION, "date_saved": f"{datetime.datetime.now():%Y-%m-%d@%H:%M:%S}"}
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        write_tree(model, file)
    with written(filepath) as beside, zipfile.ZipFile(beside, "w") as archive:
        archive.writestr(_METADATA, json.dumps(metadata))
        archive.writestr(_CONFIG, json.dumps(serialize(model)))
        archive.writestr(_WEIGHTS, weights.getbuffer())


def load_archive(filepath, custom_objects=None, compile=True, safe_mode=True):
    """The model in a `.keras` file."""
    with _opened(filepath) as archive:
        config: dict = upgrade(_json(archive, _CONFIG, filepath))
        compile_config = config.pop("compile_config", None)
        model = deserialize(config, custom_objects, safe_mode=safe_mode)
        model.compiled = False
        if compile and compile_config:
            compile_or_warn(model, compile_config, custom_objects, safe_mode)
        _read_weights(model, archive, filepath)
    return model


def compile_or_warn(model, compile_config, custom_objects, safe_mode=True):
    """Compile as the file says; what cannot be understood is one warning, for the weights are good without it."""
    try:
        compile_config = deserialize(compile_config, custom_objects, safe_mode=safe_mode)
        model.compile_from_config(compile_config)
    except (LaminaError, ValueError, TypeError) as error:
        warn(f"The model is loaded but not compiled: {error} Call compile() to train it.")


def load_archive_weights(model, filepath, skip_mismatch=False):
    """Only the weights of a `.keras` file."""
    with _opened(filepath) as archive:
        _read_weights(model, archive, filepath, skip_mismatch)


def _read_weights(model, archive, filepath, skip_mismatch=False):
    load_weights_file(model, io.BytesIO(_member(archive, _WEIGHTS, filepath)), str(filepath), skip_mismatch)


def _opened(filepath):
    try:
        return zipfile.ZipFile(filepath)
    except (OSError, zipfile.BadZipFile) as error:
        raise FileError(f"{filepath} cannot be read as a .keras archive: {error}.") from error


def _member(archive, name, filepath):
    """The bytes of a member. Keras compresses nothing: what would be far larger than its place is no model."""
    if name not in archive.namelist():
        raise FileError(f"{filepath} has no {name}: it is no .keras archive.")
    info = archive.getinfo(name)
    if info.file_size > _RATIO * info.compress_size + _LIMIT or (name != _WEIGHTS and info.file_size > _LIMIT):
        raise FileError(f"{name} in {filepath} would be {info.file_size >> 20} MiB; it is refused.")
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise FileError(f"{name} in {filepath} is damaged: {error}.") from error


def _json(archive, name, filepath) -> dict:
    try:
        config = json.loads(_member(archive, name, filepath))
    except ValueError as error:
        raise FileError(f"{name} in {filepath} is no JSON: {error}.") from error
    if not isinstance(config, dict):
        raise ConfigError(f"{name} in {filepath} is no description of a model.")
    return config
