"""Whether transformers computes the logits of KerasHub's decoders from the folders that lamina writes.

    python benchmarks/transformers_logits.py write FOLDER     with lamina and keras-hub
    python benchmarks/transformers_logits.py check FOLDER     with torch and transformers, in any environment

Each family has random weights; `check` prints the largest difference as a part of the largest logit.
"""

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
    "Gemma": dict(GROUPED, head_dim=4, intermediate_dim=48),
    "Qwen": GROUPED,
    "Qwen3": dict(GROUPED, head_dim=4),
    "Phi3": GROUPED,
}


def write(folder):
    import lamina

    lamina.as_keras()
    import keras_hub  # pyright: ignore[reportMissingImports]

    generator = np.random.default_rng(0)
    ids = generator.integers(1, 32, (2, 9))
    inputs = {"token_ids": ids, "padding_mask": np.ones_like(ids)}
    for name, arguments in FAMILIES.items():
        backbone = getattr(keras_hub.models, f"{name}Backbone")(**arguments)
        for variable in backbone.weights:
            middle = variable.path.endswith(("gamma", "scale")) and name != "Gemma"
            variable.assign(generator.normal(size=variable.shape) * 0.3 + middle)
        model = getattr(keras_hub.models, f"{name}CausalLM")(backbone=backbone, preprocessor=None)
        print(model.export(folder / name, format="huggingface", verbose=False, verify=inputs))
        np.savez(folder / name / "logits.npz", ids=ids, logits=model.predict(inputs, verbose=0))


def check(folder):
    import torch  # pyright: ignore[reportMissingImports]
    import transformers  # pyright: ignore[reportMissingImports]

    for name in FAMILIES:
        data = np.load(folder / name / "logits.npz")
        model = transformers.AutoModelForCausalLM.from_pretrained(folder / name, attn_implementation="eager").eval()
        with torch.no_grad():
            logits = model(torch.tensor(data["ids"])).logits.numpy()
        worst = np.abs(logits - data["logits"]).max() / np.abs(data["logits"]).max()
        print(f"{name:8} {type(model).__name__:20} {worst:.1e}")
        assert worst < 1e-4, name


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](pathlib.Path(sys.argv[2]))
