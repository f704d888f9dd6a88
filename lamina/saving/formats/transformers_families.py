"""The families of KerasHub's decoders that transformers has: names of weights there, and `config.json`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from lamina.errors import ConfigError

__all__ = ["FAMILIES", "Family"]


class Family(NamedTuple):
    """How a family of models is stored.

    Attributes:
        architecture: Name of the class in transformers.
        block: Prefix of the weights of a layer.
        names: Path of a layer -> name there, which ".weight" or ".bias" follows, or nothing after "=". "name:1" is the
            second part of a fused weight; "name+2" has two rows before those here; "{}" is the number of an expert,
            whose weight is a row of the one here; "one|two" are the halves of its outputs.
        config: Function of the backbone that makes `config.json`.
        transposed: Whether a kernel is stored as (outputs, inputs).
        heads: Attribute of the backbone with the number of heads, where query, key and value are fused head by head.
        holds: Whether the family stores this backbone, by its settings.
    """

    architecture: str
    block: str
    names: Mapping[str, str]
    config: Callable[[Any], dict[str, Any]]
    transposed: bool = True
    heads: str = ""
    holds: Callable[[Any], bool] = lambda backbone: True


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


def _gemma2(backbone, **more):
    """Gemma 2, in which every other layer has a window; `more` are those of Gemma 3."""
    scale = backbone.head_dim if backbone.query_head_dim_normalize else backbone.hidden_dim // backbone.num_query_heads
    window = backbone.use_sliding_window_attention
    kinds = [window and place % 2 == 0 for place in range(backbone.num_layers)]
    return _gemma(backbone, **{
        "model_type": "gemma2", "query_pre_attn_scalar": scale, "sliding_window": backbone.sliding_window_size,
        "final_logit_softcapping": backbone.final_logit_soft_cap,
        "attn_logit_softcapping": backbone.attention_logit_soft_cap, "layer_types": _kinds(kinds), **more,
    })  # fmt: skip


def _gemma3(backbone):
    def rope(theta, factor):
        return {
            "rope_theta": theta,
            "rope_type": "default",
            **({"rope_type": "linear", "factor": factor} if factor != 1.0 else {}),
        }

    window = backbone.use_sliding_window_attention
    whole, near = rope(1e6, backbone.global_rope_scaling_factor), rope(1e4, backbone.local_rope_scaling_factor)
    return _gemma2(
        backbone, model_type="gemma3_text", intermediate_size=backbone.intermediate_dim, rope_theta=1e6,
        rope_local_base_freq=1e4, rope_parameters={"full_attention": whole, "sliding_attention": near},
        layer_types=_kinds([window and place % 6 < 5 for place in range(backbone.num_layers)]),
    )  # fmt: skip


def _kinds(has_window):
    return ["sliding_attention" if window else "full_attention" for window in has_window]


def _experts(backbone, **more):
    """Llama's, with experts."""
    window = getattr(backbone, "sliding_window", None)
    return _llama(backbone, **{
        "num_experts": backbone.num_experts, "num_local_experts": backbone.num_experts,
        "num_experts_per_tok": backbone.top_k, "sliding_window": window,
        "router_aux_loss_coef": getattr(backbone, "router_aux_loss_coefficient", 0.001), **more,
    })  # fmt: skip


def _qwen_moe(backbone, **more):
    paths = "\n".join(weight.path for weight in backbone.weights)
    plain = [n for n in range(backbone.num_layers) if not re.search(rf"transformer_layer_{n}/.*/experts/", paths)]
    return _experts(backbone, **{
        "moe_intermediate_size": backbone.moe_intermediate_dim, "norm_topk_prob": backbone.norm_top_k_prob,
        "decoder_sparse_step": 1, "mlp_only_layers": plain, **more,
    })  # fmt: skip


def _qwen2_moe(backbone):
    window = backbone.sliding_window_size if backbone.use_sliding_window_attention else None
    return _qwen_moe(
        backbone, model_type="qwen2_moe", shared_expert_intermediate_size=backbone.shared_expert_intermediate_dim,
        use_sliding_window=window is not None, sliding_window=window,
        max_window_layers=0 if window else backbone.num_layers,
    )  # fmt: skip


def _qwen3_moe(backbone):
    return _qwen_moe(backbone, model_type="qwen3_moe", sliding_window=backbone.sliding_window_size,
                     use_sliding_window=True)  # fmt: skip


