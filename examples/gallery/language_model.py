"""Attention: a small language model

A transformer predicts the next letter from those before it. The causal mask keeps it from looking ahead. The text is
a few sentences of this program, so that it trains in seconds.
"""

import numpy as np

import lamina as keras
from lamina import layers

TEXT = """a layer is a function with weights. a model is a graph of layers. a loss says how wrong the model is.
the gradient says how each weight should change. an optimizer changes the weights. an epoch is one pass over the data.
a batch is a part of the data. a metric says how good the model is. dropout hides a part of the outputs. """

letters = sorted(set(TEXT))
codes = np.array([letters.index(letter) for letter in TEXT])
length = 32
starts = np.arange(len(codes) - length)
x = np.stack([codes[start : start + length] for start in starts])
y = np.stack([codes[start + 1 : start + length + 1] for start in starts])
print(x.shape, len(letters), "letters")

# %%
# The block has attention, which mixes positions, and two Dense layers, which mix features; both are added to what
# came in.

width = 48
keras.utils.set_random_seed(0)
tokens = keras.Input((length,), dtype="int32")
places = keras.ops.cumsum(keras.ops.ones_like(tokens), axis=1) - 1  # 0, 1, 2, ...
stream = layers.Embedding(len(letters), width)(tokens) + layers.Embedding(length, width)(places)
normalized = layers.LayerNormalization()(stream)
stream = stream + layers.MultiHeadAttention(4, width // 4)(normalized, normalized, use_causal_mask=True)
hidden = layers.Dense(4 * width, activation="gelu")(layers.LayerNormalization()(stream))
stream = stream + layers.Dense(width)(hidden)
model = keras.Model(tokens, layers.Dense(len(letters))(layers.LayerNormalization()(stream)))
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
history = model.fit(x, y, batch_size=32, epochs=40, verbose=0)
history.plot()

# %%
# Write on from the first words, always with the most probable letter. It knows its text by heart, as it should after
# so many passes over so little text.

written = list(codes[:length])
for _ in range(120):
    scores = model.predict(np.array([written[-length:]]), verbose=0)[0, -1]
    written.append(int(scores.argmax()))
print("".join(letters[code] for code in written))
