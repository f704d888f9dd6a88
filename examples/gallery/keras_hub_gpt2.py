"""KerasHub: a GPT-2 with LoRA on int8 weights

The models of KerasHub run on lamina. Its wheel asks for TensorFlow, which the models do not need on JAX, so install it
without: `pip install --no-deps keras-hub kagglehub kagglesdk` and `pip install regex sentencepiece tokenizers`.
"""

import itertools
import tempfile
import time

import lamina

keras = lamina.as_keras()

import keras_hub  # noqa: E402  # pyright: ignore[reportMissingImports]

# %%
# A tokenizer on a vocabulary of its own: letters, and the pairs that the text has most often, joined again and again.

animals, places = ("cat", "dog", "bird", "mouse"), ("mat", "log", "bed", "box")
text = [f"the {animal} sat on the {place}" for animal in animals for place in places]

words = [list(word) for line in text for word in line.replace(" ", " Ġ").split()]
pieces, merges = ["<pad>", "<|endoftext|>", *sorted({letter for word in words for letter in word})], []
for _ in range(40):
    pairs = [pair for word in words for pair in itertools.pairwise(word)]
    if not pairs:
        break
    first, second = max(sorted(set(pairs)), key=pairs.count)
    merges.append(f"{first} {second}")
    pieces.append(first + second)
    for word in words:
        for place in range(len(word) - 1, 0, -1):
            if word[place - 1 : place + 1] == [first, second]:
                word[place - 1 : place + 1] = [first + second]

tokenizer = keras_hub.models.GPT2Tokenizer({piece: number for number, piece in enumerate(pieces)}, merges)
print(tokenizer("the cat sat on the mat"), tokenizer.detokenize(tokenizer("the cat sat on the mat")))

# %%
# A small GPT-2 from a config, trained on the text.

keras.utils.set_random_seed(0)
model = keras_hub.models.GPT2CausalLM(
    backbone=keras_hub.models.GPT2Backbone(
        vocabulary_size=len(pieces), num_layers=2, num_heads=4, hidden_dim=64, intermediate_dim=128,
        max_sequence_length=32, dropout=0.0,
    ),
    preprocessor=keras_hub.models.GPT2CausalLMPreprocessor(tokenizer, sequence_length=16),
)  # fmt: skip
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.003), loss, sampler="greedy")
history = model.fit(text, batch_size=16, epochs=60, verbose=0)
print(f"loss {history.history['loss'][0]:.3f} -> {history.history['loss'][-1]:.3f}")
model.generate(["the cat", "the bird sat"], max_length=16)

# %%
# Its weights become int8, and LoRA trains thin matrices beside them on another text.

model.quantize("int8")
model.backbone.enable_lora(rank=4)
trained = sum(variable.value.size for variable in model.trainable_variables)
print(f"{trained:,} of {model.count_params():,} weights are trained")
model.compile(keras.optimizers.Adam(0.01), loss, sampler="greedy")
model.fit([f"the {animal} sat on the box" for animal in animals] * 4, batch_size=16, epochs=30, verbose=0)
model.generate(["the cat", "the mouse sat"], max_length=16)

# %%
# A sampler draws other tokens. With the cache of keys and values each new token costs one token's work.

model.compile(sampler=keras_hub.samplers.TopKSampler(k=3, seed=1))
model.generate(["the dog"] * 2, max_length=16)

# %%
model.compile(sampler="greedy")
model.generate(["the"] * 8, max_length=16, stop_token_ids=None)  # compiles
start = time.perf_counter()
model.generate(["the"] * 8, max_length=16, stop_token_ids=None)
print(f"{8 * 14 / (time.perf_counter() - start):,.0f} tokens a second")

# %%
# A preset folder has the config, the weights and the vocabulary.

with tempfile.TemporaryDirectory() as folder:
    model.save_to_preset(folder)
    again = keras_hub.models.CausalLM.from_preset(folder)
again.compile(sampler="greedy")
again.generate("the cat", max_length=16)
