"""KerasHub's decoders by the names of transformers: each element of a weight has its place there, and comes back.

The backbones here have the weights and settings of KerasHub's, without its layers; the logits are compared by
tests/packages/test_transformers.py.
"""

import numpy as np
import pytest

from lamina.errors import ConfigError
from lamina.saving.formats.transformers_layout import config_for, family_of, load_transformers, tensors_for


class Weight:
    def __init__(self, path, *shape):
        self.path, self.shape, self.size, self.dtype = path, shape, int(np.prod(shape)), "float32"
        self.value = np.random.default_rng(len(path)).normal(size=shape).astype("float32")

    def numpy(self):
        return self.value

    def assign(self, value):
        assert value.shape == self.shape
        self.value = np.array(value)


def fake(name, weights, **settings):
    backbone = type(name, (), {"__module__": "keras_hub.models"})()
    backbone.name, backbone.weights = "backbone", [Weight(path, *shape) for path, shape in weights.items()]
    sizes = dict(vocabulary_size=9, hidden_dim=6, num_layers=2, intermediate_dim=8, head_dim=3, num_query_heads=2)
    vars(backbone).update(sizes, num_key_value_heads=2, layer_norm_epsilon=1e-6, **settings)
    return backbone


B, G, M = "transformer_layer_1/", "decoder_block_0/", "transformer_layer_1/mixtral_sparse_moe_block_1/"
GEMMA = {
    "token_embedding/embeddings": (9, 6), G + "post_attention_norm/scale": (6,), G + "pre_ffw_norm/scale": (6,),
    G + "post_ffw_norm/scale": (6,), G + "attention/query/kernel": (2, 6, 3),
    G + "attention/attention_output/kernel": (2, 3, 6), G + "ffw_gating_2/kernel": (6, 8),
}  # fmt: skip
WINDOW = dict(use_post_ffw_norm=True, use_post_attention_norm=True, sliding_window_size=4, final_logit_soft_cap=3.0,
              use_sliding_window_attention=True, attention_logit_soft_cap=None,
              query_head_dim_normalize=True)  # fmt: skip
BACKBONES = {
    "MixtralForCausalLM": lambda: fake(
        "MixtralBackbone",
        {M + "sparse_feedforward_gate_dense/kernel": (6, 4), M + "experts/expert_feedforward_gate_dense": (4, 6, 8),
         M + "experts/expert_feedforward_output_dense": (4, 8, 6), "token_embedding/reverse_embeddings": (6, 9)},
        num_experts=4, top_k=2, sliding_window=8, rope_max_wavelength=1e4),
    "Qwen2MoeForCausalLM": lambda: fake(
        "QwenMoeBackbone", {B + "qwen_sparse_moe_block/experts/expert_feedforward_gate_dense": (4, 6, 16),
                            B + "qwen_sparse_moe_block/shared_expert_dense/feedforward_gate_dense/kernel": (6, 5)},
        num_experts=4, top_k=2, moe_intermediate_dim=8, shared_expert_intermediate_dim=5, norm_top_k_prob=False,
        decoder_sparse_step=1, mlp_only_layers=[], use_sliding_window_attention=False, rope_max_wavelength=1e4),
    "BloomForCausalLM": lambda: fake(
        "BloomBackbone", {B + f"self_attention/{part}_dense/{kind}": (6, 2, 3) if kind == "kernel" else (2, 3)
                          for part in ("query", "key", "value") for kind in ("kernel", "bias")},
        num_heads=2, dropout=0.0) ,
    "OPTForCausalLM": lambda: fake(
        "OPTBackbone", {"embeddings/position_embedding/embeddings": (5, 6), B + "self_attention/query/bias": (2, 3)},
        num_heads=2, dropout=0.0, max_sequence_length=5),
    "GptOssForCausalLM": lambda: fake(
        "GptOssBackbone", {B + "self_attention/sinks": (2,), B + "sparse_moe_block/experts/down_proj_bias": (4, 6)},
        num_experts=4, top_k=2, sliding_window=4, rope_max_wavelength=1e4, rope_scaling_factor=32.0),
    "Gemma2ForCausalLM": lambda: fake("GemmaBackbone", GEMMA, **WINDOW),
    "Gemma3ForCausalLM": lambda: fake(
        "Gemma3Backbone", GEMMA, **WINDOW, use_query_key_norm=True, vision_encoder=None, is_embedding_model=False,
        use_bidirectional_attention=False, global_rope_scaling_factor=8.0, local_rope_scaling_factor=1.0),
}  # fmt: skip


@pytest.mark.parametrize("architecture", BACKBONES)
def test_each_element_comes_back(architecture):
    backbone = BACKBONES[architecture]()
    if architecture == "BloomForCausalLM":
        backbone.intermediate_dim = 24
    assert config_for(backbone)["architectures"] == [architecture] == [family_of(backbone).architecture]
    tensors, before = tensors_for(backbone), [weight.value for weight in backbone.weights]
    for weight in backbone.weights:
        weight.value = np.zeros(weight.shape, "float32")
    load_transformers(backbone, tensors)
    for weight, value in zip(backbone.weights, before, strict=True):
        np.testing.assert_array_equal(weight.value, value)


def test_experts_heads_and_rows():
    mixtral, qwen, bloom, opt, gemma = (
        BACKBONES[f"{name}ForCausalLM"]() for name in ("Mixtral", "Qwen2Moe", "Bloom", "OPT", "Gemma2")
    )
    tensors, (_, gate, *_) = tensors_for(mixtral), mixtral.weights
    np.testing.assert_array_equal(tensors["model.layers.1.block_sparse_moe.experts.3.w1.weight"], gate.value[3].T)
    both = qwen.weights[0].value[2]
    up = tensors_for(qwen)["model.layers.1.mlp.experts.2.up_proj.weight"]
    np.testing.assert_array_equal(up, both[:, 8:].T)
    bloom.intermediate_dim = 24
    tensors, key = tensors_for(bloom), bloom.weights[2].value  # query, key and value of the first head, then the second
    np.testing.assert_array_equal(tensors["transformer.h.1.self_attention.query_key_value.weight"][12:15], key[:, 1].T)
    assert tensors["transformer.h.1.self_attention.query_key_value.bias"].shape == (18,)
    rows = tensors_for(opt)["model.decoder.embed_positions.weight"]
    assert rows.shape == (7, 6) and not rows[:2].any()
    assert "model.layers.0.post_feedforward_layernorm.weight" in tensors_for(gemma)
    assert config_for(gemma)["layer_types"] == ["sliding_attention", "full_attention"]


def test_what_transformers_does_not_compute_has_no_family():
    bloom, gemma = BACKBONES["BloomForCausalLM"](), BACKBONES["Gemma2ForCausalLM"]()
    gemma.use_post_ffw_norm = False
    assert family_of(bloom) is None and family_of(gemma) is None
    opt = BACKBONES["OPTForCausalLM"]()
    opt.weights.append(Weight(B + "self_attention/query/lora_kernel_a", 6, 2))
    with pytest.raises(ConfigError, match="no place for the weight"):
        tensors_for(opt)
