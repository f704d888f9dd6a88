"""A program with ImageDataGenerator

Programs of Keras 2 read pictures with `ImageDataGenerator`. They run as they are, with the same numbers, and tell in a
line how the same is written today.
"""

import numpy as np

import lamina as keras
from lamina import layers
from lamina.preprocessing.image import ImageDataGenerator

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = x_train[..., None] / 16, x_test[..., None] / 16
changes = ImageDataGenerator(rotation_range=10, width_shift_range=0.1, height_shift_range=0.1)
images, labels = next(changes.flow(x_train, y_train, batch_size=8, seed=0))
images.shape, labels

# %%
# Each epoch the model sees other versions of the same pictures.

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(changes.flow(x_train, y_train, batch_size=64, seed=0), epochs=6, verbose=0)
print(f"test accuracy: {model.evaluate(x_test, y_test, verbose=0)[1]:.3f}")
history.plot()

# %%
# Today the changes are layers. They are part of the model, run with it on an accelerator, and do nothing in `predict`.

augment = keras.Sequential([layers.RandomRotation(10 / 360), layers.RandomTranslation(0.1, 0.1)])
changed = np.asarray(augment(x_train[:2], training=True))
changed.shape
