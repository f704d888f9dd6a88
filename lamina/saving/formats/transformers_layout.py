"""KerasHub's decoders as `transformers` reads them: names and layouts of weights, and `config.json`.

A weight is found by its path in the backbone, `transformer_layer_3/self_attention/query/kernel`. A kernel of Keras maps
inputs to outputs; a Linear of PyTorch stores it transposed, and some models fuse query, key and value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lamina.errors import ConfigError
from lamina.saving.formats.transformers_families import FAMILIES, Family

__all__ = ["backbone_of", "config_for", "family_of", "load_transformers", "tensors_for"]

_BLOCK = re.compile(r"(?:transformer_layer|decoder_block)_(\d+)/")
_SPARSE = re.compile(r"(?:\w+_)?sparse_moe_block(?:_\d+)?/")
_KINDS = ("kernel", "bias", "scale", "gamma", "beta", "embeddings", "reverse_embeddings")


def backbone_of(model: Any) -> Any:
    """The backbone of KerasHub in a model; None if there is none."""
    backbone = getattr(model, "backbone", model)
    return backbone if type(backbone).__module__.startswith("keras_hub.") else None


def family_of(model: Any) -> Family | None:
    """How transformers stores a model of KerasHub; None for other models and families.

    Args:
        model: A CausalLM of KerasHub or its backbone.
    """
    backbone = backbone_of(model)
    of_class = FAMILIES.get(type(backbone).__name__, ()) if backbone is not None else ()
    return next((family for family in of_class if family.holds(backbone)), None)


def config_for(model: Any) -> dict[str, Any]:
    """The `config.json` of transformers for a model of a known family."""
    family, backbone = family_of(model), backbone_of(model)
    assert family is not None
    dtype = str(backbone.weights[0].dtype)
    tied = not any("reverse_embeddings" in variable.path for variable in backbone.weights)
    tokenizer = getattr(getattr(model, "preprocessor", None), "tokenizer", None)
    tokens = {"bos": "start_token_id", "eos": "end_token_id", "pad": "pad_token_id"}
    return {
        "architectures": [family.architecture], **family.config(backbone), "tie_word_embeddings": tied,
        "dtype": dtype, "torch_dtype": dtype, "use_cache": True,
        **{f"{name}_token_id": getattr(tokenizer, attribute, None) for name, attribute in tokens.items()},
    }  # fmt: skip


def tensors_for(model: Any, read: Callable[[Any], np.ndarray] = lambda variable: variable.numpy()) -> dict[str, Any]:
    """The weights by the names of transformers, in its layouts.

    Args:
        model: A model of a known family.
        read: Function that gives the array of a variable.

    Raises:
        ConfigError: A weight has no name there, as those of LoRA and quantization.
    """
    family, backbone, parts = family_of(model), backbone_of(model), {}
    assert family is not None
    for variable, name in _named(family, backbone):
        for ending, part, piece in _pieces(family, name, variable, read(variable)):
            parts.setdefault(ending, {})[part] = piece
    heads = getattr(backbone, family.heads) if family.heads else None
    axis = 0 if family.transposed else -1
    return {name: _joined([of[part] for part in sorted(of)], axis, heads) for name, of in parts.items()}


def _joined(arrays, axis, heads):
    if len(arrays) == 1:
        return arrays[0]
    if heads:
        rest = arrays[0].shape[1:]
        return np.stack([array.reshape(heads, -1, *rest) for array in arrays], 1).reshape(-1, *rest)
    return np.concatenate(arrays, axis if arrays[0].ndim > 1 else 0)


def _named(family, backbone) -> Iterator[tuple[Any, str]]:
    """(variable, the entry of the family's names for it, with the prefix of its layer) of each weight."""
    for variable in backbone.weights:
        if "seed_generator" in variable.path or variable.path.endswith("/inv_freq"):
            continue
        path = variable.path.removeprefix(f"{backbone.name}/")
        stem, _, kind = path.rpartition("/")
        path = stem if kind in _KINDS else path
        block = _BLOCK.search(path + "/")
        layer = _SPARSE.sub("", path[block.end() :] if block else path)
        layer = "reverse" if kind == "reverse_embeddings" else layer
        if layer not in family.names:
            raise ConfigError(
                f"transformers has no place for the weight {variable.path} of {type(backbone).__name__}.",
                fix='model.save("model.keras"), or export before enable_lora and quantize',
            )
        prefix = f"{family.block}.{block[1]}." if block else ""
        yield variable, "|".join(prefix + name for name in family.names[layer].split("|"))


def _pieces(family, name, variable, array) -> Iterator[tuple[str, str, np.ndarray]]:
    """(name of a tensor, part of it, array) of all that is in a weight."""
    ending = ".bias" if variable.path.endswith(("/bias", "/beta")) else ".weight"
    halves = name.split("|")
    if "{}" in name:
        for expert, of_expert in enumerate(array):
            for half, piece in zip(halves, np.split(of_expert, len(halves), -1), strict=True):
                yield half.format(expert) + ending, "", piece.T
    elif name.endswith("="):
        yield name[:-1], "", array
    elif name.endswith("+2"):
        yield name[:-2] + ending, "", np.concatenate([np.zeros_like(array[:2]), array])
    else:
        name, _, part = name.partition(":")
        yield name + ending, part, _laid_out(family, variable, array)


def _laid_out(family, variable, array):
    kind = variable.path.rpartition("/")[2]
    if kind == "bias":
        return array.reshape(-1)
    if kind == "reverse_embeddings":
        return array.T
    if kind != "kernel":
        return array
    outputs = variable.shape[-1] if "output" in variable.path or "o_proj" in variable.path else None
    if array.ndim == 3 and outputs is None and "ffw_gating" in family.names:  # Gemma's
        array = array.transpose(1, 0, 2)  # (heads, inputs, size) -> (inputs, heads, size)
    matrix = array.reshape(-1, outputs) if outputs else array.reshape(array.shape[0], -1)
    return matrix.T if family.transposed else matrix


def load_transformers(model: Any, tensors: Mapping[str, Any]) -> None:
    """Assign weights that were stored as `tensors_for` does: each element goes where it came from.

    Args:
        model: A model of a known family.
        tensors: Arrays by the names of transformers.
    """
    family = family_of(model)
    assert family is not None
    weights = [variable for variable, _ in _named(family, backbone_of(model))]
    starts = dict(zip(map(id, weights), np.cumsum([1, *(variable.size for variable in weights)]), strict=False))
    values = [np.empty(variable.size, np.float32) for variable in weights]
    flat = {int(starts[id(variable)]): array for variable, array in zip(weights, values, strict=True)}
    order = np.asarray(sorted(flat))
    places = tensors_for(model, lambda v: np.arange(v.size).reshape(v.shape) + starts[id(v)])
    for name, indices in places.items():
        array, indices = np.asarray(tensors[name], np.float32).reshape(-1), np.asarray(indices).reshape(-1)
        for start in np.unique(order[np.searchsorted(order, indices, "right") - 1]):
            of = flat[int(start)]
            mine = (indices >= start) & (indices < start + len(of))
            of[indices[mine] - start] = array[mine]
    for variable, array in zip(weights, values, strict=True):
        variable.assign(array.reshape(variable.shape))
