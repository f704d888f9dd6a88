"""KerasHub's models from small configs with fixed weights: `keras_hub_program.py (lamina|keras) RESULT.json`.

Run by both libraries, on JAX; what it computed goes into the result as lists of numbers and text.
"""

import importlib
import json
import pathlib
import sys
import tempfile
from typing import Any

if __name__ == "__main__" and sys.argv[1] == "lamina":
    import lamina

    lamina.as_keras()
import keras
import numpy as np

keras_hub: Any = importlib.import_module("keras_hub") if __name__ == "__main__" else None
M: Any = getattr(keras_hub, "models", None)
RNG = np.random.default_rng(0)
WORDS, TIME = 12, 6
TEXT = ["the cat sat", "the dog sat", "a cat ran", "a dog ran"] * 2
IDS = {"token_ids": RNG.integers(1, WORDS, (2, TIME)), "padding_mask": np.array([[1] * TIME, [1] * 4 + [0] * 2])}
SEGMENTS = {**IDS, "segment_ids": np.zeros((2, TIME), int)}
SPEECH = {"encoder_features": RNG.normal(size=(2, 8, 4)), **{f"decoder_{name}": ids for name, ids in IDS.items()}}
SMALL = dict(vocabulary_size=WORDS, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16, dropout=0.0)
GROUPED = dict(vocabulary_size=WORDS, num_layers=1, num_query_heads=4, num_key_value_heads=2, hidden_dim=8,
               intermediate_dim=16, head_dim=4)  # fmt: skip
BACKBONES = {
    "BertBackbone": (dict(SMALL, max_sequence_length=TIME), SEGMENTS),  # attention called by keywords
    "DebertaV3Backbone": (dict(SMALL, max_sequence_length=TIME, bucket_size=4), IDS),  # a layer without `build`
    "WhisperBackbone": (
        dict(SMALL, num_mels=4, max_encoder_sequence_length=8, max_decoder_sequence_length=TIME),
        SPEECH,
    ),
    "XLNetBackbone": (SMALL, SEGMENTS),  # attention that builds and computes by steps of its base
    "GemmaBackbone": (GROUPED, IDS),
}


def fill(model):
    """Weights that depend on their place and shape only."""
    for place, variable in enumerate(model.weights):
        if str(variable.dtype) == "float32":
            values = np.random.default_rng(place).normal(size=tuple(variable.shape)) * 0.2
            variable.assign(values + ("scale" in variable.path or "gamma" in variable.path))


def numbers(outputs):
    return [np.asarray(one, "float64").ravel().tolist() for one in keras.tree.flatten(outputs)]


def backbone(name):
    """The paths of its weights, outputs, and the same from its preset folder and its config."""
    arguments, inputs = BACKBONES[name]
    model = getattr(M, name)(**arguments)
    fill(model)
    outputs = numbers(model(inputs))
    with tempfile.TemporaryDirectory() as folder:
        model.save_to_preset(folder)
        again = M.Backbone.from_preset(folder)
    difference = max(np.abs(np.subtract(a, b)).max() for a, b in zip(outputs, numbers(again(inputs)), strict=True))
    twin = type(model).from_config(model.get_config())
    return {
        "weights": [[variable.path, list(variable.shape)] for variable in model.weights],
        "outputs": outputs,
        "loads": type(again) is type(model) and bool(difference < 1e-6),
        "config": [list(variable.shape) for variable in twin.weights] == [list(v.shape) for v in model.weights],
    }


def tokenizer():
    """GPT-2's, on the words of TEXT."""
    letters = sorted({letter for line in TEXT for letter in line.replace(" ", "Ġ")})
    pairs = "t h,th e,a t,Ġ c,Ġc at,Ġ s,Ġs at,Ġ r,Ġ d".split(",")
    pieces = ["!", "<|endoftext|>", *letters, *(pair.replace(" ", "") for pair in pairs)]
    return M.GPT2Tokenizer({piece: number for number, piece in enumerate(pieces)}, pairs)


def language_model():
    """A GPT-2 trained on text, then by LoRA on int8 weights; what it generates, before and after it was saved."""
    keras.utils.set_random_seed(0)
    words, found = tokenizer(), {}
    found["tokens"] = [words(TEXT[0]).tolist(), words.detokenize(words(TEXT[0]))]
    model = M.GPT2CausalLM(
        backbone=M.GPT2Backbone(words.vocabulary_size(), 1, 2, 16, 32, dropout=0.0, max_sequence_length=16),
        preprocessor=M.GPT2CausalLMPreprocessor(words, sequence_length=16),
    )
    fill(model)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, sampler="greedy")
    found["losses"] = model.fit(TEXT, batch_size=8, epochs=20, verbose=0).history["loss"]
    found["generated"] = model.generate(["the cat", "a"], max_length=14)
    for sampler in ("top_k", "beam"):
        model.compile(sampler=sampler)
        found[sampler] = isinstance(model.generate("the", max_length=8), str)
    model.quantize("int8")
    model.backbone.enable_lora(2)
    found["trained"] = sorted({variable.path.rsplit("/", 1)[-1] for variable in model.trainable_weights})
    model.compile(keras.optimizers.Adam(0.01), loss, sampler="greedy")
    found["lora"] = model.fit(["a dog sat"] * 8, batch_size=8, epochs=20, verbose=0).history["loss"]
    inputs = {"token_ids": np.arange(6)[None], "padding_mask": np.ones((1, 6), int)}
    with tempfile.TemporaryDirectory() as folder:
        model.save_to_preset(folder)
        found["files"] = sorted(path.name for path in pathlib.Path(folder).iterdir())
        again = M.CausalLM.from_preset(folder)
    # A preset holds the kernels with LoRA's part added and quantized again: each code may be off by half a step.
    before, after = np.asarray(model(inputs)), np.asarray(again(inputs))
    found["again"] = float(np.abs(before - after).max() / np.abs(before).max())
    again.compile(sampler="greedy")
    found["said"] = again.generate(["a dog", "the"], max_length=14)
    found["types"] = sorted({str(variable.dtype) for variable in again.weights})
    return found


def metrics():
    """Metrics and layers that need no tokenizer."""
    perplexity = keras_hub.metrics.Perplexity(from_logits=True, mask_token_id=0)
    perplexity.update_state(np.array([[1, 2, 0]]), np.arange(9.0, dtype="float32").reshape(1, 3, 3) ** 0.5)
    x = np.random.default_rng(1).normal(size=(2, 4, 6)).astype("float32")
    layers = [
        keras_hub.layers.TransformerEncoder(8, 2), keras_hub.layers.TransformerDecoder(8, 2),
        keras_hub.layers.FNetEncoder(8), keras_hub.layers.PositionEmbedding(4), keras_hub.layers.RotaryEmbedding(),
        keras_hub.layers.SinePositionEncoding(), keras_hub.layers.CachedMultiHeadAttention(2, 3),
    ]  # fmt: skip
    outputs = []
    for layer in layers:
        inputs = (x, x) if "Attention" in type(layer).__name__ else (x,)
        layer(*inputs)
        fill(layer)
        outputs += numbers(layer(*inputs))
    return {"perplexity": float(perplexity.result()), "outputs": outputs}


if __name__ == "__main__":
    result = {"model": language_model(), "layers": metrics(), **{name: backbone(name) for name in BACKBONES}}
    pathlib.Path(sys.argv[2]).write_text(json.dumps(result))
