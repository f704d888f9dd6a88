"""What does a Dense layer compute?

A weighted sum of all inputs, plus a bias, for each unit. This program computes the same numbers by hand.
"""

import numpy as np

import lamina as keras

(x_train, y_train), _ = keras.datasets.iris.load_data()
x_train.shape

# %%
# `Dense(3)` has a kernel with one column for each unit, and one bias for each unit. Four measures of a flower go in,
# three numbers come out: 4 x 3 + 3 = 15 weights.

keras.utils.set_random_seed(0)
layer = keras.layers.Dense(3)
outputs = layer(x_train[:2])
print(layer.kernel.shape, layer.bias.shape, layer.count_params())
print(np.asarray(outputs))

# %%
# By hand: multiply the row by the kernel and add the bias.

by_hand = x_train[:2] @ np.asarray(layer.kernel) + np.asarray(layer.bias)
np.abs(by_hand - np.asarray(outputs)).max()

# %%
# An activation is applied to the sums. Without one, two Dense layers in a row are no more than one of them: a product
# of two matrices is a matrix. With `relu` between them, negative sums become 0, and the network can bend.

model = keras.Sequential(
    [
        keras.Input((4,)),
        keras.layers.Dense(8, activation="relu", name="hidden"),
        keras.layers.Dense(3, activation="softmax", name="species"),
    ]
)
print(model.explain("hidden"))

# %%
# Training chooses the numbers in the kernel and the bias. `history.plot()` shows how well they fit after each epoch.

model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=40, validation_split=0.2, verbose=0)
history.plot()
