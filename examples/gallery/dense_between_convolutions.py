"""A Dense layer between convolutions

Dense works on the last axis alone. After a Conv1D it therefore mixes the channels at each position, and does not look
at the neighbours: it is a convolution with a window of 1.
"""

import numpy as np

import lamina as keras
from lamina import layers

keras.utils.set_random_seed(0)
signal = np.random.default_rng(0).normal(size=(1, 20, 8)).astype("float32")
dense, convolution = layers.Dense(4), layers.Conv1D(4, kernel_size=1)
by_dense = dense(signal)
convolution.build(signal.shape)
convolution.set_weights([dense.get_weights()[0][None], dense.get_weights()[1]])
print(by_dense.shape, "largest difference:", float(np.abs(np.asarray(by_dense - convolution(signal))).max()))

# %%
# `explain` says it of a model, and `check` mentions it, in case that was not meant.

model = keras.Sequential(
    [
        keras.Input((20, 1)),
        layers.Conv1D(16, 5, activation="relu", padding="same"),
        layers.Dense(32, activation="relu", name="dense_between"),
        layers.Conv1D(16, 3, activation="relu", padding="same"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(2, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
print(model.explain("dense_between"))
model.check()

# %%
# To let a Dense layer see all positions, flatten first. The number of weights then grows with the length of the
# signal.

flat = keras.Sequential([keras.Input((20, 16)), layers.Flatten(), layers.Dense(32)])
flat.count_params(), keras.Sequential([keras.Input((20, 16)), layers.Dense(32)]).count_params()
