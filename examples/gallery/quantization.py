"""Eight bits for each weight: quantization

A trained model is stored and computed with small integers. Files shrink to about a quarter; this program measures
what that costs.
"""

import os

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = x_train.reshape(-1, 64) / 16, x_test.reshape(-1, 64) / 16


def trained():
    """A trained network; the same weights each time."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(512, activation="relu"),
            layers.Dense(512, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=6, verbose=0)
    return model


for mode in ("float32", "int8", "int4"):
    model = trained()
    if mode != "float32":
        model.quantize(mode)
        model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.save_weights("model.weights.h5")
    accuracy = model.evaluate(x_test, y_test, verbose=0)[1]
    print(f"{mode:8} test accuracy {accuracy:.4f}   file {os.path.getsize('model.weights.h5') / 1024:7.0f} KiB")

# %%
# What a layer holds now: eight-bit values of the kernel, one scale for each column, and the bias.

model = trained()
model.quantize("int8")
[(v.name, v.dtype, v.shape) for v in model.layers[0].variables]
