"""KerasHub's decoders as `transformers` reads them: names and layouts of weights, and `config.json`.

A weight is found by its path in the backbone, `transformer_layer_3/self_attention/query/kernel`. A kernel of Keras maps
inputs to outputs; a Linear of PyTorch stores it transposed, and some models fuse query, key and value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lamina.errors import ConfigError

__all__ = ["backbone_of", "config_for", "family_of", "load_transformers", "tensors_for"]

_BLOCK = re.compile(r"(?:transformer_layer|decoder_block)_(\d+)/")


class Family(NamedTuple):
    """How a family of models is stored.

    Attributes:
        architecture: Name of the class in transformers.
        block: Prefix of the weights of a layer.
        names: Path of a layer -> name there; "name:1" is the second part of a fused weight.
        config: Function of the backbone that makes `config.json`.
        transposed: Whether a kernel is stored as (outputs, inputs).
    """

    architecture: str
    block: str
    names: Mapping[str, str]
    config: Callable[[Any], dict[str, Any]]
    transposed: bool = True


def _rope(backbone):
    theta, scaling = backbone.rope_max_wavelength, getattr(backbone, "rope_scaling_factor", 1.0)
    rope = {"rope_type": "default", "rope_theta": theta}
    if scaling not in (None, 1.0):
        rope = {"rope_type": "linear", "rope_theta": theta, "factor": scaling}
    if getattr(backbone, "rope_frequency_adjustment_factor", None):
        rope = {
            "rope_type": "llama3", "rope_theta": theta, "factor": backbone.rope_frequency_adjustment_factor,
            "low_freq_factor": backbone.rope_low_freq_factor, "high_freq_factor": backbone.rope_high_freq_factor,
            "original_max_position_embeddings": backbone.rope_pretraining_sequence_length,
        }  # fmt: skip
    if getattr(backbone, "rope_scaling_type", None):
        raise ConfigError(
            f"The layout of transformers is not known for rope_scaling_type={backbone.rope_scaling_type!r}.",
            fix='model.save("model.keras")',
        )
    return {"rope_theta": theta, "rope_parameters": rope, "rope_scaling": None if len(rope) == 2 else rope}


def _llama(backbone, **more):
    heads = backbone.num_query_heads
    return {
        "vocab_size": backbone.vocabulary_size, "hidden_size": backbone.hidden_dim,
        "intermediate_size": backbone.intermediate_dim, "num_hidden_layers": backbone.num_layers,
        "num_attention_heads": heads, "num_key_value_heads": backbone.num_key_value_heads,
        "head_dim": getattr(backbone, "head_dim", None) or backbone.hidden_dim // heads,
        "rms_norm_eps": backbone.layer_norm_epsilon, "hidden_act": "silu", "attention_bias": False,
        "max_position_embeddings": getattr(backbone, "max_sequence_length", None) or 4096,
        **(_rope(backbone) if hasattr(backbone, "rope_max_wavelength") else {}), **more,
    }  # fmt: skip


def _gemma(backbone, **more):
    act = {"hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh"}
    theta = {"rope_theta": 10_000.0, "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0}}
    return _llama(backbone, **{**act, **theta, "intermediate_size": backbone.intermediate_dim // 2, **more})


def _mistral(backbone):
    return _llama(backbone, model_type="mistral", sliding_window=backbone.sliding_window)


def _qwen2(backbone):
    window = backbone.sliding_window_size if backbone.use_sliding_window_attention else None
    return _llama(backbone, model_type="qwen2", use_sliding_window=window is not None, sliding_window=window,
                  max_window_layers=0 if window else backbone.num_layers)  # fmt: skip


def _gpt2(backbone):
    return {
        "model_type": "gpt2", "vocab_size": backbone.vocabulary_size, "n_layer": backbone.num_layers,
        "n_head": backbone.num_heads, "n_embd": backbone.hidden_dim, "n_inner": backbone.intermediate_dim,
        "n_positions": backbone.max_sequence_length, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5,
        **dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), backbone.dropout),
    }  # fmt: skip


_MLP = {"feedforward_gate_dense": "mlp.gate_proj", "feedforward_intermediate_dense": "mlp.up_proj",
        "feedforward_output_dense": "mlp.down_proj"}  # fmt: skip
_ENDS = {"token_embedding": "model.embed_tokens", "reverse": "lm_head"}
_ATTENTION = {"query": "self_attn.q_proj", "key": "self_attn.k_proj", "value": "self_attn.v_proj",
              "attention_output": "self_attn.o_proj"}  # fmt: skip
LLAMA = {
    **_ENDS, **_MLP, **{f"self_attention/{path}": name for path, name in _ATTENTION.items()},
    "self_attention/query_dense_layernorm": "self_attn.q_norm",
    "self_attention/key_dense_layernorm": "self_attn.k_norm",
    "self_attention_layernorm": "input_layernorm", "feedforward_layernorm": "post_attention_layernorm",
    "sequence_output_layernorm": "model.norm",
}  # fmt: skip
GEMMA = {
    **_ENDS, **{f"attention/{path}": name for path, name in _ATTENTION.items()},
    "attention/query_norm": "self_attn.q_norm", "attention/key_norm": "self_attn.k_norm",
    "pre_attention_norm": "input_layernorm", "pre_ffw_norm": "post_attention_layernorm",
    "ffw_gating": "mlp.gate_proj", "ffw_gating_2": "mlp.up_proj", "ffw_linear": "mlp.down_proj",
    "final_normalization": "model.norm",
}  # fmt: skip
PHI3 = {
    **LLAMA, "attention/query": "self_attn.qkv_proj:0", "attention/key": "self_attn.qkv_proj:1",
    "attention/value": "self_attn.qkv_proj:2", "attention/attention_output": "self_attn.o_proj",
    "feedforward_gate_dense": "mlp.gate_up_proj:0", "feedforward_intermediate_dense": "mlp.gate_up_proj:1",
    "pre_attention_layernorm": "input_layernorm", "post_attention_layernorm": "post_attention_layernorm",
}  # fmt: skip
GPT2 = {
    "token_embedding": "transformer.wte", "position_embedding": "transformer.wpe", "layer_norm": "transformer.ln_f",
    **{f"self_attention/{path}": f"attn.c_attn:{part}" for part, path in enumerate(("query", "key", "value"))},
    "self_attention/attention_output": "attn.c_proj", "self_attention_layer_norm": "ln_1",
    "feedforward_layer_norm": "ln_2", "feedforward_intermediate_dense": "mlp.c_fc",
    "feedforward_output_dense": "mlp.c_proj",
}  # fmt: skip

FAMILIES = {
    "GPT2Backbone": Family("GPT2LMHeadModel", "transformer.h", GPT2, _gpt2, transposed=False),
    "LlamaBackbone": Family("LlamaForCausalLM", "model.layers", LLAMA, lambda b: _llama(b, model_type="llama")),
    "Llama3Backbone": Family("LlamaForCausalLM", "model.layers", LLAMA, lambda b: _llama(b, model_type="llama")),
    "MistralBackbone": Family("MistralForCausalLM", "model.layers", LLAMA, _mistral),
    "QwenBackbone": Family("Qwen2ForCausalLM", "model.layers", LLAMA, _qwen2),
    "Qwen3Backbone": Family("Qwen3ForCausalLM", "model.layers", LLAMA, lambda b: _llama(b, model_type="qwen3")),
    "GemmaBackbone": Family("GemmaForCausalLM", "model.layers", GEMMA, lambda b: _gemma(b, model_type="gemma")),
    "Phi3Backbone": Family("Phi3ForCausalLM", "model.layers", PHI3, lambda b: _llama(b, model_type="phi3")),
}


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
    if backbone is None:
        return None
    family = FAMILIES.get(type(backbone).__name__)
    if family and family.names is GEMMA and backbone.use_post_ffw_norm:  # Gemma 2
        return None
    return family


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
    family, parts = family_of(model), {}
    assert family is not None
    for variable, name, part in _named(family, backbone_of(model)):
        parts.setdefault(name, {})[part] = _laid_out(family, variable, read(variable))
    axis = 0 if family.transposed else -1
    return {name: _joined([of[part] for part in sorted(of)], axis) for name, of in parts.items()}


def _joined(arrays, axis):
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis if arrays[0].ndim > 1 else 0)


def _named(family, backbone) -> Iterator[tuple[Any, str, str]]:
    """(variable, name of the tensor, part of it) of each weight."""
    for variable in backbone.weights:
        path, _, kind = variable.path.rpartition("/")
        if "seed_generator" in variable.path:
            continue
        block = _BLOCK.search(path + "/")
        layer = path[block.end() :] if block else path.removeprefix(f"{backbone.name}/")
        layer = "reverse" if kind == "reverse_embeddings" else layer
        if layer not in family.names or kind not in (
            "kernel",
            "bias",
            "scale",
            "gamma",
            "beta",
            "embeddings",
            "reverse_embeddings",
        ):
            raise ConfigError(
                f"transformers has no place for the weight {variable.path} of {type(backbone).__name__}.",
                fix='model.save("model.keras"), or export before enable_lora and quantize',
            )
        name, _, part = family.names[layer].partition(":")
        ending = "bias" if kind in ("bias", "beta") else "weight"
        yield variable, f"{f'{family.block}.{block[1]}.' if block else ''}{name}.{ending}", part


def _laid_out(family, variable, array):
    kind = variable.path.rpartition("/")[2]
    if kind == "bias":
        return array.reshape(-1)
    if kind == "reverse_embeddings":
        return array.T
    if kind != "kernel":
        return array
    outputs = variable.shape[-1] if "output" in variable.path else None
    if array.ndim == 3 and outputs is None and family.names is GEMMA:
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
    weights = [variable for variable, _, _ in _named(family, backbone_of(model))]
    starts = dict(zip(map(id, weights), np.cumsum([0, *(variable.size for variable in weights)]), strict=False))
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
