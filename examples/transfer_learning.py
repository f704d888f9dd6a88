"""Transfer learning: a frozen base and a new head

A network that knows the digits 0 to 7 is frozen, cut at `mixed7`, and learns to tell 8 from 9 from 288 pictures. The
old spellings `RMSprop(lr=)` and `save_weights("name.h5")` work, and each prints one line with the current one.
"""

import numpy as np

import lamina as keras
from lamina import layers
from lamina.models import Model
from lamina.optimizers import RMSprop


def base_network():
    """Three convolutions and a classifier; what is worth keeping ends at the layer named mixed7."""
    inputs = layers.Input(shape=(8, 8, 1))
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="conv1")(inputs)
    x = layers.BatchNormalization(name="norm1")(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(name="pool2")(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="mixed7")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return Model(inputs, layers.Dense(8, activation="softmax", name="predictions")(x))


(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = x_train[..., None] / 16, x_test[..., None] / 16
known, new = y_train < 8, y_train >= 8

keras.utils.set_random_seed(0)
base = base_network()
base.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
base.fit(x_train[known], y_train[known], epochs=6, verbose=2)
base.save_weights("base_weights.h5")

# %%
# The program: everything above stands for the weights that one would download.
pre_trained_model = base_network()
pre_trained_model.load_weights("base_weights.h5")
for layer in pre_trained_model.layers:
    layer.trainable = False

last_layer = pre_trained_model.get_layer("mixed7")
print("last layer output shape:", last_layer.output.shape)
last_output = last_layer.output

# %%
# A new head on the output of `mixed7`.

x = layers.Flatten()(last_output)
x = layers.Dense(512, activation="relu")(x)
x = layers.Dense(1024, activation="relu")(x)
x = layers.Dropout(0.2)(x)
x = layers.Dense(1, activation="sigmoid")(x)

model = Model(pre_trained_model.input, x)
model.compile(optimizer=RMSprop(lr=0.0001), loss="binary_crossentropy", metrics=["accuracy"])
model.summary(show_trainable=True)

# %%
# Only the head is trained: the frozen weights do not move.

frozen = [np.array(weight) for weight in pre_trained_model.get_weights()]
model.fit(x_train[new], y_train[new] == 9, batch_size=20, epochs=8, verbose=2)
moved = any(np.any(a != b) for a, b in zip(frozen, pre_trained_model.get_weights(), strict=True))

new = y_test >= 8
loss, accuracy = model.evaluate(x_test[new], y_test[new] == 9, verbose=0)
print(f"Test accuracy: {accuracy:.4f}. Frozen weights moved: {moved}.")
