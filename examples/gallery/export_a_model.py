"""Export a model

`save` keeps a model to go on with; `export` writes a program that computes its predictions without the code that made
it, and without lamina: a file of `jax.export`.
"""

import pathlib

import jax
import numpy as np

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((8, 8)),
        layers.Rescaling(1 / 16),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=8, verbose=0)

model.save("digits.keras")
model.save_weights("digits.weights.h5")
model.export("digits_jax", format="jax", verbose=False)
for path in ("digits.keras", "digits.weights.h5", "digits_jax/serve.jax"):
    print(f"{path:22} {pathlib.Path(path).stat().st_size / 1024:6.1f} KiB")

# %%
# Reading it needs JAX alone, and takes batches of any size.

program = jax.export.deserialize(bytearray(pathlib.Path("digits_jax/serve.jax").read_bytes()))
answers = program.call(x_test.astype("float32"))
float(np.abs(np.asarray(answers) - model.predict(x_test, verbose=0)).max())

# %%
history.plot()
