"""Read handwritten digits with convolutions

A convolution looks for the same small pattern at every place of a picture. The program ends with the pictures that
the network gets most wrong.
"""

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
keras.visualization.plot_image_gallery(x_train[:12, ..., None], rows=2, cols=6, value_range=(0, 16), scale=1)

# %%
# Pictures need an axis for the channels: `x[..., None]` makes (8, 8) into (8, 8, 1).

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Rescaling(1 / 16),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.4),
        layers.Dense(10, activation="softmax"),
    ]
)
model.summary()
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train[..., None], y_train, epochs=12, validation_split=0.1, verbose=0)
history.plot()

# %%
# What is taken for what:

print(f"Test accuracy: {model.evaluate(x_test[..., None], y_test, verbose=0)[1]:.3f}")
keras.visualization.plot_confusion_matrix(model, x_test[..., None], y_test)

# %%
# And the ten worst pictures of the test set:

keras.visualization.plot_worst_samples(model, x_test[..., None], y_test, count=10)
