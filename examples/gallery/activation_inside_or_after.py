"""Activation: an argument, or a layer of its own?

Both compute the same. A layer of its own is needed where something stands between the sum and the activation, or
where you want to look at the sum.
"""

import numpy as np

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = x_train.reshape(-1, 64) / 16, x_test.reshape(-1, 64) / 16

inside = keras.Sequential([keras.Input((64,)), layers.Dense(32, activation="relu")])
after = keras.Sequential([keras.Input((64,)), layers.Dense(32), layers.Activation("relu")])
after.set_weights(inside.get_weights())
bool(np.all(inside.predict(x_test, verbose=0) == after.predict(x_test, verbose=0)))

# %%
# With a layer of its own, the output of the Dense layer is the sum before the activation. A model that ends there
# shows it.

before = keras.Model(after.inputs, after.layers[0].output)
sums = before.predict(x_test, verbose=0)
print(f"before: {sums.min():.2f} to {sums.max():.2f}; after relu: {np.maximum(sums, 0).min():.2f} to {sums.max():.2f}")

# %%
# BatchNormalization usually stands between the two. The bias is switched off, because the normalization subtracts it
# again.

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((64,)),
        layers.Dense(32, use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, epochs=15, validation_data=(x_test, y_test), verbose=0)
history.plot()

# %%
# `activation=` takes a name, a function of `keras.ops` or of JAX, a layer, or your own function.

for activation in ("tanh", keras.ops.tanh, layers.Activation("tanh"), lambda x: keras.ops.tanh(x)):
    layer = layers.Dense(2, activation=activation, kernel_initializer="ones")
    print(np.asarray(layer(np.ones((1, 2), "float32"))))
