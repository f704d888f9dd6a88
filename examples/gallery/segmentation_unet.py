"""Which pixels belong to the object? A U-Net

A U-Net goes down to a coarse picture and up again, and joins each step up with the step down of the same size. Here
it finds discs in noise.
"""

import numpy as np

import lamina as keras
from lamina import layers


def pictures(count, size=24, seed=0):
    """Noisy pictures with discs, and the masks of the discs."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size]
    masks = np.zeros((count, size, size), "float32")
    for mask in masks:
        for _ in range(rng.integers(1, 4)):
            (row, column), radius = rng.uniform(4, size - 4, 2), rng.uniform(3, 7)
            mask[(rows - row) ** 2 + (columns - column) ** 2 < radius**2] = 1
    noisy = 0.6 * masks + rng.normal(0, 0.4, masks.shape)
    return noisy[..., None].astype("float32"), masks[..., None]


x_train, y_train = pictures(150)
x_test, y_test = pictures(20, seed=1)


def block(x, filters):
    """Two convolutions."""
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return x


keras.utils.set_random_seed(0)
inputs = keras.Input((24, 24, 1))
fine = block(inputs, 8)
middle = block(layers.MaxPooling2D()(fine), 16)
coarse = block(layers.MaxPooling2D()(middle), 16)
x = layers.Concatenate()([layers.Conv2DTranspose(16, 2, strides=2)(coarse), middle])
x = layers.Concatenate()([layers.Conv2DTranspose(8, 2, strides=2)(block(x, 16)), fine])
model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(block(x, 8)), name="unet")
keras.utils.model_to_dot(model, show_shapes=True)

# %%
# The share of right pixels is a poor score where most pixels are background; the overlap (IoU) is a better one.

overlap = keras.metrics.BinaryIoU(target_class_ids=[1], name="iou")
model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy", overlap])
history = model.fit(x_train, y_train, batch_size=16, epochs=10, validation_data=(x_test, y_test), verbose=0)
history.plot()

# %%
# Input, answer and truth of four test pictures, one below the other:

answers = model.predict(x_test[:4], verbose=0)
rows = np.concatenate([x_test[:4], answers, y_test[:4]]).clip(0, 1)
keras.visualization.plot_image_gallery(rows, rows=3, cols=4, value_range=(0, 1), scale=1.5)