def _gpt_oss(backbone):
    theta, factor = backbone.rope_max_wavelength, backbone.rope_scaling_factor
    rope = {"rope_type": "yarn", "factor": factor, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": False,
            "original_max_position_embeddings": 4096, "rope_theta": theta}  # fmt: skip
    kinds = [place % 2 == 1 for place in range(backbone.num_layers)]  # of KerasHub, whose window has one more place
    return _experts(backbone, model_type="gpt_oss", attention_bias=True, sliding_window=backbone.sliding_window + 1,
                    layer_types=_kinds(kinds), max_position_embeddings=131072, rope_theta=theta, rope_parameters=rope,
                    rope_scaling=rope)  # fmt: skip


def _falcon(backbone):
    return {
        "model_type": "falcon", "vocab_size": backbone.vocabulary_size, "hidden_size": backbone.hidden_dim,
        "num_hidden_layers": backbone.num_layers, "num_attention_heads": backbone.num_attention_heads,
        "ffn_hidden_size": backbone.intermediate_dim, "layer_norm_epsilon": backbone.layer_norm_epsilon,
        "alibi": True, "bias": True, "multi_query": False, "parallel_attn": False, "new_decoder_architecture": False,
        "activation": "gelu",
    }  # fmt: skip


def _opt(backbone):
    return {
        "model_type": "opt", "vocab_size": backbone.vocabulary_size, "hidden_size": backbone.hidden_dim,
        "word_embed_proj_dim": backbone.hidden_dim, "ffn_dim": backbone.intermediate_dim,
        "num_hidden_layers": backbone.num_layers, "num_attention_heads": backbone.num_heads,
        "max_position_embeddings": backbone.max_sequence_length, "activation_function": "relu",
        "do_layer_norm_before": True, "dropout": backbone.dropout,
    }  # fmt: skip


def _bloom(backbone):
    return {
        "model_type": "bloom", "vocab_size": backbone.vocabulary_size, "hidden_size": backbone.hidden_dim,
        "n_layer": backbone.num_layers, "n_head": backbone.num_heads, "hidden_dropout": backbone.dropout,
        "layer_norm_epsilon": backbone.layer_norm_epsilon,
    }  # fmt: skip


