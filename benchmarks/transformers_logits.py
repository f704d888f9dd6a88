"""Whether transformers computes the logits of KerasHub's decoders from the folders that lamina writes.

    python benchmarks/transformers_logits.py write FOLDER     with lamina and keras-hub
    python benchmarks/transformers_logits.py check FOLDER     with torch and transformers, in any environment

Each family has random weights; `check` prints the largest difference as a part of the largest logit, and writes it into
differences.json. tests/packages/test_transformers.py runs both.
FAMILIES="Gemma3 OPT" in the environment takes these alone.
"""

import json
import os
import pathlib
import sys

import numpy as np

SIZES = dict(vocabulary_size=32, num_layers=2, hidden_dim=16, intermediate_dim=24)
GROUPED = dict(SIZES, num_query_heads=4, num_key_value_heads=2)
FAMILIES = {
    "GPT2": dict(SIZES, num_heads=4, intermediate_dim=64, max_sequence_length=12, dropout=0.0),
    "Llama": GROUPED,
    "Llama3": GROUPED,
    "Mistral": dict(GROUPED, sliding_window=8),
    "Mixtral": dict(GROUPED, num_experts=4, top_k=2, sliding_window=8),
    "Gemma": dict(GROUPED, head_dim=4, intermediate_dim=48),
    "Gemma2": dict(
        GROUPED, head_dim=4, intermediate_dim=48, use_post_ffw_norm=True, use_post_attention_norm=True,
        final_logit_soft_cap=3.0, attention_logit_soft_cap=5.0, sliding_window_size=4,
        use_sliding_window_attention=True, query_head_dim_normalize=False,
    ),
    "Gemma3": dict(
        GROUPED, num_layers=7, head_dim=4, image_size=None, use_post_ffw_norm=True, use_post_attention_norm=True,
        sliding_window_size=4, use_sliding_window_attention=True, global_rope_scaling_factor=8.0,
    ),
    "Qwen": GROUPED,
    "QwenMoe": dict(
        GROUPED, moe_intermediate_dim=12, shared_expert_intermediate_dim=20, num_experts=4, top_k=2,
        mlp_only_layers=[1],
    ),
    "Qwen3": dict(GROUPED, head_dim=4),
    "Qwen3Moe": dict(GROUPED, head_dim=4, moe_intermediate_dim=12, num_experts=4, top_k=2, norm_top_k_prob=True),
    "Phi3": GROUPED,
    "GptOss": dict(GROUPED, num_experts=4, top_k=2, head_dim=4, sliding_window=4, rope_scaling_factor=32.0),
    "Falcon": dict(vocabulary_size=32, num_layers=2, num_attention_heads=4, hidden_dim=16, intermediate_dim=48),
    "OPT": dict(SIZES, num_heads=4, max_sequence_length=12, dropout=0.0),
    "Bloom": dict(SIZES, num_heads=4, intermediate_dim=64),
    "GPTNeoX": dict(SIZES, num_heads=4, max_sequence_length=12, rotary_percentage=0.5),
}  # fmt: skip


def write(folder):
    import lamina

    lamina.as_keras()
    import keras_hub  # pyright: ignore[reportMissingImports]

    generator = np.random.default_rng(0)
    ids = generator.integers(1, 32, (2, 9))
    inputs = {"token_ids": ids, "padding_mask": np.ones_like(ids)}
    for name in os.environ.get("FAMILIES", " ".join(FAMILIES)).split():
        arguments = FAMILIES[name]
        stem = "Gemma" if name == "Gemma2" else name
        backbone = getattr(keras_hub.models, f"{stem}Backbone")(**arguments)
        for variable in backbone.weights:
            middle = variable.path.endswith(("gamma", "scale")) and not name.startswith("Gemma")
            if variable.trainable:
                variable.assign(generator.normal(size=variable.shape) * 0.3 + middle)
        model = getattr(keras_hub.models, f"{stem}CausalLM")(backbone=backbone, preprocessor=None)
        try:
            print(model.export(folder / name, format="huggingface", verbose=False, verify=False))
            np.savez(folder / name / "logits.npz", ids=ids, logits=model.predict(inputs, verbose=0))
        except Exception as error:
            print(f"{name}: {type(error).__name__} {error}")


def check(folder):
    import torch  # pyright: ignore[reportMissingImports]
    import transformers  # pyright: ignore[reportMissingImports]

    found = {}
    for name in os.environ.get("FAMILIES", " ".join(FAMILIES)).split():
        if not (folder / name / "logits.npz").exists():
            continue  # `write` said why
        data = np.load(folder / name / "logits.npz")
        attention = "sdpa" if name == "Falcon" else "eager"  # its eager attention adds ALiBi's numbers twice
        model = transformers.AutoModelForCausalLM.from_pretrained(folder / name, attn_implementation=attention).eval()
        with torch.no_grad():
            logits = model(torch.tensor(data["ids"])).logits.numpy()
        found[name] = float(np.abs(logits - data["logits"]).max() / np.abs(data["logits"]).max())
        print(f"{name:8} {type(model).__name__:20} {found[name]:.1e}")
    (folder / "differences.json").write_text(json.dumps(found))


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](pathlib.Path(sys.argv[2]))
