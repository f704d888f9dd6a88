"""Several inputs, several outputs

A support ticket has a text and a customer; the model says how urgent it is and which department should answer. One
model learns both, from a shared part.
"""

import numpy as np

import lamina as keras
from lamina import layers

rng = np.random.default_rng(0)
words = rng.integers(1, 100, (2000, 12))
customer = rng.normal(size=(2000, 4)).astype("float32")
department = words[:, :3].sum(axis=1) % 3
urgent = ((words < 20).sum(axis=1) + customer[:, 0] > 2.5).astype("float32")

keras.utils.set_random_seed(0)
text_input = keras.Input((12,), dtype="int32", name="words")
customer_input = keras.Input((4,), name="customer")
read = layers.GlobalAveragePooling1D()(layers.Embedding(100, 16)(text_input))
shared = layers.Dense(32, activation="relu")(layers.Concatenate()([read, customer_input]))
outputs = {
    "urgent": layers.Dense(1, activation="sigmoid", name="urgent")(shared),
    "department": layers.Dense(3, activation="softmax", name="department")(shared),
}
model = keras.Model({"words": text_input, "customer": customer_input}, outputs)
keras.utils.model_to_dot(model, show_shapes=True)

# %%
# Losses, their weights, metrics and targets are dicts by the names of the outputs.

model.compile(
    keras.optimizers.Adam(0.005),
    loss={"urgent": "binary_crossentropy", "department": "sparse_categorical_crossentropy"},
    loss_weights={"urgent": 1.0, "department": 0.2},
    metrics={"urgent": ["accuracy"]},
)
history = model.fit(
    {"words": words, "customer": customer},
    {"urgent": urgent, "department": department},
    epochs=15,
    validation_split=0.2,
    verbose=0,
)
history.plot()
