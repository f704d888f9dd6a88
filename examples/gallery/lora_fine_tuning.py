"""Fine-tune with few weights: LoRA

LoRA freezes a kernel and trains two thin matrices beside it, whose product is added (Hu et al., 2021). Here a network
that reads digits learns to read them in white on black.
"""

import numpy as np

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = x_train.reshape(-1, 64) / 16, x_test.reshape(-1, 64) / 16

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((64,)),
        layers.Dense(256, activation="relu", name="first"),
        layers.Dense(256, activation="relu", name="second"),
        layers.Dense(10, activation="softmax", name="classes"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=10, verbose=0)
print(f"as trained:       {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
print(f"inverted digits:  {model.evaluate(1 - x_test, y_test, verbose=0)[1]:.3f}")

# %%
# With rank 4 only a small part of the weights is trained.

for name in ("first", "second"):
    model.get_layer(name).enable_lora(rank=4)
trained = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
print(f"{trained:,} of {model.count_params():,} weights are trained")
model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(1 - x_train, y_train, epochs=12, validation_data=(1 - x_test, y_test), verbose=0)
history.plot()

# %%
# A file has the sum, as one kernel, and loads like any other.

model.save("inverted.keras")
again = keras.models.load_model("inverted.keras")
f"{again.evaluate(1 - x_test, y_test, verbose=0)[1]:.3f}"
