"""The files of a TensorFlow.js model: `model.json` and shards of weights, which may be quantized."""

from __future__ import annotations

import json
import pathlib
import re
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np

from lamina.errors import ConfigError
from lamina.export.comparison import in_16_bits, states_of
from lamina.export.report import TOLERANCE, Written
from lamina.export.tensorflowjs.layers import refused
from lamina.export.tensorflowjs.topology import as_graph, topology
from lamina.export.tensorflowjs.tracing import calls_undone
from lamina.saving.formats.tensorflowjs import load_tensorflowjs, named_weights

__all__ = ["write_tensorflowjs"]

SHARD = 4 << 20  # bytes; browsers cache files of this size
_NAMES = re.compile("[A-Za-z0-9][-A-Za-z0-9_./]*")
WEIGHT_TYPES = ("float32", "float16", "uint16", "uint8")


def write_tensorflowjs(model: Any, signature: Any, folder: pathlib.Path, weight_type: str | None = None) -> Written:
    """Write a model that `tf.loadLayersModel` reads.

    Args:
        model: Sequential or functional model.
        signature: Not used: the shapes are those of the model.
        folder: Folder for `model.json` and the weights.
        weight_type: "float16", "uint16" or "uint8" for smaller files; None writes float32.

    Raises:
        ConfigError: TensorFlow.js cannot compute a layer; nothing is written.
    """
    weight_type = weight_type or "float32"
    if weight_type not in WEIGHT_TYPES:
        raise ConfigError(
            f"weight_type is one of {', '.join(map(repr, WEIGHT_TYPES))}; got {weight_type!r}.",
            fix='weight_type="float16"',
        )
    with calls_undone(model):
        return _written(model, as_graph(model), folder, weight_type)


def _written(original, model, folder, weight_type):
    _check_inputs(model)
    _check_weights(model._flatten_layers())
    described, replaced = topology(model)
    weights, parts = [], []
    for name, variable in _unique(model, named_weights(model, instead=replaced.of)):
        entry, data = _entry(name, variable.numpy(), weight_type)
        weights.append(entry)
        parts.append(data)
    data = b"".join(parts)
    shards = [data[start : start + SHARD] for start in range(0, len(data), SHARD)]
    paths = [f"group1-shard{number}of{len(shards)}.bin" for number in range(1, len(shards) + 1)]
    contents = {
        "format": "layers-model",
        "generatedBy": "keras v2.15.0",
        "convertedBy": "lamina",
        "modelTopology": {"keras_version": "2.15.0", "backend": "tensorflow", "model_config": described},
        "weightsManifest": [{"paths": paths, "weights": weights}] if weights else [],
    }
    for path, shard in zip([*paths, "model.json"], [*shards, json.dumps(contents).encode()], strict=True):
        (folder / path).write_bytes(shard)
    lost = [] if weight_type == "float32" else [f"float32: the weights have {weight_type}"]
    lost += ["16 bits, which are computed in 32"] if in_16_bits(original) else []
    exact = TOLERANCE if weight_type == "float32" else None
    settings: Any = {"lost": lost, "tolerance": exact, "in_32_bits": True, "last": "model.json"}
    return Written(_avals(model), "lamina", lambda: _reader(folder, original), **settings)


def _avals(model):
    """Shapes and dtypes of the inputs: whole numbers for an Embedding, whose file says float32 for them too."""
    numbers = any(type(layer).__name__ == "Embedding" for layer in model._flatten_layers())
    open_axes = ["batch", *["any"] * max(len(tensor.shape) for tensor in model.inputs)]
    shapes = [
        tuple(name if size is None else size for name, size in zip(open_axes, tensor.shape, strict=False))
        for tensor in model.inputs
    ]
    dtypes = [np.dtype("int32" if numbers else tensor.dtype) for tensor in model.inputs]
    return [SimpleNamespace(shape=shape, dtype=dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]


def _reader(folder, model):
    """The files as lamina reads them, in the model's state; no runtime of TensorFlow.js can be called from Python."""
    read = load_tensorflowjs(folder / "model.json", compile=False)

    def run(arrays):
        for variable, own in zip(states_of(read), states_of(model), strict=False):
            variable.assign(own)
        return jax.tree_util.tree_leaves(read.predict(arrays if len(arrays) > 1 else arrays[0], verbose=0))

    return run


def _unique(model, weights):
    """The weights; their names tell them apart there."""
    names = set()
    for name, variable in weights:
        if not _NAMES.fullmatch(name):
            raise refused(model, f"Names in TensorFlow.js are letters, digits and _ - . /; a weight is named {name!r}")
        if name in names:
            raise refused(model, f"TensorFlow.js tells weights apart by their names, and two have the name {name!r}")
        names.add(name)
        yield name, variable


def _check_inputs(model):
    for tensor in model.inputs:
        if len(tensor.shape) == 1:
            layer = tensor._keras_history.operation
            fix = f"{layer.name} = keras.Input((1,)), and keras.ops.squeeze({layer.name}, 1) behind it"
            raise refused(layer, "TensorFlow.js adds an axis to inputs of one axis", fix)


def _check_weights(layers):
    for layer in layers:
        if getattr(layer, "quantization_mode", None):
            raise refused(layer, "Its weights are quantized, which TensorFlow.js stores in another way",
                          'the model before quantize(), with weight_type="uint8"')  # fmt: skip


def _entry(name, values, weight_type):
    """(line of the manifest, bytes) of a weight."""
    values = np.ascontiguousarray(values, np.float32)
    entry = {"name": name, "shape": list(values.shape), "dtype": "float32"}
    if weight_type == "float16":
        entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        return entry, values.astype("<f2").tobytes()
    if weight_type == "float32" or not values.size:
        return entry, values.astype("<f4").tobytes()
    least, most = min(0.0, float(values.min())), max(0.0, float(values.max()))
    scale = (most - least) / np.iinfo(weight_type).max or 1.0
    least = round(least / scale) * scale  # 0 stays 0
    entry["quantization"] = {"dtype": weight_type, "scale": scale, "min": least, "original_dtype": "float32"}
    codes = np.clip(np.round((values - least) / scale), 0, np.iinfo(weight_type).max)
    return entry, codes.astype(np.dtype(weight_type).newbyteorder("<")).tobytes()
