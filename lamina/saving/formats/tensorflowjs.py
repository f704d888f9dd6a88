"""TensorFlow.js layers models: `model.json`, and weight files next to it, which may be quantized to 8 or 16 bits."""

from __future__ import annotations

import math
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lamina.core.read_limits import reserve_array
from lamina.core.serialization import deserialize
from lamina.errors import FileError, UnsafeFileError
from lamina.saving.formats.keras_archive import compile_or_warn
from lamina.saving.migration.configs import upgrade
from lamina.saving.migration.version import origin_of
from lamina.saving.migration.weights import fit
from lamina.saving.report import LoadReport
from lamina.saving.safety.damage import check_name, damaged, file_beside
from lamina.saving.safety.limits import TEXT, expect_model, naming, parse_json, reading

__all__ = ["load_tensorflowjs", "named_weights"]

MODELS = ("Sequential", "Functional", "Model")
_TYPES = {"float32": np.float32, "float16": np.float16, "int32": np.int32, "uint8": np.uint8, "uint16": np.uint16,
          "bool": np.bool_}  # fmt: skip


def load_tensorflowjs(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Load the model of `to_json`, or of a TensorFlow.js `model.json` and the weight files next to it."""
    filepath = pathlib.Path(filepath)
    if filepath.stat().st_size > TEXT:
        raise UnsafeFileError(f"The JSON has {filepath.stat().st_size >> 20} MiB, more than a model needs.").within(
            filepath
        )
    contents = parse_json(filepath.read_bytes(), filepath)
    if "class_name" in contents:
        with reading(filepath, safe_mode=safe_mode):
            config = upgrade(contents)
            training = config.pop("compile_config", None)
            model = expect_model(deserialize(config, custom_objects, safe_mode=safe_mode), filepath)
            if compile and training:
                compile_or_warn(model, training, custom_objects, safe_mode)
            return model
    with naming(filepath):
        return _read(filepath, contents, custom_objects, compile, safe_mode)


def _read(filepath, contents, custom_objects, compile, safe_mode):
    topology = contents.get("modelTopology", contents)
    if not isinstance(topology, dict) or contents.get("format") == "graph-model" or "node" in topology:
        raise FileError(
            f"{filepath} is a graph of TensorFlow; only models of layers can be read.",
            fix="Convert the Keras model again with tensorflowjs_converter, as a layers model.",
        )
    with naming(filepath):
        names = [name for group in contents.get("weightsManifest", []) for name in group["paths"]]
        if len(set(names)) < len(names):
            raise UnsafeFileError("A weight file is listed twice, which would make a small file take much memory.")
        shards = [_shards(filepath, group) for group in contents.get("weightsManifest", [])]
        files = [path for paths in shards for path in paths]
        config = topology.get("model_config", topology)
        version = topology.get("keras_version") or config.get("keras_version")
    size = sum(path.stat().st_size for path in files)
    with reading(filepath, 4 * size, safe_mode):  # quantized weights may take 1 byte per element
        model = deserialize(upgrade(config, version), custom_objects, safe_mode=safe_mode)
        if shards:
            _read_weights(
                model, _arrays(filepath, contents["weightsManifest"], shards), filepath, origin_of(config, version)
            )
        training = topology.get("training_config")
        model.compiled = False
        if compile and training:
            compile_or_warn(model, training, custom_objects, safe_mode, version)
    return model


def named_weights(
    layer: Any, scope: str = "", instead: Callable[[Any], Any] = lambda layer: layer
) -> Iterator[tuple[str, Any]]:
    """(name in the files, variable) of each weight: by the layers of a model, the parts of a wrapper, else its own.

    Args:
        layer: Layer or model.
        scope: What names begin with.
        instead: The layer that is written in place of one.
    """
    layer = instead(layer)
    kind = type(layer).__name__
    if kind == "TimeDistributed" and type(layer.layer).__name__ in MODELS:  # which is made by itself
        layer, kind = layer.layer, MODELS[0]
    if kind in MODELS:
        for inner in layer.operations:
            if hasattr(instead(inner), "weights"):
                yield from named_weights(inner, scope, instead)
        return
    scope = f"{scope}{layer.name}/"
    if kind == "Bidirectional":
        name = layer.forward_layer.name.removeprefix("forward_")
        for side, inner in (("forward", layer.forward_layer), ("backward", layer.backward_layer)):
            yield from ((f"{scope}{side}_{name}/{v.name}", v) for v in inner.weights)
        return
    old = {"kernel": "depthwise_kernel"} if kind == "DepthwiseConv2D" else {}  # of Keras 2
    for variable in (layer.layer if kind == "TimeDistributed" else layer).weights:
        if "seed_generator" not in variable.path:
            yield f"{scope}{old.get(variable.name, variable.name)}", variable


def _shards(filepath, group):
    """The files of a group in the manifest. They must be next to `model.json`."""
    return [file_beside(filepath, name) for name in group["paths"]]


def _arrays(filepath, manifest, shards):
    """{name: array} for each weight, in the order of the manifest."""
    arrays = {}
    for group, paths in zip(manifest, shards, strict=True):
        data, offset = b"".join(path.read_bytes() for path in paths), 0
        for entry in group["weights"]:
            check_name(entry["name"])
            packed = entry.get("quantization") or {}
            dtype, wanted = np.dtype(_TYPES[packed.get("dtype", entry["dtype"])]), _TYPES[entry["dtype"]]
            shape = tuple(entry["shape"])
            length = math.prod(shape) * dtype.itemsize
            if any(size < 0 for size in shape) or offset + length > len(data):
                raise damaged(f"{entry['name']} in {filepath} is larger than the weight files beside it.")
            reserve_array(shape, 4, entry["name"])
            values = np.frombuffer(data, dtype, math.prod(shape), offset).reshape(shape)
            if "scale" in packed:
                values = (values * float(packed["scale"]) + float(packed.get("min", 0))).astype("float32")
            arrays[entry["name"]] = values.astype(wanted, copy=False)
            offset += length
    return arrays


def _read_weights(model, arrays, filepath, origin):
    """Assign the arrays by their names, if these are those of the layers, else in the order of the layers."""
    report, left = LoadReport(str(filepath), model.name), list(arrays.items())
    named = dict(named_weights(model))
    if {name: variable.shape for name, variable in named.items()} == {name: a.shape for name, a in left}:
        for name, variable in named.items():
            variable.assign(arrays[name])
            report.took([variable])
        left = []
    for layer in (layer for layer in model.layers if layer.weights and left):
        own, left = left[: len(layer.weights)], left[len(layer.weights) :]
        pairs = fit(layer, [array for _, array in own], [name for name, _ in own], origin)
        if pairs is None:
            found, wanted = [array.shape for _, array in own], [tuple(v.shape) for v in layer.weights]
            raise damaged(f"{layer.name} has weights of shapes {wanted}; {filepath} has {found} for it.")
        for variable, value in pairs:
            variable.assign(value)
            report.took([variable])
    report.unused = [(name, array.shape) for name, array in left]
    report.tell()
