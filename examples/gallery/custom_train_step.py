"""Your own training step

`train_step` is what `fit` does with one batch. Here it adds noise to the pictures in the direction that hurts most
(Goodfellow et al., 2014: the fast gradient sign method), and trains on both.
"""

import jax
import numpy as np

import lamina as keras
from lamina import layers

(x_train, y_train), (x_test, y_test) = keras.datasets.digits.load_data()
x_train, x_test = (x_train.reshape(-1, 64) / 16).astype("float32"), (x_test.reshape(-1, 64) / 16).astype("float32")
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def attack(model, x, y, size=0.1):
    """The pictures, each pixel moved by `size` in the direction in which the loss grows."""
    gradient = jax.grad(lambda pixels: loss(y, model(pixels, training=False)))(x)
    return (x + size * jax.numpy.sign(gradient)).clip(0, 1)


class Hardened(keras.Sequential):
    """Is trained on each batch and on its attacked copy."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        plain = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return plain
        attacked = jax.lax.stop_gradient(attack(self, x, y))
        return 0.5 * plain + 0.5 * super().compute_loss(x, y, self(attacked, training=True), sample_weight, training)


# %%
# `compute_loss` is the part of `train_step` that most programs want to change: the gradients, the optimizer and the
# metrics stay as they are. What matters here is the accuracy on attacked test pictures.

for kind in (keras.Sequential, Hardened):
    keras.utils.set_random_seed(0)
    model = kind([keras.Input((64,)), layers.Dense(128, activation="relu"), layers.Dense(10)])
    model.compile("adam", loss, metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=20, verbose=0)
    attacked = np.asarray(attack(model, x_test, y_test))
    accuracies = [model.evaluate(x, y_test, verbose=0)[1] for x in (x_test, attacked)]
    print(f"{kind.__name__:10}  test pictures {accuracies[0]:.3f}   attacked {accuracies[1]:.3f}")

# %%
# The pictures before and after the attack:

rows = np.concatenate([x_test[:8], attacked[:8]]).reshape(-1, 8, 8, 1)
keras.visualization.plot_image_gallery(rows, rows=2, cols=8, value_range=(0, 1), scale=1)
