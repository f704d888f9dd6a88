"""Draw new digits: a variational autoencoder

The encoder gives a mean and a deviation instead of a code, and the decoder gets a random code from there. A second
term of the loss keeps the codes near a standard normal distribution, from which new pictures can then be drawn
(Kingma and Welling, 2013).
"""

import numpy as np

import lamina as keras
from lamina import layers, ops

(x_train, y_train), _ = keras.datasets.digits.load_data()
x_train = x_train.reshape(-1, 64) / 16


class VAE(keras.Model):
    """An encoder, a decoder, and the loss between them."""

    def __init__(self, size=2, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(64, activation="relu")
        self.mean, self.log_variance = layers.Dense(size), layers.Dense(size)
        self.decoder = keras.Sequential(
            [keras.Input((size,)), layers.Dense(64, activation="relu"), layers.Dense(64, activation="sigmoid")]
        )
        self.seed = keras.random.SeedGenerator(0)

    def encode(self, pixels):
        """Mean and log variance of the code."""
        hidden = self.hidden(pixels)
        return self.mean(hidden), self.log_variance(hidden)

    def call(self, pixels):
        mean, log_variance = self.encode(pixels)
        noise = keras.random.normal(mean.shape, seed=self.seed)
        divergence = -0.5 * ops.mean(ops.sum(1 + log_variance - mean**2 - ops.exp(log_variance), axis=-1))
        self.add_loss(0.02 * divergence)
        return self.decoder(mean + noise * ops.exp(0.5 * log_variance))


keras.utils.set_random_seed(0)
model = VAE()
model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy")
history = model.fit(x_train, x_train, batch_size=64, epochs=60, verbose=0)
history.plot()

# %%
# New digits: the decoder at a grid of codes. Neighbours look alike.

steps = np.linspace(-1.8, 1.8, 10)
grid = np.array([(across, down) for down in steps[::-1] for across in steps], "float32")
drawn = model.decoder.predict(grid, verbose=0).reshape(-1, 8, 8, 1)
keras.visualization.plot_image_gallery(drawn, rows=10, cols=10, value_range=(0, 1), scale=0.5)
