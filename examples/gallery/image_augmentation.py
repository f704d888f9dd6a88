"""More pictures out of few

Layers that move and turn pictures at random make each epoch see new ones. They act in `fit` alone; `predict`
leaves pictures as they are.
"""

import numpy as np

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, y_train = x_train[:100, ..., None] / 16, y_train[:100]  # few pictures
x_test = x_test[..., None] / 16

augment = keras.Sequential(
    [
        layers.RandomTranslation(0.1, 0.1, fill_mode="constant"),
        layers.RandomRotation(0.02, fill_mode="constant"),
    ],
    name="augment",
)
keras.utils.set_random_seed(0)
variants = np.concatenate([np.asarray(augment(x_train[:1], training=True)) for _ in range(10)])
keras.visualization.plot_image_gallery(variants, rows=2, cols=5, value_range=(0, 1), scale=1)


# %%
# The same network with and without.


def train(*first):
    """Train on the few pictures; returns the history."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            *first,
            layers.Conv2D(32, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(x_train, y_train, batch_size=25, epochs=70, validation_data=(x_test, y_test), verbose=0)


plain, augmented = train(), train(augment)
for name, history in (("plain", plain), ("augmented", augmented)):
    print(f"{name:10} validation accuracy {history.history['val_accuracy'][-1]:.3f}")

# %%
# The plain network learns its hundred pictures by heart and stops improving.

plain.plot()

# %%
# The augmented one goes on.

augmented.plot()
