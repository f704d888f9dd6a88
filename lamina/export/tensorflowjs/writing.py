"""The files of a TensorFlow.js model: `model.json` and shards of weights, which may be quantized."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np

from lamina.errors import ConfigError
from lamina.export.tensorflowjs.layers import refused
from lamina.export.tensorflowjs.topology import MODELS, topology
from lamina.layers.wrappers import Bidirectional, TimeDistributed

__all__ = ["write_tensorflowjs"]

SHARD = 4 << 20  # bytes; browsers cache files of this size
WEIGHT_TYPES = ("float32", "float16", "uint16", "uint8")


def write_tensorflowjs(model: Any, folder: pathlib.Path, weight_type: str | None = None) -> list[str]:
    """Write a model that `tf.loadLayersModel` reads.

    Args:
        model: Sequential or functional model.
        folder: Folder for `model.json` and the weights, which the caller renames into place.
        weight_type: "float16", "uint16" or "uint8" for smaller files; None writes float32.

    Returns:
        The names of the files.

    Raises:
        ConfigError: TensorFlow.js cannot compute a layer; nothing is written.
    """
    weight_type = weight_type or "float32"
    if weight_type not in WEIGHT_TYPES:
        raise ConfigError(
            f"weight_type is one of {', '.join(map(repr, WEIGHT_TYPES))}; got {weight_type!r}.",
            fix='weight_type="float16"',
        )
    described = topology(model)
    weights, parts = [], []
    for name, values in _weights(model, ""):
        entry, data = _entry(name, values, weight_type)
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
    return ["model.json", *paths]


def _weights(layer, scope):
    """(name there, values) of each weight: by the layers of a model, the parts of a wrapper, else its own."""
    kind = type(layer).__name__
    if kind in MODELS:
        for inner in layer.layers:
            yield from _weights(inner, scope)
        return
    scope = f"{scope}{layer.name}/"
    if isinstance(layer, Bidirectional):
        name = layer.forward_layer.name.removeprefix("forward_")
        for side, inner in (("forward", layer.forward_layer), ("backward", layer.backward_layer)):
            yield from ((f"{scope}{side}_{name}/{v.name}", v.numpy()) for v in inner.weights)
    elif isinstance(layer, TimeDistributed):
        yield from ((f"{scope}{v.name}", v.numpy()) for v in layer.layer.weights)
    else:
        if getattr(layer, "quantization_mode", None):
            raise refused(layer, "Its weights are quantized, which TensorFlow.js stores in another way",
                          'the model before quantize(), with weight_type="uint8"')  # fmt: skip
        old = {"kernel": "depthwise_kernel"} if kind == "DepthwiseConv2D" else {}  # of Keras 2
        weights = [v for v in layer.weights if "seed_generator" not in v.path]
        yield from ((f"{scope}{old.get(v.name, v.name)}", v.numpy()) for v in weights)


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
