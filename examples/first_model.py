"""A first model, in the form of 2015

A stack of four layers, with activations as layers of their own, on rows of 784 pixels. `input_shape=` on the first
layer works as in Keras 2; the current form is `keras.Input((784,))` before it.
"""

import numpy as np

import lamina as keras
from lamina.layers import Activation, Dense
from lamina.models import Sequential


def rows_of_784(images):
    """8x8 images, each pixel drawn as 3x3 with a white border: 28x28, in one row, 0 to 1."""
    large = np.pad(images.repeat(3, axis=1).repeat(3, axis=2), ((0, 0), (2, 2), (2, 2)))
    return large.reshape(len(images), 784).astype("float32") / 16


(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = rows_of_784(x_train), rows_of_784(x_test)

# %%
# Dense and Activation in turn.

keras.utils.set_random_seed(0)
model = Sequential(
    [
        Dense(32, input_shape=(784,)),
        Activation("relu"),
        Dense(10),
        Activation("softmax"),
    ]
)
model.summary()

# %%
# One-hot targets go with `categorical_crossentropy`.

model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, keras.utils.to_categorical(y_train, 10), epochs=20, batch_size=32)
loss, accuracy = model.evaluate(x_test, keras.utils.to_categorical(y_test, 10))
print(f"Test accuracy: {accuracy:.4f}")
