"""The legacy `.h5` format of Keras 1 and 2, with the weights of each layer, and optionally the whole model."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from lamina.core import tree
from lamina.core.serialization import deserialize, serialize
from lamina.errors import FileError, warn
from lamina.legacy import SHORT_LOSS_NAMES
from lamina.saving.formats.keras_archive import KERAS_VERSION, compile_or_warn
from lamina.saving.migration.configs import upgrade
from lamina.saving.migration.optimizers import fit_optimizer
from lamina.saving.migration.version import TODAY, Origin, origin_of
from lamina.saving.migration.weights import fit, is_state
from lamina.saving.report import LoadReport
from lamina.saving.safety.damage import damaged
from lamina.saving.safety.hdf5 import (
    array_at,
    group_at,
    names_attribute,
    open_hdf5,
    text_attribute,
    write_array,
    written,
)
from lamina.saving.safety.hdf5_contents import stored_bytes, touching
from lamina.saving.safety.limits import parse_json, reading


def is_legacy(file: Any) -> bool:
    """Whether an open HDF5 file has this format."""
    with touching(file.name):
        return "layer_names" in file.attrs or "model_config" in file.attrs or "model_weights" in file


def save_legacy_weights(model: Any, filepath: str | os.PathLike[str]) -> None:
    """Write only the weights."""
    with written(filepath) as beside, h5py.File(beside, "w") as file:
        _write_layers(model, file)


def save_legacy_model(model: Any, filepath: str | os.PathLike[str], include_optimizer: bool = True) -> None:
    """Write architecture, weights, compile settings and optimizer state. Folders of the path are made, as by Keras."""
    pathlib.Path(filepath).parent.mkdir(parents=True, exist_ok=True)
    described = serialize(model)
    compile_config = described.pop("compile_config", None)
    with written(filepath) as beside, h5py.File(beside, "w") as file:
        _stamp(file)
        file.attrs["model_config"] = json.dumps({key: described[key] for key in ("class_name", "config")}).encode()
        _write_layers(model, file.create_group("model_weights"))
        optimizer = getattr(model, "optimizer", None)
        if include_optimizer and compile_config and optimizer is not None:
            described_optimizer = compile_config.pop("optimizer")
            training = {**compile_config, "optimizer_config": described_optimizer}
            training["loss"] = tree.map_structure(lambda name: _LONG_NAMES.get(name, name), training.get("loss"))
            file.attrs["training_config"] = json.dumps(training).encode()
            _write_weights(file.create_group("optimizer_weights"), optimizer.variables)


# Keras does not resolve short names of losses in this format, not even in files that it wrote itself.
_LONG_NAMES = {**SHORT_LOSS_NAMES, "bfce": "binary_focal_crossentropy"}


def _stamp(group):
    group.attrs["keras_version"], group.attrs["backend"] = KERAS_VERSION.encode(), b"jax"


def _write_layers(model, group):
    _stamp(group)
    layers = _listed(model)
    _write_names(group, "layer_names", [layer.name for layer in layers])
    for layer in layers:
        _write_weights(group.create_group(layer.name), _ordered(layer))
    _write_weights(group.create_group("top_level_model_weights"), model._variables_of_its_own())


def _listed(model):
    is_model = hasattr(type(model), "layers")
    return model.layers if is_model else model._flatten_layers(include_self=False, recursive=False)


def _ordered(layer):
    """The weights in Keras's order: those created as trainable, then the others."""
    weights = layer.weights
    return sorted(weights, key=lambda variable: not variable.initially_trainable)


def _write_weights(group, variables):
    _write_names(group, "weight_names", [variable.path for variable in variables])
    for variable in variables:
        if variable.path not in group:
            write_array(group, variable.path, variable.numpy())


