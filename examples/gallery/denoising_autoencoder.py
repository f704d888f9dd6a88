"""Remove noise: an autoencoder

An autoencoder squeezes a picture through few numbers and draws it again. Trained on noisy pictures with the clean
ones as targets, it has learned what digits look like.
"""

import numpy as np

import lamina as keras
from lamina import layers

(x_train, _), (x_test, _) = keras.datasets.digits.load_data()
x_train, x_test = x_train[..., None] / 16, x_test[..., None] / 16
rng = np.random.default_rng(0)
noisy_train, noisy_test = (x + rng.normal(0, 0.3, x.shape) for x in (x_train, x_test))

keras.utils.set_random_seed(0)
encoder = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(16, name="code"),
    ],
    name="encoder",
)
decoder = keras.Sequential(
    [
        keras.Input((16,)),
        layers.Dense(4 * 4 * 16, activation="relu"),
        layers.Reshape((4, 4, 16)),
        layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
    ],
    name="decoder",
)
model = keras.Sequential([keras.Input((8, 8, 1)), encoder, decoder])
model.compile("adam", "mse")
history = model.fit(noisy_train, x_train, epochs=25, validation_data=(noisy_test, x_test), verbose=0)
history.plot()

# %%
# Noisy test pictures, and below what the network makes of them:

rows = np.concatenate([noisy_test[:8], model.predict(noisy_test[:8], verbose=0)]).clip(0, 1)
keras.visualization.plot_image_gallery(rows, rows=2, cols=8, value_range=(0, 1), scale=1)