def _gpt_neo_x(backbone):
    rope = {"rope_type": "default", "rope_theta": float(backbone.rotary_max_wavelength),
            "partial_rotary_factor": backbone.rotary_percentage}  # fmt: skip
    return {
        "model_type": "gpt_neox", "vocab_size": backbone.vocabulary_size, "hidden_size": backbone.hidden_dim,
        "intermediate_size": backbone.intermediate_dim, "num_hidden_layers": backbone.num_layers,
        "num_attention_heads": backbone.num_heads, "hidden_act": "gelu_new", "use_parallel_residual": True,
        "layer_norm_eps": backbone.layer_norm_epsilon, "max_position_embeddings": backbone.max_sequence_length,
        "rotary_pct": backbone.rotary_percentage, "rotary_emb_base": backbone.rotary_max_wavelength,
        "rope_parameters": rope,
    }  # fmt: skip


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
GEMMA2 = {
    **GEMMA, "post_attention_norm": "post_attention_layernorm", "pre_ffw_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}  # fmt: skip
MIXTRAL = {
    **LLAMA, "sparse_feedforward_gate_dense": "block_sparse_moe.gate",
    "experts/expert_feedforward_gate_dense": "block_sparse_moe.experts.{}.w1",
    "experts/expert_feedforward_intermediate_dense": "block_sparse_moe.experts.{}.w3",
    "experts/expert_feedforward_output_dense": "block_sparse_moe.experts.{}.w2",
}  # fmt: skip
QWEN_MOE = {
    **LLAMA, "sparse_feedforward_gate_dense": "mlp.gate", "shared_expert_gate_dense": "mlp.shared_expert_gate",
    "experts/expert_feedforward_gate_dense": "mlp.experts.{}.gate_proj|mlp.experts.{}.up_proj",
    "experts/expert_feedforward_output_dense": "mlp.experts.{}.down_proj",
    **{f"shared_expert_dense/{path}": name.replace("mlp", "mlp.shared_expert") for path, name in _MLP.items()},
}  # fmt: skip
GPT_OSS = {
    **LLAMA, "input_layernorm": "input_layernorm", "post_attention_layernorm": "post_attention_layernorm",
    "router/router_dense": "mlp.router", "self_attention/sinks": "self_attn.sinks=",
    **{f"experts/{name}": f"mlp.experts.{name}=" for name in
       ("gate_up_proj", "gate_up_proj_bias", "down_proj", "down_proj_bias")},
}  # fmt: skip
FALCON = {
    "token_embedding": "transformer.word_embeddings", "final_layernorm": "transformer.ln_f",
    **{f"attention/{path}": f"self_attention.query_key_value:{part}"
       for part, path in enumerate(("query_dense", "key_dense", "value_dense"))},
    "attention/output_dense": "self_attention.dense", "input_layernorm": "input_layernorm",
    "post_attention_layernorm": "post_attention_layernorm", "dense_h_to_4h": "mlp.dense_h_to_4h",
    "dense_4h_to_h": "mlp.dense_4h_to_h",
}  # fmt: skip
BLOOM = {
    **{path.replace("attention/", "self_attention/"): name for path, name in FALCON.items()},
    "embedding_layernorm": "transformer.word_embeddings_layernorm", "pre_attention_layernorm": "input_layernorm",
    "mlp_intermediate_dense": "mlp.dense_h_to_4h", "mlp_output_dense": "mlp.dense_4h_to_h",
}  # fmt: skip
OPT = {
    "embeddings/token_embedding": "model.decoder.embed_tokens",
    "embeddings/position_embedding": "model.decoder.embed_positions+2", "layer_norm": "model.decoder.final_layer_norm",
    **{f"self_attention/{path}": name.replace("o_proj", "out_proj") for path, name in _ATTENTION.items()},
    "self_attention_layer_norm": "self_attn_layer_norm", "feedforward_layer_norm": "final_layer_norm",
    "feedforward_intermediate_dense": "fc1", "feedforward_output_dense": "fc2",
}  # fmt: skip
GPT_NEO_X = {
    "token_embedding": "gpt_neox.embed_in", "layer_norm": "gpt_neox.final_layer_norm",
    "self_attention/query_key_value": "attention.query_key_value",
    "self_attention/attention_output": "attention.dense", "self_attention_layer_norm": "input_layernorm",
    "feedforward_layer_norm": "post_attention_layernorm", "feedforward_intermediate_dense": "mlp.dense_h_to_4h",
    "feedforward_output_dense": "mlp.dense_4h_to_h",
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
    "GPT2Backbone": [Family("GPT2LMHeadModel", "transformer.h", GPT2, _gpt2, transposed=False)],
    "LlamaBackbone": [Family("LlamaForCausalLM", "model.layers", LLAMA, lambda b: _llama(b, model_type="llama"))],
    "Llama3Backbone": [Family("LlamaForCausalLM", "model.layers", LLAMA, lambda b: _llama(b, model_type="llama"))],
    "MistralBackbone": [Family("MistralForCausalLM", "model.layers", LLAMA, _mistral)],
    "MixtralBackbone": [Family("MixtralForCausalLM", "model.layers", MIXTRAL,
                               lambda b: _experts(b, model_type="mixtral"))],
    "QwenBackbone": [Family("Qwen2ForCausalLM", "model.layers", LLAMA, _qwen2)],
    "QwenMoeBackbone": [Family("Qwen2MoeForCausalLM", "model.layers", QWEN_MOE, _qwen2_moe)],
    "Qwen3Backbone": [Family("Qwen3ForCausalLM", "model.layers", LLAMA, lambda b: _llama(b, model_type="qwen3"))],
    "Qwen3MoeBackbone": [Family("Qwen3MoeForCausalLM", "model.layers", QWEN_MOE, _qwen3_moe)],
    "GemmaBackbone": [
        Family("GemmaForCausalLM", "model.layers", GEMMA, lambda b: _gemma(b, model_type="gemma"),
               holds=lambda b: not (b.use_post_ffw_norm or b.use_post_attention_norm)),
        Family("Gemma2ForCausalLM", "model.layers", GEMMA2, _gemma2,
               holds=lambda b: b.use_post_ffw_norm and b.use_post_attention_norm),
    ],
    "Gemma3Backbone": [Family("Gemma3ForCausalLM", "model.layers", GEMMA2, _gemma3, holds=lambda b: (
        b.use_post_ffw_norm and b.use_post_attention_norm and b.use_query_key_norm and b.vision_encoder is None
        and not (b.is_embedding_model or b.use_bidirectional_attention)))],
    "Phi3Backbone": [Family("Phi3ForCausalLM", "model.layers", PHI3, lambda b: _llama(b, model_type="phi3"))],
    "GptOssBackbone": [Family("GptOssForCausalLM", "model.layers", GPT_OSS, _gpt_oss)],
    "FalconBackbone": [Family("FalconForCausalLM", "transformer.h", FALCON, _falcon, heads="num_attention_heads")],
    "BloomBackbone": [Family("BloomForCausalLM", "transformer.h", BLOOM, _bloom, heads="num_heads",
                             holds=lambda b: b.intermediate_dim == 4 * b.hidden_dim)],
    "OPTBackbone": [Family("OPTForCausalLM", "model.decoder.layers", OPT, _opt)],
    "GPTNeoXBackbone": [Family("GPTNeoXForCausalLM", "gpt_neox.layers", GPT_NEO_X, _gpt_neo_x)],
}  # fmt: skip