def _write_names(group, name, values):
    """Write names as fixed-length bytes. If they exceed HDF5's size limit, they are split over numbered attributes."""
    data = np.array([value.encode() for value in values]) if values else np.array([], dtype="S1")
    pieces = -(-data.nbytes // 64000) or 1
    if pieces == 1:
        group.attrs[name] = data
        return
    for number, piece in enumerate(np.array_split(data, pieces)):
        group.attrs[f"{name}{number}"] = piece


def load_legacy_weights(
    model: Any, filepath: str | os.PathLike[str], by_name: bool = False, skip_mismatch: bool = False
) -> Any:
    """Load weights by the order of layers, or by layer names. Returns a LoadReport."""
    with open_hdf5(filepath, filepath) as file, reading(filepath, stored_bytes(file)):
        root = group_at(file, "model_weights") if "model_weights" in file else file
        return read_layers(model, root, filepath, by_name, skip_mismatch, origin_in(root, file)).tell()


def origin_in(*groups: Any) -> Any:
    """The Keras version that wrote a file, from the first group that states it; Keras 1 if none does."""
    for group in groups:
        version = text_attribute(group, "keras_version")
        if version is not None:
            origin = origin_of(version=version, backend=text_attribute(group, "backend"))
            break
    else:
        origin = Origin((1,))
    if origin.major == 1 and origin.backend is None:
        origin = origin._replace(backend=_backend_by_names(groups[0]))
    return origin


def _backend_by_names(group):
    """The backend that wrote a Keras 1 file. The file does not name it, but only TensorFlow variables have names like
    `kernel:0`."""
    for layer in names_attribute(group, "layer_names"):
        for name in names_attribute(_layer_group(group, layer), "weight_names"):
            return "tensorflow" if ":" in name else "theano"
    return None


def read_layers(
    model: Any,
    group: Any,
    filepath: str | os.PathLike[str],
    by_name: bool = False,
    skip_mismatch: bool = False,
    origin: Any = TODAY,
    own: Any = False,
) -> Any:
    """Load the weights of each layer from an open group. `own` means that the model was created from the same file."""
    saved = _saved_layers(group)
    if not model.built and (saved or not own):
        raise FileError(
            f"{model.name} is not built: it has no weights yet that {filepath} could be loaded into.",
            fix="Call the model on data first, or begin it with keras.Input(shape=...).",
        )
    report = LoadReport(str(filepath), model.name)
    pairs = _pairs(model, saved, filepath, by_name, own)
    plans = [_plan(layer, name, saved[name], filepath, skip_mismatch, origin, report) for layer, name in pairs]
    plans.append(_plan_own(model, group, filepath))
    for name in saved.keys() - {name for _, name in pairs}:
        report.unused.extend((f"{name}: {path}", tuple(array.shape)) for path, array in saved[name].items())
    for variable, value in (pair for plan in plans for pair in plan):
        variable.assign(value)
        report.took([variable])
    return report


def _saved_layers(group):
    """{layer with weights in the file: {path: array that is not read yet}}."""
    saved = {}
    for name in names_attribute(group, "layer_names"):
        of_layer = _layer_group(group, name)
        paths = [path for path in names_attribute(of_layer, "weight_names") if not is_state(path)]
        if paths:
            saved[name] = {path: array_at(of_layer, path) for path in paths}
    return saved


def _pairs(model, saved, filepath, by_name=False, own=False):
    """(layer, its name in the file) for the layers whose weights are loaded."""
    layers = [layer for layer in _listed(model) if layer.weights]
    if by_name:
        return [(layer, layer.name) for layer in layers if layer.name in saved]
    if len(layers) != len(saved):
        flat = [part for layer in layers for part in _flat(layer)]
        if len(flat) != len(saved):
            raise FileError(
                f"{filepath} has weights for {len(saved)} layers; {model.name} has {len(layers)} layers with weights.",
                fix="Build the same architecture, or match by layer names: load_weights(path, by_name=True).",
            )
        layers, own = (
            flat,
            True,
        )  # Keras 1 listed the layers of models nested in a Sequential as layers of the Sequential
    named = {layer.name: layer for layer in layers}
    if own and named.keys() == saved.keys():
        return [(named[name], name) for name in saved]
    return list(zip(layers, saved, strict=True))


def _flat(layer):
    """The layers with weights in a nested model, or the layer itself."""
    if not hasattr(type(layer), "layers"):
        return [layer]
    return [part for inner in layer.layers if inner.weights for part in _flat(inner)]


def _layer_group(group, name):
    found = group_at(group, name)
    if found is None:
        raise damaged(f"The file lists a layer {name!r}, but has no weights for it.")
    return found


def _plan(layer, name, arrays, filepath, skip_mismatch, origin, report):
    """(variable, array) pairs for one layer; none if they do not fit and `skip_mismatch` is set."""
    pairs = fit(layer, list(arrays.values()), list(arrays), origin)
    if pairs is not None:
        return pairs
    shapes, wanted = [array.shape for array in arrays.values()], [variable.shape for variable in _ordered(layer)]
    message = f"{layer.name} ({type(layer).__name__}) has weights of shapes {wanted}; {filepath} has {shapes} for it."
    if not skip_mismatch:
        raise FileError(message, fix="Build the same architecture, or pass skip_mismatch=True (with by_name=True).")
    report.skipped.append(message)
    return []


def _plan_own(model, group, filepath):
    own, top = model._variables_of_its_own(), group_at(group, "top_level_model_weights")
    if not own or top is None:
        return []
    values = [array_at(top, name) for name in names_attribute(top, "weight_names")]
    if [value.shape for value in values] != [variable.shape for variable in own]:
        raise FileError(
            f"{filepath} has values of shapes {[value.shape for value in values]} for the variables of {model.name} "
            f"itself, which have {[variable.shape for variable in own]}.",
            fix="Build the same model as the one that was saved.",
        )
    return list(zip(own, values, strict=True))


def load_legacy_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Load the model from a legacy `.h5` file."""
    with open_hdf5(filepath, filepath) as file:
        text = text_attribute(file, "model_config")
        if text is None:
            raise FileError(
                f"{filepath} has weights but no architecture.",
                fix="Build the model in code, then model.load_weights(path).",
            )
        with reading(filepath, stored_bytes(file), safe_mode):
            config = parse_json(text, f"{filepath}, model_config")
            version, backend = (text_attribute(file, name) for name in ("keras_version", "backend"))
            model = deserialize(upgrade(config, version, backend), custom_objects, safe_mode=safe_mode)
            weights = group_at(file, "model_weights")
            origin = origin_in(weights, file)
            read_layers(model, weights, filepath, origin=origin, own=True).tell()
            training = text_attribute(file, "training_config")
            model.compiled = False
            if compile and training is not None:
                training = parse_json(training, f"{filepath}, training_config")
                compile_or_warn(model, training, custom_objects, safe_mode, version, backend)
                saved = _saved_layers(weights)
                layers = [(layer, saved[name]) for layer, name in _pairs(model, saved, filepath, own=True)]
                _read_optimizer(model, group_at(file, "optimizer_weights"), origin, layers)
    return model


def _read_optimizer(model, group, origin, layers):
    optimizer = getattr(model, "optimizer", None)
    if group is None or optimizer is None or not model.compiled:
        return
    names = names_attribute(group, "weight_names")
    pairs = fit_optimizer(optimizer, [array_at(group, name) for name in names], names, origin, layers)
    if pairs is None:
        warn("The optimizer's state in the file does not fit and starts anew.")
        return
    for variable, value in pairs:
        variable.assign(value)
