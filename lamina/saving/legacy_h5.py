"""Legacy `.h5`: layers by name with their weights in order, as Keras 1 and 2 wrote them, alone or with the model."""

import json

import h5py
import numpy as np

from lamina import legacy
from lamina.core.configurable import deserialize, serialize
from lamina.errors import FileError, warn
from lamina.saving.archive import KERAS_VERSION, compile_or_warn
from lamina.saving.files import (
    array_at,
    group_at,
    names_attribute,
    open_hdf5,
    text_attribute,
    whole_or_unchanged,
    write_array,
    written,
)
from lamina.saving.limits import naming, parse_json, reading
from lamina.saving.stored import stored_bytes
from lamina.saving.upgrade import upgrade


def is_legacy(file):
    """Whether an open HDF5 file is of this format."""
    return "layer_names" in file.attrs or "model_config" in file.attrs or "model_weights" in file


def save_legacy_weights(model, filepath):
    """Only the weights."""
    with written(filepath) as beside, h5py.File(beside, "w") as file:
        _write_layers(model, file)


def save_legacy_model(model, filepath, include_optimizer=True):
    """Architecture, weights, compile settings and optimizer state."""
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
            file.attrs["training_config"] = json.dumps(training).encode()
            _write_weights(file.create_group("optimizer_weights"), optimizer.variables)


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
    """Trainable weights, then the others, whichever are frozen now."""
    weights = layer.weights
    return sorted(weights, key=lambda variable: not variable.born_trainable)


def _write_weights(group, variables):
    _write_names(group, "weight_names", [variable.path for variable in variables])
    for variable in variables:
        if variable.path not in group:
            write_array(group, variable.path, variable.numpy())


def _write_names(group, name, values):
    """Names as fixed-length bytes; in numbered pieces where they are more than HDF5 lets an attribute hold."""
    data = np.array([value.encode() for value in values]) if values else np.array([], dtype="S1")
    pieces = -(-data.nbytes // 64000) or 1
    if pieces == 1:
        group.attrs[name] = data
        return
    for number, piece in enumerate(np.array_split(data, pieces)):
        group.attrs[f"{name}{number}"] = piece


def load_legacy_weights(model, filepath, by_name=False, skip_mismatch=False):
    """Read weights by the order of layers, or by their names."""
    with open_hdf5(filepath, filepath) as file, naming(filepath):
        root = group_at(file, "model_weights") if "model_weights" in file else file
        read_layers(model, root, filepath, by_name, skip_mismatch)


def read_layers(model, group, filepath, by_name=False, skip_mismatch=False):
    """Read the weights of each layer from an open group."""
    if not model.built:
        raise FileError(
            f"{model.name} is not built, so {filepath} has nowhere to go.",
            fix="Call the model once, or start it with keras.Input(shape=...).",
        )
    names = names_attribute(group, "layer_names")
    saved = {name: names_attribute(_layer_group(group, name), "weight_names") for name in names}
    saved = {name: names for name, names in saved.items() if names}
    layers = [layer for layer in _listed(model) if layer.weights]
    if by_name:
        pairs = [(layer, layer.name) for layer in layers if layer.name in saved]
    else:
        if len(layers) != len(saved):
            raise FileError(
                f"{filepath} has weights for {len(saved)} layers; {model.name} has {len(layers)} layers with weights.",
                fix="Build the same architecture, or match by layer names: load_weights(path, by_name=True).",
            )
        pairs = list(zip(layers, saved, strict=True))
    plans = [_plan(layer, name, group, saved[name], filepath, skip_mismatch) for layer, name in pairs]
    plans.append(_plan_own(model, group, filepath))
    with whole_or_unchanged(model):
        for variables, values in filter(None, plans):
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)


def _layer_group(group, name):
    found = group_at(group, name)
    if found is None:
        raise FileError(f"The file names a layer {name!r} that it does not hold.")
    return found


def _plan(layer, name, group, weight_names, filepath, skip_mismatch):
    """(variables, arrays) of one layer, checked; None where they do not fit and may be skipped."""
    variables = _ordered(layer)
    values = [array_at(group_at(group, name), weight) for weight in weight_names]
    shapes, wanted = [value.shape for value in values], [variable.shape for variable in variables]
    if shapes == wanted:
        return variables, values
    message = f"{layer.name} ({type(layer).__name__}) has weights of shapes {wanted}; {filepath} has {shapes} for it."
    if not skip_mismatch:
        raise FileError(message, fix="Build the same architecture, or pass skip_mismatch=True (with by_name=True).")
    warn(f"{message} It was not loaded.")
    return None


def _plan_own(model, group, filepath):
    own, top = model._variables_of_its_own(), group_at(group, "top_level_model_weights")
    if not own or top is None:
        return None
    values = [array_at(top, name) for name in names_attribute(top, "weight_names")]
    if [value.shape for value in values] != [variable.shape for variable in own]:
        raise FileError(f"{filepath} does not fit the variables that {model.name} has itself.")
    return own, values


def load_legacy_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """The model in a legacy `.h5` file."""
    with open_hdf5(filepath, filepath) as file:
        text = text_attribute(file, "model_config")
        if text is None:
            raise FileError(
                f"{filepath} holds weights but no architecture.",
                fix="Build the model in code, then model.load_weights(path).",
            )
        with reading(filepath, stored_bytes(file), safe_mode):
            config = parse_json(text, f"{filepath}, model_config")
            model = deserialize(upgrade(config), custom_objects, safe_mode=safe_mode)
            read_layers(model, group_at(file, "model_weights"), filepath)
            training = text_attribute(file, "training_config")
            model.compiled = False
            if compile and training is not None:
                training = parse_json(training, f"{filepath}, training_config")
                settings, _ = legacy.rename("Model.compile", upgrade(training))
                settings["optimizer"] = settings.pop("optimizer_config", None)
                compile_or_warn(model, settings, custom_objects, safe_mode)
                _read_optimizer(model, group_at(file, "optimizer_weights"))
    return model


def _read_optimizer(model, group):
    optimizer = getattr(model, "optimizer", None)
    if group is None or optimizer is None or not model.compiled:
        return
    values = [array_at(group, name) for name in names_attribute(group, "weight_names")]
    if [value.shape for value in values] == [variable.shape for variable in optimizer.variables]:
        for variable, value in zip(optimizer.variables, values, strict=True):
            variable.assign(value)
    else:
        warn("The optimizer's state in the file does not fit and starts anew.")
